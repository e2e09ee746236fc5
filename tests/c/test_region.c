/* Regions, on events that the kernel counts in software. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <sys/resource.h>
#include <time.h>

#include "armprof.h"
#include "latency.h"
#include "software.h"

enum { FAULTS, CLOCK, EVENTS }; /* what regions count here */

static void setup(void) {
    const armprof_event events[EVENTS] = {page_faults(0), task_clock(0)};
    CHECK_EQUAL(armprof_regions_setup(events, EVENTS, &plain), 0);
}

static armprof_region define(const char *name) {
    armprof_region region = armprof_region_define(name);
    CHECK(region != 0);
    return region;
}

static void check_spread(const armprof_spread *spread, uint64_t calls) {
    if (calls == 0) {
        CHECK_EQUAL(spread->total | spread->smallest | spread->largest, 0);
    } else {
        CHECK(spread->smallest <= spread->largest);
        CHECK(spread->smallest * calls <= spread->total);
        CHECK(spread->total <= (spread->largest + 1) * calls); /* + 1: times are rounded to ns */
    }
}

static armprof_region_totals totals_of(armprof_region region) {
    armprof_region_totals totals;
    CHECK_EQUAL(armprof_region_read(region, &totals), 0);
    CHECK(totals.counted <= totals.outermost && totals.outermost <= totals.calls);
    check_spread(&totals.ns, totals.outermost);
    check_spread(&totals.events[FAULTS], totals.counted);
    check_spread(&totals.events[CLOCK], totals.counted);
    CHECK(totals.lost_ns[0] <= totals.enabled_ns);
    return totals;
}

/* Sums of ticks are rounded to ns each by itself. */
static void check_near(uint64_t found, uint64_t expected) {
    if (found + 2 < expected || found > expected + 2) {
        CHECK_EQUAL(found, expected);
    }
}

static armprof_regions_health health(void) {
    armprof_regions_health health;
    armprof_regions_read_health(&health);
    return health;
}

static void pass(armprof_region region, size_t pages) {
    armprof_enter(region);
    touch_pages(pages);
    armprof_leave(region);
}

static void run_in_thread(void *(*body)(void *), void *argument) {
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, body, argument) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
}

/* ---- Sums --------------------------------------------------------------------------------------------------------- */

static void a_region_sums_what_happens_between_enter_and_leave(void) {
    setup();
    armprof_region region = define("work");
    armprof_region_totals totals = totals_of(region);
    CHECK_EQUAL(totals.calls | totals.outermost | totals.enabled_ns, 0);
    pass(region, 1); /* the first opens the counters */
    armprof_regions_reset();
    for (int i = 0; i < 10; i++) {
        touch_pages(500); /* outside */
        pass(region, 100);
    }
    totals = totals_of(region);
    CHECK_EQUAL(totals.calls, 10);
    CHECK_EQUAL(totals.outermost, 10);
    check_faults(totals.events[FAULTS].total, 1000);
    CHECK(totals.events[FAULTS].smallest >= 100);
    CHECK(totals.events[CLOCK].smallest > 0);
    CHECK(totals.enabled_ns > 0);
    CHECK_EQUAL(totals.lost_ns[0], 0);
    CHECK_EQUAL(health().by_syscall, 2 * 10);
}

static void the_smallest_and_the_largest_call_are_kept(void) {
    static const size_t pages[] = {300, 5, 1200, 40};
    setup();
    armprof_region region = define("uneven");
    pass(region, 1);
    armprof_regions_reset();
    for (int i = 0; i < 4; i++) {
        pass(region, pages[i]);
    }
    armprof_region_totals totals = totals_of(region);
    check_faults(totals.events[FAULTS].smallest, 5);
    check_faults(totals.events[FAULTS].largest, 1200);
    check_faults(totals.events[FAULTS].total, 300 + 5 + 1200 + 40);
    CHECK(totals.events[FAULTS].smallest < 40 + 5);
}

static uint64_t cpu_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* A thread's counters do not want to count while it sleeps: wall time goes on, enabled time does not. */
static void times_are_those_of_the_wall_and_of_the_thread(void) {
    setup();
    armprof_region region = define("work and sleep");
    CHECK_EQUAL(armprof_thread_start(), 0);
    const struct timespec pause = {0, 100000000};
    armprof_enter(region);
    for (uint64_t begin = cpu_ns(); cpu_ns() - begin < 25000000;) { /* the event leaves out what interrupts took */
    }
    nanosleep(&pause, NULL);
    armprof_leave(region);
    armprof_region_totals totals = totals_of(region);
    CHECK(totals.ns.total >= 120000000);
    CHECK(totals.events[CLOCK].total >= 20000000);
    CHECK(totals.events[CLOCK].total <= totals.ns.total - 90000000);
    CHECK(totals.enabled_ns >= 20000000);
    CHECK(totals.enabled_ns <= totals.ns.total - 90000000);
}

