/* Sets of real events, those that the kernel counts in software: they behave as hardware ones do in all but user reads. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <time.h>

#include "armprof.h"
#include "software.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static armprof_set *must_open(const armprof_event *events, size_t count, const armprof_options *options) {
    armprof_set *set = armprof_open(events, count, options);
    CHECK(set != NULL);
    for (size_t i = 0; i < count; i++) {
        CHECK_EQUAL(armprof_event_error(set, i), 0);
        CHECK_EQUAL(armprof_event_access(set, i), ARMPROF_SYSCALL);
    }
    return set;
}

static void must_sample(armprof_set *set, armprof_count *counts) { CHECK_EQUAL(armprof_sample(set, counts), 0); }

/* ---- Counting --------------------------------------------------------------------------------------------------- */

static void differences_of_samples_are_what_happened_between(void) {
    const armprof_event events[] = {task_clock(0), page_faults(0),
                                    software(PERF_COUNT_SW_PAGE_FAULTS_MIN, 0)};
    armprof_set *set = must_open(events, COUNT(events), &plain);
    armprof_count before[COUNT(events)], after[COUNT(events)];
    CHECK_EQUAL(armprof_event_count(set), COUNT(events));
    must_sample(set, before);
    for (size_t pages = 1; pages <= 4096; pages *= 8) {
        must_sample(set, before);
        touch_pages(pages);
        must_sample(set, after);
        check_faults(after[1].value - before[1].value, pages);
        CHECK_EQUAL(after[1].value - before[1].value, after[2].value - before[2].value);
        CHECK(after[0].value > before[0].value);
        for (size_t i = 0; i < COUNT(events); i++) {
            uint64_t enabled = after[i].enabled_ns - before[i].enabled_ns;
            CHECK(enabled > 0);
            CHECK_EQUAL(after[i].running_ns - before[i].running_ns, enabled);
            CHECK(after[i].running_ns <= after[i].enabled_ns);
        }
    }
    CHECK_EQUAL(armprof_samples_by_syscall(set), 1 + 2 * 5);
    CHECK(!armprof_user_reads_withdrawn(set));
    armprof_close(set);
}

static void a_cgroup_is_named_by_a_descriptor_of_its_folder(void) {
    armprof_event event = task_clock(0);
    int root = open("/", O_RDONLY | O_DIRECTORY);
    armprof_set *set = armprof_open(&event, 1, &(armprof_options){.pid = root, .cgroup = true});
    CHECK(set != NULL);
    int error = armprof_event_error(set, 0); /* no cgroup; or a kernel that asks for the permission first */
    CHECK(error == EBADF || error == EACCES || error == EPERM);
    armprof_close(set);
    close(root);
}

static void task_clock_is_the_time_of_the_thread(void) {
    armprof_event event = task_clock(0);
    armprof_set *set = must_open(&event, 1, &plain);
    armprof_count before, after;
    struct timespec begin, now;
    must_sample(set, &before);
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &begin);
    int64_t spent;
    do {
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
        spent = (now.tv_sec - begin.tv_sec) * INT64_C(1000000000) + now.tv_nsec - begin.tv_nsec;
    } while (spent < 20000000);
    must_sample(set, &after);
    CHECK(after.value - before.value >= 19000000);
    CHECK(after.value - before.value < 2000000000);
    armprof_close(set);
}

/* Fences are the only thing that the option leaves out. */
static void unfenced_sets_count_alike(void) {
    armprof_event event = page_faults(0);
    armprof_options options = {.cpu = -1, .unfenced = true};
    armprof_set *set = must_open(&event, 1, &options);
    armprof_count before, after;
    must_sample(set, &before);
    touch_pages(50);
    must_sample(set, &after);
    check_faults(after.value - before.value, 50);
    armprof_close(set);
}

