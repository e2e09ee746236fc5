/* Programs that never end, whose memory on the model is watched: model_memory queens|wide|phases.
 *
 *   queens  a small program: one function that calls itself
 *   wide    40,000 functions, all called in turn, that go through 256 MiB of data
 *   phases  rounds of eight phases over 64 MiB of data, each a region of four threads that start and end: walks, random
 *           loads, a list, a sort, strides of pages, floating point, memory that comes and goes, 8,000 functions; and
 *           of a child of fork. Prints the number of the round. */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "armprof.h"

enum { FUNCTIONS = 40000, MIB = 1 << 20, THREADS = 4, FEW = 8000 };

__asm__(".text\n.balign 64\nfunctions: .rept 40000\n"
        "madd x1, x1, x2, x1\n and x1, x1, x3\n ldrb w4, [x0, x1]\n add w4, w4, #1\n strb w4, [x0, x1]\n"
        "tbz w4, #0, 1f\n add x1, x1, #64\n 1: eor x1, x1, x4\n add x0, x1, #0\n ret\n .balign 64\n .endr");
extern char functions[];

static long call(long which, char *data, long n, long i, long mask) {
    return ((long (*)(char *, long, long, long))(functions + which * 64))(data, n, i, mask);
}

static int solve(int size, int row, uint32_t columns, uint32_t left, uint32_t right) {
    int found = row == size;
    for (uint32_t open = ~(columns | left | right) & ((1u << size) - 1); row < size && open; open &= open - 1) {
        uint32_t bit = open & -open;
        found += solve(size, row + 1, columns | bit, (left | bit) << 1, (right | bit) >> 1);
    }
    return found;
}

/* ---- The phases: each does its work on a part of the data, with a random state of its own ---- */

struct part {
    uint64_t *data;
    uint64_t words; /* a power of two */
    uint64_t state;
};

static uint64_t draw(struct part *part) {
    part->state ^= part->state << 13;
    part->state ^= part->state >> 7;
    return part->state ^= part->state << 17;
}

static void walk(struct part *part) {
    for (uint64_t i = 0; i < part->words; i++) {
        part->data[i] += i;
    }
}

static void gather(struct part *part) {
    for (uint64_t i = 0; i < 400000; i++) {
        part->data[draw(part) & (part->words - 1)]++;
    }
}

static void list(struct part *part) {
    uint64_t at = 0;
    for (uint64_t i = 0; i < 400000; i++) {
        at = (at * 5 + part->data[at] + 12345) & (part->words - 1);
    }
    part->state += at | 1;
}

static int ascending(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static void sort(struct part *part) {
    for (uint64_t i = 0; i < 20000; i++) {
        part->data[i] = draw(part);
    }
    qsort(part->data, 20000, sizeof *part->data, ascending);
}

static void pages(struct part *part) {
    for (int round = 0; round < 100; round++) {
        for (uint64_t i = 0; i < part->words; i += 512) {
            part->data[i]++;
        }
    }
}

static void floats(struct part *part) {
    double sum = 0.1;
    for (uint64_t i = 0; i < 500000; i++) {
        sum = sum * 0.999 + (double)(part->data[i & (part->words - 1)] % 1000) / 7;
    }
    part->data[0] = (uint64_t)sum;
}

static void churn(struct part *part) {
    for (int i = 0; i < 100; i++) {
        size_t bytes = 1000 + draw(part) % MIB;
        char *block = malloc(bytes);
        memset(block, i, bytes);
        part->data[i] += (uint64_t)block[bytes / 2];
        free(block);
    }
}

static void functions_in_turn(struct part *part) {
    long n = (long)part->state | 1;
    for (long i = 0; i < 10 * FEW; i++) {
        n = call(i % FEW, (char *)part->data, n, 2 * i + 1, (long)part->words - 1);
    }
}

static const struct {
    const char *name;
    void (*work)(struct part *);
} phases[] = {{"walk", walk},     {"gather", gather}, {"list", list},   {"sort", sort}, {"pages", pages},
              {"floats", floats}, {"churn", churn},   {"functions", functions_in_turn}};

enum { PHASES = sizeof phases / sizeof *phases };
static armprof_region regions[PHASES];

struct job {
    struct part part;
    int phase;
};

static void *work(void *one) {
    struct job *job = one;
    armprof_enter(regions[job->phase]);
    phases[job->phase].work(&job->part);
    armprof_leave(regions[job->phase]);
    return NULL;
}

static void run_phases(void) {
    enum { WORDS = 64 * MIB / 8 / THREADS };
    uint64_t *data = aligned_alloc(4096, 64 * MIB);
    memset(data, 1, 64 * MIB);
    for (int i = 0; i < PHASES; i++) {
        regions[i] = armprof_region_define(phases[i].name);
    }
    for (uint64_t round = 1;; round++) {
        for (int phase = 0; phase < PHASES; phase++) {
            pthread_t threads[THREADS];
            struct job jobs[THREADS];
            for (uint64_t i = 0; i < THREADS; i++) {
                jobs[i] = (struct job){{data + i * WORDS, WORDS, round * 977 + i + 1}, phase};
                if (pthread_create(&threads[i], NULL, work, &jobs[i]) != 0) {
                    exit(1);
                }
            }
            for (int i = 0; i < THREADS; i++) {
                pthread_join(threads[i], NULL);
            }
        }
        struct job job = {{data, WORDS, round}, (int)(round % PHASES)};
        pid_t child = fork();
        if (child == 0) {
            work(&job);
            _exit(0);
        }
        if (child < 0 || waitpid(child, NULL, 0) < 0) {
            exit(1);
        }
        printf("%llu\n", (unsigned long long)round);
        fflush(stdout);
    }
}

static void run_wide(void) {
    const long mask = 256L * MIB - 1;
    char *data = malloc(256L * MIB);
    memset(data, 1, 256L * MIB);
    long n = 1;
    for (long i = 0;; i++) {
        n = call(i % FUNCTIONS, data, n, 2 * i + 1, mask);
    }
}

int main(int argc, char **argv) {
    const char *name = argc > 1 ? argv[1] : "";
    while (strcmp(name, "queens") == 0) {
        argc += solve(10, 0, 0, 0, 0);
    }
    if (strcmp(name, "wide") == 0) {
        run_wide();
    } else if (strcmp(name, "phases") == 0) {
        run_phases();
    }
    return 2;
}
