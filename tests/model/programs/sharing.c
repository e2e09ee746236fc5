/* Two threads, each adding to a counter of its own; the counters are APART bytes apart. */
#include <pthread.h>
#include <stdlib.h>

#ifndef APART
#define APART 8
#endif

_Alignas(64) char counters[256];
static long times;

static void *count_left(void *unused) {
    for (long i = 0; i < times; i++) {
        ++*(volatile long *)&counters[0];
    }
    return unused;
}

static void *count_right(void *unused) {
    for (long i = 0; i < times; i++) {
        ++*(volatile long *)&counters[APART];
    }
    return unused;
}

int main(int argc, char **argv) {
    times = argc > 1 ? strtol(argv[1], NULL, 10) : 0;
    pthread_t left, right;
    pthread_create(&left, NULL, count_left, NULL);
    pthread_create(&right, NULL, count_right, NULL);
    pthread_join(left, NULL);
    pthread_join(right, NULL);
    return 0;
}
