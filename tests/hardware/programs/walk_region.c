/*
 * walk_region BYTES TIMES EVENT...: puts a region around a walk over BYTES in steps of 64, TIMES times after a warm-up, and
 * prints for each event what one call counted at the least and at the most, less what an empty region counts:
 *
 *     inst_retired 81927 81927
 */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "armprof.h"
#include "walk.h"

enum { STEP = 64, WARM_UP = 3, EMPTY_ROUNDS = 64 };

static void check(const char *what, int error)
{
    if (error) {
        fprintf(stderr, "walk_region: %s: %s\n", what, armprof_reason(error));
        exit(1);
    }
}

int main(int argc, char **argv)
{
    int count = argc - 3;
    if (count < 1 || count > ARMPROF_MAX_EVENTS) {
        fprintf(stderr, "usage: walk_region BYTES TIMES EVENT...\n");
        return 2;
    }
    size_t bytes = strtoull(argv[1], NULL, 10);
    unsigned long times = strtoul(argv[2], NULL, 10);
    armprof_event events[ARMPROF_MAX_EVENTS];
    for (int i = 0; i < count; i++) {
        check(argv[3 + i], armprof_event_named(argv[3 + i], &events[i]));
        events[i].group = 0;
    }
    armprof_options options = {.cpu = -1, .user_reads = true};
    check("setting up", armprof_regions_setup(events, (size_t)count, &options));
    armprof_region region = armprof_region_define("walk");
    char *buffer = aligned_alloc(4096, bytes);
    if (!buffer)
        return 1;
    memset(buffer, 1, bytes);
    uint64_t sum = 0;
    for (unsigned long i = 0; i < WARM_UP + times; i++) {
        if (i == WARM_UP)
            armprof_regions_reset();
        armprof_enter(region);
        sum += walk(buffer, bytes, STEP);
        armprof_leave(region);
    }
    free(buffer);
    uint64_t ns, empty[ARMPROF_MAX_EVENTS];
    check("calibrating", armprof_regions_calibrate(EMPTY_ROUNDS, &ns, empty));
    armprof_region_totals totals;
    check("reading", armprof_region_read(region, &totals));
    for (int i = 0; i < count; i++) {
        check(argv[3 + i], armprof_event_error(armprof_thread_set(), (size_t)i));
        printf("%s %llu %llu\n", argv[3 + i], (unsigned long long)(totals.events[i].smallest - empty[i]),
               (unsigned long long)(totals.events[i].largest - empty[i]));
    }
    return sum == (WARM_UP + times) * (bytes / STEP) ? 0 : 1;
}
