/* Two threads, each adding to a counter of its own; the counters are APART bytes apart. They meet after every thousand, so
 * that the line goes to and fro however the threads are scheduled. */
#include <pthread.h>
#include <stdlib.h>

#ifndef APART
#define APART 8
#endif

_Alignas(64) char counters[256];
static _Alignas(64) pthread_barrier_t meeting;
static long thousands;

static void *count_left(void *unused) {
    for (long i = 0; i < 1000 * thousands; i++) {
        ++*(volatile long *)&counters[0];
        if (i % 1000 == 0) {
            pthread_barrier_wait(&meeting);
        }
    }
    return unused;
}

static void *count_right(void *unused) {
    for (long i = 0; i < 1000 * thousands; i++) {
        ++*(volatile long *)&counters[APART];
        if (i % 1000 == 0) {
            pthread_barrier_wait(&meeting);
        }
    }
    return unused;
}

int main(int argc, char **argv) {
    thousands = argc > 1 ? strtol(argv[1], NULL, 10) : 0;
    pthread_t left, right;
    pthread_barrier_init(&meeting, NULL, 2);
    pthread_create(&left, NULL, count_left, NULL);
    pthread_create(&right, NULL, count_right, NULL);
    pthread_join(left, NULL);
    pthread_join(right, NULL);
    return 0;
}
