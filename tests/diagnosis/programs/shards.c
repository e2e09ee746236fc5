/* Two causes: two threads count messages in records on one line, and route them to shards by a remainder, whose divisor
 * comes from a configuration. Fixed: a line for each thread, and a reciprocal. */
#define THREADS 2
#include "suite.h"

enum { MESSAGES = 20000 };

#if FIXED & 1
#define ALIGNED __attribute__((aligned(128)))
#else
#define ALIGNED
#endif

static struct {
    volatile uint64_t messages, kept; /* volatile: a monitor reads them */
} ALIGNED statistics[THREADS];
static uint32_t keys[1024];
static uint64_t shards, own;

static void prepare(void) {
    shards = strtoul("29", NULL, 10);
    own = strtoul("3", NULL, 10);
    for (int i = 0; i < 1024; i++) {
        keys[i] = (uint32_t)draw(UINT32_MAX);
    }
}

static inline uint64_t shard(uint64_t key, uint64_t inverse) {
#if FIXED & 2
    return (uint64_t)((unsigned __int128)(inverse * key) * shards >> 64); /* exact: the key has 32 bits */
#else
    (void)inverse;
    return key % shards;
#endif
}

static uint64_t work(unsigned thread) {
    uint64_t kept = 0, inverse = UINT64_MAX / shards + 1;
    for (int i = 0; i < MESSAGES; i++) {
        uint64_t at = shard(keys[i % 1024] ^ (uint32_t)i * 977, inverse);
        kept += at > own;
        statistics[thread].messages++;
        statistics[thread].kept += at;
    }
    return kept + statistics[thread].kept;
}
