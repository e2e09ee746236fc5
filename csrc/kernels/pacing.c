#include "pacing.h"

static uint64_t stamp_ns(void *context) {
    const ap_timing *timing = context;
    return ap_timing_ns(timing, ap_timing_stamp_fenced(timing));
}

ap_pace_clock ap_pace_clock_of(ap_timing *timing) {
    return (ap_pace_clock){stamp_ns, timing};
}

static inline uint64_t now(const ap_pace_clock *clock) {
    return clock->now_ns(clock->context);
}

ap_pace ap_pace_closed(const ap_service *service, const ap_pace_clock *clock, uint64_t operations, uint64_t *ns,
                       uint64_t room) {
    ap_pace pace = {0};
    uint64_t start = now(clock), end = start;
    while (pace.operations < operations && pace.kept < room) {
        uint64_t begin = now(clock);
        bool is_kept = service->serve(service->state);
        end = now(clock);
        if (is_kept)
            ns[pace.kept++] = end - begin;
        pace.operations++;
        service->settle(service->state);
    }
    pace.elapsed_ns = end - start;
    return pace;
}

ap_pace ap_pace_open(const ap_service *service, const ap_pace_clock *clock, double interval_ns, uint64_t duration_ns,
                     uint64_t *ns, uint64_t room) {
    ap_pace pace = {0};
    uint64_t start = now(clock), end = start;
    while (pace.kept < room) {
        uint64_t due_ns = (uint64_t)((double)pace.operations * interval_ns), due = start + due_ns;
        uint64_t begin = now(clock);
        if (due_ns >= duration_ns || begin - start >= duration_ns)
            break;
        if (begin <= due) {
            pace.on_time_ns = due_ns;
            while (begin < due)
                begin = now(clock);
        }
        bool is_kept = service->serve(service->state);
        end = now(clock);
        if (is_kept)
            ns[pace.kept++] = end - due;
        pace.operations++;
        pace.behind_ns = begin - due;
        if (pace.most_behind_ns < pace.behind_ns)
            pace.most_behind_ns = pace.behind_ns;
        service->settle(service->state);
    }
    pace.elapsed_ns = end - start;
    return pace;
}

static bool serve_nothing(void *state) {
    (void)state;
    return true;
}

static void settle_nothing(void *state) {
    (void)state;
}

double ap_pace_cost_ns(const ap_pace_clock *clock) {
    enum { ROUNDS = 50, OPERATIONS = 1000 };
    static const ap_service nothing = {serve_nothing, settle_nothing, NULL};
    double least = 1e9;
    for (int round = 0; round < ROUNDS; round++) { /* the best, as interrupts only ever add */
        uint64_t ns[OPERATIONS], sum = 0;
        ap_pace_closed(&nothing, clock, OPERATIONS, ns, OPERATIONS);
        for (int i = 0; i < OPERATIONS; i++)
            sum += ns[i];
        if ((double)sum / OPERATIONS < least)
            least = (double)sum / OPERATIONS;
    }
    return least;
}
