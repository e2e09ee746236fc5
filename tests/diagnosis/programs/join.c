/* Trades are valued by a table of 16 MiB of positions, each with the number of its own. Between one and the next there is so
 * much to do that the core does not get to the next position before it has waited for this one. Which ones are needed is
 * known long before: those of 32 trades asked for together arrive together. */
#include "suite.h"

#include <sys/mman.h>

enum { POSITIONS = 1 << 20, BATCH = 32, TRADES = 4000 * BATCH };

struct position {
    int64_t quantity, cost;
};

static struct position *positions;
static struct {
    uint32_t position, size, price;
} trades[TRADES];

static void prepare(void) {
    positions = aligned_alloc(2 << 20, POSITIONS * sizeof *positions);
    madvise(positions, POSITIONS * sizeof *positions, MADV_HUGEPAGE); /* the translations are not the question here */
    for (int i = 0; i < TRADES; i++) {
        trades[i].position = (uint32_t)draw(POSITIONS);
        trades[i].size = (uint32_t)draw(1000);
        trades[i].price = 10000 + (uint32_t)draw(100);
        positions[trades[i].position] = (struct position){1 + i % 1000, 10000 + i % 77};
    }
}

/* What the fee schedule asks for one trade. */
static inline int64_t fee(int64_t size, int64_t price) {
    int64_t value = size * price, fee = 0;
    for (int band = 0; band < 8; band++) {
        int64_t within = value < 100000 ? value : 100000;
        fee += within * (12 - band) >> 14;
        value -= within;
    }
    return fee;
}

static inline int64_t value(struct position position, int i) {
    return (trades[i].price - position.cost) * position.quantity - fee(trades[i].size, trades[i].price);
}

static uint64_t work(unsigned thread) {
    (void)thread;
    int64_t total = 0;
    for (int first = 0; first < TRADES; first += BATCH) {
#ifdef FIXED
        struct position asked[BATCH];
        for (int i = 0; i < BATCH; i++) {
            asked[i] = positions[trades[first + i].position];
        }
        for (int i = 0; i < BATCH; i++) {
            total += value(asked[i], first + i);
        }
#else
        for (int i = first; i < first + BATCH; i++) {
            total += value(positions[trades[i].position], i);
        }
#endif
    }
    return (uint64_t)total;
}
