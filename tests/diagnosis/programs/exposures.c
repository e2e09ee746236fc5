/* Exposures of 17,000 accounts to 64 factors, kept by account and wanted by factor. Down a column each value lies on a line
 * of its own, and a column has more lines than L2 holds; 64 accounts at a time, all of a line is used while it is there. */
#include "suite.h"

enum { ACCOUNTS = 17024, FACTORS = 64, BLOCK = 64 };

static float by_account[ACCOUNTS][FACTORS], by_factor[FACTORS][ACCOUNTS], rate[ACCOUNTS];

static void prepare(void) {
    for (int a = 0; a < ACCOUNTS; a++) {
        rate[a] = (float)(1 + a % 7);
        for (int f = 0; f < FACTORS; f++) {
            by_account[a][f] = (float)((a * 31 + f * 17) % 1000);
        }
    }
}

static inline void turn(int from, int to) {
    for (int f = 0; f < FACTORS; f++) {
        for (int a = from; a < to; a++) {
            by_factor[f][a] = by_account[a][f] * rate[a]; /* here: blocking */
        }
    }
}

static uint64_t work(unsigned thread) {
    (void)thread;
#ifdef FIXED
    for (int a = 0; a < ACCOUNTS; a += BLOCK) {
        turn(a, a + BLOCK);
    }
#else
    turn(0, ACCOUNTS);
#endif
    return (uint64_t)(by_factor[FACTORS - 1][7] + by_factor[3][ACCOUNTS - 2] + by_factor[20][600]);
}
