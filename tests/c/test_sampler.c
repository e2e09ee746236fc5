/* Sampling by the CPU's clock, which every Linux has: this process, children, rings that run over, and what is refused. */
#define _GNU_SOURCE
#include "sampler.h"

#include <pthread.h>
#include <sched.h>
#include <time.h>

#include "seccomp.h"
#include "software.h"

static const armprof_sampled clock_event = {
    .type = PERF_TYPE_SOFTWARE, .config = PERF_COUNT_SW_CPU_CLOCK, .by_frequency = true, .rate = 2000};

static int cpus[1024];
static size_t cpu_count;

static void find_cpus(void) {
    cpu_count = (size_t)sysconf(_SC_NPROCESSORS_ONLN);
    CHECK(cpu_count <= sizeof cpus / sizeof *cpus);
    for (size_t i = 0; i < cpu_count; i++) {
        cpus[i] = (int)i;
    }
}

static armprof_sampler *sampling(const armprof_sampled *event, size_t ring) {
    const pid_t me = getpid();
    int error;
    need_counters();
    find_cpus();
    armprof_sampler *sampler = armprof_sampler_open(event, 1, &me, 1, cpus, cpu_count, ring, false, ARMPROF_ALONE, &error);
    if (!sampler) {
        skip(strerror(errno));
    }
    CHECK_EQUAL(error, 0);
    return sampler;
}

static uint64_t cpu_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static volatile uint64_t sum;

__attribute__((noinline)) static void work_here(uint64_t ns) {
    for (uint64_t until = cpu_ns() + ns; cpu_ns() < until;) {
        for (int i = 0; i < 20000; i++) {
            sum += (uint64_t)i;
        }
    }
}

static const armprof_hit *hits_of(const armprof_sampler *sampler, size_t *count) {
    *count = armprof_sampler_records(sampler)->hits.used;
    return armprof_sampler_records(sampler)->hits.data;
}

static void stay_on_this_cpu(void) {
    cpu_set_t here;
    CPU_ZERO(&here);
    CPU_SET(sched_getcpu(), &here);
    CHECK_EQUAL(sched_setaffinity(0, sizeof here, &here), 0);
}

static void work_is_sampled_as_often_as_asked(void) {
    armprof_sampler *sampler = sampling(&clock_event, 1 << 19);
    armprof_sampler_start(sampler);
    work_here(200000000);
    armprof_sampler_stop(sampler);
    armprof_sampler_drain(sampler);
    size_t count;
    const armprof_hit *hits = hits_of(sampler, &count);
    CHECK(count > 0 && count <= 600); /* 400 where nothing of it is spent in the kernel */
    uint64_t weight = 0;
    for (size_t i = 0; i < count; i++) {
        CHECK_EQUAL(hits[i].pid, getpid());
        CHECK_EQUAL(hits[i].event, 0);
        weight += hits[i].period;
    }
    armprof_sampled_count counted;
    CHECK_EQUAL(armprof_sampler_count(sampler, 0, &counted), 0);
    CHECK(counted.value >= weight && counted.enabled_ns > 0);
    CHECK(counted.running_ns <= counted.enabled_ns + counted.enabled_ns / 10);
    CHECK_EQUAL(armprof_sampler_records(sampler)->malformed, 0);
    CHECK_EQUAL(armprof_sampler_records(sampler)->lost, 0);

    armprof_sampler_forget_hits(sampler);
    hits_of(sampler, &count);
    CHECK_EQUAL(count, 0);
    CHECK(armprof_sampler_records(sampler)->stacks.used > 0);
    armprof_sampler_close(sampler);
}

static void *work_in_a_thread(void *unused) {
    work_here(50000000);
    return unused;
}

static void threads_and_children_are_followed(void) {
    armprof_sampler *sampler = sampling(&clock_event, 1 << 19);
    armprof_sampler_start(sampler);
    pthread_t thread;
    CHECK_EQUAL(pthread_create(&thread, NULL, work_in_a_thread, NULL), 0);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        work_here(50000000);
        _exit(0);
    }
    pthread_join(thread, NULL);
    CHECK_EQUAL(wait_for(child), 0);
    armprof_sampler_stop(sampler);
    armprof_sampler_drain(sampler);
    size_t count, of_child = 0, of_thread = 0;
    const armprof_hit *hits = hits_of(sampler, &count);
    for (size_t i = 0; i < count; i++) {
        of_child += hits[i].pid == (uint32_t)child;
        of_thread += hits[i].pid == (uint32_t)getpid() && hits[i].tid != hits[i].pid;
    }
    CHECK(of_child > 0);
    CHECK(of_thread > 0);
    armprof_sampler_close(sampler);
}

