/* Two causes: two threads count messages in records on one line, and route them by remainders, whose divisors come
 * from a configuration. Fixed: a line for each thread, and reciprocals. */
#define THREADS 2
#include "suite.h"

enum { MESSAGES = 20000 };

#if FIXED & 1
#define ALIGNED __attribute__((aligned(128)))
#else
#define ALIGNED
#endif

static struct {
    volatile uint64_t messages, places; /* volatile: a monitor reads them */
} ALIGNED statistics[THREADS];
static uint64_t refused __attribute__((aligned(128))); /* of both, but seldom */
static uint32_t keys[1024];
static uint64_t shards, seats;

static void prepare(void) {
    shards = strtoul("29", NULL, 10);
    seats = strtoul("113", NULL, 10);
    for (int i = 0; i < 1024; i++) {
        keys[i] = (uint32_t)draw(UINT32_MAX);
    }
}

static inline uint64_t rest(uint64_t key, uint64_t divisor, uint64_t inverse) {
#if FIXED & 2
    return (uint64_t)((unsigned __int128)(inverse * key) * divisor >> 64); /* exact: the key has 32 bits */
#else
    (void)inverse;
    return key % divisor; /* here: divides */
#endif
}

static uint64_t work(unsigned thread) {
    uint64_t of_shards = UINT64_MAX / shards + 1, of_seats = UINT64_MAX / seats + 1;
    for (int i = 0; i < MESSAGES; i++) {
        if (i % 16 == 0) {
            take_turns();
        }
        uint64_t key = keys[i % 1024] ^ (uint32_t)i * 977;
        uint64_t shard = rest(key, shards, of_shards), seat = rest(key, seats, of_seats);
        if (i % 128 == 127) {
            __atomic_fetch_add(&refused, 1, __ATOMIC_RELAXED);
        }
        statistics[thread].messages++; /* here: false-sharing */
        statistics[thread].places += shard << 8 | seat;
    }
    return statistics[thread].places;
}
