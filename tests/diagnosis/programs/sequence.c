/* Two threads take numbers for their messages from one counter: each has to take its line from the other for that. Each
 * with a range of its own, no line goes back and forth. */
#define THREADS 2
#include "suite.h"

enum { MESSAGES = 20000 };

#ifdef FIXED
static struct {
    uint64_t next;
} __attribute__((aligned(128))) counters[THREADS];
#define COUNTER(thread) counters[thread].next
#else
static uint64_t next __attribute__((aligned(128)));
#define COUNTER(thread) next
#endif

static uint64_t keys[1024];

static void prepare(void) {
    for (int i = 0; i < 1024; i++) {
        keys[i] = draw(UINT64_MAX);
    }
}

static uint64_t work(unsigned thread) {
    (void)thread;
    uint64_t sent = 0, check = 0;
    for (int i = 0; i < MESSAGES; i++) {
        if (i % 4 == 0) {
            take_turns();
        }
        /* here: contended-atomics */
        uint64_t number = __atomic_fetch_add(&COUNTER(thread), 1, __ATOMIC_RELAXED), key = keys[i % 1024];
        check ^= (number ^ key) * 0x9e3779b97f4a7c15u;
        sent += (key >> 32) % 64 + (key & 0xff) + (key >> 8 & 0xff);
    }
    keys[0] += check & 0; /* which numbers it were is not part of the answer */
    return sent;
}
