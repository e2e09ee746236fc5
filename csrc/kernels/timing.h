/*
 * Timing: stamps of one instruction, and what they are in nanoseconds.
 *
 * Guarantees
 *   Source      CNTVCT_EL0 on ARM64, the time stamp counter on x86-64 where the processor calls it invariant and the
 *               kernel has not given it up; either only where it runs evenly beside CLOCK_MONOTONIC_RAW. Elsewhere
 *               that clock itself. `why` tells.
 *   Complexity  a stamp is one branch, always taken the same way, and the instruction. A conversion is one
 *               multiplication and one shift. No system call, no allocation; set-up waits while it calibrates.
 *   Ordering    a plain stamp may be taken before earlier instructions are done and after later ones have begun, some
 *               ten nanoseconds either way. A fenced one waits for the earlier ones, and the later ones wait for it;
 *               stores need not have left the core. Time of less than a microsecond wants fenced stamps at both ends,
 *               or many operations between plain ones.
 *   Monotone    fenced stamps of one thread never go back. Nor do conversions: a later stamp is never an earlier time.
 *   Drift       none but the frequency's error: every time is computed from the stamp of set-up by a factor of 54
 *               fractional bits, so that a year of a 5 GHz counter is off by no more than 5 ns through rounding. The
 *               frequency is CNTFRQ_EL0's where measurement agrees with it, and else measured; error_ppm bounds its
 *               error beside CLOCK_MONOTONIC_RAW, and of a measured one falls with the time given to calibrate.
 *   Resolution  resolution_ns is what the counter steps by, measured: a 25 MHz CNTVCT steps by 40 ns, and one that
 *               says 1 GHz may step by 32. Shorter work is timed in batches.
 *   Threads     after set-up the structure is only read, by any number of threads. Stamps of two CPUs can be compared
 *               as far as the kernel synchronised their counters, which on ARM64 are one.
 *   Errors      none: what cannot be read by an instruction is read from the system's clock.
 */
#ifndef AP_TIMING_H
#define AP_TIMING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__x86_64__)
#include <x86intrin.h>
#endif

typedef enum ap_timing_source {
    AP_TIMING_COUNTER = 0, /* the processor's counter */
    AP_TIMING_SYSTEM,      /* clock_gettime(CLOCK_MONOTONIC_RAW): a tick is a nanosecond */
} ap_timing_source;

typedef struct ap_timing {
    ap_timing_source source;
    uint64_t base_ticks; /* a stamp of set-up, and its CLOCK_MONOTONIC_RAW time */
    uint64_t base_ns;
    uint64_t multiplier; /* nanoseconds of a tick, times 2^AP_TIMING_SHIFT */
    double ticks_per_second;
    double error_ppm;     /* most that ticks_per_second is off beside CLOCK_MONOTONIC_RAW, in millionths */
    double offset_ns;     /* most that base_ns lies from the system's time of base_ticks */
    double resolution_ns; /* as ap_timing_step() has it */
    const char *why;      /* why this source and this frequency, for a report */
} ap_timing;

/* What reading costs, one after the other; ns each. */
typedef struct ap_timing_cost {
    double instruction_ns; /* the bare instruction; system_ns where there is none */
    double stamp_ns;
    double fenced_ns;
    double system_ns; /* clock_gettime(CLOCK_MONOTONIC_RAW) */
} ap_timing_cost;

/* Both clocks at one moment. The system's time belongs to a tick that lies `width` / 2 from `ticks` at most. */
typedef struct ap_timing_anchor {
    uint64_t ticks, ns, width;
} ap_timing_anchor;

/* With 2^54 a tick may last up to 1023 ns; the architecture asks for 1 MHz at least. */
#define AP_TIMING_SHIFT 54

/* Long enough for a frequency good to some millionths. */
#define AP_TIMING_CALIBRATION_NS 20000000U

/* Chooses the source, AP_TIMING_COUNTER where `wanted` is that and it will do, and calibrates it for calibration_ns. */
void ap_timing_init(ap_timing *timing, ap_timing_source wanted, uint64_t calibration_ns);

/* The arithmetic of set-up: source and frequency from three moments in order and from the frequency that the processor
 * states, 0 where it states none. */
void ap_timing_fit(ap_timing *timing, const ap_timing_anchor moments[3], uint64_t stated_frequency);

/*
 * What a counter steps by, from a row of its readings: the smallest step between two of them where some fell into the
 * same, else the greatest common divisor of the steps, which a counter shows that is read slower than it steps. One that
 * was rounded to another unit shows none: of such a one it is the smallest step at any rate. 0 where it stood still.
 */
uint64_t ap_timing_step(const uint64_t *stamps, size_t count, bool is_rounded);

/* Measures stamps; takes a few milliseconds. */
ap_timing_cost ap_timing_measure(const ap_timing *timing);

/* clock_gettime(CLOCK_MONOTONIC_RAW) in ns: without a system call since Linux 5.3. */
uint64_t ap_timing_system_ns(void);

/* The counter itself, for those who know that it is the source. */
static inline uint64_t ap_timing_counter(void) {
#if defined(__aarch64__)
    uint64_t ticks;
    __asm__ volatile("mrs %0, cntvct_el0" : "=r"(ticks)::"memory");
    return ticks;
#elif defined(__x86_64__)
    return __rdtsc();
#else
    return ap_timing_system_ns();
#endif
}

static inline uint64_t ap_timing_counter_fenced(void) {
#if defined(__aarch64__)
    uint64_t ticks;
    /* An instruction barrier, as the counter may be read speculatively; a data barrier would not order it. */
    __asm__ volatile("isb\n\tmrs %0, cntvct_el0\n\tisb" : "=r"(ticks)::"memory");
    return ticks;
#elif defined(__x86_64__)
    _mm_lfence();
    uint64_t ticks = __rdtsc();
    _mm_lfence();
    return ticks;
#else
    return ap_timing_system_ns();
#endif
}

/* Now, in ticks. */
static inline uint64_t ap_timing_stamp(const ap_timing *timing) {
    return timing->source == AP_TIMING_COUNTER ? ap_timing_counter() : ap_timing_system_ns();
}

static inline uint64_t ap_timing_stamp_fenced(const ap_timing *timing) {
    return timing->source == AP_TIMING_COUNTER ? ap_timing_counter_fenced() : ap_timing_system_ns();
}

/* Nanoseconds from one stamp to another, rounded down; 0 where `to` is not later, as two plain stamps may come out. */
static inline uint64_t ap_timing_elapsed_ns(const ap_timing *timing, uint64_t from, uint64_t to) {
    __extension__ typedef unsigned __int128 wide;
    return to <= from ? 0 : (uint64_t)((wide)(to - from) * timing->multiplier >> AP_TIMING_SHIFT);
}

/* A stamp as CLOCK_MONOTONIC_RAW has it; that of set-up for an earlier one. */
static inline uint64_t ap_timing_ns(const ap_timing *timing, uint64_t stamp) {
    return timing->base_ns + ap_timing_elapsed_ns(timing, timing->base_ticks, stamp);
}

#endif
