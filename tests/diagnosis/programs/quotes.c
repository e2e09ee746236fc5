/* The state of 15,000 instruments, updated by ticks that come in any order. Each tick needs all eight values of one
 * instrument: in eight arrays they lie on eight lines, in a record on one. */
#include "suite.h"

enum { INSTRUMENTS = 15000, TICKS = 20000 };

#ifdef FIXED
static struct {
    int64_t bid, ask, last, low, high, trades, volume, turnover;
} quotes[INSTRUMENTS] __attribute__((aligned(64)));
#define QUOTE(instrument, value) quotes[instrument].value
#else
static struct {
    int64_t bid[INSTRUMENTS], ask[INSTRUMENTS], last[INSTRUMENTS], low[INSTRUMENTS], high[INSTRUMENTS];
    int64_t trades[INSTRUMENTS], volume[INSTRUMENTS], turnover[INSTRUMENTS];
} quotes;
#define QUOTE(instrument, value) quotes.value[instrument]
#endif

static struct {
    uint32_t instrument;
    int32_t price, size;
} ticks[TICKS];

static void prepare(void) {
    for (int i = 0; i < INSTRUMENTS; i++) {
        QUOTE(i, low) = 1000000;
    }
    for (int i = 0; i < TICKS; i++) {
        ticks[i].instrument = (uint32_t)draw(INSTRUMENTS);
        ticks[i].price = 100000 + (int32_t)draw(2000);
        ticks[i].size = 1 + (int32_t)draw(500);
    }
}

static uint64_t work(unsigned thread) {
    (void)thread;
    uint64_t spreads = 0;
    for (int i = 0; i < TICKS; i++) {
        uint32_t at = ticks[i].instrument;
        int64_t price = ticks[i].price, size = ticks[i].size;
        QUOTE(at, bid) = price - 2;
        QUOTE(at, ask) = price + (size & 7);
        QUOTE(at, high) = price > QUOTE(at, high) ? price : QUOTE(at, high);
        QUOTE(at, low) = price < QUOTE(at, low) ? price : QUOTE(at, low);
        QUOTE(at, trades) += 1;
        QUOTE(at, volume) += size;
        QUOTE(at, turnover) += price * size;
        spreads += (uint64_t)(price - QUOTE(at, last));
        QUOTE(at, last) = price;
    }
    return spreads;
}
