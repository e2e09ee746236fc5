/* The clock of regions: CNTVCT where the core has it, which is also the clock of the mapped pages; the kernel's monotonic
 * clock elsewhere. */
#ifndef ARMPROF_CLOCK_H
#define ARMPROF_CLOCK_H

#include <stdint.h>
#include <time.h>

static inline uint64_t armprof_ticks(void) {
#if defined(__aarch64__)
    uint64_t ticks;
    __asm__ volatile("mrs %0, cntvct_el0" : "=r"(ticks)::"memory");
    return ticks;
#else
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
#endif
}

static inline uint64_t armprof_ticks_per_second(void) {
#if defined(__aarch64__)
    uint64_t frequency;
    __asm__("mrs %0, cntfrq_el0" : "=r"(frequency));
    return frequency;
#else
    return 1000000000u;
#endif
}

/* A difference of two armprof_ticks(), in ns. */
static inline uint64_t armprof_elapsed_ns(uint64_t ticks) {
    uint64_t frequency = armprof_ticks_per_second();
    return ticks / frequency * 1000000000u + ticks % frequency * 1000000000u / frequency;
}

#endif
