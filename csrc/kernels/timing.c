#define _GNU_SOURCE /* CLOCK_MONOTONIC_RAW */
#include "timing.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#define NS_PER_SECOND 1000000000U

uint64_t ap_timing_system_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC_RAW, &now);
    return (uint64_t)now.tv_sec * NS_PER_SECOND + (uint64_t)now.tv_nsec;
}

/* ---- What the processor says --------------------------------------------------------------------------------- */

#if defined(__x86_64__)
/* The kernel strikes a time stamp counter off its list that differs between CPUs or stops, whatever the processor says.
 * Of one that a hypervisor scales it lists the page with the scale, hyperv_clocksource_tsc_page. */
static bool kernel_gave_it_up(void) {
    char list[256];
    FILE *file = fopen("/sys/devices/system/clocksource/clocksource0/available_clocksource", "r");
    if (file == NULL)
        return false;
    size_t length = fread(list, 1, sizeof list - 1, file);
    fclose(file);
    list[length] = '\0';
    return length > 0 && strstr(list, "tsc") == NULL;
}
#endif

/* NULL where the counter can be believed so far; else why not. */
static const char *objection_to_counter(void) {
#if defined(__aarch64__)
    return NULL; /* the architecture has it run at one frequency in all states */
#elif defined(__x86_64__)
    unsigned a, b, c, d;
    /* Leaf 8000_0007h, EDX bit 8: one rate in all power states (Intel SDM 18.17.1, AMD APM 13.2.4). */
    if (!__get_cpuid(0x80000007, &a, &b, &c, &d) || !(d & 1U << 8))
        return "system clock: the processor does not call its time stamp counter invariant";
    if (kernel_gave_it_up())
        return "system clock: the kernel has given up the time stamp counter";
    return NULL;
#else
    return "system clock: no counter is known for this processor";
#endif
}

/* 0 where the processor states none: few x86 processors do, and fewer virtual ones. */
static uint64_t stated_frequency(void) {
#if defined(__aarch64__)
    uint64_t frequency;
    __asm__("mrs %0, cntfrq_el0" : "=r"(frequency));
    return frequency & UINT32_MAX;
#else
    return 0;
#endif
}

/* ---- Calibration --------------------------------------------------------------------------------------------- */

/* The tightest of several, since an interrupt in between only widens. A counter that steps by `step` may have stood at the
 * same value before and after. */
static ap_timing_anchor take_anchor(uint64_t step) {
    ap_timing_anchor best = {.width = UINT64_MAX};
    for (int i = 0; i < 50; i++) {
        uint64_t before = ap_timing_counter_fenced(), ns = ap_timing_system_ns(), after = ap_timing_counter_fenced();
        if (after - before + step < best.width)
            best = (ap_timing_anchor){before + (after - before) / 2, ns, after - before + step};
    }
    return best;
}

static ap_timing_anchor take_anchor_at(uint64_t ns, uint64_t step) {
    while (ap_timing_system_ns() < ns)
        continue;
    return take_anchor(step);
}

static double ratio_of(ap_timing_anchor from, ap_timing_anchor to) {
    return (double)(to.ns - from.ns) / (double)(to.ticks - from.ticks);
}

/* How far ratio_of() can be off, as a fraction: half a width at each end, and what both clocks round off. */
static double error_of(ap_timing_anchor from, ap_timing_anchor to) {
    double ticks = (double)(to.ticks - from.ticks), ns = (double)(to.ns - from.ns);
    return ((double)from.width / 2 + (double)to.width / 2 + 2) / ticks + 2 / ns;
}

static double distance(double a, double b) {
    return a > b ? a / b - 1 : b / a - 1;
}

static void use_system_clock(ap_timing *timing, const char *why) {
    timing->source = AP_TIMING_SYSTEM;
    timing->base_ticks = timing->base_ns = ap_timing_system_ns();
    timing->multiplier = (uint64_t)1 << AP_TIMING_SHIFT;
    timing->ticks_per_second = NS_PER_SECOND;
    timing->error_ppm = timing->offset_ns = 0;
    timing->why = why;
}

/* The kernel turns the counter into nanoseconds by a rounded factor; some 0.1 millionths off where that was seen. */
static const double KERNEL_ROUNDING = 1e-6;

