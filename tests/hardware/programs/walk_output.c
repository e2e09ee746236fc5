/*
 * walk_output BYTES TIMES: names no events and prints nothing. Puts a region "walk" around a walk over BYTES in steps of 64,
 * TIMES times after a warm-up in a region "warm-up", and once more in a second thread, in a region "other".
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "armprof.h"
#include "walk.h"

enum { STEP = 64 };

static char *buffer;
static size_t bytes;

static void walk_in(const char *name, unsigned long times)
{
    armprof_region region = armprof_region_define(name);
    for (unsigned long i = 0; i < times; i++) {
        armprof_enter(region);
        walk(buffer, bytes, STEP);
        armprof_leave(region);
    }
}

static void *other(void *unused)
{
    walk_in("other", 1);
    return unused;
}

int main(int argc, char **argv)
{
    pthread_t thread;
    bytes = argc == 3 ? strtoull(argv[1], NULL, 10) : 0;
    buffer = bytes > 0 ? aligned_alloc(4096, bytes) : NULL;
    if (!buffer)
        return 2;
    memset(buffer, 1, bytes);
    walk_in("warm-up", 3);
    walk_in("walk", strtoul(argv[2], NULL, 10));
    if (pthread_create(&thread, NULL, other, NULL) != 0 || pthread_join(thread, NULL) != 0)
        return 1;
    free(buffer);
    return 0;
}
