/* Rounds of an empty PAPI high-level region, on request: each line "N" on stdin times N regions and prints the ns of one.
 * Which events PAPI counts is in PAPI_EVENTS. */
#include <papi.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

int main(void) {
    char line[64];
    if (PAPI_hl_region_begin("warm up") != PAPI_OK || PAPI_hl_region_end("warm up") != PAPI_OK) {
        fprintf(stderr, "PAPI does not count %s here\n", getenv("PAPI_EVENTS"));
        return 1;
    }
    while (fgets(line, sizeof line, stdin)) {
        long rounds = atol(line);
        double start = now();
        for (long i = 0; i < rounds; i++) {
            PAPI_hl_region_begin("round");
            PAPI_hl_region_end("round");
        }
        printf("%.3f\n", (now() - start) / (double)rounds);
        fflush(stdout);
    }
    return 0;
}
