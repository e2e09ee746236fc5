#define _POSIX_C_SOURCE 200809L
#include "bench_clock.h"

#include <time.h>

static uint64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

/* The mean over a round and not a single difference, which on a coarse clock is 0 or a whole step; the best round and
 * not all of them, because interrupts only ever add. */
enum { ROUNDS = 50, READINGS = 1000 };

ap_clock ap_clock_measure(void) {
    ap_clock clock = {.cost_ns = 1e9, .resolution_ns = UINT64_MAX};
    for (int round = 0; round < ROUNDS; round++) {
        uint64_t first = now_ns(), last = first;
        for (int i = 0; i < READINGS; i++) {
            uint64_t now = now_ns();
            if (now != last && now - last < clock.resolution_ns)
                clock.resolution_ns = now - last;
            last = now;
        }
        double cost = (double)(last - first) / READINGS;
        if (cost < clock.cost_ns)
            clock.cost_ns = cost;
    }
    return clock;
}

uint64_t ap_time_batches(ap_loop loop, void *state, uint64_t batch, uint64_t samples, uint64_t *ns_out) {
    uint64_t checksum = 0;
    for (uint64_t i = 0; i < samples; i++) {
        uint64_t start = now_ns();
        checksum = loop(state, batch);
        ns_out[i] = now_ns() - start;
    }
    return checksum;
}

uint64_t ap_call_loop(void *state, uint64_t operations) {
    const ap_function function = *(const ap_function *)state;
    while (operations-- > 0)
        function();
    return 0;
}
