/* The ITCH parser on bytes that are not what they should be. Every buffer is of exactly its size on the heap, so that
 * AddressSanitizer sees the first byte read beyond it. */
#include "generator.h"
#include "itch50.h"

#include <string.h>

#include "check.h"

enum { MUTANTS = 150000, MESSAGES_PER_MUTANT = 6 };

static const char types[] = "SRHYLVWKJhAFECXDUPQBINO";

/* What a plain walk over the length prefixes finds, without the parser. */
typedef struct {
    uint64_t good, unknown, bad, truncated;
} tally;

static size_t spec_length(uint8_t type) {
    static const uint8_t lengths[] = {12, 39, 25, 20, 26, 35, 12, 28, 35, 21, 36, 40, 31, 36, 23, 19, 35, 44, 40, 19, 50, 20, 48};
    const char *found = type == 0 ? NULL : strchr(types, type);
    return found == NULL ? 0 : lengths[found - types];
}

static tally walk(const uint8_t *data, size_t size) {
    tally t = {0};
    size_t at = 0;
    while (at < size) {
        size_t length = size - at < 2 ? size : (size_t)data[at] << 8 | data[at + 1];
        if (size - at < 2 || length > size - at - 2) {
            t.truncated++;
            break;
        }
        if (length == 0)
            t.bad++;
        else if (spec_length(data[at + 2]) == 0)
            t.unknown++;
        else if (spec_length(data[at + 2]) != length)
            t.bad++;
        else
            t.good++;
        at += 2 + length;
    }
    return t;
}

static void expect(const uint8_t *data, size_t size) {
    tally expected = walk(data, size);
    ap_itch_reader reader;
    ap_itch_reader_init(&reader, data, size, AP_ITCH_BINARYFILE);
    ap_itch_drain(&reader);
    CHECK_EQUAL(reader.counts[AP_ITCH_OK], expected.good);
    CHECK_EQUAL(reader.counts[AP_ITCH_UNKNOWN_TYPE], expected.unknown);
    CHECK_EQUAL(reader.counts[AP_ITCH_BAD_LENGTH], expected.bad);
    CHECK_EQUAL(reader.counts[AP_ITCH_TRUNCATED], expected.truncated);

    /* Raw framing has no lengths to go by: it must end, inside the buffer. */
    ap_itch_reader_init(&reader, data, size, AP_ITCH_RAW);
    ap_itch_drain(&reader);
    CHECK(reader.position <= size);
    CHECK(reader.counts[AP_ITCH_UNKNOWN_TYPE] + reader.counts[AP_ITCH_TRUNCATED] <= 1);
}

static uint8_t *exact_copy(const uint8_t *data, size_t size) {
    uint8_t *copy = malloc(size == 0 ? 1 : size);
    CHECK(copy != NULL);
    if (size > 0)
        memcpy(copy, data, size);
    return copy;
}

/* Returns the mutant's size. */
static size_t mutate(uint8_t *data, size_t size, uint64_t *random) {
    uint64_t changes = 1 + ap_splitmix64(random) % 4;
    while (changes-- > 0 && size > 0) {
        uint64_t r = ap_splitmix64(random);
        size_t at = (r >> 8) % size;
        switch (r % 4) {
        case 0: /* a bit */
            data[at] ^= (uint8_t)(1 << (r >> 4) % 8);
            break;
        case 1: /* a byte */
            data[at] = (uint8_t)(r >> 48);
            break;
        case 2: /* cut off */
            size = at;
            break;
        default: /* a piece lost in the middle */
            memmove(data + at, data + at + (size - at) / 2, size - at - (size - at) / 2);
            size -= (size - at) / 2;
        }
    }
    return size;
}

static void mutants_are_counted_and_never_read_beyond(void) {
    static ap_generator generator;
    static uint8_t stream[MESSAGES_PER_MUTANT * (AP_ITCH_FRAME_HEADER + AP_ITCH_MAX_LENGTH)];
    uint64_t random = 50, mutants_with_errors = 0;
    ap_generator_init(&generator, 50);
    for (int i = 0; i < MUTANTS; i++) {
        size_t size = ap_generator_fill(&generator, stream, sizeof stream, MESSAGES_PER_MUTANT);
        CHECK(size > 0);
        size = mutate(stream, size, &random);
        uint8_t *data = exact_copy(stream, size);
        expect(data, size);
        tally t = walk(data, size);
        mutants_with_errors += t.unknown + t.bad + t.truncated > 0;
        free(data);
    }
    /* Many changes touch a field's value only, which no parser can see; but not most. */
    CHECK(mutants_with_errors > MUTANTS / 2);
}

static void noise_is_counted_and_never_read_beyond(void) {
    uint64_t random = 51;
    for (int i = 0; i < 20000; i++) {
        uint8_t noise[256];
        size_t size = ap_splitmix64(&random) % sizeof noise;
        for (size_t at = 0; at < size; at++)
            noise[at] = (uint8_t)ap_splitmix64(&random);
        /* Lengths that can be, so that the walk goes further than one frame. */
        for (size_t at = 0; at < size; at += 2)
            noise[at] = ap_splitmix64(&random) % 4 == 0 ? noise[at] : 0;
        uint8_t *data = exact_copy(noise, size);
        expect(data, size);
        free(data);
    }
}

