/* Sampling by the CPU's clock, which every Linux has: this process, children, rings that run over, and what is refused. */
#define _GNU_SOURCE
#include "sampler.h"

#include <pthread.h>
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
    armprof_sampler *sampler = armprof_sampler_open(event, 1, &me, 1, cpus, cpu_count, ring, false, &error);
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
    armprof_sampler *sampler = armprof_sampler_open(events, 2, &me, 1, cpus, cpu_count, 1 << 16, false, errors);
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
    CHECK(!armprof_sampler_open(&clock_event, 0, &me, 1, cpus, cpu_count, 1 << 16, false, &error));
    CHECK_EQUAL(errno, EINVAL);
    CHECK(!armprof_sampler_open(&clock_event, 1, &nobody, 1, cpus, cpu_count, 1 << 16, false, &error));
    CHECK(errno != 0);
    filter(SYS_perf_event_open, ANY_ARGUMENT, 0, false, giving(EACCES));
    CHECK(!armprof_sampler_open(&clock_event, 1, &me, 1, cpus, cpu_count, 1 << 16, false, &error));
    CHECK_EQUAL(errno, EACCES);
    CHECK_EQUAL(error, EACCES);
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
        CHECK(!armprof_sampler_open(&clock_event, 1, &me, 1, cpus, cpu_count, 1 << 16, false, &error));
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
        TEST(an_event_that_cannot_be_opened_does_not_hinder_others),
        TEST(what_cannot_be_opened_at_all_leaves_nothing_behind),
        TEST(without_memory_nothing_is_opened),
    };
    return run_tests(tests, sizeof tests / sizeof *tests, argc, argv);
}
