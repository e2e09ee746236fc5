/* Two threads take numbers for their messages from one counter: each has to own its line for that. Taken 64 at a time, it
 * is asked for once in 64 messages. */
#define THREADS 2
#include "suite.h"

enum { MESSAGES = 20000 };

#ifdef FIXED
enum { BATCH = 64 };
#else
enum { BATCH = 1 };
#endif

static uint64_t next __attribute__((aligned(128)));
static struct {
    uint64_t number, left, sent;
} __attribute__((aligned(128))) senders[THREADS];

static void prepare(void) {}

static uint64_t work(unsigned thread) {
    uint64_t number = 0, left = 0, sent = 0, mixed = 0;
    for (int i = 0; i < MESSAGES; i++) {
        if (left == 0) {
            number = __atomic_fetch_add(&next, BATCH, __ATOMIC_RELAXED);
            left = BATCH;
        }
        mixed ^= number++ * 0x9e3779b97f4a7c15u;
        left--;
        sent++;
    }
    senders[thread].number = mixed;
    return sent;
}
