/* Counts a function from inside a C program: which events, how often, and what one call costs.
 *
 *     cc -O2 -I csrc/include examples/region.c csrc/counters/[a-z]*.c -o region -pthread && ./region
 */
#include <armprof.h>
#include <stdio.h>

static const char *const NAMES[] = {"cpu_cycles", "inst_retired", "l1d_cache", "l1d_cache_refill", "task_clock", "page_faults"};
enum { NAME_COUNT = sizeof NAMES / sizeof *NAMES };

static unsigned sum(const unsigned char *bytes, size_t size) {
    unsigned total = 0;
    for (size_t i = 0; i < size; i++) {
        total += bytes[i];
    }
    return total;
}

int main(void) {
    /* The events that this machine knows; hardware ones in one group, the kernel's own in another. */
    armprof_event events[NAME_COUNT];
    const char *names[NAME_COUNT];
    size_t count = 0;
    for (size_t i = 0; i < NAME_COUNT; i++) {
        if (armprof_event_named(NAMES[i], &events[count]) == 0) {
            events[count].group = i >= 4;
            names[count++] = NAMES[i];
        } else {
            printf("%-18s this machine does not count it\n", NAMES[i]);
        }
    }
    armprof_options options = {.cpu = -1, .user_reads = true};
    int error = armprof_regions_setup(events, count, &options);
    if (error) {
        fprintf(stderr, "regions: %s\n", armprof_reason(error));
        return 1;
    }

    armprof_region region = armprof_region_define("sum");
    static unsigned char bytes[1 << 20];
    unsigned total = 0;
    for (int round = 0; round < 100; round++) {
        armprof_enter(region);
        total += sum(bytes, sizeof bytes);
        armprof_leave(region);
    }

    armprof_region_totals totals;
    armprof_region_read(region, &totals);
    printf("%-18s %12s %12s %12s\n", "per call", "mean", "smallest", "largest");
    printf("%-18s %12.0f %12.0f %12.0f\n", "ns", (double)totals.ns.total / (double)totals.outermost,
           (double)totals.ns.smallest, (double)totals.ns.largest);
    for (size_t i = 0; i < count; i++) {
        int refused = armprof_event_error(armprof_thread_set(), i);
        if (refused) {
            printf("%-18s not counted: %s\n", names[i], armprof_reason(refused));
            continue;
        }
        const armprof_spread *spread = &totals.events[i];
        printf("%-18s %12.0f %12.0f %12.0f\n", names[i], (double)spread->total / (double)totals.outermost,
               (double)spread->smallest, (double)spread->largest);
    }
    return total == 0 ? 0 : 1;
}