static void a_sample_costs_little_of_what_it_counts(void) {
    const armprof_event events[] = {page_faults(0), task_clock(0), unknown_event(0)};
    armprof_set *set = armprof_open(events, COUNT(events), &plain);
    uint64_t smallest[COUNT(events)];
    CHECK_EQUAL(armprof_calibrate(set, 1000, smallest), 0);
    CHECK_EQUAL(smallest[0], 0);
    CHECK(smallest[1] > 0 && smallest[1] < 10000000);
    CHECK_EQUAL(smallest[2], 0);
    CHECK_EQUAL(armprof_calibrate(set, 1, smallest), 0);
    CHECK_EQUAL(armprof_calibrate(set, 0, smallest), EINVAL); /* no round, no number */
    armprof_close(set);
}

/* ---- Which events, in which groups --------------------------------------------------------------------------------- */

static void events_of_one_number_are_one_group(void) {
    const armprof_event events[] = {task_clock(7), page_faults(3), page_faults(7), task_clock(3), task_clock(9)};
    armprof_set *set = must_open(events, COUNT(events), &plain);
    CHECK_EQUAL(armprof_event_group(set, 0), armprof_event_group(set, 2));
    CHECK_EQUAL(armprof_event_group(set, 1), armprof_event_group(set, 3));
    CHECK(armprof_event_group(set, 0) != armprof_event_group(set, 1));
    CHECK(armprof_event_group(set, 4) != armprof_event_group(set, 0));
    CHECK(armprof_event_group(set, 4) != armprof_event_group(set, 1));
    armprof_count before[COUNT(events)], after[COUNT(events)];
    must_sample(set, before);
    touch_pages(200);
    must_sample(set, after);
    check_faults(after[1].value - before[1].value, 200);
    check_faults(after[2].value - before[2].value, 200);
    for (size_t i = 0; i < COUNT(events); i++) {
        for (size_t other = 0; other < i; other++) {
            if (armprof_event_group(set, i) == armprof_event_group(set, other)) {
                CHECK_EQUAL(after[i].enabled_ns, after[other].enabled_ns);
            }
        }
    }
    armprof_close(set);
}

static void an_event_that_nobody_knows_does_not_hinder_the_others(void) {
    for (size_t unknown = 0; unknown < 3; unknown++) { /* as a leader, as a member, as the last */
        armprof_event events[] = {page_faults(0), page_faults(0), page_faults(0), page_faults(1)};
        events[unknown] = unknown_event(0);
        armprof_set *set = armprof_open(events, COUNT(events), &plain);
        armprof_count before[COUNT(events)], after[COUNT(events)];
        must_sample(set, before);
        touch_pages(30);
        must_sample(set, after);
        for (size_t i = 0; i < COUNT(events); i++) {
            if (i == unknown) {
                CHECK_EQUAL(armprof_event_error(set, i), ENOENT);
                CHECK_EQUAL(armprof_event_access(set, i), ARMPROF_CLOSED);
                CHECK_EQUAL(after[i].value + after[i].enabled_ns + after[i].running_ns, 0);
            } else {
                CHECK_EQUAL(armprof_event_error(set, i), 0);
                check_faults(after[i].value - before[i].value, 30);
                CHECK(after[i].enabled_ns > before[i].enabled_ns);
            }
        }
        armprof_close(set);
    }
}

static void a_set_of_unknown_events_alone_is_empty_and_can_be_sampled(void) {
    const armprof_event events[] = {unknown_event(0), unknown_event(1), {.type = 0x7fffffff, .group = 1}};
    unsigned before = open_descriptors();
    armprof_set *set = armprof_open(events, COUNT(events), &plain);
    CHECK_EQUAL(open_descriptors(), before);
    armprof_count counts[COUNT(events)] = {{1, 2, 3}, {4, 5, 6}, {7, 8, 9}};
    uint64_t smallest[COUNT(events)];
    must_sample(set, counts);
    CHECK_EQUAL(armprof_samples_by_syscall(set), 0);
    CHECK_EQUAL(armprof_calibrate(set, 3, smallest), 0);
    for (size_t i = 0; i < COUNT(events); i++) {
        CHECK_EQUAL(armprof_event_error(set, i), ENOENT);
        CHECK_EQUAL(counts[i].value + counts[i].enabled_ns + counts[i].running_ns, 0);
        CHECK_EQUAL(smallest[i], 0);
    }
    armprof_close(set);
}

