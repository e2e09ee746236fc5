/* What the kernel may refuse, refused by a seccomp filter in a process of the test's own; and memory that runs out. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <sys/uio.h>
#include <ucontext.h>

#include "armprof.h"
#include "seccomp.h"
#include "software.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

enum { GROUP_FD = 3 }; /* argument of perf_event_open */

/* ---- perf_event_open ---------------------------------------------------------------------------------------------------- */

static int refusal;

/* In a child, since no filter can be taken away. */
static void must_pass(void (*body)(void)) {
    int status = in_child(body);
    if (WIFEXITED(status) && WEXITSTATUS(status) == SKIPPED) {
        exit(SKIPPED);
    }
    CHECK_EQUAL(status, 0);
}

static void nothing_can_be_opened(void) {
    const armprof_event events[] = {task_clock(0), page_faults(0), page_faults(1)};
    unsigned before = open_descriptors();
    filter(SYS_perf_event_open, ANY_ARGUMENT, 0, false, giving(refusal));

    armprof_set *set = armprof_open(events, COUNT(events), &plain);
    CHECK(set != NULL);
    CHECK_EQUAL(armprof_event_count(set), COUNT(events));
    armprof_count counts[COUNT(events)] = {{1, 2, 3}, {4, 5, 6}, {7, 8, 9}};
    CHECK_EQUAL(armprof_sample(set, counts), 0);
    for (size_t i = 0; i < COUNT(events); i++) {
        CHECK_EQUAL(armprof_event_error(set, i), refusal);
        CHECK_EQUAL(armprof_event_access(set, i), ARMPROF_CLOSED);
        CHECK_EQUAL(counts[i].value | counts[i].enabled_ns | counts[i].running_ns, 0);
    }
    armprof_close(set);

    const char *reason = armprof_reason(refusal);
    CHECK(reason != NULL && strlen(reason) > 5);

    armprof_budget budget = armprof_probe_budget(&events[0], &events[1]);
    CHECK_EQUAL(budget.counters, 0);
    CHECK_EQUAL(budget.error, refusal);
    CHECK(!budget.cycles_besides);

    CHECK_EQUAL(armprof_regions_setup(events, COUNT(events), &plain), 0);
    armprof_region region = armprof_region_define("region");
    for (int i = 0; i < 3; i++) {
        armprof_enter(region);
        touch_pages(10);
        armprof_leave(region);
    }
    armprof_region_totals totals;
    uint64_t ns, smallest[COUNT(events)];
    CHECK_EQUAL(armprof_region_read(region, &totals), 0);
    CHECK_EQUAL(totals.calls, 3);
    CHECK(totals.ns.total > 0);
    CHECK_EQUAL(armprof_regions_calibrate(10, &ns, smallest), 0);
    for (size_t i = 0; i < COUNT(events); i++) {
        CHECK_EQUAL(armprof_event_error(armprof_thread_set(), i), refusal);
        CHECK_EQUAL(totals.events[i].total | totals.events[i].smallest | totals.events[i].largest, 0);
        CHECK_EQUAL(smallest[i], 0);
    }
    CHECK_EQUAL(open_descriptors(), before);
    CHECK_EQUAL(armprof_regions_teardown(), 0);
}

static void every_refusal_of_the_kernel_is_kept_with_the_event(void) {
    static const int errors[] = {EACCES, EPERM, ENOENT, ENODEV, EOPNOTSUPP, EINVAL, EMFILE, ENFILE, ENOSYS,
                                 EBUSY,  ENOSPC, ENOMEM, EFAULT, E2BIG,      ESRCH,  EINTR};
    for (size_t i = 0; i < COUNT(errors); i++) {
        refusal = errors[i];
        must_pass(nothing_can_be_opened);
    }
}

static const armprof_event three_of_a_group[] = {{.type = PERF_TYPE_SOFTWARE, .config = PERF_COUNT_SW_PAGE_FAULTS},
                                                 {.type = PERF_TYPE_SOFTWARE, .config = PERF_COUNT_SW_TASK_CLOCK},
                                                 {.type = PERF_TYPE_SOFTWARE, .config = PERF_COUNT_SW_PAGE_FAULTS}};

