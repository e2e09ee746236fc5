/* How much stands before an order in the queue of its price level. As a list, each order has to arrive before the next
 * one's address is known, and orders of a level lie where the pool had room; with an array of their places all addresses are
 * known. */
#include "suite.h"

enum { LEVELS = 1000, ORDERS = 40, QUERIES = 2000 };

struct order {
    struct order *next;
    uint32_t quantity, owner;
    uint64_t number;
};

static struct order pool[LEVELS * ORDERS] __attribute__((aligned(64))), *levels[LEVELS];
#ifdef FIXED
static uint32_t queues[LEVELS][ORDERS]; /* places in the pool */
#endif

static struct {
    uint32_t level, owner;
} queries[QUERIES];

static void prepare(void) {
    static uint32_t given[LEVELS * ORDERS]; /* in which order the pool gave them out */
    shuffle(given, LEVELS * ORDERS);
    for (uint32_t level = 0; level < LEVELS; level++) {
        for (uint32_t i = ORDERS; i-- > 0;) { /* the last of a level first */
            struct order *one = &pool[given[level * ORDERS + i]];
            *one = (struct order){levels[level], (level * 7 + i * 13) % 1000 + 1, (level + i) % 3, i};
            levels[level] = one;
#ifdef FIXED
            queues[level][i] = given[level * ORDERS + i];
#endif
        }
    }
    for (int i = 0; i < QUERIES; i++) {
        queries[i].level = (uint32_t)draw(LEVELS);
        queries[i].owner = (uint32_t)draw(3);
    }
}

static uint64_t work(unsigned thread) {
    (void)thread;
    uint64_t total = 0;
    for (int i = 0; i < QUERIES; i++) {
        uint64_t ahead = 0;
        uint32_t level = queries[i].level, owner = queries[i].owner;
#ifdef FIXED
        for (uint32_t n = 0; n < ORDERS; n++) {
            const struct order *one = &pool[queues[level][n]];
#else
        for (const struct order *one = levels[level]; one; one = one->next) {
#endif
            ahead += one->owner == owner ? 0 : one->quantity; /* here: pointer-chasing */
        }
        total += ahead * (uint64_t)(i + 1);
    }
    return total;
}