static void a_set_holds_32_events_in_16_groups(void) {
    armprof_event events[ARMPROF_MAX_EVENTS + 1];
    for (uint32_t i = 0; i < COUNT(events); i++) {
        events[i] = page_faults(i / 2);
    }
    CHECK(armprof_open(events, 0, &plain) == NULL);
    CHECK_EQUAL(errno, EINVAL);
    errno = 0;
    CHECK(armprof_open(events, ARMPROF_MAX_EVENTS + 1, &plain) == NULL);
    CHECK_EQUAL(errno, EINVAL);
    armprof_set *set = must_open(events, ARMPROF_MAX_EVENTS, &plain);
    armprof_count before[ARMPROF_MAX_EVENTS], after[ARMPROF_MAX_EVENTS];
    must_sample(set, before);
    touch_pages(10);
    must_sample(set, after);
    for (uint32_t i = 0; i < ARMPROF_MAX_EVENTS; i++) {
        CHECK_EQUAL(armprof_event_group(set, i), i / 2);
        check_faults(after[i].value - before[i].value, 10);
    }
    armprof_close(set);

    for (uint32_t i = 0; i < COUNT(events); i++) {
        events[i].group = i;
    }
    set = armprof_open(events, ARMPROF_MAX_EVENTS, &plain);
    for (uint32_t i = 0; i < ARMPROF_MAX_EVENTS; i++) {
        CHECK_EQUAL(armprof_event_error(set, i), i < ARMPROF_MAX_GROUPS ? 0 : E2BIG);
    }
    armprof_close(set);
}

static void an_event_is_found_by_its_name(void) {
    armprof_event event;
    CHECK_EQUAL(armprof_event_named("page_faults", &event), 0);
    CHECK_EQUAL(event.type, PERF_TYPE_SOFTWARE);
    CHECK_EQUAL(event.config, PERF_COUNT_SW_PAGE_FAULTS);
    CHECK(!event.kernel);
    CHECK_EQUAL(armprof_event_named("context_switches", &event), 0);
    CHECK(event.kernel); /* in user mode alone there is none */
    CHECK_EQUAL(armprof_event_named("no_such_event", &event), ENOENT);
    CHECK_EQUAL(armprof_event_named("", &event), ENOENT);
    CHECK_EQUAL(armprof_event_named("../../../../etc/passwd", &event), ENOENT);
    static char endless[100000];
    memset(endless, 'a', sizeof endless - 1);
    CHECK_EQUAL(armprof_event_named(endless, &event), ENOENT);
}

static void software_events_fit_into_any_group(void) {
    const armprof_event event = page_faults(0), cycles = unknown_event(0);
    unsigned before = open_descriptors();
    armprof_budget budget = armprof_probe_budget(&event, &cycles);
    CHECK_EQUAL(budget.counters, 31);
    CHECK(!budget.cycles_besides);
    CHECK_EQUAL(budget.error, 0);
    budget = armprof_probe_budget(&cycles, &event);
    CHECK_EQUAL(budget.counters, 0);
    CHECK(!budget.cycles_besides);
    CHECK_EQUAL(budget.error, ENOENT);
    CHECK_EQUAL(open_descriptors(), before);
}

/* ---- What is left behind --------------------------------------------------------------------------------------------- */

static void nothing_is_left_behind_by_10000_sets(void) {
    const armprof_event events[] = {task_clock(0), unknown_event(0), page_faults(1), page_faults(1)};
    unsigned before = open_descriptors();
    for (int i = 0; i < 10000; i++) {
        armprof_close(armprof_open(events, COUNT(events), &plain));
        if (i == 0) {
            CHECK_EQUAL(open_descriptors(), before);
        }
    }
    CHECK_EQUAL(open_descriptors(), before);
    armprof_close(NULL);
}