static void records_that_go_over_the_end_of_a_ring_are_whole(void) {
    armprof_sampler *sampler = sampling(&clock_event, 1);
    armprof_sampler_start(sampler);
    for (int i = 0; i < 60; i++) { /* 400 samples of 80 bytes and more go round several times */
        work_here(4000000);
        armprof_sampler_drain(sampler);
    }
    armprof_sampler_stop(sampler);
    size_t count;
    hits_of(sampler, &count);
    CHECK(count > 0);
    CHECK_EQUAL(armprof_sampler_records(sampler)->malformed, 0);
    armprof_sampler_close(sampler);
}

static void a_ring_that_is_full_loses_samples_and_tells_how_many(void) {
    stay_on_this_cpu(); /* that samples were lost stands before the next one of the same ring */
    armprof_sampler *sampler = sampling(&clock_event, 1);
    armprof_sampler_start(sampler);
    work_here(300000000); /* 600 samples, where a ring holds 50 */
    armprof_sampler_drain(sampler);
    work_here(20000000); /* the next record tells what was lost before it */
    armprof_sampler_stop(sampler);
    armprof_sampler_drain(sampler);
    size_t count;
    hits_of(sampler, &count);
    CHECK(count > 0);
    CHECK(armprof_sampler_records(sampler)->lost > 0);
    CHECK_EQUAL(armprof_sampler_records(sampler)->malformed, 0);
    armprof_sampler_close(sampler);
}

static void an_event_that_cannot_be_opened_does_not_hinder_others(void) {
    const pid_t me = getpid();
    armprof_sampled events[] = {clock_event, clock_event};
    int errors[2];
    events[0].config = 0xbad;
    need_counters();
    find_cpus();
    armprof_sampler *sampler = armprof_sampler_open(events, 2, &me, 1, cpus, cpu_count, 1 << 16, false, ARMPROF_ALONE, errors);
    CHECK(sampler != NULL);
    CHECK(errors[0] != 0);
    CHECK_EQUAL(errors[1], 0);
    armprof_sampler_start(sampler);
    work_here(50000000);
    armprof_sampler_stop(sampler);
    armprof_sampler_drain(sampler);
    size_t count;
    const armprof_hit *hits = hits_of(sampler, &count);
    CHECK(count > 0 && hits[0].event == 1);
    armprof_sampler_close(sampler);
}

static void what_cannot_be_opened_at_all_leaves_nothing_behind(void) {
    const pid_t me = getpid(), nobody = INT_MAX;
    int error = 0;
    find_cpus();
    unsigned before = open_descriptors();
    CHECK(!armprof_sampler_open(&clock_event, 0, &me, 1, cpus, cpu_count, 1 << 16, false, ARMPROF_ALONE, &error));
    CHECK_EQUAL(errno, EINVAL);
    CHECK(!armprof_sampler_open(&clock_event, 1, &nobody, 1, cpus, cpu_count, 1 << 16, false, ARMPROF_ALONE, &error));
    CHECK(errno != 0);
    filter(SYS_perf_event_open, ANY_ARGUMENT, 0, false, giving(EACCES));
    CHECK(!armprof_sampler_open(&clock_event, 1, &me, 1, cpus, cpu_count, 1 << 16, false, ARMPROF_ALONE, &error));
    CHECK_EQUAL(errno, EACCES);
    CHECK_EQUAL(error, EACCES);
    CHECK_EQUAL(open_descriptors(), before);
}

/* Interrupts by the CPU's clock, and reads how many pages were touched at each sample. */
static const armprof_sampled group[] = {
    {.type = PERF_TYPE_SOFTWARE, .config = PERF_COUNT_SW_CPU_CLOCK, .rate = 200000},
    {.type = PERF_TYPE_SOFTWARE, .config = PERF_COUNT_SW_PAGE_FAULTS},
    {.type = PERF_TYPE_SOFTWARE, .config = PERF_COUNT_SW_CONTEXT_SWITCHES, .rate = 1, .kernel = true},
};
enum { CLOCK, FAULTS, PAGES = 20000 };

