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
    volatile uint64_t messages, bytes, rejected; /* volatile: a monitor reads them */
} ALIGNED statistics[THREADS];
static uint32_t lengths[1024];

static void prepare(void) {
    for (int i = 0; i < 1024; i++) {
        lengths[i] = (uint32_t)draw(1500);
    }
}

static uint64_t work(unsigned thread) {
    for (int i = 0; i < MESSAGES; i++) {
        uint32_t length = lengths[i % 1024];
        statistics[thread].messages++;
        statistics[thread].bytes += length;
        statistics[thread].rejected += length > 1400;
    }
    return statistics[thread].bytes;
}
