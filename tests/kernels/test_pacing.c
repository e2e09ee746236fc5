/* Pacing on a simulated clock: the times are those of a queue, to the nanosecond. */
#include "pacing.h"

#include "check.h"

/* Time passes while something is served or settled, and by a nanosecond with each reading of the clock. */
typedef struct {
    uint64_t time;
    uint64_t served, settled;
    uint64_t service_ns, settling_ns;
    uint64_t stalled, stall_ns; /* this operation takes so much longer */
    uint64_t kept_one_in;
} simulation;

static uint64_t read_clock(void *context) {
    return ((simulation *)context)->time++;
}

static bool serve(void *context) {
    simulation *s = context;
    s->time += s->service_ns + (s->served == s->stalled ? s->stall_ns : 0);
    return s->served++ % s->kept_one_in == 0;
}

static void settle(void *context) {
    simulation *s = context;
    s->time += s->settling_ns;
    s->settled++;
}

enum { OPERATIONS = 10000, INTERVAL = 1000, SERVICE = 99, NEVER = 1 << 30 };

static simulation simulated(void) {
    return (simulation){.time = 12345, .service_ns = SERVICE, .stalled = NEVER, .kept_one_in = 1};
}

static uint64_t ns[OPERATIONS + 1];

static ap_pace closed(simulation *s, uint64_t operations, uint64_t room) {
    ap_service service = {serve, settle, s};
    ap_pace_clock clock = {read_clock, s};
    return ap_pace_closed(&service, &clock, operations, ns, room);
}

static ap_pace open(simulation *s, double interval_ns, uint64_t room) {
    ap_service service = {serve, settle, s};
    ap_pace_clock clock = {read_clock, s};
    return ap_pace_open(&service, &clock, interval_ns, (uint64_t)INTERVAL * OPERATIONS, ns, room);
}

static void one_after_the_other_a_stall_is_one_operation(void) {
    simulation s = simulated();
    s.stalled = 5000;
    s.stall_ns = 200000;
    s.settling_ns = 50;
    ap_pace pace = closed(&s, OPERATIONS, OPERATIONS);
    CHECK_EQUAL(pace.operations, OPERATIONS);
    CHECK_EQUAL(pace.kept, OPERATIONS);
    CHECK_EQUAL(s.settled, OPERATIONS);
    for (uint64_t i = 0; i < OPERATIONS; i++)
        CHECK_EQUAL(ns[i], SERVICE + 1 + (i == 5000 ? 200000 : 0));
}

/* Each one behind the stall waits for what is left of it: as much less as there was time to spare since. */
static void at_a_rate_a_stall_is_everyones_who_waits(void) {
    simulation s = simulated();
    s.stalled = 5000;
    s.stall_ns = 200000;
    s.settling_ns = 50;
    ap_pace pace = open(&s, INTERVAL, OPERATIONS + 1);
    const int64_t spare = INTERVAL - SERVICE - 50 - 2;
    CHECK_EQUAL(pace.operations, OPERATIONS);
    CHECK_EQUAL(pace.kept, OPERATIONS);
    for (int64_t i = 1; i < OPERATIONS; i++) {
        int64_t waits = i < 5000 ? 0 : 200000 - (i - 5000) * spare;
        CHECK_EQUAL(ns[i], SERVICE + 1 + (waits > 0 ? waits : 0));
    }
    CHECK_EQUAL(pace.most_behind_ns, 200000 - spare);
    CHECK_EQUAL(pace.behind_ns, 0);
    CHECK_EQUAL(pace.on_time_ns, (OPERATIONS - 1) * INTERVAL);
}

static void a_rate_that_cannot_be_sustained_falls_behind_evenly(void) {
    simulation s = simulated();
    ap_pace pace = open(&s, 50, OPERATIONS + 1);
    const uint64_t takes = SERVICE + 2; /* the clock is read twice */
    CHECK_EQUAL(pace.kept, OPERATIONS + 1);
    for (uint64_t i = 0; i <= OPERATIONS; i++)
        CHECK_EQUAL(ns[i], SERVICE + 2 + i * (takes - 50));
    CHECK_EQUAL(pace.on_time_ns, 0);
    CHECK_EQUAL(pace.behind_ns, 1 + OPERATIONS * (takes - 50));
    CHECK_EQUAL(pace.most_behind_ns, pace.behind_ns);
}

static void the_run_ends_with_its_time_whatever_waits(void) {
    simulation s = simulated();
    s.stalled = 10;
    s.stall_ns = (uint64_t)INTERVAL * OPERATIONS;
    ap_pace pace = open(&s, INTERVAL, OPERATIONS);
    CHECK_EQUAL(pace.operations, 11);
    CHECK(pace.elapsed_ns >= s.stall_ns);
    CHECK_EQUAL(pace.on_time_ns, 10 * INTERVAL);
}

static void a_schedule_does_not_drift(void) {
    simulation s = simulated();
    ap_pace pace = open(&s, 1000.0 / 3 * 3.0000003, OPERATIONS + 1); /* 1000.0001 */
    CHECK_EQUAL(pace.operations, OPERATIONS);
    CHECK_EQUAL(pace.on_time_ns, (uint64_t)((OPERATIONS - 1) * 1000.0001));
}

static void times_of_no_interest_are_not_stored_and_the_room_ends_the_run(void) {
    simulation s = simulated();
    s.kept_one_in = 4;
    ap_pace pace = closed(&s, OPERATIONS, OPERATIONS);
    CHECK_EQUAL(pace.operations, OPERATIONS);
    CHECK_EQUAL(pace.kept, OPERATIONS / 4);
    pace = closed(&s, OPERATIONS, 7);
    CHECK_EQUAL(pace.kept, 7);
    CHECK_EQUAL(pace.operations, 25);
    s = simulated();
    s.kept_one_in = 4;
    pace = open(&s, INTERVAL, 7);
    CHECK_EQUAL(pace.kept, 7);
    CHECK_EQUAL(pace.operations, 25);
}

static void the_cost_of_a_reading_is_that_of_the_clock(void) {
    simulation s = simulated();
    ap_pace_clock clock = {read_clock, &s};
    CHECK(ap_pace_cost_ns(&clock) == 1);
    ap_timing timing;
    ap_timing_init(&timing, AP_TIMING_COUNTER, 1000000);
    clock = ap_pace_clock_of(&timing);
    uint64_t first = clock.now_ns(clock.context);
    CHECK(clock.now_ns(clock.context) >= first);
    CHECK(ap_pace_cost_ns(&clock) >= 0);
}

int main(void) {
    one_after_the_other_a_stall_is_one_operation();
    at_a_rate_a_stall_is_everyones_who_waits();
    a_rate_that_cannot_be_sustained_falls_behind_evenly();
    the_run_ends_with_its_time_whatever_waits();
    a_schedule_does_not_drift();
    times_of_no_interest_are_not_stored_and_the_room_ends_the_run();
    the_cost_of_a_reading_is_that_of_the_clock();
    return 0;
}