static armprof_sampler *sampling_group(size_t count, pid_t of, size_t ring, enum armprof_reading reading) {
    int errors[3];
    need_counters();
    find_cpus();
    armprof_sampler *sampler = armprof_sampler_open(group, count, &of, 1, cpus, cpu_count, ring, false, reading, errors);
    if (!sampler) {
        skip(errno == EINVAL ? "the kernel reads no groups of threads that it follows: it is older than 6.12"
                             : strerror(errno));
    }
    for (size_t i = 0; i < count; i++) {
        CHECK_EQUAL(errors[i], 0);
    }
    return sampler;
}

static uint64_t faults_of(const armprof_sampler *sampler, pid_t process, pid_t thread, bool nowhere) {
    size_t count;
    uint64_t sum = 0;
    const armprof_hit *hits = hits_of(sampler, &count);
    const struct armprof_records *records = armprof_sampler_records(sampler);
    for (size_t i = 0; i < count; i++) {
        const armprof_stack *stack = (const armprof_stack *)records->stacks.data + hits[i].stack;
        bool is_nowhere = ((const uint64_t *)records->frames.data)[stack->first] == ARMPROF_NOWHERE;
        if (hits[i].event == FAULTS && hits[i].pid == (uint32_t)process && (!thread || hits[i].tid == (uint32_t)thread) &&
            is_nowhere == nowhere) {
            sum += hits[i].period;
        }
    }
    return sum;
}

/* Pages are touched between stretches of work, in which the clock strikes several times: it does so in user mode alone. */
enum { ROUNDS = 25, IN_A_ROUND = 400, MISSED = 4 * IN_A_ROUND };

static void touch_and_work(int rounds) {
    for (int i = 0; i < rounds; i++) {
        touch_pages(IN_A_ROUND);
        work_here(1000000);
    }
}

static void *touch_in_a_thread(void *tid) {
    *(pid_t *)tid = (pid_t)syscall(SYS_gettid);
    touch_and_work(ROUNDS);
    return NULL;
}

/* A thread, a child and this one, one after the other: each has what it touched itself. */
static void touch_everywhere(armprof_sampler *sampler, pid_t *thread, pid_t *child) {
    pthread_t handle;
    armprof_sampler_start(sampler);
    CHECK_EQUAL(pthread_create(&handle, NULL, touch_in_a_thread, thread), 0);
    pthread_join(handle, NULL);
    armprof_sampler_drain(sampler);
    *child = fork();
    CHECK(*child >= 0);
    if (*child == 0) {
        touch_and_work(2 * ROUNDS);
        _exit(0);
    }
    CHECK_EQUAL(wait_for(*child), 0);
    armprof_sampler_drain(sampler);
    touch_and_work(3 * ROUNDS);
    armprof_sampler_stop(sampler);
    armprof_sampler_drain(sampler);
}

/* Where others keep the CPU for so long that a ring runs over, the sampler tells so, and some of the pages are put nowhere. */
static void check_touched(const armprof_sampler *sampler, uint64_t faults, uint64_t rounds) {
    CHECK(faults + MISSED >= rounds * IN_A_ROUND || armprof_sampler_lost(sampler) > 0);
    CHECK(faults <= rounds * IN_A_ROUND + OTHER_FAULTS + MISSED);
}

static void a_group_tells_which_thread_and_child_had_the_events_that_do_not_interrupt(void) {
    const enum armprof_reading ways[] = {ARMPROF_OF_THREAD, ARMPROF_OF_CPU};
    for (size_t way = 0; way < 2; way++) {
        bool of_cpu = ways[way] == ARMPROF_OF_CPU;
        stay_on_this_cpu(); /* what a thread did on one CPU since its last sample there is not told when it goes to another */
        armprof_sampler *sampler = sampling_group(of_cpu ? 3 : 2, of_cpu ? -1 : getpid(), 1 << 19, ways[way]);
        pid_t thread = 0, child = 0;
        touch_everywhere(sampler, &thread, &child);
        check_touched(sampler, faults_of(sampler, getpid(), thread, false), ROUNDS);
        check_touched(sampler, faults_of(sampler, child, 0, false), 2 * ROUNDS);
        check_touched(sampler, faults_of(sampler, getpid(), getpid(), false), 3 * ROUNDS);
        armprof_sampled_count counted;
        CHECK_EQUAL(armprof_sampler_count(sampler, FAULTS, &counted), 0);
        CHECK(counted.value >= 6 * ROUNDS * IN_A_ROUND);
        CHECK_EQUAL(armprof_sampler_count(sampler, CLOCK, &counted), 0);
        CHECK(counted.value >= 6 * ROUNDS * UINT64_C(1000000));
        CHECK(counted.enabled_ns > 0 && counted.running_ns > 0);
        armprof_sampler_close(sampler);
    }
}

