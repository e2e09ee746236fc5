/* Four columns of 8 MiB each, gone through in three passes: to price, to weigh and to add up. Every pass brings all of it
 * from memory again; one pass that does all three brings it once. */
#include "suite.h"

enum { ROWS = 1 << 20 };

static int64_t price[ROWS], weight[ROWS], value[ROWS];

static void prepare(void) {
    for (int i = 0; i < ROWS; i++) {
        price[i] = i % 1000;
        weight[i] = i % 7;
    }
}

static __attribute__((noinline)) uint64_t add_up(void) {
    uint64_t total = 0;
#ifdef FIXED
    for (int i = 0; i < ROWS; i++) {
        value[i] = (price[i] + 3) * weight[i];
        total += (uint64_t)value[i];
    }
#else
    for (int i = 0; i < ROWS; i++) {
        value[i] = price[i] + 3;
    }
    __asm__ volatile("" ::: "memory");
    for (int i = 0; i < ROWS; i++) {
        value[i] *= weight[i];
    }
    __asm__ volatile("" ::: "memory");
    for (int i = 0; i < ROWS; i++) {
        total += (uint64_t)value[i];
    }
#endif
    return total;
}

static uint64_t work(unsigned thread) {
    (void)thread;
    return add_up();
}
