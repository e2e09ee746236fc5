/*
 * Bench clock: times batches of operations and knows what its own readings cost.
 *
 * Guarantees
 *   Clock       CLOCK_MONOTONIC: read in user space on every Linux that has a counter for it. CLOCK_MONOTONIC_RAW is
 *               not steered by NTP (at most 0.05 %), but needs a system call on older kernels.
 *   Memory      samples go into the caller's array; nothing is allocated.
 *   Threads     functions share nothing.
 *   Errors      none: CLOCK_MONOTONIC cannot fail on Linux.
 */
#ifndef AP_BENCH_CLOCK_H
#define AP_BENCH_CLOCK_H

#include <stdint.h>

#include "loops.h"

typedef struct ap_clock {
    double cost_ns;         /* what an interval of no work measures: the best mean of many readings back to back */
    uint64_t resolution_ns; /* smallest step seen between two readings; clock_getres() says 1 ns even where the counter
                             * beneath runs at 25 MHz and steps by 40 */
} ap_clock;

/* Measures the clock; takes a few milliseconds. */
ap_clock ap_clock_measure(void);

/*
 * Runs loop(state, batch) `samples` times and stores the nanoseconds of each in ns_out[0..samples), the clock's cost
 * included. Returns the loop's last checksum, 0 where there was no sample.
 */
uint64_t ap_time_batches(ap_loop loop, void *state, uint64_t batch, uint64_t samples, uint64_t *ns_out);

/* A function that is one operation; a pointer to one is the state of ap_call_loop. */
typedef void (*ap_function)(void);

/* The loop around such a function: an ap_loop, whose checksum is 0 for there is nothing to fold. */
uint64_t ap_call_loop(void *state, uint64_t operations);

#endif
