/* The turnover of a day: 1.5 million trades in three columns, read once from the first to the last. There is nothing to do
 * but to bring them from memory, and with four bytes for each value instead of eight it is half as much. The last level has
 * 8 MiB here, which is what a core is left of a larger one that others use too. */
#include "suite.h"

enum { TRADES = 1500000 };

#ifdef FIXED
typedef int32_t value;
#else
typedef int64_t value;
#endif

static value price[TRADES], quantity[TRADES], fee[TRADES];

static void prepare(void) {
    for (int i = 0; i < TRADES; i++) {
        price[i] = i % 1000;
        quantity[i] = i % 7;
        fee[i] = i & 15;
    }
}

static uint64_t work(unsigned thread) {
    (void)thread;
    int64_t turnover = 0;
    for (int i = 0; i < TRADES; i++) {
        turnover += (int64_t)price[i] * quantity[i] - fee[i];
    }
    return (uint64_t)turnover;
}