static void what_a_group_counted_over_a_lost_sample_is_put_nowhere(void) {
    stay_on_this_cpu();
    armprof_sampler *sampler = sampling_group(2, getpid(), 1, ARMPROF_OF_THREAD);
    armprof_sampler_start(sampler);
    work_here(50000000); /* 250 samples, where a ring holds 25 */
    touch_pages(PAGES);
    armprof_sampler_drain(sampler);
    work_here(5000000);
    armprof_sampler_stop(sampler);
    armprof_sampler_drain(sampler);
    CHECK(armprof_sampler_records(sampler)->lost > 0);
    CHECK(faults_of(sampler, getpid(), 0, true) >= PAGES);
    CHECK(faults_of(sampler, getpid(), 0, false) < PAGES);
    armprof_sampler_close(sampler);
}

static void losses_at_the_end_are_told_by_kernels_that_know_them(void) {
    for (size_t of_group = 0; of_group < 2; of_group++) {
        stay_on_this_cpu();
        armprof_sampler *sampler =
            of_group ? sampling_group(2, getpid(), 1, ARMPROF_OF_THREAD) : sampling(&clock_event, 1);
        if (!armprof_sampler_records(sampler)->with_losses) {
            skip("the kernel is older than 6.0");
        }
        armprof_sampler_start(sampler);
        work_here(300000000); /* nobody reads, and no record follows */
        armprof_sampler_stop(sampler);
        armprof_sampler_drain(sampler);
        CHECK_EQUAL(armprof_sampler_records(sampler)->lost, 0);
        CHECK(armprof_sampler_lost(sampler) > 0);
        armprof_sampler_close(sampler);
    }
}

static void whether_an_event_interrupts_is_found_and_leaves_nothing_behind(void) {
    const armprof_event faults = page_faults(0), unknown = unknown_event(0);
    need_counters();
    unsigned before = open_descriptors();
    CHECK_EQUAL(armprof_probe_interrupts(&faults), 0);
    CHECK(armprof_probe_interrupts(&unknown) != 0);
    filter(SYS_perf_event_open, ANY_ARGUMENT, 0, false, giving(EOPNOTSUPP));
    CHECK_EQUAL(armprof_probe_interrupts(&faults), EOPNOTSUPP); /* as kernels answer of a PMU without an interrupt */
    CHECK_EQUAL(open_descriptors(), before);
}

static int allocations_left = -1; /* -1: without end */

void *__real_calloc(size_t count, size_t element);
void *__wrap_calloc(size_t count, size_t element);
void *__wrap_calloc(size_t count, size_t element) {
    return allocations_left < 0 || allocations_left-- > 0 ? __real_calloc(count, element) : NULL;
}

static void without_memory_nothing_is_opened(void) {
    const pid_t me = getpid();
    int error;
    find_cpus();
    unsigned before = open_descriptors();
    for (int allowed = 0; allowed < 7; allowed++) {
        allocations_left = allowed;
        CHECK(!armprof_sampler_open(&clock_event, 1, &me, 1, cpus, cpu_count, 1 << 16, false, ARMPROF_ALONE, &error));
        CHECK_EQUAL(errno, ENOMEM);
        allocations_left = -1;
    }
    CHECK_EQUAL(open_descriptors(), before);
}

int main(int argc, char **argv) {
    const struct test tests[] = {
        TEST(work_is_sampled_as_often_as_asked),
        TEST(threads_and_children_are_followed),
        TEST(records_that_go_over_the_end_of_a_ring_are_whole),
        TEST(a_ring_that_is_full_loses_samples_and_tells_how_many),
        TEST(a_group_tells_which_thread_and_child_had_the_events_that_do_not_interrupt),
        TEST(what_a_group_counted_over_a_lost_sample_is_put_nowhere),
        TEST(losses_at_the_end_are_told_by_kernels_that_know_them),
        TEST(an_event_that_cannot_be_opened_does_not_hinder_others),
        TEST(what_cannot_be_opened_at_all_leaves_nothing_behind),
        TEST(whether_an_event_interrupts_is_found_and_leaves_nothing_behind),
        TEST(without_memory_nothing_is_opened),
    };
    return run_tests(tests, sizeof tests / sizeof *tests, argc, argv);
}