static void sets_are_closed_in_any_order(void) {
    enum { SETS = 40 };
    armprof_set *sets[SETS];
    armprof_event event = page_faults(0);
    unsigned before = open_descriptors();
    for (int i = 0; i < SETS; i++) {
        sets[i] = must_open(&event, 1, &plain);
    }
    for (int i = 0; i < SETS; i++) {
        int at = i * 17 % SETS; /* 17 and 40 have no divisor in common */
        armprof_count count;
        must_sample(sets[at], &count);
        armprof_close(sets[at]);
        CHECK_EQUAL(open_counters(), SETS - 1 - i);
    }
    CHECK_EQUAL(open_descriptors(), before);
}

static void without_descriptors_events_stay_closed_and_say_so(void) {
    const armprof_event events[] = {page_faults(0), page_faults(0), page_faults(1), page_faults(1)};
    unsigned before = open_descriptors();
    struct rlimit few, many;
    CHECK(getrlimit(RLIMIT_NOFILE, &many) == 0);
    int next = open("/dev/null", O_RDONLY);
    CHECK(next >= 0 && close(next) == 0);
    for (unsigned room = 0; room <= COUNT(events); room++) {
        few = (struct rlimit){(rlim_t)next + room, many.rlim_max};
        CHECK(setrlimit(RLIMIT_NOFILE, &few) == 0);
        armprof_set *set = armprof_open(events, COUNT(events), &plain);
        armprof_count counts[COUNT(events)];
        for (unsigned i = 0; i < COUNT(events); i++) {
            CHECK_EQUAL(armprof_event_error(set, i), i < room ? 0 : EMFILE);
        }
        must_sample(set, counts);
        armprof_close(set);
        CHECK(setrlimit(RLIMIT_NOFILE, &many) == 0);
        CHECK_EQUAL(open_descriptors(), before);
    }
}

/* ---- Whom it counts ---------------------------------------------------------------------------------------------------- */

static void touch_300_pages(void) { touch_pages(300); }

static void *touch_300_pages_in_a_thread(void *unused) {
    touch_pages(300);
    return unused;
}

static void a_thread_touches_300_pages(void) {
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, touch_300_pages_in_a_thread, NULL) == 0);
    pthread_join(thread, NULL);
}

static void a_child_touches_300_pages(void) { CHECK_EQUAL(in_child(touch_300_pages), 0); }

static void a_childs_thread_touches_300_pages(void) { CHECK_EQUAL(in_child(a_thread_touches_300_pages), 0); }

/* A sanitizer makes thousands of faults of its own when a process forks or starts a thread. */
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
enum { FAULTS_OF_A_START = 1000000 };
#else
enum { FAULTS_OF_A_START = 299 };
#endif

static void inherit_follows_threads_and_children(void) {
    static void (*const followed[])(void) = {a_thread_touches_300_pages, a_child_touches_300_pages,
                                             a_childs_thread_touches_300_pages};
    for (size_t i = 0; i < COUNT(followed); i++) {
        for (int inherit = 0; inherit < 2; inherit++) {
            const armprof_event events[] = {page_faults(0), task_clock(0)};
            armprof_options options = {.cpu = -1, .inherit = inherit};
            armprof_set *set = must_open(events, COUNT(events), &options);
            armprof_count before[COUNT(events)], after[COUNT(events)];
            must_sample(set, before);
            followed[i]();
            must_sample(set, after);
            uint64_t faults = after[0].value - before[0].value;
            CHECK(inherit ? faults >= 300 : faults <= FAULTS_OF_A_START);
            CHECK(after[1].value > before[1].value);
            armprof_close(set);
        }
    }
}

static atomic_bool enough;

static void *end_at_once(void *argument) { return argument; }

