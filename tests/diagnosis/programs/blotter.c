/* Two causes: trades of half of the accounts count, and nothing tells which; and all are split into lots and a rest, by
 * divisions. Fixed: weighed by one or zero, and multiplied by a reciprocal. */
#include "suite.h"

enum { TRADES = 10000, LOTS = 8 };

static struct {
    uint32_t price, quantity, lot, account;
} trades[TRADES];
static uint32_t lots[LOTS] = {10, 25, 50, 100, 125, 200, 500, 1000};
static uint32_t inverse[LOTS]; /* 2^32 / n, rounded down */
static uint64_t counted;

static void prepare(void) {
    for (int i = 0; i < LOTS; i++) {
        inverse[i] = UINT32_MAX / lots[i];
    }
    for (int i = 0; i < TRADES; i++) {
        trades[i].price = 10000 + (uint32_t)draw(500);
        trades[i].quantity = (uint32_t)draw(100000);
        trades[i].lot = (uint32_t)draw(LOTS);
        trades[i].account = (uint32_t)draw(2);
    }
}

static inline uint32_t divided(uint32_t quantity, uint32_t lot) {
#if FIXED & 2
    uint32_t quotient = (uint32_t)((uint64_t)inverse[lot] * quantity >> 32); /* right, or one less */
    return quotient + (quantity - quotient * lots[lot] >= lots[lot]);
#else
    return quantity / lots[lot]; /* here: divides */
#endif
}

static uint64_t work(unsigned thread) {
    (void)thread;
    uint64_t value = 0, rest = 0, count = 0, highest = 0, quantity = 0;
    for (int i = 0; i < TRADES; i++) {
        uint32_t in_lots = divided(trades[i].quantity, trades[i].lot); /* here: divides */
        uint32_t left = trades[i].quantity - in_lots * lots[trades[i].lot], tenths = divided(left * 10, trades[i].lot);
        rest += left + tenths;
#if FIXED & 1
        uint64_t ours = 0 - (uint64_t)trades[i].account;
        value += (uint64_t)in_lots * trades[i].price & ours;
        quantity += (uint64_t)trades[i].quantity & ours;
        highest = (in_lots & ours) > highest ? in_lots & ours : highest;
        count += trades[i].account;
#else
        if (trades[i].account) { /* here: branch-prediction */
            value += (uint64_t)in_lots * trades[i].price;
            quantity += trades[i].quantity;
            highest = in_lots > highest ? in_lots : highest;
            count++;
            counted = count;
        }
#endif
    }
    counted = count;
    return value * 31 + rest + count + highest + quantity;
}
