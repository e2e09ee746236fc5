/* Records of a sampling event, whatever they hold: what is taken over points only to what is there. */
#include <stdint.h>

#include "records.h"

#include "input.h"

static const uint64_t ids[] = {1, 2, 0x6464646464646464};
static const uint16_t event_of[] = {0, 1, 2};

enum { MOST_OF_A_SAMPLE = 32 };

static void take_all(const uint8_t *data, size_t size, enum armprof_reading reading) {
    struct armprof_records records = {.ids = ids, .event_of = event_of, .events = 3, .reading = reading, .with_losses = size % 2};
    fuzz_input input = {data, size};
    fuzz_record record;
    size_t taken = 0;
    while (fuzz_take(&input, &record)) {
        uint8_t *copy = fuzz_copy(record.bytes, record.size, 0);
        if (record.size >= sizeof(uint32_t))
            copy[0] = record.kind; /* the low byte of its type */
        armprof_records_take(&records, copy, record.size);
        free(copy);
        taken++;
    }
    size_t each = reading == ARMPROF_ALONE ? 1 : MOST_OF_A_SAMPLE;
    CHECK(records.hits.used <= each * taken);
    CHECK(records.moves.used + records.malformed <= taken);
    const armprof_hit *hits = records.hits.data;
    const armprof_stack *stacks = records.stacks.data;
    for (size_t i = 0; i < records.hits.used; i++) {
        CHECK(hits[i].event < 3);
        CHECK(hits[i].stack < records.stacks.used);
        CHECK(stacks[hits[i].stack].depth > 0);
        CHECK((uint64_t)stacks[hits[i].stack].first + stacks[hits[i].stack].depth <= records.frames.used);
    }
    const armprof_move *moves = records.moves.data;
    const char *text = records.text.data;
    for (size_t i = 0; i < records.moves.used; i++)
        CHECK(memchr(text + moves[i].text, 0, records.text.used - moves[i].text) != NULL);
    armprof_records_free(&records);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    take_all(data, size, ARMPROF_ALONE);
    take_all(data, size, ARMPROF_OF_THREAD);
    take_all(data, size, ARMPROF_OF_CPU);
    return 0;
}
