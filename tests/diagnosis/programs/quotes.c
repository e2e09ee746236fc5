/* The level of an index: bid, ask and last price of 30,000 instruments, whose records have 96 bytes. All lines of all
 * records come through the caches for a quarter of what is on them; in arrays of their own the values follow each other. */
#include "suite.h"

enum { INSTRUMENTS = 30000 };

#ifdef FIXED
static struct {
    int64_t bid[INSTRUMENTS], ask[INSTRUMENTS], first[INSTRUMENTS];
    int64_t open[INSTRUMENTS], high[INSTRUMENTS], low[INSTRUMENTS], last[INSTRUMENTS], close[INSTRUMENTS];
    int64_t volume[INSTRUMENTS], turnover[INSTRUMENTS], trades[INSTRUMENTS], updated[INSTRUMENTS];
} quotes;
#define QUOTE(instrument, value) quotes.value[instrument]
#else
static struct {
    int64_t bid, ask, open, high, low, last, close, volume, turnover, trades, updated, first;
} quotes[INSTRUMENTS];
#define QUOTE(instrument, value) quotes[instrument].value
#endif

static void prepare(void) {
    for (int i = 0; i < INSTRUMENTS; i++) {
        QUOTE(i, last) = 100000 + (int64_t)draw(2000);
        QUOTE(i, bid) = QUOTE(i, last) - 2;
        QUOTE(i, ask) = QUOTE(i, last) + (int64_t)draw(5);
    }
}

static uint64_t work(unsigned thread) {
    (void)thread;
    int64_t level = 0;
    for (int i = 0; i < INSTRUMENTS; i++) {
        level += (QUOTE(i, bid) + QUOTE(i, ask)) / 2 + QUOTE(i, last); /* here: data-layout */
    }
    return (uint64_t)level;
}
