/* Trades are valued by the positions of eight accounts in their instruments, a table of 16 MiB. Between one and the next
 * there is so much to do that the core does not get to the next position before it has waited for this one. Which ones are
 * needed is known long before: those of 128 trades asked for together arrive together. */
#include "suite.h"

#include <sys/mman.h>

enum { ACCOUNTS = 8, INSTRUMENTS = 1 << 17, POSITIONS = ACCOUNTS * INSTRUMENTS, BATCH = 128, TRADES = 125 * BATCH };

struct position {
    int64_t quantity, cost;
};

static struct position *positions;
static struct {
    uint32_t instrument, size, price;
} trades[TRADES];

static void prepare(void) {
    positions = aligned_alloc(2 << 20, POSITIONS * sizeof *positions);
    madvise(positions, POSITIONS * sizeof *positions, MADV_HUGEPAGE); /* the translations are not the question here */
    for (int i = 0; i < TRADES; i++) {
        trades[i].instrument = (uint32_t)draw(INSTRUMENTS);
        trades[i].size = (uint32_t)draw(1000);
        trades[i].price = 10000 + (uint32_t)draw(100);
        for (int account = 0; account < ACCOUNTS; account++) {
            positions[account * INSTRUMENTS + trades[i].instrument] = (struct position){1 + i % 1000, 10000 + account};
        }
    }
}

/* What the fee schedule asks for one trade. */
static inline int64_t fee(int64_t size, int64_t price) {
    int64_t value = size * price, fee = 0;
#pragma GCC unroll 24
    for (int band = 0; band < 24; band++) {
        int64_t within = value < 100000 ? value : 100000;
        fee += within * (40 - band) >> 14;
        value -= within;
    }
    return fee;
}

static inline int64_t value(struct position position, int i) {
    /* here: prefetch */
    return (trades[i].price - position.cost) * position.quantity - fee(trades[i].size, trades[i].price);
}

static int64_t account(const struct position *of) {
    int64_t total = 0;
    for (int first = 0; first < TRADES; first += BATCH) {
#ifdef FIXED
        struct position asked[BATCH];
#pragma GCC unroll 8
        for (int i = 0; i < BATCH; i++) {
            asked[i] = of[trades[first + i].instrument];
        }
        for (int i = 0; i < BATCH; i++) {
            total += value(asked[i], first + i);
        }
#else
        for (int i = first; i < first + BATCH; i++) {
            total += value(of[trades[i].instrument], i);
        }
#endif
    }
    return total;
}

static uint64_t work(unsigned thread) {
    (void)thread;
    int64_t total = 0;
    for (int i = 0; i < ACCOUNTS; i++) {
        total += account(positions + i * INSTRUMENTS);
    }
    return (uint64_t)total;
}