static void *start_threads_that_end(void *argument) {
    while (!enough) {
        pthread_t threads[4];
        for (size_t i = 0; i < COUNT(threads); i++) {
            CHECK(pthread_create(&threads[i], NULL, end_at_once, NULL) == 0);
        }
        for (size_t i = 0; i < COUNT(threads); i++) {
            pthread_join(threads[i], NULL);
        }
    }
    return argument;
}

/* The kernel gives no count of a group while a thread that inherited it is half gone: 1 of 1,000 of these reads. */
static void a_group_can_be_read_while_threads_that_inherited_it_end(void) {
    const armprof_event events[] = {page_faults(0), task_clock(0), page_faults(0), task_clock(0)};
    armprof_options options = {.cpu = -1, .inherit = true};
    armprof_set *set = must_open(events, COUNT(events), &options);
    pthread_t starter;
    enough = false;
    CHECK(pthread_create(&starter, NULL, start_threads_that_end, NULL) == 0);
    for (int i = 0; i < 50000; i++) {
        armprof_count counts[COUNT(events)];
        must_sample(set, counts);
    }
    enough = true;
    pthread_join(starter, NULL);
    armprof_close(set);
}

static int go[2]; /* a pipe: a byte lets the child go */

static pid_t start_waiting_child(void (*then)(void)) {
    CHECK(pipe(go) == 0);
    fflush(NULL);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        char byte;
        alarm(SECONDS_FOR_A_TEST);
        CHECK(read(go[0], &byte, 1) == 1);
        then();
        exit(PASSED);
    }
    return child;
}

static void let_go(pid_t child) {
    int status;
    CHECK(write(go[1], "g", 1) == 1);
    CHECK(waitpid(child, &status, 0) == child);
    CHECK_EQUAL(status, 0);
}

static void a_child_is_counted_by_its_number(void) {
    pid_t child = start_waiting_child(touch_300_pages);
    armprof_event event = page_faults(0);
    armprof_options options = {.pid = child, .cpu = -1};
    armprof_set *set = must_open(&event, 1, &options);
    armprof_count count;
    touch_pages(2000); /* ours, not the child's */
    let_go(child);
    must_sample(set, &count);
    CHECK(count.value >= 300 && count.value < 2000);
    armprof_close(set);
}

static void exec_myself_to_touch_pages(void) {
    execl("/proc/self/exe", "test_set", "--touch", "500", (char *)NULL);
    CHECK(!"exec came back");
}

static void enable_on_exec_counts_from_the_exec_on(void) {
    pid_t child = start_waiting_child(exec_myself_to_touch_pages);
    const armprof_event events[] = {page_faults(0), page_faults(0), task_clock(1)};
    armprof_options options = {.pid = child, .cpu = -1, .inherit = true, .enable_on_exec = true};
    armprof_set *set = must_open(events, COUNT(events), &options);
    armprof_count counts[COUNT(events)];
    must_sample(set, counts);
    for (size_t i = 0; i < COUNT(events); i++) {
        CHECK_EQUAL(counts[i].value + counts[i].enabled_ns + counts[i].running_ns, 0);
    }
    let_go(child);
    must_sample(set, counts);
    CHECK(counts[0].value >= 500);
    CHECK_EQUAL(counts[0].value, counts[1].value);
    CHECK(counts[2].value > 0);
    for (size_t i = 0; i < COUNT(events); i++) {
        CHECK(counts[i].enabled_ns > 0);
        CHECK_EQUAL(counts[i].running_ns, counts[i].enabled_ns);
    }
    armprof_close(set);
}

static void a_process_that_does_not_live_is_named_by_its_error(void) {
    pid_t child = fork();
    if (child == 0) {
        _exit(0);
    }
    waitpid(child, NULL, 0);
    armprof_event event = page_faults(0);
    armprof_options options = {.pid = child, .cpu = -1};
    armprof_set *set = armprof_open(&event, 1, &options);
    CHECK_EQUAL(armprof_event_error(set, 0), ESRCH);
    armprof_close(set);
}