static void regions_nest(void) {
    setup();
    armprof_region outer = define("outer"), inner = define("inner");
    CHECK_EQUAL(armprof_thread_start(), 0);
    for (int i = 0; i < 7; i++) {
        armprof_enter(outer);
        touch_pages(50);
        pass(inner, 100);
        pass(inner, 100);
        armprof_leave(outer);
    }
    armprof_region_totals of_outer = totals_of(outer), of_inner = totals_of(inner);
    CHECK_EQUAL(of_outer.calls, 7);
    CHECK_EQUAL(of_inner.calls, 14);
    check_faults(of_inner.events[FAULTS].total, 1400);
    check_faults(of_outer.events[FAULTS].total, 1400 + 350);
    CHECK(of_outer.ns.total >= of_inner.ns.total);
    CHECK(of_outer.events[CLOCK].total >= of_inner.events[CLOCK].total);
    CHECK_EQUAL(health().mismatched, 0);
}

static void recurse(armprof_region region, armprof_region between, int depth) {
    armprof_enter(region);
    touch_pages(20);
    if (depth > 1) {
        armprof_enter(between);
        recurse(region, between, depth - 1);
        armprof_leave(between);
    }
    armprof_leave(region);
}

static void recursive_calls_are_counted_and_their_work_once(void) {
    setup();
    armprof_region region = define("recursive"), between = define("between");
    CHECK_EQUAL(armprof_thread_start(), 0);
    recurse(region, between, 10);
    recurse(region, between, 10);
    armprof_region_totals totals = totals_of(region);
    CHECK_EQUAL(totals.calls, 20);
    CHECK_EQUAL(totals.outermost, 2);
    check_faults(totals.events[FAULTS].total, 400);
    CHECK(totals.events[FAULTS].smallest >= 200);
    totals = totals_of(between);
    CHECK_EQUAL(totals.calls, 18);
    CHECK_EQUAL(totals.outermost, 2);
    check_faults(totals.events[FAULTS].total, 360);
}

static void regions_without_events_give_times(void) {
    CHECK_EQUAL(armprof_regions_setup(NULL, 0, &plain), 0);
    armprof_region region = define("time alone");
    for (int i = 0; i < 1000; i++) {
        pass(region, i % 10 == 0);
    }
    armprof_region_totals totals = totals_of(region);
    CHECK_EQUAL(totals.calls, 1000);
    CHECK_EQUAL(totals.counted, 1000);
    CHECK(totals.ns.total > 0);
    CHECK_EQUAL(totals.enabled_ns, totals.ns.total);
    for (int group = 0; group < ARMPROF_MAX_GROUPS; group++) {
        CHECK_EQUAL(totals.lost_ns[group], 0);
    }
    CHECK_EQUAL(health().by_syscall, 0);
    CHECK_EQUAL(open_counters(), 0);
}

static void many_events_in_many_groups(void) {
    enum { GROUPS = 5, ODD = 23 };
    armprof_event events[ODD];
    for (uint32_t i = 0; i < ODD; i++) {
        events[i] = i == 4 ? unknown_event(i % GROUPS) : page_faults(i % GROUPS);
    }
    CHECK_EQUAL(armprof_regions_setup(events, ODD, &plain), 0);
    armprof_region region = define("many");
    CHECK_EQUAL(armprof_thread_start(), 0);
    pass(region, 64);
    pass(region, 64);
    armprof_region_totals totals = totals_of(region);
    for (uint32_t i = 0; i < ODD; i++) {
        bool known = i != 4;
        CHECK_EQUAL(armprof_event_error(armprof_thread_set(), i), known ? 0 : ENOENT);
        CHECK(known ? totals.events[i].total >= 128 : totals.events[i].total == 0);
        check_spread(&totals.events[i], known ? 2 : 0);
    }
}

/* ---- Uses that are not as they should be ------------------------------------------------------------------------------ */

static void leaving_a_region_that_was_not_entered_changes_nothing(void) {
    setup();
    armprof_region outer = define("outer"), inner = define("inner");
    CHECK_EQUAL(armprof_thread_start(), 0);
    armprof_leave(outer); /* inside none */
    CHECK_EQUAL(health().mismatched, 1);
    armprof_enter(outer);
    armprof_leave(inner);
    CHECK_EQUAL(health().mismatched, 2);
    touch_pages(100);
    armprof_leave(outer);
    armprof_leave(outer);
    CHECK_EQUAL(health().mismatched, 3);
    CHECK_EQUAL(totals_of(inner).calls, 0);
    CHECK_EQUAL(totals_of(outer).calls, 1);
    CHECK(totals_of(outer).events[FAULTS].total >= 100);
}

/* As coroutines leave them: each counts what the thread did from its own enter to its own leave. */
static void regions_may_be_left_in_any_order(void) {
    setup();
    armprof_region first = define("first"), second = define("second"), third = define("third");
    CHECK_EQUAL(armprof_thread_start(), 0);
    touch_pages(8000); /* a sanitizer's shadow of these addresses has its faults here */
    for (uint64_t round = 1; round <= 3; round++) {
        armprof_enter(first);
        touch_pages(1000);
        armprof_enter(second);
        armprof_enter(third);
        armprof_enter(second);
        touch_pages(2000);
        armprof_leave(first);
        touch_pages(4000);
        armprof_leave(second); /* the one inside itself */
        armprof_leave(third);
        touch_pages(8000);
        armprof_leave(second);
        CHECK_EQUAL(totals_of(first).calls, round);
        CHECK_EQUAL(totals_of(second).calls, 2 * round);
        CHECK_EQUAL(totals_of(second).outermost, round);
        CHECK_EQUAL(totals_of(third).calls, round);
        check_faults(totals_of(first).events[FAULTS].total, 3000 * round);
        check_faults(totals_of(second).events[FAULTS].total, 14000 * round);
        check_faults(totals_of(third).events[FAULTS].total, 6000 * round);
    }
    CHECK_EQUAL(health().mismatched, 0);
    uint64_t ns, smallest[EVENTS];
    for (int depth = 0; depth < ARMPROF_MAX_DEPTH - 1; depth++) {
        armprof_enter(first); /* nothing was left on the way */
    }
    CHECK_EQUAL(armprof_regions_calibrate(10, &ns, smallest), 0);
    CHECK_EQUAL(health().dropped, 0);
}

