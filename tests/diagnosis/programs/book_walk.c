/* Two causes: the orders of a price level are a list through a pool, and about half of them are hidden, which nothing
 * tells beforehand. Fixed: an array of places in the pool, and sums of what is
 * shown and what is not, weighed by one or zero. */
#include "suite.h"

enum { LEVELS = 400, ORDERS = 40, QUERIES = 1500 };

struct order {
    struct order *next;
    uint32_t quantity, shown;
    char owner[48];
} __attribute__((aligned(64)));

static struct order pool[LEVELS * ORDERS], *levels[LEVELS];
#if FIXED & 1
static uint32_t queues[LEVELS][ORDERS]; /* places in the pool */
#endif
static uint64_t iceberg, icebergs; /* what is hidden */
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
    static uint32_t given[LEVELS * ORDERS]; /* in which order the pool gave them out */
    shuffle(given, LEVELS * ORDERS);
    for (uint32_t level = 0; level < LEVELS; level++) {
        for (uint32_t i = ORDERS; i-- > 0;) { /* the last of a level first */
            uint32_t number = level * ORDERS + i;
            struct order *one = &pool[given[number]];
            *one = (struct order){levels[level], mixed(number) % 1000 + 1, mixed(number) >> 10 & 1, ""};
            levels[level] = one;
#if FIXED & 1
            queues[level][i] = given[number];
#endif
        }
    }
}

static inline uint64_t visible(const struct order *one) {
#if FIXED & 2
    uint64_t shown = 0 - (uint64_t)one->shown, seen = one->quantity & shown;
    iceberg += one->quantity & ~shown;
    icebergs += 1 + shown;
    return seen;
#else
    if (one->shown) { /* here: pointer-chasing, branch-prediction */
        return one->quantity;
    }
    iceberg += one->quantity;
    icebergs++;
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
            depth += visible(&pool[queues[queries[i]][n]]);
        }
#else
        for (const struct order *one = levels[queries[i]]; one; one = one->next) {
            depth += visible(one);
        }
#endif
        total += depth * (uint64_t)(i + 1);
    }
    return total + iceberg + icebergs;
}