/* ---- Fork ------------------------------------------------------------------------------------------------------------------ */

static armprof_set *shared;
static const armprof_event shared_events[] = {{.type = PERF_TYPE_SOFTWARE, .config = PERF_COUNT_SW_PAGE_FAULTS},
                                              {.type = PERF_TYPE_SOFTWARE, .config = PERF_COUNT_SW_TASK_CLOCK}};

static void use_and_close_the_parents_set(void) {
    armprof_count counts[COUNT(shared_events)];
    uint64_t smallest[COUNT(shared_events)];
    CHECK_EQUAL(open_counters(), 0);
    CHECK_EQUAL(armprof_sample(shared, counts), ESTALE);
    CHECK_EQUAL(armprof_calibrate(shared, 5, smallest), ESTALE);
    int reused = open("/dev/null", O_RDONLY); /* gets the number that the leader had */
    CHECK_EQUAL(armprof_sample(shared, counts), ESTALE);
    armprof_close(shared);
    CHECK(fcntl(reused, F_GETFD) >= 0);
    touch_pages(700);
}

static void open_a_set_of_its_own(void) {
    armprof_count before[COUNT(shared_events)], after[COUNT(shared_events)];
    armprof_set *set = must_open(shared_events, COUNT(shared_events), &plain);
    must_sample(set, before);
    touch_pages(60);
    must_sample(set, after);
    check_faults(after[0].value - before[0].value, 60);
    CHECK_EQUAL(armprof_sample(shared, after), ESTALE);
    armprof_close(set);
}

static void fork_once_more(void) { CHECK_EQUAL(in_child(use_and_close_the_parents_set), 0); }

static void a_child_cannot_sample_its_parents_counters_nor_harm_them(void) {
    static void (*const children[])(void) = {use_and_close_the_parents_set, open_a_set_of_its_own, fork_once_more};
    armprof_count before[COUNT(shared_events)], after[COUNT(shared_events)];
    shared = must_open(shared_events, COUNT(shared_events), &plain);
    for (size_t i = 0; i < COUNT(children); i++) {
        CHECK_EQUAL(in_child(children[i]), 0);
        must_sample(shared, before);
        touch_pages(90);
        must_sample(shared, after);
        check_faults(after[0].value - before[0].value, 90);
        CHECK(after[1].value > before[1].value);
        CHECK_EQUAL(after[1].running_ns - before[1].running_ns, after[1].enabled_ns - before[1].enabled_ns);
    }
    armprof_close(shared);
}

static int stop;

static void *open_and_close(void *unused) {
    while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
        armprof_close(armprof_open(shared_events, COUNT(shared_events), &plain));
    }
    return unused;
}

static void a_fork_may_come_while_other_threads_open_and_close(void) {
    skip_forks_of_many_threads_under_asan();
    enum { THREADS = 3 };
    pthread_t threads[THREADS];
    shared = must_open(shared_events, COUNT(shared_events), &plain);
    for (int i = 0; i < THREADS; i++) {
        CHECK(pthread_create(&threads[i], NULL, open_and_close, NULL) == 0);
    }
    for (int i = 0; i < 100; i++) {
        CHECK_EQUAL(in_child(open_a_set_of_its_own), 0);
    }
    __atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    armprof_close(shared);
    CHECK_EQUAL(open_counters(), 0);
}

/* ---- Signals, threads ---------------------------------------------------------------------------------------------------------- */

static volatile sig_atomic_t alarms;

static void on_alarm(int signal_number) {
    (void)signal_number;
    alarms++;
}