static void what_is_no_region_is_passed_over(void) {
    static const armprof_region none[] = {0, ARMPROF_MAX_REGIONS, ARMPROF_MAX_REGIONS + 1, 1u << 31, UINT32_MAX};
    setup();
    armprof_region region = define("region");
    armprof_region_totals totals;
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        armprof_enter(none[i]);
        armprof_leave(none[i]);
        CHECK_EQUAL(armprof_region_read(none[i], &totals), EINVAL);
    }
    CHECK_EQUAL(armprof_thread_start(), 0);
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        armprof_enter(none[i]);
        armprof_leave(none[i]);
        pass(region, 1);
        armprof_enter(region);
        armprof_leave(none[i]);
        armprof_leave(region);
    }
    CHECK_EQUAL(armprof_region_read(region + 1, &totals), EINVAL); /* not yet defined */
    CHECK_EQUAL(totals.calls, 0);
    CHECK_EQUAL(totals_of(region).calls, 2 * sizeof none / sizeof *none);
    CHECK_EQUAL(health().dropped, 0);
}

static void what_is_nested_too_deep_is_dropped_and_balanced(void) {
    enum { DEPTH = ARMPROF_MAX_DEPTH + 36 };
    setup();
    armprof_region regions[3] = {define("a"), define("b"), define("c")};
    CHECK_EQUAL(armprof_thread_start(), 0);
    uint64_t ns, smallest[EVENTS];
    for (int round = 1; round <= 3; round++) {
        for (int depth = 0; depth < DEPTH; depth++) {
            armprof_enter(regions[depth % 3]);
        }
        CHECK_EQUAL(armprof_regions_calibrate(10, &ns, smallest), EBUSY);
        for (int depth = DEPTH; depth-- > 0;) {
            armprof_leave(UINT32_MAX); /* no region: changes nothing */
            armprof_leave(regions[depth % 3]);
        }
        CHECK_EQUAL(health().dropped, 36 * round);
        CHECK_EQUAL(health().mismatched, 0);
        CHECK_EQUAL(totals_of(regions[0]).calls, 22 * round); /* of frames 0 to 63, every third */
        CHECK_EQUAL(totals_of(regions[1]).calls, 21 * round);
        CHECK_EQUAL(totals_of(regions[2]).calls, 21 * round);
        for (int i = 0; i < 3; i++) {
            CHECK_EQUAL(totals_of(regions[i]).outermost, round);
        }
    }
    armprof_leave(regions[0]);
    CHECK_EQUAL(health().mismatched, 1);
    CHECK_EQUAL(armprof_regions_calibrate(10, &ns, smallest), 0);
}

static void a_process_has_255_regions(void) {
    setup();
    armprof_region ids[ARMPROF_MAX_REGIONS];
    char name[20];
    for (int i = 0; i < ARMPROF_MAX_REGIONS; i++) {
        snprintf(name, sizeof name, "region %d", i);
        ids[i] = armprof_region_define(name);
        CHECK(i < ARMPROF_MAX_REGIONS - 1 ? ids[i] > 0 && ids[i] < ARMPROF_MAX_REGIONS : ids[i] == 0);
        for (int other = 0; other < i; other++) {
            CHECK(ids[other] != ids[i]);
        }
    }
    for (int i = 0; i < ARMPROF_MAX_REGIONS; i++) { /* the same names, the same regions */
        snprintf(name, sizeof name, "region %d", i);
        CHECK_EQUAL(armprof_region_define(name), ids[i]);
        pass(ids[i], 0);
    }
    for (int i = 0; i < ARMPROF_MAX_REGIONS - 1; i++) {
        CHECK_EQUAL(totals_of(ids[i]).calls, 1);
    }
}

static void a_region_that_is_defined_late_begins_at_zero(void) {
    setup();
    pass(define("early"), 1);
    armprof_region late = define("late");
    CHECK_EQUAL(totals_of(late).calls, 0);
    pass(late, 3);
    CHECK_EQUAL(totals_of(late).calls, 1);
    CHECK(totals_of(late).events[FAULTS].smallest >= 3);
}

/* ---- Setting up, starting, tearing down ---------------------------------------------------------------------------------- */

