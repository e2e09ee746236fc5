/* Each message adds to the totals of its client, which other threads read and add to. Compiled for any ARMv8 core that is a
 * load-exclusive and a store-exclusive; from ARMv8.1 on it is one instruction: the table of the suite has the flags. */
#include "suite.h"

enum { CLIENTS = 64, MESSAGES = 20000 };

static struct {
    uint64_t messages, bytes;
} totals[CLIENTS];
static uint8_t clients[MESSAGES];

static void prepare(void) {
    for (int i = 0; i < MESSAGES; i++) {
        clients[i] = (uint8_t)draw(CLIENTS);
    }
}

static uint64_t work(unsigned thread) {
    (void)thread;
    for (int i = 0; i < MESSAGES; i++) {
        __atomic_fetch_add(&totals[clients[i]].messages, 1, __ATOMIC_RELAXED); /* here: lse-atomics */
        __atomic_fetch_add(&totals[clients[i]].bytes, (uint64_t)i, __ATOMIC_RELAXED);
    }
    return totals[5].bytes;
}