static void signals_do_not_disturb(void) {
    struct sigaction action = {.sa_handler = on_alarm}; /* no SA_RESTART: system calls would give EINTR */
    CHECK(sigaction(SIGVTALRM, &action, NULL) == 0);
    struct itimerval often = {{0, 200}, {0, 200}};
    CHECK(setitimer(ITIMER_VIRTUAL, &often, NULL) == 0);
    const armprof_event events[] = {page_faults(0), task_clock(0), page_faults(1)};
    for (unsigned round = 0; round < 500 || alarms < 20; round++) {
        armprof_set *set = must_open(events, COUNT(events), &plain);
        armprof_count before[COUNT(events)], after[COUNT(events)];
        must_sample(set, before);
        for (int i = 0; i < 20; i++) {
            must_sample(set, after);
            CHECK(after[1].value >= before[1].value);
        }
        armprof_close(set);
    }
}

static void *count_own_faults(void *pages) {
    armprof_event event = page_faults(0);
    armprof_set *set = must_open(&event, 1, &plain);
    armprof_count before, after;
    for (int round = 0; round < 20; round++) {
        must_sample(set, &before);
        touch_pages((size_t)pages);
        must_sample(set, &after);
        check_faults(after.value - before.value, (uint64_t)(size_t)pages);
    }
    armprof_close(set);
    return NULL;
}

static void each_thread_counts_itself(void) {
    static const size_t pages[] = {1, 400, 800, 1200};
    pthread_t threads[COUNT(pages)];
    for (size_t i = 0; i < COUNT(pages); i++) {
        CHECK(pthread_create(&threads[i], NULL, count_own_faults, (void *)pages[i]) == 0);
    }
    for (size_t i = 0; i < COUNT(pages); i++) {
        pthread_join(threads[i], NULL);
    }
}

static void a_set_outlives_the_thread_that_it_counts(void) {
    armprof_event event = page_faults(0);
    pid_t child = start_waiting_child(touch_300_pages);
    armprof_options options = {.pid = child, .cpu = -1};
    armprof_set *set = must_open(&event, 1, &options);
    armprof_count first, second;
    let_go(child);
    must_sample(set, &first);
    touch_pages(10);
    must_sample(set, &second);
    CHECK_EQUAL(first.value, second.value);
    CHECK_EQUAL(first.enabled_ns, second.enabled_ns);
    armprof_close(set);
}

int main(int argc, char **argv) {
    if (argc == 3 && strcmp(argv[1], "--touch") == 0) {
        touch_pages((size_t)atoi(argv[2]));
        return 0;
    }
    need_counters();
    static const struct test tests[] = {
        TEST(differences_of_samples_are_what_happened_between),
        TEST(a_cgroup_is_named_by_a_descriptor_of_its_folder),
        TEST(task_clock_is_the_time_of_the_thread),
        TEST(unfenced_sets_count_alike),
        TEST(a_sample_costs_little_of_what_it_counts),
        TEST(events_of_one_number_are_one_group),
        TEST(an_event_that_nobody_knows_does_not_hinder_the_others),
        TEST(a_set_of_unknown_events_alone_is_empty_and_can_be_sampled),
        TEST(a_set_holds_32_events_in_16_groups),
        TEST(an_event_is_found_by_its_name),
        TEST(software_events_fit_into_any_group),
        TEST(nothing_is_left_behind_by_10000_sets),
        TEST(sets_are_closed_in_any_order),
        TEST(without_descriptors_events_stay_closed_and_say_so),
        TEST(inherit_follows_threads_and_children),
        TEST(a_group_can_be_read_while_threads_that_inherited_it_end),
        TEST(a_child_is_counted_by_its_number),
        TEST(enable_on_exec_counts_from_the_exec_on),
        TEST(a_process_that_does_not_live_is_named_by_its_error),
        TEST(a_child_cannot_sample_its_parents_counters_nor_harm_them),
        TEST(a_fork_may_come_while_other_threads_open_and_close),
        TEST(signals_do_not_disturb),
        TEST(each_thread_counts_itself),
        TEST(a_set_outlives_the_thread_that_it_counts),
    };
    return run_tests(tests, sizeof tests / sizeof *tests, argc, argv);
}
