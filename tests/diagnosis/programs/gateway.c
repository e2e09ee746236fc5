/* Two causes: requests go to their handlers through a table of functions in an order that cannot be foreseen, and after
 * each one a full barrier publishes how far it is. Fixed: handled kind by kind, and published by a release. */
#include "suite.h"

enum { KINDS = 10, REQUESTS = 16384, BURST = 512 };

struct request {
    uint32_t kind, client;
    int64_t value;
};

static struct request requests[REQUESTS];
static int64_t totals[KINDS][32];
static uint64_t seen[32];
static uint64_t done __attribute__((aligned(64)));

#define HANDLER(kind, change)                                                     \
    static __attribute__((noinline)) void handle##kind(const struct request *r) { \
        int64_t signature = (r->value ^ r->value >> 5) + (r->value << 3 ^ r->client); \
        signature = (signature ^ signature >> 3) + (signature << 2 ^ r->value >> 7);  \
        totals[kind][r->client & 31] += (change) + (signature & 1);               \
    }
HANDLER(0, r->value)
HANDLER(1, -r->value)
HANDLER(2, r->value >> 2)
HANDLER(3, r->value * 5)
HANDLER(4, 1)
HANDLER(5, r->value & 0xff)
HANDLER(6, r->value ^ 0x55)
HANDLER(7, r->value * 3 - 1)
HANDLER(8, r->value + 7)
HANDLER(9, r->value | 1)

typedef void handler(const struct request *);
static handler *const handlers[KINDS] = {handle0, handle1, handle2, handle3, handle4,
                                         handle5, handle6, handle7, handle8, handle9};

static void prepare(void) {
    for (int i = 0; i < REQUESTS; i++) {
        requests[i] = (struct request){(uint32_t)draw(KINDS), (uint32_t)draw(32), (int64_t)draw(10000)};
    }
}

static inline void handle(const struct request *request, uint64_t number) {
    seen[number % 32] += (request->client << 7 ^ request->client) + (request->kind << 3 ^ request->kind >> 1);
    handlers[request->kind](request); /* here: indirect-calls */
#if FIXED & 2
    __atomic_store_n(&done, number, __ATOMIC_RELEASE);
#else
    __atomic_thread_fence(__ATOMIC_SEQ_CST); /* here: barriers */
    __atomic_store_n(&done, number, __ATOMIC_RELAXED);
#endif
}

static void serve(const struct request *burst, uint64_t first) {
#if FIXED & 1
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
        handle(&burst[sorted[i]], first + (uint64_t)i);
    }
#else
    for (int i = 0; i < BURST; i++) {
        handle(&burst[i], first + (uint64_t)i);
    }
#endif
}

static uint64_t work(unsigned thread) {
    (void)thread;
    for (int i = 0; i < REQUESTS; i += BURST) {
        serve(&requests[i], (uint64_t)i);
    }
    uint64_t sum = done;
    for (int i = 0; i < 32; i++) {
        sum += seen[i];
    }
    for (int kind = 0; kind < KINDS; kind++) {
        sum = sum * 31 + (uint64_t)totals[kind][kind];
    }
    return sum;
}
