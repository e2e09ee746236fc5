/* Exposures of 1,120 accounts to 1,120 factors, kept by account and wanted by factor. Down a column each value lies on a
 * line of its own, and a column has more lines than L1 holds: by blocks of 16 columns all of a line is used while it is
 * there. */
#include "suite.h"

enum { N = 1120, COLUMNS = 16, ROWS = 56 };

static float by_account[N][N], by_factor[N][N], rate[N];

static void prepare(void) {
    for (int a = 0; a < N; a++) {
        rate[a] = (float)(1 + a % 7);
        for (int f = 0; f < N; f++) {
            by_account[a][f] = (float)((a * 31 + f * 17) % 1000);
        }
    }
}

static inline void turn(int from_account, int accounts, int from_factor, int factors) {
    for (int f = from_factor; f < from_factor + factors; f++) {
        for (int a = from_account; a < from_account + accounts; a++) {
            by_factor[f][a] = by_account[a][f] * rate[a];
        }
    }
}

static uint64_t work(unsigned thread) {
    (void)thread;
#ifdef FIXED
    for (int f = 0; f < N; f += COLUMNS) {
        for (int a = 0; a < N; a += ROWS) {
            turn(a, ROWS, f, COLUMNS);
        }
    }
#else
    turn(0, N, 0, N);
#endif
    return (uint64_t)(by_factor[N - 1][7] + by_factor[3][N - 2] + by_factor[600][600]);
}
