/* Two threads count their own messages, in records that follow each other: both write to one line, which goes back and
 * forth between their cores. With a line of its own for each, nothing does. */
#define THREADS 2
#include "suite.h"

enum { MESSAGES = 20000 };

#ifdef FIXED
#define ALIGNED __attribute__((aligned(128)))
#else
#define ALIGNED
#endif

static struct {
    volatile uint64_t messages, bytes, orders; /* volatile: a monitor reads them */
} ALIGNED statistics[THREADS];
static uint64_t rejected __attribute__((aligned(128))); /* of both, but seldom */
static uint64_t headers[1024];

static void prepare(void) {
    for (int i = 0; i < 1024; i++) {
        headers[i] = draw(UINT64_MAX);
    }
}

static uint64_t work(unsigned thread) {
    uint64_t checked = 0;
    for (int i = 0; i < MESSAGES; i++) {
        if (i % 8 == 0) {
            take_turns();
        }
        uint64_t header = __builtin_bswap64(headers[i % 1024]);
        uint32_t length = header >> 48 & 0x5ff, kind = header >> 40 & 0xff, source = (uint32_t)(header >> 8);
        uint32_t sum = (source ^ source >> 16) * 31 + (length ^ kind << 3);
        checked += (sum & 0xff) + (sum >> 8 & 0xff) + (sum >> 16 & 0xff) + (sum >> 24);
        if (i % 128 == 127) {
            __atomic_fetch_add(&rejected, 1, __ATOMIC_RELAXED);
        }
        statistics[thread].messages++; /* here: false-sharing */
        statistics[thread].bytes += length;
        statistics[thread].orders += kind < 40;
    }
    return statistics[thread].bytes + statistics[thread].orders + checked;
}
