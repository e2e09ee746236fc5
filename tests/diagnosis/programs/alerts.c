/* Orders above a limit are put on a list: about half of them, and nothing tells which. Written always and kept where it is
 * one, an order costs the same either way, and nothing is guessed. */
#include "suite.h"

enum { ORDERS = 20000 };

static struct {
    uint32_t number, value;
} orders[ORDERS];
static uint32_t alerts[ORDERS + 1];

static void prepare(void) {
    for (uint32_t i = 0; i < ORDERS; i++) {
        orders[i].number = i;
        orders[i].value = (uint32_t)draw(100000);
    }
}

static uint64_t work(unsigned thread) {
    (void)thread;
    uint32_t found = 0;
    for (int i = 0; i < ORDERS; i++) {
#ifdef FIXED
        alerts[found] = orders[i].number;
        found += orders[i].value > 50000;
#else
        if (orders[i].value > 50000) {
            alerts[found] = orders[i].number;
            found++;
        }
#endif
    }
    return (uint64_t)found << 32 | alerts[found / 2];
}
