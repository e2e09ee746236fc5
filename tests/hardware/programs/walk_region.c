/*
 * walk_region BYTES TIMES EVENT...: puts a region around a walk over BYTES in steps of 64, TIMES times after a warm-up, and
 * prints for each event what one call counted in the middle, at the least and at the most, less what an empty region counts
 * in the middle:
 *
 *     inst_retired 81934 81933 82027
 *
 * The middle is exact. An interrupt in a call adds what it takes the reader to notice that the kernel wrote the page, and
 * some emulated PMUs lose an instruction at one.
 */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "armprof.h"
#include "walk.h"

enum { STEP = 64, WARM_UP = 3, EMPTY_CALLS = 101, MOST_CALLS = 1000 };

static armprof_event events[ARMPROF_MAX_EVENTS];
static int count;
static uint64_t of_call[ARMPROF_MAX_EVENTS][MOST_CALLS];

static void check(const char *what, int error)
{
    if (error) {
        fprintf(stderr, "walk_region: %s: %s\n", what, armprof_reason(error));
        exit(1);
    }
}

/* Puts the region around a walk, or around nothing where bytes is 0, and notes what each call counted. */
static uint64_t call(armprof_region region, const char *buffer, size_t bytes, unsigned long times)
{
    uint64_t sum = 0, before[ARMPROF_MAX_EVENTS] = {0};
    for (unsigned long i = 0; i < WARM_UP + times; i++) {
        armprof_enter(region);
        if (bytes)
            sum += walk(buffer, bytes, STEP);
        armprof_leave(region);
        armprof_region_totals totals;
        check("reading", armprof_region_read(region, &totals));
        for (int e = 0; e < count; e++) {
            if (i >= WARM_UP)
                of_call[e][i - WARM_UP] = totals.events[e].total - before[e];
            before[e] = totals.events[e].total;
        }
    }
    return sum;
}

static int compare(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

int main(int argc, char **argv)
{
    count = argc - 3;
    unsigned long times = argc > 2 ? strtoul(argv[2], NULL, 10) : 0;
    if (count < 1 || count > ARMPROF_MAX_EVENTS || times < 1 || times > MOST_CALLS) {
        fprintf(stderr, "usage: walk_region BYTES TIMES EVENT...\n");
        return 2;
    }
    size_t bytes = strtoull(argv[1], NULL, 10);
    for (int e = 0; e < count; e++) {
        check(argv[3 + e], armprof_event_named(argv[3 + e], &events[e]));
        events[e].group = 0;
    }
    armprof_options options = {.cpu = -1, .user_reads = true};
    check("setting up", armprof_regions_setup(events, (size_t)count, &options));
    char *buffer = aligned_alloc(4096, bytes);
    if (!buffer)
        return 1;
    memset(buffer, 1, bytes);
    call(armprof_region_define("empty"), NULL, 0, EMPTY_CALLS);
    uint64_t empty[ARMPROF_MAX_EVENTS];
    for (int e = 0; e < count; e++) {
        check(argv[3 + e], armprof_event_error(armprof_thread_set(), (size_t)e));
        qsort(of_call[e], EMPTY_CALLS, sizeof *of_call[e], compare);
        empty[e] = of_call[e][EMPTY_CALLS / 2];
    }
    uint64_t sum = call(armprof_region_define("walk"), buffer, bytes, times);
    free(buffer);
    for (int e = 0; e < count; e++) {
        qsort(of_call[e], times, sizeof *of_call[e], compare);
        printf("%s %lld %lld %lld\n", argv[3 + e], (long long)(of_call[e][times / 2] - empty[e]),
               (long long)(of_call[e][0] - empty[e]), (long long)(of_call[e][times - 1] - empty[e]));
    }
    return sum == (WARM_UP + times) * (bytes / STEP) ? 0 : 1;
}
