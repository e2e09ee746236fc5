/* A hash join: trades against a table of 4 MiB of positions, by key. Which entries are needed is known long before, so
 * that they can be asked for 12 trades ahead. */
#include "suite.h"

enum { ENTRIES = 1 << 18, TRADES = 20000, AHEAD = 12 };

static struct {
    uint64_t key;
    int64_t position;
} table[ENTRIES];

static struct {
    uint64_t key;
    int32_t size, price;
} trades[TRADES + AHEAD];

static inline uint64_t slot(uint64_t key) {
    key ^= key >> 33;
    key *= 0xff51afd7ed558ccdu;
    key ^= key >> 29;
    return key % ENTRIES;
}

static void prepare(void) {
    for (uint64_t i = 0; i < ENTRIES / 4; i++) {
        uint64_t key = i * 2654435761u + 1, at = slot(key);
        while (table[at].key) {
            at = (at + 1) % ENTRIES;
        }
        table[at].key = key;
        table[at].position = (int64_t)(i % 1000);
    }
    for (int i = 0; i < TRADES + AHEAD; i++) {
        trades[i].key = draw(ENTRIES / 4) * 2654435761u + 1;
        trades[i].size = (int32_t)draw(1000);
        trades[i].price = 10000 + (int32_t)draw(100);
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

static uint64_t work(unsigned thread) {
    (void)thread;
    int64_t total = 0;
    for (int i = 0; i < TRADES; i++) {
#ifdef FIXED
        __builtin_prefetch(&table[slot(trades[i + AHEAD].key)]);
#endif
        uint64_t at = slot(trades[i].key);
        while (table[at].key != trades[i].key) {
            at = (at + 1) % ENTRIES;
        }
        total += fee(trades[i].size, trades[i].price) + table[at].position * trades[i].size;
    }
    return (uint64_t)total;
}
