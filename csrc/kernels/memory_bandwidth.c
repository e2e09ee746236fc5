#define _GNU_SOURCE /* sched_setaffinity, MADV_HUGEPAGE */
#include "memory_bandwidth.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "timing.h"

/* sqrt(2) - 1: with it a round of the four kernels gives each array's values back, so that no number of passes can
 * overflow. c = a; b = s a; c = a + s a; a = s a + s (a + s a) = (2 s + s^2) a = a. */
static const double SCALE = 0.41421356237309504880;

uint64_t ap_stream_bytes(ap_stream stream, size_t elements) {
    uint64_t arrays = stream == AP_STREAM_COPY || stream == AP_STREAM_SCALE ? 2 : 3;
    return arrays * sizeof(double) * elements;
}

void ap_stream_pass(ap_stream stream, double *restrict a, double *restrict b, double *restrict c, size_t elements) {
    switch (stream) {
    case AP_STREAM_COPY:
        for (size_t i = 0; i < elements; i++)
            c[i] = a[i];
        break;
    case AP_STREAM_SCALE:
        for (size_t i = 0; i < elements; i++)
            b[i] = SCALE * c[i];
        break;
    case AP_STREAM_ADD:
        for (size_t i = 0; i < elements; i++)
            c[i] = a[i] + b[i];
        break;
    case AP_STREAM_TRIAD:
        for (size_t i = 0; i < elements; i++)
            a[i] = b[i] + SCALE * c[i];
        break;
    case AP_STREAMS:
        break;
    }
}

/* The threads meet before each kernel. A barrier that one of them can call off: one that could not be started, or has no
 * memory, would keep the others waiting for ever. */
typedef struct team {
    pthread_mutex_t mutex;
    pthread_cond_t met;
    size_t threads, waiting, round;
    bool called_off;
    size_t elements, passes;
} team;

typedef struct member {
    team *team;
    pthread_t thread;
    int cpu;
    int error;
    uint64_t *times; /* begin and end of every pass of every kernel */
} member;

/* Whether all came. */
static bool meet(team *all) {
    pthread_mutex_lock(&all->mutex);
    size_t round = all->round;
    if (++all->waiting == all->threads) {
        all->waiting = 0;
        all->round++;
        pthread_cond_broadcast(&all->met);
    }
    while (round == all->round && !all->called_off)
        pthread_cond_wait(&all->met, &all->mutex);
    bool came = !all->called_off;
    pthread_mutex_unlock(&all->mutex);
    return came;
}

static void call_off(team *all) {
    pthread_mutex_lock(&all->mutex);
    all->called_off = true;
    pthread_cond_broadcast(&all->met);
    pthread_mutex_unlock(&all->mutex);
}

static bool is_near(double value, double expected) {
    double difference = value - expected;
    return difference < 1e-6 * expected && -difference < 1e-6 * expected;
}

/* Values differ from element to element, so that one that was moved to a wrong place shows. */
static double first_value(size_t i) {
    return 1 + (double)(i % 1021);
}

static bool is_correct(const double *a, const double *b, const double *c, size_t elements) {
    for (size_t i = 0; i < elements; i++) {
        double value = first_value(i);
        if (!is_near(a[i], value) || !is_near(b[i], SCALE * value) || !is_near(c[i], value + SCALE * value))
            return false;
    }
    return true;
}

/* Puts the calling thread on the CPU, before it touches memory. */
static int move_to(int cpu) {
    cpu_set_t *one = CPU_ALLOC((size_t)cpu + 1);
    if (one == NULL)
        return ENOMEM;
    size_t size = CPU_ALLOC_SIZE((size_t)cpu + 1);
    CPU_ZERO_S(size, one);
    CPU_SET_S((size_t)cpu, size, one);
    int error = sched_setaffinity(0, size, one) == 0 ? 0 : errno;
    CPU_FREE(one);
    return error;
}

static void *run(void *argument) {
    member *self = argument;
    team *all = self->team;
    size_t elements = all->elements, bytes = 3 * elements * sizeof(double);
    self->error = move_to(self->cpu);
    double *a = self->error == 0 ? mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) : NULL;
    if (a == MAP_FAILED)
        self->error = ENOMEM;
    if (self->error != 0) {
        call_off(all);
        return NULL;
    }
    madvise(a, bytes, MADV_HUGEPAGE); /* a kernel that has none says so, and nothing is lost */
    double *b = a + elements, *c = b + elements;
    for (size_t i = 0; i < elements; i++) {
        a[i] = first_value(i);
        b[i] = c[i] = 0;
    }
    size_t runs = all->passes * AP_STREAMS, done = 0;
    for (; done < runs && meet(all); done++) {
        uint64_t *times = self->times + 2 * done;
        times[0] = ap_timing_system_ns();
        ap_stream_pass((ap_stream)(done % AP_STREAMS), a, b, c, elements);
        times[1] = ap_timing_system_ns();
    }
    if (done == runs && !is_correct(a, b, c, elements))
        self->error = EIO;
    munmap(a, bytes);
    return NULL;
}

/* From the first that begins to the last that ends. */
static void merge(const member *members, size_t threads, size_t count, uint64_t *ns_out) {
    for (size_t i = 0; i < count; i++) {
        uint64_t first = UINT64_MAX, last = 0;
        for (size_t t = 0; t < threads; t++) {
            const uint64_t *times = members[t].times + 2 * i;
            first = times[0] < first ? times[0] : first;
            last = times[1] > last ? times[1] : last;
        }
        ns_out[i] = last - first;
    }
}

int ap_bandwidth_measure(const int *cpus, size_t threads, size_t elements, size_t passes, uint64_t *ns_out) {
    if (threads == 0 || elements == 0 || passes == 0 || elements > SIZE_MAX / 3 / sizeof(double))
        return EINVAL;
    size_t runs = passes * AP_STREAMS;
    team all = {.threads = threads, .elements = elements, .passes = passes};
    member *members = calloc(threads, sizeof *members);
    uint64_t *times = calloc(threads * runs, 2 * sizeof *times);
    int error = members == NULL || times == NULL ? ENOMEM : 0;
    pthread_mutex_init(&all.mutex, NULL);
    pthread_cond_init(&all.met, NULL);
    size_t started = 0;
    for (; error == 0 && started < threads; started++) {
        member *one = &members[started];
        *one = (member){.team = &all, .cpu = cpus[started], .times = times + 2 * runs * started};
        error = one->cpu < 0 ? EINVAL : pthread_create(&one->thread, NULL, run, one);
        if (error != 0)
            break;
    }
    if (error != 0)
        call_off(&all);
    for (size_t t = 0; t < started; t++) {
        pthread_join(members[t].thread, NULL);
        error = error != 0 ? error : members[t].error;
    }
    if (error == 0)
        merge(members, threads, runs, ns_out);
    pthread_cond_destroy(&all.met);
    pthread_mutex_destroy(&all.mutex);
    free(members);
    free(times);
    return error;
}