void ap_timing_fit(ap_timing *timing, const ap_timing_anchor moments[3], uint64_t stated_frequency) {
    ap_timing_anchor first = moments[0], middle = moments[1], last = moments[2];
    if (middle.ticks <= first.ticks || last.ticks <= middle.ticks || middle.ns <= first.ns || last.ns <= middle.ns) {
        use_system_clock(timing, "system clock: the counter does not advance");
        return;
    }
    if (distance(ratio_of(first, middle), ratio_of(middle, last)) >
        error_of(first, middle) + error_of(middle, last) + KERNEL_ROUNDING) {
        use_system_clock(timing, "system clock: the counter does not run evenly beside it");
        return;
    }
    double ratio = ratio_of(first, last), error = error_of(first, last);
    if (ratio > (double)(UINT64_MAX >> AP_TIMING_SHIFT)) {
        use_system_clock(timing, "system clock: a tick of the counter takes longer than a microsecond");
        return;
    }
    uint64_t ns = last.ns - first.ns, ticks = last.ticks - first.ticks;
    if (stated_frequency == 0) {
        timing->why = "counter, at a measured frequency";
    } else if (distance(ratio, (double)NS_PER_SECOND / (double)stated_frequency) > error + KERNEL_ROUNDING) {
        timing->why = "counter, at a measured frequency: the processor states another one";
    } else {
        ns = NS_PER_SECOND;
        ticks = stated_frequency;
        error = KERNEL_ROUNDING;
        timing->why = "counter, at the frequency that the processor states";
    }
    __extension__ typedef unsigned __int128 wide;
    timing->source = AP_TIMING_COUNTER;
    timing->base_ticks = last.ticks;
    timing->base_ns = last.ns;
    timing->multiplier = (uint64_t)((((wide)ns << AP_TIMING_SHIFT) + ticks / 2) / ticks);
    timing->ticks_per_second = (double)ticks / (double)ns * NS_PER_SECOND;
    timing->error_ppm = error * 1e6;
    timing->offset_ns = (double)(last.width / 2 + 1) * ratio + 1;
}

/* ---- Resolution and cost ------------------------------------------------------------------------------------- */

enum { ROUNDS = 50, STAMPS = 1000 };

uint64_t ap_timing_step(const uint64_t *stamps, size_t count, bool is_rounded) {
    uint64_t divisor = 0, smallest = UINT64_MAX;
    bool is_slow = false;
    for (size_t i = 1; i < count; i++) {
        uint64_t step = stamps[i] - stamps[i - 1];
        is_slow |= step == 0;
        if (step != 0 && step < smallest)
            smallest = step;
        while (step != 0) { /* Euclid's algorithm */
            uint64_t rest = divisor % step;
            divisor = step;
            step = rest;
        }
    }
    return divisor != 0 && (is_slow || is_rounded) ? smallest : divisor;
}

static uint64_t step_of_counter(void) {
    uint64_t stamps[STAMPS];
    for (int i = 0; i < STAMPS; i++)
        stamps[i] = ap_timing_counter_fenced();
    return ap_timing_step(stamps, STAMPS, false);
}

static uint64_t step_of_system_clock(void) {
    uint64_t stamps[STAMPS];
    for (int i = 0; i < STAMPS; i++)
        stamps[i] = ap_timing_system_ns();
    return ap_timing_step(stamps, STAMPS, true);
}

void ap_timing_init(ap_timing *timing, ap_timing_source wanted, uint64_t calibration_ns) {
    const char *objection = objection_to_counter();
    uint64_t step = 0;
    if (wanted != AP_TIMING_COUNTER) {
        use_system_clock(timing, "system clock: asked for");
    } else if (objection != NULL) {
        use_system_clock(timing, objection);
    } else {
        step = step_of_counter();
        ap_timing_anchor moments[3] = {take_anchor(step)};
        moments[1] = take_anchor_at(moments[0].ns + calibration_ns / 2, step);
        moments[2] = take_anchor_at(moments[0].ns + calibration_ns, step);
        ap_timing_fit(timing, moments, stated_frequency());
    }
    if (timing->source == AP_TIMING_SYSTEM)
        step = step_of_system_clock();
    timing->resolution_ns = (double)step / timing->ticks_per_second * NS_PER_SECOND;
}

/* Keeps the better of the best round so far and this one, as interrupts only add. */
#define MEASURE(best, reading)                                                                               \
    do {                                                                                                     \
        uint64_t start_ = ap_timing_system_ns();                                                             \
        for (int i_ = 0; i_ < STAMPS; i_++) {                                                                \
            uint64_t ticks_ = (reading);                                                                     \
            __asm__ volatile("" ::"r"(ticks_));                                                              \
        }                                                                                                    \
        double cost_ = (double)(ap_timing_system_ns() - start_) / STAMPS;                                    \
        (best) = cost_ < (best) ? cost_ : (best);                                                            \
    } while (0)

ap_timing_cost ap_timing_measure(const ap_timing *timing) {
    ap_timing_cost cost = {1e9, 1e9, 1e9, 1e9};
    for (int round = 0; round < ROUNDS; round++) {
        MEASURE(cost.instruction_ns, ap_timing_counter());
        MEASURE(cost.stamp_ns, ap_timing_stamp(timing));
        MEASURE(cost.fenced_ns, ap_timing_stamp_fenced(timing));
        MEASURE(cost.system_ns, ap_timing_system_ns());
    }
    return cost;
}
