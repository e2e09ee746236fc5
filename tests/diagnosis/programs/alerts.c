/* Orders above a limit are put on a list: about half of them, and nothing tells which. Written always and kept where it is
 * one, an alert costs the same either way, which is more work, and nothing is guessed. */
#include "suite.h"

enum { ORDERS = 10000, LIMIT = 187000, DAY = 20261125 };

struct alert {
    uint32_t number, client;
    uint64_t value, limit, price, quantity, time, excess, day, check;
};

static struct {
    uint32_t number, client;
    uint64_t price, quantity, time;
} orders[ORDERS];
static struct alert alerts[ORDERS + 1];

static void prepare(void) {
    for (uint32_t i = 0; i < ORDERS; i++) {
        orders[i].number = i;
        orders[i].client = (uint32_t)draw(100);
        orders[i].price = 1 + draw(1000);
        orders[i].quantity = 1 + draw(1000);
        orders[i].time = i;
    }
}

static inline struct alert alert(uint64_t i, uint64_t value) {
    uint64_t price = orders[i].price, quantity = orders[i].quantity, time = orders[i].time;
    return (struct alert){
        .number = orders[i].number,
        .client = orders[i].client,
        .value = value,
        .limit = LIMIT,
        .price = price,
        .quantity = quantity,
        .time = time,
        .excess = value - LIMIT,
        .day = DAY,
        .check = (value ^ price << 7) + (quantity ^ time << 3),
    };
}

static uint64_t work(unsigned thread) {
    (void)thread;
    uint64_t found = 0;
    for (uint64_t i = 0; i < ORDERS; i++) {
        uint64_t value = orders[i].price * orders[i].quantity;
#ifdef FIXED
        alerts[found] = alert(i, value);
        found += value > LIMIT;
#else
        if (value > LIMIT) { /* here: branch-prediction */
            alerts[found] = alert(i, value);
            found++;
        }
#endif
    }
    return found << 32 | alerts[found / 2].number;
}
