/* Moving averages of eight instruments. Each average needs the one before it, and a core can do much more than wait for
 * that: eight of them step by step together keep it busy. */
#include "suite.h"

enum { INSTRUMENTS = 8, TICKS = 512, TIMES = 8 };

static double prices[INSTRUMENTS][TICKS], averages[INSTRUMENTS];

static void prepare(void) {
    for (int i = 0; i < INSTRUMENTS; i++) {
        for (int t = 0; t < TICKS; t++) {
            prices[i][t] = 100 + (double)draw(1000) / 64;
        }
    }
}

static void step(void) {
#ifdef FIXED
    for (int t = 0; t < TICKS; t++) {
        for (int i = 0; i < INSTRUMENTS; i++) {
            averages[i] += (prices[i][t] - averages[i]) * 0.125;
        }
    }
#else
    for (int i = 0; i < INSTRUMENTS; i++) {
        double average = averages[i];
        for (int t = 0; t < TICKS; t++) {
            average += (prices[i][t] - average) * 0.125; /* here: dependency-chain */
        }
        averages[i] = average;
    }
#endif
}

static uint64_t work(unsigned thread) {
    (void)thread;
    for (int i = 0; i < TIMES; i++) {
        step();
    }
    uint64_t sum = 0;
    for (int i = 0; i < INSTRUMENTS; i++) {
        sum += (uint64_t)(averages[i] * 1e6);
    }
    return sum;
}