static void what_is_counted_is_settled_by_the_first_thread(void) {
    const armprof_event events[ARMPROF_MAX_EVENTS + 1] = {page_faults(0)};
    const armprof_options refused[] = {
        {.cpu = -1, .pid = getpid()}, {.cpu = -1, .inherit = true}, {.cpu = -1, .enable_on_exec = true}};
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        CHECK_EQUAL(armprof_regions_setup(events, 1, &refused[i]), EINVAL);
    }
    CHECK_EQUAL(armprof_regions_setup(events, ARMPROF_MAX_EVENTS + 1, &plain), EINVAL);
    CHECK(armprof_thread_set() == NULL);
    CHECK_EQUAL(armprof_regions_setup(events, ARMPROF_MAX_EVENTS, &plain), 0);
    setup(); /* as often as one likes before the start */
    CHECK_EQUAL(armprof_thread_start(), 0);
    CHECK_EQUAL(armprof_thread_start(), 0);
    CHECK_EQUAL(armprof_event_count(armprof_thread_set()), EVENTS);
    CHECK_EQUAL(open_counters(), EVENTS);
    CHECK_EQUAL(health().threads, 1);
    CHECK_EQUAL(armprof_regions_setup(events, 1, &plain), EBUSY);
}

static void *pass_once(void *region) {
    pass((armprof_region)(size_t)region, 300);
    return NULL;
}

static void after_a_teardown_all_begins_anew(void) {
    for (uint32_t round = 0; round < 20; round++) {
        armprof_event events[3] = {page_faults(0), page_faults(round % 2), task_clock(0)};
        armprof_region region = define("again");
        CHECK_EQUAL(armprof_regions_setup(events, 1 + round % 3, &plain), 0);
        CHECK(armprof_thread_set() == NULL);
        pass(region, 10);
        CHECK_EQUAL(open_counters(), 1 + round % 3);
        run_in_thread(pass_once, (void *)(size_t)region);
        CHECK_EQUAL(armprof_regions_setup(events, 1, &plain), EBUSY);
        CHECK_EQUAL(armprof_event_count(armprof_thread_set()), 1 + round % 3);
        armprof_region_totals totals;
        CHECK_EQUAL(armprof_region_read(region, &totals), 0);
        CHECK_EQUAL(totals.calls, 2);
        CHECK(totals.events[0].total >= 310);
        armprof_enter(region);
        CHECK_EQUAL(armprof_regions_teardown(), EBUSY);
        armprof_leave(region);
        CHECK_EQUAL(armprof_regions_teardown(), 0);
        CHECK_EQUAL(armprof_regions_teardown(), 0);
        CHECK_EQUAL(open_counters(), 0);
        CHECK_EQUAL(health().threads, 0);
        CHECK_EQUAL(armprof_region_read(region, &totals), 0);
        CHECK_EQUAL(totals.calls, 0);
    }
}

static pthread_barrier_t meeting;

static void *live_for_a_while(void *unused) {
    CHECK_EQUAL(armprof_thread_start(), 0);
    pthread_barrier_wait(&meeting);
    pthread_barrier_wait(&meeting);
    return unused;
}

static void while_another_thread_has_counters_nothing_is_torn_down(void) {
    pthread_t thread;
    pthread_barrier_init(&meeting, NULL, 2);
    setup();
    CHECK(pthread_create(&thread, NULL, live_for_a_while, NULL) == 0);
    pthread_barrier_wait(&meeting);
    CHECK_EQUAL(armprof_regions_teardown(), EBUSY);
    CHECK_EQUAL(armprof_thread_start(), 0);
    CHECK_EQUAL(armprof_regions_teardown(), EBUSY);
    CHECK_EQUAL(health().threads, 2);
    CHECK_EQUAL(open_counters(), 2 * EVENTS);
    pthread_barrier_wait(&meeting);
    pthread_join(thread, NULL);
    CHECK_EQUAL(open_counters(), EVENTS);
    CHECK_EQUAL(armprof_regions_teardown(), 0);
    CHECK_EQUAL(open_counters(), 0);
}

static void reset_forgets_sums_and_keeps_counters(void) {
    setup();
    armprof_region region = define("reset");
    run_in_thread(pass_once, (void *)(size_t)region);
    pass(region, 1);
    armprof_leave(region);
    armprof_enter(region);
    armprof_regions_reset();
    CHECK_EQUAL(totals_of(region).calls, 0);
    CHECK_EQUAL(totals_of(region).ns.total, 0);
    CHECK_EQUAL(health().mismatched, 0);
    CHECK_EQUAL(health().by_syscall, 0);
    CHECK_EQUAL(health().threads, 1); /* this one, which lives */
    CHECK_EQUAL(open_counters(), EVENTS);
    armprof_leave(region);
    CHECK_EQUAL(totals_of(region).calls, 1);
    pass(region, 30);
    CHECK_EQUAL(totals_of(region).calls, 2);
}

static void an_empty_region_costs_little(void) {
    setup();
    armprof_region region = define("region");
    uint64_t ns = 0, smallest[EVENTS];
    CHECK_EQUAL(armprof_regions_calibrate(0, &ns, smallest), EINVAL);
    armprof_enter(region);
    for (unsigned rounds = 1; rounds <= 1000; rounds *= 10) {
        CHECK_EQUAL(armprof_regions_calibrate(rounds, &ns, smallest), 0);
        CHECK(ns > 0 && ns < 1000000000);
        CHECK(smallest[FAULTS] <= OTHER_FAULTS);
        CHECK(smallest[CLOCK] > 0 && smallest[CLOCK] < 1000000000);
    }
    CHECK_EQUAL(smallest[FAULTS], 0);
    armprof_leave(region);
    CHECK_EQUAL(totals_of(region).calls, 1); /* calibration is in no region's sums */
}

