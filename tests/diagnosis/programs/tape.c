/* The totals of a day: 500,000 trades of 64 bytes each, read once from the first to the last, and all of each. There is nothing
 * to do but to bring them from memory: values of four bytes, and the time since the trade before, are half as much. The last
 * level has 8 MiB here, which is what a core is left of a larger one that others use too. */
#include "suite.h"

#include <sys/mman.h>

enum { TRADES = 500000, VENUES = 16 };

#ifdef FIXED
typedef int32_t value;
#else
typedef int64_t value;
#endif

static struct trade {
    value time, price, quantity, fee, tax, buyer, seller, venue;
} *trades;
static int64_t rebates[VENUES];

static void prepare(void) {
    size_t bytes = (TRADES * sizeof *trades + (2 << 20) - 1) >> 21 << 21;
    trades = aligned_alloc(2 << 20, bytes);
    madvise(trades, bytes, MADV_HUGEPAGE); /* the translations are not the question here */
    int64_t time = 0;
    for (int i = 0; i < TRADES; i++) {
        int64_t passed = i % 5;
        time += passed;
#ifdef FIXED
        value when = (value)passed;
#else
        value when = time;
#endif
        trades[i] = (struct trade){when, i % 1000, i % 7, i & 15, i & 3, i % 77, i % 91, i * 7 % VENUES};
    }
    for (int i = 0; i < VENUES; i++) {
        rebates[i] = i % 3;
    }
}

static uint64_t work(unsigned thread) {
    (void)thread;
    int64_t quantities = 0, costs = 0, highest = 0, people = 0, when = 0, late = 0;
    for (int i = 0; i < TRADES; i++) {
        const struct trade *trade = &trades[i];
#ifdef FIXED
        when += trade->time;
#else
        when = trade->time;
#endif
        late += when > 700000;
        quantities += trade->quantity;
        costs += trade->fee + trade->tax - rebates[trade->venue]; /* here: memory-bandwidth */
        highest = trade->price > highest ? trade->price : highest;
        people += trade->buyer ^ trade->seller;
    }
    return (uint64_t)(quantities * 31 + costs * 7 + highest + people * 3 + late);
}
