/* Healthy: two threads decode messages of their own by tables, and count them each on a line of its own. */
#define THREADS 2
#include "suite.h"

enum { WORDS = 2048, TIMES = 4 };

static struct {
    uint64_t messages, bytes;
} __attribute__((aligned(128))) statistics[THREADS];
static uint32_t words[WORDS], lengths[256], kinds[256];

static void prepare(void) {
    for (int i = 0; i < WORDS; i++) {
        words[i] = (uint32_t)draw(UINT32_MAX);
    }
    for (int i = 0; i < 256; i++) {
        lengths[i] = (uint32_t)draw(1500);
        kinds[i] = (uint32_t)draw(2);
    }
}

static uint64_t work(unsigned thread) {
    uint64_t messages = 0, bytes = 0;
    for (int time = 0; time < TIMES; time++) {
        for (int i = 0; i < WORDS; i++) {
            if (i % 64 == 0) {
                take_turns();
            }
            uint32_t word = __builtin_bswap32(words[i]);
            messages += kinds[word & 0xff];
            bytes += lengths[word >> 8 & 0xff] + (word >> 24);
        }
        statistics[thread].messages += messages;
        statistics[thread].bytes += bytes;
    }
    return messages * 31 + bytes;
}