/* ---- Memory ---------------------------------------------------------------------------------------------------------------- */

static unsigned allocations; /* of the counter core and of this file: the linker sends them here */
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void __real_free(void *memory);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
void __wrap_free(void *memory);

void *__wrap_malloc(size_t size) {
    __atomic_fetch_add(&allocations, 1, __ATOMIC_RELAXED);
    return __real_malloc(size);
}
void *__wrap_calloc(size_t count, size_t size) {
    __atomic_fetch_add(&allocations, 1, __ATOMIC_RELAXED);
    return __real_calloc(count, size);
}
void *__wrap_realloc(void *old, size_t size) {
    __atomic_fetch_add(&allocations, 1, __ATOMIC_RELAXED);
    return __real_realloc(old, size);
}
void __wrap_free(void *memory) {
    __atomic_fetch_add(&allocations, 1, __ATOMIC_RELAXED);
    __real_free(memory);
}

static void entering_and_leaving_allocates_nothing(void) {
    setup();
    armprof_region outer = define("outer"), inner = define("inner");
    CHECK_EQUAL(armprof_thread_start(), 0);
    CHECK(allocations > 0); /* else nothing is counted here */
    unsigned before = allocations;
    for (int i = 0; i < 1000; i++) {
        armprof_enter(outer);
        recurse(inner, outer, 40);
        armprof_leave(outer);
        armprof_leave(inner);
    }
    CHECK(health().dropped > 0 && health().mismatched > 0);
    CHECK_EQUAL(allocations, before);
}

/* ---- Threads ----------------------------------------------------------------------------------------------------------------- */

enum { THREADS = 4, PASSES = 300 };

static armprof_region common;

static void *pass_often(void *pages) {
    armprof_region own = define((size_t)pages % 2 ? "odd" : "even");
    for (int i = 0; i < PASSES; i++) {
        armprof_enter(common);
        pass(own, (size_t)pages);
        armprof_leave(common);
    }
    return NULL;
}

static void sums_are_those_of_all_threads_and_outlive_them(void) {
    setup();
    common = define("common");
    pthread_t threads[THREADS];
    for (size_t i = 0; i < THREADS; i++) {
        CHECK(pthread_create(&threads[i], NULL, pass_often, (void *)(i + 1)) == 0);
    }
    pass_often((void *)(size_t)10);
    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    armprof_region_totals totals = totals_of(common);
    CHECK_EQUAL(totals.calls, PASSES * (THREADS + 1));
    CHECK(totals.events[FAULTS].total >= PASSES * (1 + 2 + 3 + 4 + 10));
    CHECK(totals.events[FAULTS].total <= PASSES * (1 + 2 + 3 + 4 + 10) + OTHER_FAULTS * (THREADS + 1));
    CHECK_EQUAL(totals_of(define("odd")).calls, PASSES * 2);
    CHECK_EQUAL(totals_of(define("even")).calls, PASSES * 3);
    CHECK_EQUAL(health().threads, THREADS + 1);
    CHECK_EQUAL(health().failed, 0);
    CHECK_EQUAL(health().by_syscall, 4 * PASSES * (THREADS + 1));
    CHECK_EQUAL(open_counters(), EVENTS); /* of this thread, which lives */
}

static void sums_can_be_read_while_threads_enter_and_leave(void) {
    setup();
    common = define("common");
    pthread_t threads[THREADS];
    uint64_t calls = 0, faults = 0;
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < THREADS; i++) {
            CHECK(pthread_create(&threads[i], NULL, pass_often, (void *)(i + 1)) == 0);
        }
        do {
            armprof_region_totals now;
            CHECK_EQUAL(armprof_region_read(common, &now), 0);
            CHECK(now.calls >= calls && now.events[FAULTS].total >= faults);
            calls = now.calls;
            faults = now.events[FAULTS].total;
            CHECK(health().by_syscall >= 4 * calls);
        } while (calls < (uint64_t)PASSES * THREADS * (unsigned)(round + 1));
        for (size_t i = 0; i < THREADS; i++) {
            pthread_join(threads[i], NULL);
        }
    }
    CHECK_EQUAL(totals_of(common).calls, calls);
    CHECK(totals_of(common).events[FAULTS].total >= calls * (1 + 2 + 3 + 4) / THREADS);
}

static void *define_the_same(void *unused) {
    char name[20];
    for (int i = 0; i < 100; i++) {
        snprintf(name, sizeof name, "shared %d", i);
        pass(define(name), 0);
    }
    return unused;
}

