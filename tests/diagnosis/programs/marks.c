/* Profit and loss of 4,096 positions at new marks: the same arithmetic for each, one at a time or four at a time. The
 * compiler does it with -O3; the table of the suite has the flags. */
#include "suite.h"

enum { POSITIONS = 4096, TIMES = 10 };

static int32_t quantity[POSITIONS], cost[POSITIONS], mark[POSITIONS], result[POSITIONS];

static void prepare(void) {
    for (int i = 0; i < POSITIONS; i++) {
        quantity[i] = (int32_t)draw(200) - 100;
        cost[i] = 10000 + (int32_t)draw(100);
        mark[i] = 10000 + (int32_t)draw(100);
    }
}

static __attribute__((noinline)) int32_t value(void) {
    int32_t total = 0;
    for (int i = 0; i < POSITIONS; i++) {
        result[i] = (mark[i] - cost[i]) * quantity[i] + (result[i] >> 3); /* here: vectorize */
        total += result[i];
    }
    return total;
}

static uint64_t work(unsigned thread) {
    (void)thread;
    uint64_t sum = 0;
    for (int i = 0; i < TIMES; i++) {
        sum += (uint32_t)value();
    }
    return sum;
}