/* Every type at every length from 0 to 80: only its own is taken, and not a byte of the others is read. */
static void each_type_has_one_length(void) {
    for (int type = 0; type < 256; type++) {
        for (size_t length = 0; length <= 80; length++) {
            uint8_t message_bytes[80] = {(uint8_t)type};
            uint8_t *payload = exact_copy(message_bytes, length);
            ap_itch_message message;
            memset(&message, 0x5a, sizeof message);
            ap_itch_message before = message;
            ap_itch_status status = ap_itch_decode(payload, length, &message);
            size_t own = spec_length((uint8_t)type);
            CHECK_EQUAL(ap_itch_length((char)type), own);
            if (length == 0)
                CHECK_EQUAL(status, AP_ITCH_BAD_LENGTH);
            else if (own == 0)
                CHECK_EQUAL(status, AP_ITCH_UNKNOWN_TYPE);
            else
                CHECK_EQUAL(status, length == own ? AP_ITCH_OK : AP_ITCH_BAD_LENGTH);
            if (status != AP_ITCH_OK)
                CHECK(memcmp(&before, &message, sizeof message) == 0);
            free(payload);
        }
    }
}

/* Random bytes of each type decode and encode back to the same bytes: no field is lost, none overlaps another. */
static void decoding_and_encoding_agree(void) {
    uint64_t random = 52;
    for (const char *type = types; *type != '\0'; type++) {
        for (int i = 0; i < 2000; i++) {
            uint8_t bytes[AP_ITCH_MAX_LENGTH], back[AP_ITCH_MAX_LENGTH];
            for (size_t at = 0; at < sizeof bytes; at++)
                bytes[at] = (uint8_t)ap_splitmix64(&random);
            bytes[0] = (uint8_t)*type;
            size_t length = ap_itch_length(*type);
            ap_itch_message message;
            CHECK_EQUAL(ap_itch_decode(bytes, length, &message), AP_ITCH_OK);
            CHECK_EQUAL(ap_itch_encode(&message, back), length);
            CHECK(memcmp(bytes, back, length) == 0);
        }
    }
    ap_itch_message unknown = {.type = '?'};
    uint8_t nothing[1] = {7};
    CHECK_EQUAL(ap_itch_encode(&unknown, nothing), 0);
    CHECK_EQUAL(nothing[0], 7);
}

/* The stream of the generator without its lengths: raw framing finds the same messages. */
static void raw_framing_takes_messages_one_after_another(void) {
    enum { MESSAGES = 5000 };
    static ap_generator generator;
    static uint8_t raw[MESSAGES * AP_ITCH_MAX_LENGTH];
    size_t size = 0;
    ap_itch_message message, expected;
    ap_generator_init(&generator, 53);
    for (int i = 0; i < MESSAGES; i++) {
        ap_generator_next(&generator, &message);
        size += ap_itch_encode(&message, raw + size);
    }
    ap_itch_reader reader;
    ap_itch_reader_init(&reader, raw, size, AP_ITCH_RAW);
    ap_generator_init(&generator, 53);
    while (ap_itch_next(&reader, &message) == AP_ITCH_OK) {
        uint8_t found_bytes[AP_ITCH_MAX_LENGTH], bytes[AP_ITCH_MAX_LENGTH];
        ap_generator_next(&generator, &expected);
        size_t length = ap_itch_encode(&expected, bytes);
        CHECK_EQUAL(ap_itch_encode(&message, found_bytes), length);
        CHECK(memcmp(bytes, found_bytes, length) == 0);
    }
    CHECK_EQUAL(reader.counts[AP_ITCH_OK], MESSAGES);
    CHECK_EQUAL(reader.position, size);
}

/* A caller that gets its bytes in pieces goes on where the unfinished frame starts. */
static void an_unfinished_frame_can_be_taken_up_again(void) {
    enum { MESSAGES = 200 };
    static ap_generator generator;
    static uint8_t stream[MESSAGES * (AP_ITCH_FRAME_HEADER + AP_ITCH_MAX_LENGTH)];
    ap_generator_init(&generator, 54);
    size_t size = ap_generator_fill(&generator, stream, sizeof stream, MESSAGES), start = 0;
    uint64_t messages = 0;
    for (size_t end = 1; end <= size; end++) {
        uint8_t *data = exact_copy(stream + start, end - start);
        ap_itch_reader reader;
        ap_itch_reader_init(&reader, data, end - start, AP_ITCH_BINARYFILE);
        ap_itch_drain(&reader);
        CHECK(reader.counts[AP_ITCH_TRUNCATED] == (reader.position < end - start));
        messages += reader.counts[AP_ITCH_OK];
        start += reader.position;
        free(data);
    }
    CHECK_EQUAL(messages, MESSAGES);
    CHECK_EQUAL(start, size);
}

int main(void) {
    each_type_has_one_length();
    decoding_and_encoding_agree();
    raw_framing_takes_messages_one_after_another();
    an_unfinished_frame_can_be_taken_up_again();
    noise_is_counted_and_never_read_beyond();
    mutants_are_counted_and_never_read_beyond();
    expect(NULL, 0);
    return 0;
}