static void threads_that_define_the_same_names_mean_the_same_regions(void) {
    setup();
    pthread_t threads[THREADS];
    for (size_t i = 0; i < THREADS; i++) {
        CHECK(pthread_create(&threads[i], NULL, define_the_same, NULL) == 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    for (int i = 0; i < 100; i++) {
        char name[20];
        snprintf(name, sizeof name, "shared %d", i);
        CHECK_EQUAL(totals_of(define(name)).calls, THREADS);
    }
    CHECK_EQUAL(define("one more"), 101);
}

static void *end_inside(void *region) {
    armprof_enter((armprof_region)(size_t)region);
    return NULL;
}

static void what_a_thread_has_not_left_when_it_ends_is_not_in_the_sums(void) {
    setup();
    armprof_region region = define("open");
    run_in_thread(end_inside, (void *)(size_t)region);
    CHECK_EQUAL(totals_of(region).calls, 0);
    CHECK_EQUAL(open_counters(), 0);
    CHECK_EQUAL(armprof_regions_teardown(), 0);
}

static armprof_region late_region;

static void enter_at_the_end(void *unused) {
    (void)unused;
    pass(late_region, 1);
}

static void *leave_work_to_a_destructor(void *key) {
    pthread_setspecific(*(pthread_key_t *)key, key);
    pass(late_region, 1);
    return NULL;
}

/* Destructors of thread-specific data may run after ours. */
static void a_destructor_may_enter_regions(void) {
    setup();
    late_region = define("late");
    CHECK_EQUAL(armprof_thread_start(), 0);
    pthread_key_t key;
    CHECK(pthread_key_create(&key, enter_at_the_end) == 0);
    run_in_thread(leave_work_to_a_destructor, &key);
    CHECK_EQUAL(totals_of(late_region).calls, 2);
    CHECK_EQUAL(open_counters(), EVENTS);
}

/* ---- Threads that cannot count ---------------------------------------------------------------------------------------------------- */

static struct rlimit limit;

/* Leaves room for so many descriptors more. */
static void leave_room(unsigned descriptors) {
    CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    int next = open("/dev/null", O_RDONLY);
    CHECK(next >= 0 && close(next) == 0);
    struct rlimit few = {(rlim_t)next + descriptors, limit.rlim_max};
    CHECK(setrlimit(RLIMIT_NOFILE, &few) == 0);
}

static void give_room(void) { CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0); }

static void a_thread_that_cannot_open_the_events_gives_times_alone(void) {
    for (unsigned room = 0; room < EVENTS; room++) {
        setup();
        armprof_region region = define("region"), seldom = define("where the others never are");
        CHECK_EQUAL(armprof_thread_start(), 0);
        pass(region, 20);
        armprof_region_totals before = totals_of(region);
        CHECK_EQUAL(before.lost_ns[0], 0);

        leave_room(room);
        run_in_thread(pass_once, (void *)(size_t)region);
        run_in_thread(pass_once, (void *)(size_t)seldom);
        give_room();
        CHECK_EQUAL(health().threads, 3);
        CHECK_EQUAL(health().failed, 2);
        armprof_region_totals after = totals_of(region);
        CHECK_EQUAL(after.calls, 2);
        CHECK_EQUAL(after.counted, 1);
        CHECK(after.ns.total > before.ns.total);
        CHECK(memcmp(before.events, after.events, sizeof before.events) == 0);
        check_near(after.lost_ns[0], after.ns.total - before.ns.total); /* that long nobody counted, */
        check_near(after.enabled_ns - after.lost_ns[0], before.enabled_ns); /* and this long somebody did */
        after = totals_of(seldom);
        CHECK_EQUAL(after.calls, 1);
        CHECK_EQUAL(after.counted, 0);
        check_near(after.lost_ns[0], after.enabled_ns);

        run_in_thread(pass_once, (void *)(size_t)region); /* the next thread has room again */
        CHECK_EQUAL(health().failed, 2);
        CHECK(totals_of(region).events[FAULTS].total >= before.events[FAULTS].total + 300);
        CHECK_EQUAL(armprof_regions_teardown(), 0);
        CHECK_EQUAL(open_counters(), 0);
    }
}

static void *start_and_end(void *unused) {
    CHECK_EQUAL(armprof_thread_start(), 0);
    return unused;
}

static void *start_many(void *unused) {
    for (int i = 0; i < 300; i++) {
        run_in_thread(start_and_end, NULL);
    }
    return unused;
}

static void health_can_be_read_while_threads_start_and_fail(void) {
    setup();
    common = define("common");
    CHECK_EQUAL(armprof_thread_start(), 0);
    leave_room(1);
    pthread_t starter;
    CHECK(pthread_create(&starter, NULL, start_many, NULL) == 0);
    while (health().failed < 300) {
        CHECK_EQUAL(totals_of(common).calls, 0);
    }
    pthread_join(starter, NULL);
    CHECK_EQUAL(health().threads, 301);
}

static int leader;

/* What the descriptor of the group gives from now on. */
static void replace_leader(int by) { CHECK(dup2(by, leader) == leader); }

static void a_call_that_could_not_be_counted_is_not_counted(void) {
    const armprof_event events[EVENTS] = {page_faults(0), task_clock(0)};
    CHECK_EQUAL(armprof_regions_setup(events, EVENTS, &plain), 0);
    armprof_region region = define("region");
    int nothing = open("/dev/null", O_RDONLY);
    CHECK_EQUAL(armprof_thread_start(), 0);
    leader = nothing + 1; /* the lowest free number when it was opened */
    int counters = dup(leader);
    CHECK_EQUAL(open_counters(), EVENTS + 1);
    pass(region, 100);
    armprof_region_totals before = totals_of(region), after;
    for (int failing = 1; failing <= 3; failing++) { /* at enter, at leave, at both */
        if (failing & 1) {
            replace_leader(nothing);
        }
        armprof_enter(region);
        replace_leader(failing & 2 ? nothing : counters);
        touch_pages(200);
        armprof_leave(region);
        replace_leader(counters);
        after = totals_of(region);
        CHECK_EQUAL(after.calls, 1 + failing);
        CHECK_EQUAL(after.outermost, 1 + failing);
        CHECK_EQUAL(after.counted, 1);
        CHECK(memcmp(before.events, after.events, sizeof before.events) == 0);
        check_near(after.lost_ns[0], after.ns.total - before.ns.total);
        check_near(after.enabled_ns - after.lost_ns[0], before.enabled_ns);
        CHECK_EQUAL(health().mismatched, 0);
    }
    recurse(region, define("between"), 3);
    replace_leader(nothing);
    recurse(region, define("between"), 3);
    replace_leader(counters);
    CHECK_EQUAL(totals_of(region).calls, 4 + 6);
    CHECK_EQUAL(totals_of(region).outermost, 4 + 2);
    CHECK_EQUAL(totals_of(region).counted, 1 + 1);
    CHECK_EQUAL(health().mismatched, 0);
    pass(region, 100);
    CHECK(totals_of(region).events[FAULTS].total >= before.events[FAULTS].total + 100 + 60);
    uint64_t ns, smallest[EVENTS];
    replace_leader(nothing);
    CHECK_EQUAL(armprof_regions_calibrate(10, &ns, smallest), EIO);
}

/* ---- Fork -------------------------------------------------------------------------------------------------------------------------- */

static void count_in_the_child(void) {
    armprof_region region = define("region");
    CHECK_EQUAL(open_counters(), 0);
    CHECK(armprof_thread_set() == NULL);
    CHECK_EQUAL(totals_of(region).calls, 0);
    CHECK_EQUAL(health().threads, 0);
    armprof_leave(region); /* which the parent entered */
    CHECK_EQUAL(health().mismatched, 1);
    pass(region, 50);
    pass(region, 50);
    CHECK_EQUAL(totals_of(region).calls, 2);
    CHECK(totals_of(region).events[FAULTS].total >= 100);
    CHECK_EQUAL(health().threads, 1);
    CHECK_EQUAL(health().failed, 0);
    run_in_thread(pass_once, (void *)(size_t)region);
    CHECK_EQUAL(totals_of(region).calls, 3);
    CHECK_EQUAL(armprof_regions_teardown(), 0);
    setup();
}

static void fork_and_count_in_the_child(void) { CHECK_EQUAL(in_child(count_in_the_child), 0); }

static void a_child_counts_from_zero_and_its_parent_goes_on(void) {
    setup();
    armprof_region region = define("region");
    pass(region, 100);
    armprof_region_totals before = totals_of(region);
    armprof_enter(region);
    CHECK_EQUAL(in_child(count_in_the_child), 0);
    CHECK_EQUAL(in_child(fork_and_count_in_the_child), 0);
    touch_pages(10);
    armprof_leave(region);
    armprof_region_totals after = totals_of(region);
    CHECK_EQUAL(after.calls, 2);
    CHECK(after.events[FAULTS].total >= before.events[FAULTS].total + 10);
    CHECK_EQUAL(after.lost_ns[0], 0);
    CHECK_EQUAL(health().threads, 1);
    CHECK_EQUAL(health().mismatched, 0);
    CHECK_EQUAL(open_counters(), EVENTS);
}

static void a_fork_may_come_after_a_set_was_opened_first(void) {
    armprof_event event = page_faults(0);
    armprof_set *set = armprof_open(&event, 1, &plain);
    setup();
    armprof_region region = define("region");
    pass(region, 1);
    CHECK_EQUAL(in_child(count_in_the_child), 0);
    pass(region, 1);
    CHECK_EQUAL(totals_of(region).calls, 2);
    armprof_close(set);
}

static int stop;

static void *start_and_pass_until_stopped(void *unused) {
    while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
        run_in_thread(pass_once, (void *)(size_t)common);
    }
    return unused;
}

