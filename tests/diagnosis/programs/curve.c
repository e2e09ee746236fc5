/* Healthy: cash flows of many bonds at once, by a polynomial in vector registers: no flow waits for another. */
#include "suite.h"

enum { FLOWS = 2048, TIMES = 6 };

static float years[FLOWS] __attribute__((aligned(64))), amounts[FLOWS] __attribute__((aligned(64)));

typedef float lane __attribute__((vector_size(16)));

static void prepare(void) {
    for (int i = 0; i < FLOWS; i++) {
        years[i] = (float)draw(30);
        amounts[i] = (float)(1 + draw(64));
    }
}

static uint64_t work(unsigned thread) {
    (void)thread;
    float total = 0;
    for (int time = 0; time < TIMES; time++) {
        lane sum[4] = {0};
        for (int i = 0; i < FLOWS; i += 16) {
#pragma GCC unroll 4
            for (int j = 0; j < 4; j++) {
                lane t = *(const lane *)&years[i + 4 * j];
                lane rate = (t * 0.25f + 1.5f) * t + 4.0f;
                sum[j] += rate * *(const lane *)&amounts[i + 4 * j];
            }
        }
        lane all = sum[0] + sum[1] + sum[2] + sum[3];
        total += all[0] + all[1] + all[2] + all[3] + (float)time;
    }
    return (uint64_t)total;
}
