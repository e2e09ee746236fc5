/* Executions arrive for 28,000 open orders in any order. A fill needs the price, the quantity left and the state of its
 * order; they stand between what is only read when an order is reported: names, routes, times. */
#include "suite.h"

enum { ORDERS = 28000, FILLS = 30000 };

struct cold {
    char client[24], account[24], symbol[16], route[24], desk[16], note[24];
    int64_t created, accepted;
};

#ifdef FIXED
static struct {
    uint32_t state, fills;
    int64_t price, left, filled;
} hot[ORDERS];
static struct cold cold[ORDERS];
#define ORDER(number, value) hot[number].value
#define CLIENT(number) cold[number].client
#else
static struct {
    char client[24], account[24];
    uint32_t state, fills;
    char symbol[16], route[24];
    int64_t price;
    char desk[16], note[24];
    int64_t left, filled, created, accepted;
} orders[ORDERS];
#define ORDER(number, value) orders[number].value
#define CLIENT(number) orders[number].client
#endif

static struct {
    uint32_t order, quantity;
} fills[FILLS];

static void prepare(void) {
    for (int i = 0; i < ORDERS; i++) {
        snprintf(CLIENT(i), sizeof CLIENT(i), "client %d", i);
        ORDER(i, price) = 10000 + (int64_t)draw(500);
        ORDER(i, left) = 1000000000;
    }
    for (int i = 0; i < FILLS; i++) {
        fills[i].order = (uint32_t)draw(ORDERS);
        fills[i].quantity = 1 + (uint32_t)draw(100);
    }
}

static uint64_t work(unsigned thread) {
    (void)thread;
    uint64_t value = 0;
    for (int i = 0; i < FILLS; i++) {
        uint32_t at = fills[i].order;
        int64_t quantity = fills[i].quantity;
        ORDER(at, left) -= quantity; /* here: hot-cold-split */
        ORDER(at, filled) += quantity;
        ORDER(at, fills) += 1;
        ORDER(at, state) = ORDER(at, left) > 0 ? 1 : 2;
        value += (uint64_t)(ORDER(at, price) * quantity);
    }
    return value;
}