static void pass_a_few(void) {
    CHECK_EQUAL(totals_of(common).calls, 0);
    pass(common, 5);
    CHECK_EQUAL(totals_of(common).calls, 1);
    CHECK_EQUAL(health().failed, 0);
}

static void a_fork_may_come_while_other_threads_start_count_and_end(void) {
    skip_forks_of_many_threads_under_asan();
    setup();
    common = define("region");
    pthread_t threads[THREADS];
    for (size_t i = 0; i < THREADS; i++) {
        CHECK(pthread_create(&threads[i], NULL, start_and_pass_until_stopped, NULL) == 0);
    }
    pass(common, 1);
    for (int i = 0; i < 50; i++) {
        CHECK_EQUAL(in_child(pass_a_few), 0);
    }
    __atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    CHECK_EQUAL(totals_of(common).calls, health().threads);
    CHECK_EQUAL(open_counters(), EVENTS);
}

/* ---- Latencies --------------------------------------------------------------------------------------------------- */

static uint64_t calls_in(const uint64_t *buckets) {
    uint64_t calls = 0;
    for (uint32_t bucket = 0; bucket < ARMPROF_LATENCY_BUCKETS; bucket++) {
        calls += buckets[bucket];
    }
    return calls;
}

static void bounds_of_latencies_grow_by_a_sixteenth_at_most(void) {
    for (uint64_t ticks = 0; ticks < (uint64_t)1 << 42; ticks += 1 + ticks / 50) {
        uint32_t bucket = armprof_latency_bucket(ticks);
        CHECK(armprof_latency_bound(bucket) <= ticks);
        if (bucket < ARMPROF_LATENCY_BUCKETS - 1) {
            uint64_t next = armprof_latency_bound(bucket + 1);
            CHECK(ticks < next);
            CHECK(next - armprof_latency_bound(bucket) <= (ticks < 16 ? 1 : 1 + ticks / 16));
        }
    }
    CHECK_EQUAL(armprof_latency_bucket(UINT64_MAX), ARMPROF_LATENCY_BUCKETS - 1);
}

