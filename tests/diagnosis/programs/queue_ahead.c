/* How much stands before an order in the queue of its price level. As a list, each order has to arrive before the next
 * one's address is known, and orders of a level lie where the pool had room; as an array they follow each other. */
#include "suite.h"

enum { LEVELS = 1000, ORDERS = 40, QUERIES = 2000 };

struct order {
#ifndef FIXED
    struct order *next;
#endif
    uint32_t quantity, owner;
    uint64_t number;
};

#ifdef FIXED
static struct order levels[LEVELS][ORDERS];
#else
static struct order pool[LEVELS * ORDERS] __attribute__((aligned(64))), *levels[LEVELS];
#endif

static struct {
    uint32_t level, owner;
} queries[QUERIES];

static struct order order(uint32_t level, uint32_t place) {
    return (struct order){.quantity = (level * 7 + place * 13) % 1000 + 1, .owner = (level + place) % 3, .number = place};
}

static void prepare(void) {
#ifdef FIXED
    for (uint32_t level = 0; level < LEVELS; level++) {
        for (uint32_t i = 0; i < ORDERS; i++) {
            levels[level][i] = order(level, i);
        }
    }
#else
    static uint32_t given[LEVELS * ORDERS]; /* in which order the pool gave them out */
    for (uint32_t i = 0; i < LEVELS * ORDERS; i++) {
        given[i] = i;
    }
    for (uint32_t i = LEVELS * ORDERS - 1, mixed = 1; i > 0; i--) {
        mixed = mixed * 1664525u + 1013904223u;
        uint32_t other = (mixed >> 8) % (i + 1), kept = given[i];
        given[i] = given[other];
        given[other] = kept;
    }
    for (uint32_t level = 0; level < LEVELS; level++) {
        for (uint32_t i = ORDERS; i-- > 0;) { /* the last of a level first */
            struct order *one = &pool[given[level * ORDERS + i]];
            *one = order(level, i);
            one->next = levels[level];
            levels[level] = one;
        }
    }
#endif
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
        const struct order *one = levels[queries[i].level], *next;
        for (uint32_t n = 0; n < ORDERS - 1; n++, one = next) {
#ifdef FIXED
            next = one + 1;
#else
            next = one->next;
#endif
            ahead += one->owner == queries[i].owner ? 0 : one->quantity;
        }
        total += ahead * (uint64_t)(i + 1);
    }
    return total;
}
