/*
 * Loads one byte out of every `step` of a buffer: the number of instructions is known exactly, and so is the
 * number of cache lines touched. As a program: walk BYTES STEP TIMES. As a shared library: walk().
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "walk.h"

int main(int argc, char **argv)
{
    size_t bytes = argc == 4 ? strtoull(argv[1], NULL, 10) : 0;
    size_t step = argc == 4 ? strtoull(argv[2], NULL, 10) : 0;
    unsigned long times = argc == 4 ? strtoul(argv[3], NULL, 10) : 0;
    if (bytes == 0 || step == 0) {
        fprintf(stderr, "usage: walk BYTES STEP TIMES, the first two above 0\n");
        return 2;
    }
    char *buffer = aligned_alloc(4096, (bytes + 4095) / 4096 * 4096);
    if (buffer == NULL) {
        fprintf(stderr, "walk: no memory for %zu bytes\n", bytes);
        return 1;
    }
    memset(buffer, 1, bytes);
    uint64_t sum = 0;
    for (unsigned long i = 0; i < times; i++)
        sum += walk(buffer, bytes, step);
    free(buffer);
    /* Nothing is printed: the instructions of printf would depend on the number of digits. */
    return sum == times * ((bytes + step - 1) / step) ? 0 : 1;
}
