/* The C API, called in any order with any events and options: sets, regions, latencies. Software events alone, so that it is
 * the same on every machine; the others are there to be refused. */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/perf_event.h>
#include <stdio.h>

#include "armprof.h"
#include "input.h"

enum { SETS = 3, DEPTH_SEEN = ARMPROF_MAX_DEPTH + 10 };

static armprof_set *sets[SETS];
static size_t set_events[SETS];

static uint8_t take(fuzz_input *input) {
    uint8_t byte = input->left > 0 ? *input->data : 0;
    input->data += input->left > 0;
    input->left -= input->left > 0;
    return byte;
}

static armprof_event take_event(fuzz_input *input) {
    static const uint32_t types[] = {PERF_TYPE_SOFTWARE, PERF_TYPE_SOFTWARE, PERF_TYPE_SOFTWARE, PERF_TYPE_RAW, 0xffffffff};
    uint8_t what = take(input);
    return (armprof_event){.type = types[what % (sizeof types / sizeof *types)],
                           .group = what >> 6,
                           .config = take(input) % 16,
                           .kernel = what & 32};
}

static armprof_options take_options(fuzz_input *input) {
    uint8_t what = take(input);
    return (armprof_options){.pid = what & 1 ? -1 : 0,
                             .cpu = what & 2 ? take(input) : -1,
                             .cgroup = (what & 12) == 12,
                             .inherit = what & 16,
                             .enable_on_exec = what & 32,
                             .user_reads = what & 64,
                             .unfenced = what & 128};
}

static void open_set(fuzz_input *input) {
    size_t at = take(input) % SETS, count = take(input);
    armprof_event events[ARMPROF_MAX_EVENTS + 2];
    count = count < 251 ? count % 6 : count - 251 + ARMPROF_MAX_EVENTS - 2; /* many take long */
    for (size_t i = 0; i < count; i++)
        events[i] = take_event(input);
    armprof_options options = take_options(input);
    armprof_close(sets[at]);
    errno = 0;
    sets[at] = armprof_open(events, count, &options);
    CHECK((sets[at] == NULL) == (count == 0 || count > ARMPROF_MAX_EVENTS));
    CHECK(sets[at] || errno == EINVAL);
    set_events[at] = sets[at] ? armprof_event_count(sets[at]) : 0;
    CHECK_EQUAL(set_events[at], sets[at] ? count : 0);
}

static void sample_set(fuzz_input *input) {
    size_t at = take(input) % SETS;
    armprof_count counts[ARMPROF_MAX_EVENTS];
    if (!sets[at])
        return;
    if (armprof_sample(sets[at], counts) != 0)
        return;
    for (size_t i = 0; i < set_events[at]; i++) {
        int error = armprof_event_error(sets[at], i);
        CHECK((error != 0) == (armprof_event_access(sets[at], i) == ARMPROF_CLOSED));
        CHECK(armprof_event_group(sets[at], i) < ARMPROF_MAX_GROUPS);
        CHECK(counts[i].running_ns <= counts[i].enabled_ns);
        CHECK(error == 0 || (counts[i].value | counts[i].enabled_ns) == 0);
        CHECK(error == 0 || strlen(armprof_reason(error)) > 0);
    }
}

static void set_up_regions(fuzz_input *input) {
    armprof_event events[4];
    size_t count = take(input) % 5;
    for (size_t i = 0; i < count; i++)
        events[i] = take_event(input);
    armprof_options options = take_options(input);
    int error = armprof_regions_setup(events, count, &options);
    CHECK(error == 0 || error == EBUSY || error == EINVAL);
}

static void read_region(armprof_region region) {
    armprof_region_totals totals;
    armprof_regions_health health;
    static uint64_t buckets[ARMPROF_LATENCY_BUCKETS];
    armprof_regions_read_health(&health);
    CHECK(health.threads <= 1 && health.failed <= health.threads && health.inside <= ARMPROF_MAX_DEPTH);
    int error = armprof_region_read_latencies(region, buckets);
    CHECK(error == 0 || error == EINVAL || error == ENODATA);
    if (armprof_region_read(region, &totals) != 0)
        return;
    CHECK(totals.counted <= totals.outermost && totals.outermost <= totals.calls);
    CHECK(totals.ns.smallest <= totals.ns.largest && totals.ns.largest <= totals.ns.total);
    for (size_t i = 0; i < ARMPROF_MAX_EVENTS; i++)
        CHECK(totals.counted > 0 || totals.events[i].total == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_input input = {data, size};
    static const char *const names[] = {"", "a", "b", "\xff\"\\", "c", "d", "e", "f"};
    uint64_t ns, smallest[ARMPROF_MAX_EVENTS];
    for (int steps = 0; input.left > 0 && steps < 300; steps++) {
        uint8_t what = take(&input);
        armprof_region region = what >> 4;
        switch (what % 16) {
        case 0: open_set(&input); break;
        case 1: sample_set(&input); break;
        case 2: set_up_regions(&input); break;
        case 3: armprof_region_define(names[region % 8]); break;
        case 4: read_region(region); break;
        case 5: armprof_regions_calibrate(region, &ns, smallest); break;
        case 6: armprof_regions_reset(); break;
        case 7: armprof_regions_teardown(); break;
        case 8: CHECK_EQUAL(armprof_regions_keep_latencies(), 0); break;
        case 9: armprof_thread_start(); break;
        case 10: armprof_enter(UINT32_MAX - region); break;
        case 11: case 12: armprof_enter(region); break;
        default: armprof_leave(region); break;
        }
    }
    for (int depth = 0; depth < DEPTH_SEEN; depth++)
        for (armprof_region region = 0; region < 16; region++)
            armprof_leave(region);
    CHECK_EQUAL(armprof_regions_teardown(), 0);
    for (size_t i = 0; i < SETS; i++) {
        armprof_close(sets[i]);
        sets[i] = NULL;
    }
    return 0;
}
