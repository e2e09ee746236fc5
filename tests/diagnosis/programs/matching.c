/* Healthy: a book of 64 price levels of two sides in L1. The best level is found in a bitmap, without a search. */
#include "suite.h"

enum { LEVELS = 64, ORDERS = 16384 };

static struct {
    uint32_t quantity[2][LEVELS];
    uint64_t occupied[2];
} book;
static struct {
    uint8_t side, level, cancel, quantity;
} orders[ORDERS];

static void prepare(void) {
    for (int i = 0; i < ORDERS; i++) {
        orders[i].side = i / 8 & 1;
        orders[i].level = (uint8_t)(orders[i].side ? 32 + draw(32) : draw(32));
        orders[i].cancel = i % 4 == 3;
        orders[i].quantity = (uint8_t)(1 + draw(100));
    }
}

static uint64_t work(unsigned thread) {
    (void)thread;
    uint64_t seen = 0;
    for (int i = 0; i < ORDERS; i++) {
        unsigned side = orders[i].side, level = orders[i].level;
        uint32_t *at = &book.quantity[side][level], quantity = orders[i].quantity;
        *at = orders[i].cancel ? (*at < quantity ? 0 : *at - quantity) : *at + quantity;
        uint64_t bit = 1ull << level;
        book.occupied[side] = *at ? book.occupied[side] | bit : book.occupied[side] & ~bit;
        unsigned bid = 63 - (unsigned)__builtin_clzll(book.occupied[0] | 1);
        unsigned ask = (unsigned)__builtin_ctzll(book.occupied[1] | 1ull << 63);
        seen += ask - bid + book.quantity[0][bid];
    }
    return seen;
}
