/* Work whose misses follow from arithmetic, each within a region named "work".
 *
 *     walks step BYTES STRIDE ROUNDS    loads one byte every STRIDE of BYTES, again and again
 *     walks store BYTES STRIDE ROUNDS   stores there
 *     walks random BYTES TIMES          loads from random lines of BYTES
 *     walks branch PERIOD TIMES         a branch that is taken every PERIOD times; 0: at random
 *     walks call DEPTH TIMES            calls to a depth, and back
 *     walks jump TARGETS TIMES          jumps to so many places in turn; 0: to one of four at random
 *     walks unaligned OFFSET TIMES      loads and stores of 8 bytes at an offset in a line
 *     walks atomic TIMES                a load-exclusive, a store-exclusive, a barrier, a load-acquire, a store-release
 */
#include <armprof.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t state = 88172645463325252u;

static uint64_t draw(void) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static void step(char *memory, long bytes, long stride, long rounds) {
    for (long round = 0; round < rounds; round++) {
        for (long at = 0; at < bytes; at += stride) {
            __asm__ volatile("ldrb w9, [%0, %1]" ::"r"(memory), "r"(at) : "w9", "memory");
        }
    }
}

static void store(char *memory, long bytes, long stride, long rounds) {
    for (long round = 0; round < rounds; round++) {
        for (long at = 0; at < bytes; at += stride) {
            __asm__ volatile("strb wzr, [%0, %1]" ::"r"(memory), "r"(at) : "memory");
        }
    }
}

static void at_random(char *memory, uint64_t bytes, long times) {
    uint64_t lines = bytes / 64;
    for (long i = 0; i < times; i++) {
        __asm__ volatile("ldrb w9, [%0, %1]" ::"r"(memory), "r"((draw() >> 11) % lines * 64) : "w9", "memory");
    }
}

static void branch(long period, long times) {
    for (long i = 0, next = period; i < times; i++) {
        long taken = period ? i == next : (long)(draw() >> 40 & 1);
        next += period && taken ? period : 0;
        __asm__ volatile("cbz %0, 1f\n\tnop\n1:" ::"r"(taken));
    }
}

/* Each level calls the next from a place of its own: returns to one place would be predicted however deep they are. */
typedef long function(void);
static function *levels[50];
static long depth_now, depth;
#define LEVEL(n)                                                                  \
    static __attribute__((noinline)) long level##n(void) {                        \
        long below = ++depth_now < depth ? levels[n - 9]() : 0;                   \
        __asm__ volatile("" : "+r"(below));                                       \
        return below + n;                                                         \
    }
#define TEN(n) LEVEL(n##0) LEVEL(n##1) LEVEL(n##2) LEVEL(n##3) LEVEL(n##4) LEVEL(n##5) LEVEL(n##6) LEVEL(n##7) LEVEL(n##8) LEVEL(n##9)
TEN(1) TEN(2) TEN(3) TEN(4) TEN(5)
#define NAMES(n) level##n##0, level##n##1, level##n##2, level##n##3, level##n##4, level##n##5, level##n##6, level##n##7, level##n##8, level##n##9
static function *levels[50] = {NAMES(1), NAMES(2), NAMES(3), NAMES(4), NAMES(5)};

static long call(long to) {
    depth_now = 0;
    depth = to;
    return levels[0]();
}

static void jump(long targets, long times) {
    for (long i = 0; i < times; i++) {
        long which = targets ? i % targets : (long)(draw() >> 40 & 3);
        __asm__ volatile("adr x9, 1f\n\tadd x9, x9, %0, lsl 3\n\tbr x9\n"
                         "1:\tb 2f\n\tnop\n\tb 2f\n\tnop\n\tb 2f\n\tnop\n\tb 2f\n2:" ::"r"(which) : "x9");
    }
}

static void unaligned(char *memory, long offset, long times) {
    for (long i = 0; i < times; i++) {
        __asm__ volatile("ldr x9, [%0]\n\tstr x9, [%0]" ::"r"(memory + offset) : "x9", "memory");
    }
}

static void atomic(char *memory, long times) {
    for (long i = 0; i < times; i++) {
        __asm__ volatile("ldxr x9, [%0]\n\tstxr w10, x9, [%0]\n\tdmb ish\n\tldar x9, [%0]\n\tstlr x9, [%0]" ::"r"(memory)
                         : "x9", "w10", "memory");
    }
}

static void work(const char *what, char *memory, long a, long b, long c) {
    if (strcmp(what, "step") == 0) {
        step(memory, a, b, c);
    } else if (strcmp(what, "store") == 0) {
        store(memory, a, b, c);
    } else if (strcmp(what, "random") == 0) {
        at_random(memory, (uint64_t)a, b);
    } else if (strcmp(what, "branch") == 0) {
        branch(a, b);
    } else if (strcmp(what, "call") == 0) {
        for (long i = 0; i < b; i++) {
            call(a);
        }
    } else if (strcmp(what, "jump") == 0) {
        jump(a, b);
    } else if (strcmp(what, "unaligned") == 0) {
        unaligned(memory, a, b);
    } else if (strcmp(what, "atomic") == 0) {
        atomic(memory, a);
    }
}

int main(int argc, char **argv) {
    long number[3] = {0};
    for (int i = 2; i < argc && i < 5; i++) {
        number[i - 2] = strtol(argv[i], NULL, 10);
    }
    armprof_options options = {.cpu = -1};
    armprof_regions_setup(NULL, 0, &options);
    armprof_region region = armprof_region_define("work");
    char *memory = aligned_alloc(1 << 20, 128 << 20);
    if (!memory || !region || armprof_thread_start() != 0) {
        return 1;
    }
    work(argv[1], memory, number[0], number[1], number[2]); /* so that nothing in the region is there for the first time */
    armprof_enter(region);
    work(argv[1], memory, number[0], number[1], number[2]);
    armprof_leave(region);
    return 0;
}
