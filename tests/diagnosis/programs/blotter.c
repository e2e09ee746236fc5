/* Two causes: trades of half of the accounts count, and nothing tells which; and each is divided by its lot size. Fixed:
 * weighed by one or zero, and divided by a reciprocal. */
#include "suite.h"

enum { TRADES = 20000, LOTS = 8 };

static struct {
    uint32_t price, quantity, lot, account;
} trades[TRADES];
static uint32_t lots[LOTS] = {10, 25, 50, 100, 125, 200, 500, 1000};
static uint64_t inverse[LOTS], turnover[2], count;

static void prepare(void) {
    for (int i = 0; i < LOTS; i++) {
        inverse[i] = UINT64_MAX / lots[i] + 1;
    }
    for (int i = 0; i < TRADES; i++) {
        trades[i].price = 10000 + (uint32_t)draw(500);
        trades[i].quantity = (uint32_t)draw(100000);
        trades[i].lot = (uint32_t)draw(LOTS);
        trades[i].account = (uint32_t)draw(2);
    }
}

static inline uint64_t in_lots(int i) {
#if FIXED & 2
    return (uint64_t)((unsigned __int128)inverse[trades[i].lot] * trades[i].quantity >> 64);
#else
    return trades[i].quantity / lots[trades[i].lot];
#endif
}

static uint64_t work(unsigned thread) {
    (void)thread;
    uint64_t counted = 0, value = 0;
    for (int i = 0; i < TRADES; i++) {
#if FIXED & 1
        uint64_t ours = trades[i].account;
        counted += ours;
        value += (in_lots(i) * trades[i].price) & (0 - ours);
#else
        if (trades[i].account) {
            counted++;
            value += in_lots(i) * trades[i].price;
            turnover[0] = value;
        }
#endif
    }
    turnover[1] = value;
    count += counted;
    return value + count;
}
