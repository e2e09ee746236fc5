/* What the programs of the suite share.
 *
 *     program [ROUNDS [FILE [turns]]]
 *
 * prepares, does its work once to warm up and ROUNDS times (1) within the region "work", and writes a checksum, which slow
 * and fixed share, and the nanoseconds of the region.
 *
 * FIXED is 1 where the cause is mended, undefined where it is not; with two causes it is 1, 2 or both. A program defines
 * prepare() and work(). Where it defines THREADS first, so many threads work at a time, each on
 * a core of its own; work() is told which one it is, and calls take_turns() every few steps. */
#ifndef SUITE_H
#define SUITE_H

#define _GNU_SOURCE

#include <armprof.h>
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#ifndef THREADS
#define THREADS 1
#endif

static void prepare(void);
static uint64_t work(unsigned thread);

static uint64_t state = 88172645463325252u;

/* A random number below n, the same ones in each run. */
static inline uint64_t draw(uint64_t n) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (state >> 11) % n;
}

/* The numbers below n in any order. */
static inline void shuffle(uint32_t *numbers, uint32_t n) {
    for (uint32_t i = 0; i < n; i++) {
        uint32_t other = (uint32_t)draw(i + 1);
        numbers[i] = numbers[other];
        numbers[other] = i;
    }
}

static bool turns;

/* Emulated threads run when the machine's scheduler lets them, on a busy one each for a long time. With "turns" they share
 * a CPU and let each other run here, so that they work side by side as on cores of their own. */
static inline void take_turns(void) {
    if (turns) {
        sched_yield();
    }
}

static inline uint64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static long rounds;
static armprof_region region;
static pthread_barrier_t together;
static uint64_t sums[THREADS], times[THREADS];

static void *run(void *number) {
    unsigned thread = (unsigned)(uintptr_t)number;
    uint64_t sum = work(thread);
    pthread_barrier_wait(&together);
    uint64_t before = now_ns();
    armprof_enter(region);
    for (long round = 0; round < rounds; round++) {
        __asm__ volatile("" ::: "memory"); /* no round's answer follows from another's */
        sum = sum * 31 + work(thread);
    }
    armprof_leave(region);
    times[thread] = now_ns() - before;
    sums[thread] = sum;
    return NULL;
}

int main(int argc, char **argv) {
    rounds = argc > 1 ? strtol(argv[1], NULL, 10) : 1;
    turns = argc > 3 && strcmp(argv[3], "turns") == 0;
    if (turns) {
        cpu_set_t one;
        CPU_ZERO(&one);
        CPU_SET(sched_getcpu(), &one);
        sched_setaffinity(0, sizeof one, &one);
    }
    region = armprof_region_define("work");
    pthread_barrier_init(&together, NULL, THREADS);
    prepare();
    pthread_t others[THREADS];
    for (uintptr_t thread = 1; thread < THREADS; thread++) {
        pthread_create(&others[thread], NULL, run, (void *)thread);
    }
    run(NULL);
    for (unsigned thread = 1; thread < THREADS; thread++) {
        pthread_join(others[thread], NULL);
    }
    uint64_t sum = 0, longest = 0;
    for (unsigned thread = 0; thread < THREADS; thread++) {
        sum += sums[thread];
        longest = times[thread] > longest ? times[thread] : longest;
    }
    FILE *out = argc > 2 ? fopen(argv[2], "w") : stdout;
    if (!out) {
        perror(argv[2]);
        return 1;
    }
    fprintf(out, "%016" PRIx64 " %" PRIu64 "\n", sum, longest);
    return fclose(out) != 0;
}

#endif
