/* Counters read in user space from any page and register: the arithmetic against that of 128 bits, and a kernel that writes
 * the page while it is taken over. */
#include <stdint.h>

static const char *simulated_routine(uint32_t index);
static uint64_t simulated_read(const char *routine, uint64_t *refused);
#define ARMPROF_REGISTER_ROUTINE(index) simulated_routine(index)
#define ARMPROF_READ_REGISTER(routine, refused) simulated_read(routine, refused)
#include "page.h"

#include "input.h"

typedef struct {
    uint64_t reg, ticks, enabled, running, time_offset;
    int64_t offset;
    uint32_t index, mult;
    uint16_t width, shift;
} state;

static armprof_page page;
static state first, second;
static int writes; /* how often the kernel still writes while the page is read */
static char routines[ARMPROF_INDEX_ZERO + 1];

static void write_page(const state *to) {
    page.lock++;
    page.index = to->index;
    page.offset = to->offset;
    page.pmc_width = to->width;
    page.time_enabled = to->enabled;
    page.time_running = to->running;
    page.time_offset = to->time_offset;
    page.lock++;
}

static const char *simulated_routine(uint32_t index) {
    CHECK(index < sizeof routines);
    if (writes > 0)
        write_page(writes-- % 2 ? &second : &first);
    return routines + index;
}

static uint64_t simulated_read(const char *routine, uint64_t *refused) {
    *refused |= routine == routines ? ARMPROF_REFUSED_NO_INDEX : 0;
    return second.reg;
}

/* The lowest `width` bits with their sign, by division. */
static uint64_t extended(uint64_t value, unsigned width) {
    __extension__ typedef __int128 wide;
    wide range = (wide)1 << width, low = value % range;
    return (uint64_t)(low >= range / 2 ? low - range : low);
}

static void conversion(uint64_t ticks, uint32_t mult, uint16_t shift) {
    __extension__ typedef unsigned __int128 wide;
    shift %= 33; /* what the kernel gives: mult has 32 bits, and shift is at most 32 */
    CHECK_EQUAL(armprof_ticks_to_ns(ticks, mult, shift), (uint64_t)((wide)ticks * mult >> shift));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 2 * sizeof(state) + 1)
        return 0;
    memcpy(&first, data, sizeof first);
    memcpy(&second, data + sizeof first, sizeof second);
    second.width = (uint16_t)(1 + second.width % 64);
    write_page(&first);
    writes = 1 + 2 * (data[2 * sizeof(state)] % 4); /* the last is of `second` */

    struct armprof_source source = {.page = &page};
    struct armprof_times times;
    uint64_t refused = 0;
    armprof_source_refresh(&source, &times);
    uint64_t count = armprof_source_read(&source, &refused);
    bool readable = second.index != 0 && second.index <= ARMPROF_INDEX_CYCLES;
    CHECK_EQUAL(refused, readable ? 0 : ARMPROF_REFUSED_NO_INDEX);
    CHECK_EQUAL(count, (uint64_t)second.offset + extended(second.reg, second.width));
    CHECK_EQUAL(times.enabled_base, second.enabled + second.time_offset);
    CHECK_EQUAL(times.lost, second.enabled - second.running);
    CHECK_EQUAL(source.sequence_and_shift >> 32, page.lock);
    conversion(second.ticks, second.mult, second.shift);
    return 0;
}
