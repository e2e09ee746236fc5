/* Trades go into buckets by price, whose width and number come from a configuration: a division and a remainder for each.
 * Multiplied by a reciprocal that was computed once, it is the same number. */
#include "suite.h"

enum { TRADES = 20000 };

static struct {
    uint32_t price, size;
} trades[TRADES];
static uint32_t width, buckets;
static uint64_t volumes[1024];

#ifdef FIXED
static uint32_t width_inverse, buckets_inverse; /* 2^32 / n, rounded up: exact for what prices there are */
#endif

static void prepare(void) {
    width = (uint32_t)strtoul("25", NULL, 10);
    buckets = (uint32_t)strtoul("997", NULL, 10);
#ifdef FIXED
    width_inverse = UINT32_MAX / width + 1;
    buckets_inverse = UINT32_MAX / buckets + 1;
#endif
    for (int i = 0; i < TRADES; i++) {
        trades[i].price = (uint32_t)draw(1000000);
        trades[i].size = (uint32_t)draw(1000);
    }
}

static inline uint32_t bucket(uint32_t price) {
#ifdef FIXED
    uint32_t number = (uint32_t)((uint64_t)width_inverse * price >> 32);
    return number - (uint32_t)((uint64_t)buckets_inverse * number >> 32) * buckets;
#else
    return price / width % buckets; /* here: divides */
#endif
}

static uint64_t work(unsigned thread) {
    (void)thread;
    for (int i = 0; i < TRADES; i++) {
        volumes[bucket(trades[i].price)] += trades[i].size;
    }
    return volumes[1] + volumes[500];
}
