/* Healthy: the covariance of 64 series by tiles that stay in L1, eight sums at a time in vector registers. */
#include "suite.h"

enum { SERIES = 64, DAYS = 128 };

static float returns[DAYS][SERIES] __attribute__((aligned(64))), covariance[SERIES][SERIES] __attribute__((aligned(64)));

static void prepare(void) {
    for (int d = 0; d < DAYS; d++) {
        for (int s = 0; s < SERIES; s++) {
            returns[d][s] = (float)((int)draw(64) - 32);
        }
    }
}

typedef float lane __attribute__((vector_size(16)));

static uint64_t work(unsigned thread) {
    (void)thread;
    for (int s = 0; s < SERIES; s += 4) {
        for (int t = 0; t < SERIES; t += 16) {
            lane sum[4][4] = {0};
            for (int d = 0; d < DAYS; d++) {
                const lane *others = (const lane *)&returns[d][t];
#pragma GCC unroll 4
                for (int i = 0; i < 4; i++) {
#pragma GCC unroll 4
                    for (int j = 0; j < 4; j++) {
                        sum[i][j] += others[j] * returns[d][s + i];
                    }
                }
            }
            for (int i = 0; i < 4; i++) {
                memcpy(&covariance[s + i][t], sum[i], sizeof sum[i]);
            }
        }
    }
    return (uint64_t)(int64_t)(covariance[3][60] + covariance[63][1]);
}
