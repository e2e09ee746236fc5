/*
 * Empty regions of PAPI's high-level interface, timed one by one: the C side of region_vs_papi.py.
 *
 * For each line on standard input, a number N, writes N durations in nanoseconds as 64-bit words to standard output. What
 * PAPI counts stands in the environment variable PAPI_EVENTS, as usual.
 */
#include <papi.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static uint64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static void check(int result)
{
    if (result != PAPI_OK) {
        fprintf(stderr, "region_papi: %s\n", PAPI_strerror(result));
        exit(1);
    }
}

int main(void)
{
    size_t rounds;
    while (scanf("%zu", &rounds) == 1) {
        uint64_t *durations = malloc(rounds * sizeof *durations);
        if (!durations)
            return 1;
        for (size_t i = 0; i < rounds; i++) {
            uint64_t start = now();
            int begun = PAPI_hl_region_begin("empty");
            int ended = PAPI_hl_region_end("empty");
            durations[i] = now() - start;
            check(begun);
            check(ended);
        }
        fwrite(durations, sizeof *durations, rounds, stdout);
        fflush(stdout);
        free(durations);
    }
    return 0;
}
