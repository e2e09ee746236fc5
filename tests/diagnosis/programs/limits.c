/* What each of 400,000 accounts may still trade, counted down as orders come in any order. In 8 bytes each the table has
 * more than L2 holds; no limit needs more than two. */
#include "suite.h"

enum { ACCOUNTS = 400000, ORDERS = 40000 };

#ifdef FIXED
typedef uint16_t limit;
#else
typedef uint64_t limit;
#endif

static limit limits[ACCOUNTS];
static uint32_t orders[ORDERS];

static void prepare(void) {
    for (int i = 0; i < ACCOUNTS; i++) {
        limits[i] = 60000;
    }
    for (int i = 0; i < ORDERS; i++) {
        orders[i] = (uint32_t)draw(ACCOUNTS);
    }
}

static uint64_t work(unsigned thread) {
    (void)thread;
    uint64_t left = 0;
    for (int i = 0; i < ORDERS; i++) {
        left += limits[orders[i]]--; /* here: working-set-l2 */
    }
    return left;
}
