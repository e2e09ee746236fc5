/*
 * Stamps against clock_gettime: how far they agree, and that they never go back.
 *
 * Nothing here depends on how long anything takes. A stamp is taken between two readings of the system's clock, and what
 * it stands for must lie between them, however far apart a busy machine puts them.
 */
#define _POSIX_C_SOURCE 200809L
#include "timing.h"

#include <string.h>
#include <time.h>

#include "check.h"

/* Pauses between stamps, in all; ARMPROF_CLOCK_SECONDS gives more. */
static double seconds = 0.3;

static void pause_ns(uint64_t ns) {
    struct timespec pause = {(time_t)(ns / 1000000000U), (long)(ns % 1000000000U)};
    nanosleep(&pause, NULL);
}

static void agrees_with_the_system_clock(const ap_timing *timing) {
    enum { STEPS = 30 };
    double slack = timing->offset_ns + timing->resolution_ns + 1, worst = 0;
    uint64_t start = ap_timing_system_ns();
    for (int i = 0; i < STEPS; i++) {
        uint64_t before = ap_timing_system_ns(), stamp = ap_timing_stamp_fenced(timing), after = ap_timing_system_ns();
        double error = slack + (double)(after - timing->base_ns) * timing->error_ppm * 1e-6;
        double early = (double)(int64_t)(before - ap_timing_ns(timing, stamp));
        double late = (double)(int64_t)(ap_timing_ns(timing, stamp) - after);
        CHECK(early <= error);
        CHECK(late <= error);
        worst = early > worst ? early : late > worst ? late : worst;
        pause_ns((uint64_t)(seconds * 1e9 / STEPS));
    }
    printf("%s: at most %.0f ns outside clock_gettime's over %.2f s\n", timing->why, worst,
           (double)(ap_timing_system_ns() - start) * 1e-9);
}

static void never_goes_back(const ap_timing *timing) {
    uint64_t stamp = ap_timing_stamp_fenced(timing), ns = ap_timing_ns(timing, stamp), moved = 0;
    for (int i = 0; i < 1000000; i++) {
        uint64_t next = ap_timing_stamp_fenced(timing), next_ns = ap_timing_ns(timing, next);
        CHECK(next >= stamp);
        CHECK(next_ns >= ns);
        moved += next != stamp;
        stamp = next;
        ns = next_ns;
    }
    CHECK(moved > 0);
}

static void what_it_says_of_itself_fits_together(const ap_timing *timing) {
    CHECK(timing->why != NULL && strlen(timing->why) > 0);
    CHECK(timing->error_ppm >= 0 && timing->error_ppm < 1000);
    double tick = 1e9 / timing->ticks_per_second;
    CHECK(timing->resolution_ns >= tick * 0.999999);
    double multiplier = (double)timing->multiplier / (double)((uint64_t)1 << AP_TIMING_SHIFT);
    CHECK(multiplier > tick * (1 - 1e-12) && multiplier < tick * (1 + 1e-12));
    ap_timing_cost cost = ap_timing_measure(timing);
    const double costs[] = {cost.instruction_ns, cost.stamp_ns, cost.fenced_ns, cost.system_ns};
    for (int i = 0; i < 4; i++)
        CHECK(costs[i] > 0 && costs[i] < 1e5);
    if (timing->source == AP_TIMING_SYSTEM)
        CHECK(timing->error_ppm == 0 && timing->offset_ns == 0 && timing->ticks_per_second == 1e9);
}

static void an_interval_that_ends_before_it_starts_is_none(const ap_timing *timing) {
    CHECK_EQUAL(ap_timing_elapsed_ns(timing, 1000, 1000), 0);
    CHECK_EQUAL(ap_timing_elapsed_ns(timing, 1001, 1000), 0);
    CHECK_EQUAL(ap_timing_ns(timing, timing->base_ticks - 1), timing->base_ns);
}

int main(void) {
    const char *longer = getenv("ARMPROF_CLOCK_SECONDS");
    if (longer != NULL)
        seconds = strtod(longer, NULL);
    static const ap_timing_source sources[] = {AP_TIMING_COUNTER, AP_TIMING_SYSTEM};
    for (int i = 0; i < 2; i++) {
        ap_timing timing;
        uint64_t start = ap_timing_system_ns();
        ap_timing_init(&timing, sources[i], AP_TIMING_CALIBRATION_NS);
        if (timing.source == AP_TIMING_COUNTER)
            CHECK(ap_timing_system_ns() - start >= AP_TIMING_CALIBRATION_NS);
        CHECK(timing.source == sources[i] || strncmp(timing.why, "system clock: ", 14) == 0);
        agrees_with_the_system_clock(&timing);
        never_goes_back(&timing);
        what_it_says_of_itself_fits_together(&timing);
        an_interval_that_ends_before_it_starts_is_none(&timing);
    }
    return 0;
}