static void latencies_are_kept_once_they_are_asked_for(void) {
    setup();
    armprof_region region = define("timed");
    uint64_t buckets[ARMPROF_LATENCY_BUCKETS];
    CHECK_EQUAL(armprof_region_read_latencies(region, buckets), ENODATA);
    pass(region, 1);
    CHECK_EQUAL(armprof_regions_keep_latencies(), 0);
    CHECK_EQUAL(armprof_regions_keep_latencies(), 0);
    for (int i = 0; i < 100; i++) {
        pass(region, (size_t)i);
    }
    CHECK_EQUAL(armprof_region_read_latencies(region, buckets), 0);
    CHECK_EQUAL(calls_in(buckets), 100);
    armprof_region_totals totals = totals_of(region);
    for (uint32_t bucket = 0; bucket < ARMPROF_LATENCY_BUCKETS; bucket++) {
        CHECK(buckets[bucket] == 0 || armprof_latency_ns(bucket) <= totals.ns.largest);
    }
    CHECK_EQUAL(armprof_region_read_latencies(0, buckets), EINVAL);
    armprof_regions_reset();
    CHECK_EQUAL(armprof_region_read_latencies(region, buckets), 0);
    CHECK_EQUAL(calls_in(buckets), 0);
}

static void *pass_a_thousand_times(void *region) {
    for (int i = 0; i < 1000; i++) {
        pass(*(armprof_region *)region, 0);
    }
    return NULL;
}

static void latencies_are_those_of_all_threads_and_outlive_them(void) {
    setup();
    armprof_region region = define("timed by many");
    uint64_t buckets[ARMPROF_LATENCY_BUCKETS];
    pthread_t threads[4];
    for (size_t i = 0; i < sizeof threads / sizeof *threads; i++) {
        CHECK(pthread_create(&threads[i], NULL, pass_a_thousand_times, &region) == 0);
    }
    CHECK_EQUAL(armprof_regions_keep_latencies(), 0); /* some run already, some start later */
    for (size_t i = 0; i < sizeof threads / sizeof *threads; i++) {
        CHECK_EQUAL(armprof_region_read_latencies(region, buckets), 0);
        pthread_join(threads[i], NULL);
    }
    pass_a_thousand_times(&region);
    CHECK_EQUAL(armprof_region_read_latencies(region, buckets), 0);
    CHECK(calls_in(buckets) >= 1000 && calls_in(buckets) <= 5000);
    CHECK_EQUAL(totals_of(region).calls, 5000);
}

int main(int argc, char **argv) {
    need_counters();
    static const struct test tests[] = {
        TEST(a_region_sums_what_happens_between_enter_and_leave),
        TEST(the_smallest_and_the_largest_call_are_kept),
        TEST(times_are_those_of_the_wall_and_of_the_thread),
        TEST(regions_nest),
        TEST(recursive_calls_are_counted_and_their_work_once),
        TEST(regions_without_events_give_times),
        TEST(many_events_in_many_groups),
        TEST(leaving_a_region_that_was_not_entered_changes_nothing),
        TEST(regions_may_be_left_in_any_order),
        TEST(what_is_no_region_is_passed_over),
        TEST(what_is_nested_too_deep_is_dropped_and_balanced),
        TEST(a_process_has_255_regions),
        TEST(a_region_that_is_defined_late_begins_at_zero),
        TEST(what_is_counted_is_settled_by_the_first_thread),
        TEST(after_a_teardown_all_begins_anew),
        TEST(while_another_thread_has_counters_nothing_is_torn_down),
        TEST(reset_forgets_sums_and_keeps_counters),
        TEST(an_empty_region_costs_little),
        TEST(entering_and_leaving_allocates_nothing),
        TEST(sums_are_those_of_all_threads_and_outlive_them),
        TEST(sums_can_be_read_while_threads_enter_and_leave),
        TEST(threads_that_define_the_same_names_mean_the_same_regions),
        TEST(what_a_thread_has_not_left_when_it_ends_is_not_in_the_sums),
        TEST(a_destructor_may_enter_regions),
        TEST(a_thread_that_cannot_open_the_events_gives_times_alone),
        TEST(health_can_be_read_while_threads_start_and_fail),
        TEST(a_call_that_could_not_be_counted_is_not_counted),
        TEST(a_child_counts_from_zero_and_its_parent_goes_on),
        TEST(a_fork_may_come_after_a_set_was_opened_first),
        TEST(a_fork_may_come_while_other_threads_start_count_and_end),
        TEST(bounds_of_latencies_grow_by_a_sixteenth_at_most),
        TEST(latencies_are_kept_once_they_are_asked_for),
        TEST(latencies_are_those_of_all_threads_and_outlive_them),
    };
    return run_tests(tests, sizeof tests / sizeof *tests, argc, argv);
}
