/* Orders above a limit are put on a list: about half of them, and nothing tells which. Written always and kept where it is
 * one, an alert costs the same either way, which is more work, and nothing is guessed. */
#include "suite.h"

enum { ORDERS = 10000, LIMIT = 187000 };

struct alert {
    uint32_t number, client;
    uint64_t value, limit, price, quantity, time;
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

static uint64_t work(unsigned thread) {
    (void)thread;
    uint64_t found = 0;
    for (int i = 0; i < ORDERS; i++) {
        uint64_t price = orders[i].price, quantity = orders[i].quantity, value = price * quantity;
#ifdef FIXED
        alerts[found] = (struct alert){orders[i].number, orders[i].client, value, LIMIT, price, quantity, orders[i].time};
        found += value > LIMIT;
#else
        if (value > LIMIT) {
            alerts[found] = (struct alert){orders[i].number, orders[i].client, value, LIMIT, price, quantity, orders[i].time};
            found++;
        }
#endif
    }
    return found << 32 | alerts[found / 2].number;
}
