/* Messages of twelve kinds go to their handlers through a table of functions, and the next kind cannot be foreseen. Sorted
 * into a list for each kind first, a burst calls each handler many times in turn. */
#include "suite.h"

enum { KINDS = 12, MESSAGES = 16384, BURST = 1024 };

struct message {
    uint32_t kind, number;
    int64_t price, quantity;
};

static struct message messages[MESSAGES];
static int64_t books[KINDS][64];

#define HANDLER(kind, change)                                             \
    static __attribute__((noinline)) void handle##kind(const struct message *m) { \
        int64_t *at = &books[kind][m->number & 63];                       \
        *at += change;                                                    \
    }
HANDLER(0, m->quantity)
HANDLER(1, -m->quantity)
HANDLER(2, m->price)
HANDLER(3, m->price * m->quantity)
HANDLER(4, m->quantity >> 1)
HANDLER(5, m->price - m->quantity)
HANDLER(6, m->price & 0xff)
HANDLER(7, m->quantity * 3)
HANDLER(8, m->price ^ m->quantity)
HANDLER(9, 1)
HANDLER(10, m->price + m->quantity)
HANDLER(11, m->quantity & 0xf)

typedef void handler(const struct message *);
static handler *const handlers[KINDS] = {handle0, handle1, handle2, handle3, handle4, handle5,
                                         handle6, handle7, handle8, handle9, handle10, handle11};

static void prepare(void) {
    for (uint32_t i = 0; i < MESSAGES; i++) {
        messages[i] = (struct message){(uint32_t)draw(KINDS), i, 10000 + (int64_t)draw(100), 1 + (int64_t)draw(500)};
    }
}

static void deliver(const struct message *burst) {
#ifdef FIXED
    uint16_t starts[KINDS + 1] = {0}, sorted[BURST];
    for (int i = 0; i < BURST; i++) {
        starts[burst[i].kind + 1]++;
    }
    for (int kind = 0; kind < KINDS; kind++) {
        starts[kind + 1] += starts[kind];
    }
    for (int i = 0; i < BURST; i++) {
        sorted[starts[burst[i].kind]++] = (uint16_t)i;
    }
    for (int i = 0; i < BURST; i++) {
        handlers[burst[sorted[i]].kind](&burst[sorted[i]]);
    }
#else
    for (int i = 0; i < BURST; i++) {
        handlers[burst[i].kind](&burst[i]); /* here: indirect-calls */
    }
#endif
}

static uint64_t work(unsigned thread) {
    (void)thread;
    for (int i = 0; i < MESSAGES; i += BURST) {
        deliver(&messages[i]);
    }
    uint64_t sum = 0;
    for (int kind = 0; kind < KINDS; kind++) {
        sum = sum * 31 + (uint64_t)books[kind][kind];
    }
    return sum;
}