/* As a PMU answers that has too few counters for the group. */
static void a_group_that_does_not_fit_is_split(void) {
    filter(SYS_perf_event_open, GROUP_FD, -1, true, giving(EINVAL));
    armprof_set *set = armprof_open(three_of_a_group, COUNT(three_of_a_group), &plain);
    armprof_count before[COUNT(three_of_a_group)], after[COUNT(three_of_a_group)];
    CHECK_EQUAL(armprof_sample(set, before), 0);
    touch_pages(40);
    CHECK_EQUAL(armprof_sample(set, after), 0);
    for (size_t i = 0; i < COUNT(three_of_a_group); i++) {
        CHECK_EQUAL(armprof_event_error(set, i), 0);
        CHECK_EQUAL(armprof_event_group(set, i), i);
        CHECK(after[i].value > before[i].value);
    }
    check_faults(after[2].value - before[2].value, 40);
    armprof_close(set);
    CHECK_EQUAL(open_counters(), 0);
}

static void a_member_that_is_refused_leaves_its_group_as_it_is(void) {
    filter(SYS_perf_event_open, GROUP_FD, -1, true, giving(ENOENT));
    armprof_set *set = armprof_open(three_of_a_group, COUNT(three_of_a_group), &plain);
    armprof_count counts[COUNT(three_of_a_group)];
    CHECK_EQUAL(armprof_sample(set, counts), 0);
    CHECK_EQUAL(armprof_event_error(set, 0), 0);
    CHECK(counts[0].enabled_ns > 0);
    for (size_t i = 1; i < COUNT(three_of_a_group); i++) {
        CHECK_EQUAL(armprof_event_error(set, i), ENOENT);
        CHECK_EQUAL(counts[i].enabled_ns, 0);
    }
    armprof_close(set);
}

static void a_group_that_cannot_be_enabled_says_that_it_never_ran(void) {
    filter(SYS_ioctl, 1, (int)PERF_EVENT_IOC_ENABLE, false, giving(EPERM));
    armprof_set *set = armprof_open(three_of_a_group, COUNT(three_of_a_group), &plain);
    armprof_count counts[COUNT(three_of_a_group)];
    touch_pages(40);
    CHECK_EQUAL(armprof_sample(set, counts), 0);
    for (size_t i = 0; i < COUNT(three_of_a_group); i++) {
        CHECK_EQUAL(counts[i].value | counts[i].enabled_ns | counts[i].running_ns, 0);
    }
    armprof_close(set);
}

/* ---- read ------------------------------------------------------------------------------------------------------------------ */

static int leader_of(armprof_set **set, unsigned slots) {
    int next = open("/dev/null", O_RDONLY);
    CHECK(next >= 0 && close(next) == 0);
    *set = armprof_open(three_of_a_group, slots, &plain);
    CHECK_EQUAL(armprof_event_error(*set, 0), 0);
    return next;
}

static void a_read_cannot_be_made(void) {
    armprof_set *set, *other;
    armprof_count before[3], after[3];
    uint64_t smallest[3];
    leader_of(&other, 3);
    int leader = leader_of(&set, 3);
    CHECK_EQUAL(armprof_sample(set, before), 0);
    filter(SYS_read, 0, leader, false, giving(refusal));
    CHECK_EQUAL(armprof_sample(set, after), refusal);
    CHECK_EQUAL(armprof_calibrate(set, 5, smallest), refusal);
    CHECK_EQUAL(armprof_sample(other, after), 0);
    armprof_close(set);
    CHECK_EQUAL(open_counters(), 3);
    armprof_close(other);
}

static void a_read_that_fails_is_the_error_of_the_sample(void) {
    static const int errors[] = {EIO, EBADF, ENOSPC, EPERM};
    for (size_t i = 0; i < COUNT(errors); i++) {
        refusal = errors[i];
        must_pass(a_read_cannot_be_made);
    }
}

static void regions_whose_counters_cannot_be_read_count_nothing_but_time(void) {
    int leader = open("/dev/null", O_RDONLY);
    CHECK(leader >= 0 && close(leader) == 0);
    CHECK_EQUAL(armprof_regions_setup(three_of_a_group, 3, &plain), 0);
    armprof_region region = armprof_region_define("region");
    CHECK_EQUAL(armprof_thread_start(), 0);
    armprof_enter(region);
    touch_pages(10);
    armprof_leave(region);
    armprof_region_totals before, after;
    CHECK_EQUAL(armprof_region_read(region, &before), 0);
    CHECK_EQUAL(before.counted, 1);
    armprof_enter(region);
    filter(SYS_read, 0, leader, false, giving(EIO)); /* in the midst of a call */
    for (int i = 0; i < 5; i++) {
        armprof_leave(region);
        armprof_enter(region);
    }
    CHECK_EQUAL(armprof_region_read(region, &after), 0);
    CHECK_EQUAL(after.calls, 6);
    CHECK_EQUAL(after.counted, 1);
    CHECK(memcmp(before.events, after.events, sizeof after.events) == 0);
    CHECK(after.lost_ns[0] > 0);
}

