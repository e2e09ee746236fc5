/* Two causes: the orders of a price level are a list through a pool, and about half of them are hidden, which nothing
 * tells beforehand. Fixed: arrays, and a multiplication by one or zero. */
#include "suite.h"

enum { LEVELS = 400, ORDERS = 40, QUERIES = 1500 };

#if FIXED & 1
struct order {
    uint32_t quantity, shown;
    char owner[24];
};
static struct order levels[LEVELS][ORDERS];
#else
struct order {
    struct order *next;
    uint32_t quantity, shown;
    char owner[48];
} __attribute__((aligned(64)));
static struct order pool[LEVELS * ORDERS], *levels[LEVELS];
#endif
static uint64_t iceberg; /* what is hidden */
static uint32_t queries[QUERIES];

static uint32_t mixed(uint32_t n) {
    n = (n ^ n >> 16) * 0x85ebca6bu;
    n = (n ^ n >> 13) * 0xc2b2ae35u;
    return n ^ n >> 16;
}

static void prepare(void) {
    for (int i = 0; i < QUERIES; i++) {
        queries[i] = (uint32_t)draw(LEVELS);
    }
#if !(FIXED & 1)
    static uint32_t order[LEVELS * ORDERS]; /* in which the pool gave them out */
    for (uint32_t i = 0; i < LEVELS * ORDERS; i++) {
        order[i] = i;
    }
    for (uint32_t i = LEVELS * ORDERS - 1; i > 0; i--) {
        uint32_t other = (uint32_t)draw(i + 1), kept = order[i];
        order[i] = order[other];
        order[other] = kept;
    }
#endif
    for (uint32_t level = 0; level < LEVELS; level++) {
        for (uint32_t i = ORDERS; i-- > 0;) {
            uint32_t number = level * ORDERS + i, quantity = mixed(number) % 1000 + 1, visible = mixed(number) >> 10 & 1;
#if FIXED & 1
            levels[level][i] = (struct order){quantity, visible, ""};
#else
            struct order *one = &pool[order[number]];
            one->quantity = quantity;
            one->shown = visible;
            one->next = levels[level];
            levels[level] = one;
#endif
        }
    }
}

static inline uint64_t visible(const struct order *one) {
#if FIXED & 2
    uint64_t seen = one->quantity & (0 - (uint64_t)one->shown);
    iceberg += one->quantity - seen;
    return seen;
#else
    if (one->shown) {
        return one->quantity;
    }
    iceberg += one->quantity;
    return 0;
#endif
}

static uint64_t work(unsigned thread) {
    (void)thread;
    uint64_t total = 0;
    for (int i = 0; i < QUERIES; i++) {
        uint64_t depth = 0;
#if FIXED & 1
        for (uint32_t n = 0; n < ORDERS; n++) {
            depth += visible(&levels[queries[i]][n]);
        }
#else
        for (const struct order *one = levels[queries[i]]; one; one = one->next) {
            depth += visible(one);
        }
#endif
        total += depth * (uint64_t)(i + 1);
    }
    return total;
}
