/* How much stands before an order in the queue of its price level. As a list, each order has to arrive before the next
 * one's address is known, and orders of a level lie where the pool had room; as an array of quantities they follow each other. */
#include "suite.h"

enum { LEVELS = 500, ORDERS = 40, QUERIES = 2000 };

#ifdef FIXED
static uint32_t quantities[LEVELS][ORDERS];
#else
struct order {
    struct order *next;
    uint64_t number;
    uint32_t quantity, price;
    char owner[24];
} __attribute__((aligned(64)));
static struct order pool[LEVELS * ORDERS], *levels[LEVELS];
#endif

static struct {
    uint32_t level, place;
} queries[QUERIES];

static void prepare(void) {
#ifdef FIXED
    for (uint32_t level = 0; level < LEVELS; level++) {
        for (uint32_t i = 0; i < ORDERS; i++) {
            quantities[level][i] = (level * 7 + i * 13) % 1000 + 1;
        }
    }
    for (int i = LEVELS * ORDERS - 1; i > 0; i--) {
        draw((uint64_t)i + 1);
    }
#else
    static uint32_t order[LEVELS * ORDERS]; /* in which the pool gave them out */
    for (uint32_t i = 0; i < LEVELS * ORDERS; i++) {
        order[i] = i;
    }
    for (uint32_t i = LEVELS * ORDERS - 1; i > 0; i--) {
        uint32_t other = (uint32_t)draw(i + 1), kept = order[i];
        order[i] = order[other];
        order[other] = kept;
    }
    for (uint32_t level = 0; level < LEVELS; level++) {
        for (uint32_t i = ORDERS; i-- > 0;) { /* the last of a level first */
            struct order *one = &pool[order[level * ORDERS + i]];
            one->quantity = (level * 7 + i * 13) % 1000 + 1;
            one->next = levels[level];
            levels[level] = one;
        }
    }
#endif
    for (int i = 0; i < QUERIES; i++) {
        queries[i].level = (uint32_t)draw(LEVELS);
        queries[i].place = 32 + (uint32_t)draw(4);
    }
}

static uint64_t work(unsigned thread) {
    (void)thread;
    uint64_t total = 0;
    for (int i = 0; i < QUERIES; i++) {
        uint64_t ahead = 0;
#ifdef FIXED
        const uint32_t *level = quantities[queries[i].level];
        for (uint32_t n = 0; n < queries[i].place; n++) {
            ahead += level[n];
        }
#else
        const struct order *one = levels[queries[i].level];
        for (uint32_t n = 0; n < queries[i].place; n++, one = one->next) {
            ahead += one->quantity;
        }
#endif
        total += ahead * (uint64_t)(i + 1);
    }
    return total;
}