static volatile sig_atomic_t interruptions;

/* Three times out of four a read is interrupted before it gave anything. */
static void on_system_call(int signal_number, siginfo_t *info, void *context) {
    (void)signal_number;
    (void)info;
    mcontext_t *machine = &((ucontext_t *)context)->uc_mcontext;
#if defined(__aarch64__)
    unsigned long long *result = &machine->regs[0];
    int fd = (int)machine->regs[0];
    struct iovec to = {(void *)machine->regs[1], machine->regs[2]};
#else
    long long *result = &machine->gregs[REG_RAX];
    int fd = (int)machine->gregs[REG_RDI];
    struct iovec to = {(void *)machine->gregs[REG_RSI], (size_t)machine->gregs[REG_RDX]};
#endif
    if (++interruptions % 4 != 0) {
        *result = (unsigned long long)-EINTR;
    } else {
        *result = (unsigned long long)syscall(SYS_readv, fd, &to, 1); /* which no filter knows of */
    }
}

static void a_read_that_is_interrupted_is_repeated(void) {
    struct sigaction action = {.sa_sigaction = on_system_call, .sa_flags = SA_SIGINFO};
    CHECK(sigaction(SIGSYS, &action, NULL) == 0);
    armprof_set *set;
    armprof_count before[3], after[3];
    filter(SYS_read, 0, leader_of(&set, 3), false, SECCOMP_RET_TRAP);
    CHECK_EQUAL(armprof_sample(set, before), 0);
    touch_pages(70);
    CHECK_EQUAL(armprof_sample(set, after), 0);
    CHECK_EQUAL(interruptions, 8);
    check_faults(after[0].value - before[0].value, 70);
    armprof_close(set);
}

/* ---- Memory ------------------------------------------------------------------------------------------------------------------ */

static int callocs_left = -1; /* until one fails; -1: none fails. The linker sends the counter core's here. */
void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);

void *__wrap_calloc(size_t count, size_t size) {
    if (callocs_left == 0) {
        errno = ENOMEM;
        return NULL;
    }
    callocs_left -= callocs_left > 0;
    return __real_calloc(count, size);
}

static void *start_without_memory(void *region) {
    for (int left = 0; left < 3; left++) {
        callocs_left = left;
        CHECK_EQUAL(armprof_thread_start(), ENOMEM);
        callocs_left = left;
        armprof_enter((armprof_region)(size_t)region);
        armprof_leave((armprof_region)(size_t)region);
        callocs_left = -1;
        CHECK(armprof_thread_set() == NULL);
    }
    return NULL;
}

static void without_memory_nothing_is_opened_and_nothing_left_behind(void) {
    unsigned before = open_descriptors();
    callocs_left = 0;
    errno = 0;
    CHECK(armprof_open(three_of_a_group, 3, &plain) == NULL);
    CHECK_EQUAL(errno, ENOMEM);
    CHECK_EQUAL(open_descriptors(), before);
    callocs_left = -1;

    CHECK_EQUAL(armprof_regions_setup(three_of_a_group, 3, &plain), 0);
    armprof_region region = armprof_region_define("region");
    start_without_memory((void *)(size_t)region);
    CHECK_EQUAL(open_descriptors(), before);
    armprof_enter(region);
    armprof_leave(region);
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, start_without_memory, (void *)(size_t)region) == 0);
    pthread_join(thread, NULL);
    CHECK_EQUAL(open_counters(), 3);
    armprof_region_totals totals;
    CHECK_EQUAL(armprof_region_read(region, &totals), 0);
    CHECK_EQUAL(totals.calls, 1);
}

int main(int argc, char **argv) {
    need_counters();
    static const struct test tests[] = {
        TEST(every_refusal_of_the_kernel_is_kept_with_the_event),
        TEST(a_group_that_does_not_fit_is_split),
        TEST(a_member_that_is_refused_leaves_its_group_as_it_is),
        TEST(a_group_that_cannot_be_enabled_says_that_it_never_ran),
        TEST(a_read_that_fails_is_the_error_of_the_sample),
        TEST(regions_whose_counters_cannot_be_read_count_nothing_but_time),
        TEST(a_read_that_is_interrupted_is_repeated),
        TEST(without_memory_nothing_is_opened_and_nothing_left_behind),
    };
    return run_tests(tests, sizeof tests / sizeof *tests, argc, argv);
}
