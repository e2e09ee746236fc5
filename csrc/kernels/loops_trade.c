/* The loop of tick to trade: a day of packets of one message each, an instrument for every symbol, orders out. */
#include "loops.h"

#include <stdlib.h>
#include <string.h>

#include "big_endian.h"
#include "checksum.h"
#include "generator.h"
#include "tick_to_trade.h"
#include "trading_day.h"

typedef struct {
    ap_book *book;
    ap_packets packets;
    uint64_t messages;
    ap_curve curve;
    ap_risk_account account;
    ap_instrument *instruments;
    ap_instrument *untouched; /* as they are when a day begins */
    uint32_t instrument_count;
    ap_trader trader;
    const uint8_t *packet; /* the next */
    size_t packet_size;
    ap_itch_status status; /* of the last tick */
    ap_tick tick;
    uint64_t random;
    uint64_t checksum;
} trade_loop;

/* ---- Set-up -------------------------------------------------------------------------------------------------- */

static const ap_strategy_terms TERMS = {
    .tick = 100,
    .half_spread = 100,
    .most_spread = 2000,
    .skew = 300,
    .most_value = 200,
    .imbalance_weight = AP_STRATEGY_ONE / 2,
    .value_weight = AP_STRATEGY_ONE / 4,
    .order_size = 300,
    .most_position = 3000,
};
static const ap_risk_symbol_limits SYMBOL_LIMITS = {.band = (1 << 16) / 20, .most_size = 300, .most_position = 3000};
/* Tight enough that some orders are refused. */
static const ap_risk_limits ACCOUNT_LIMITS = {
    .most_notional = UINT64_C(1600000000),        /* 160,000 dollars */
    .most_open_notional = UINT64_C(200000000000), /* 20 million */
    .orders_per_second = 40000,
    .burst = 50,
};

#define COUPON 0.04

/* A note of ten years that stands at par where the symbol opens. */
static void quote(ap_instrument *instrument, const ap_curve *curve, ap_book_bbo top) {
    ap_bond bond;
    ap_strategy_terms terms = TERMS;
    terms.units_per_point = ((double)top.bid.price + (double)top.offer.price) / 200;
    int32_t settlement = ap_date(2026, 11, 23), maturity = ap_date(2036, 11, 15);
    instrument->is_quoted = ap_bond_init(&bond, COUPON, maturity, settlement) == AP_TREASURY_OK &&
                            ap_strategy_init(&instrument->strategy, &terms, &bond, curve, COUPON) &&
                            ap_risk_symbol_init(&instrument->risk, &SYMBOL_LIMITS, 0);
}

/* An instrument for every symbol that has a market on both sides some time; leaves the book empty again. */
static void quote_all(trade_loop *loop, const ap_day *day) {
    ap_feed feed;
    ap_itch_message message;
    ap_itch_status status;
    ap_feed_init(&feed, loop->book);
    ap_feed_open_file(&feed, day->frames, day->size);
    while ((status = ap_feed_next(&feed, &message)) != AP_ITCH_END) {
        uint32_t symbol = message.stock_locate;
        if (status != AP_ITCH_OK || ap_feed_apply(loop->book, &message) != AP_BOOK_MOVED)
            continue;
        ap_instrument *instrument = &loop->untouched[symbol];
        ap_book_bbo top = ap_book_top(loop->book, symbol);
        if (message.type == 'A')
            memcpy(instrument->symbol, message.add_order.stock, sizeof instrument->symbol);
        if (!instrument->is_quoted && top.bid.orders != 0 && top.offer.orders != 0)
            quote(instrument, &loop->curve, top);
    }
}

static void start_day(trade_loop *loop) {
    memcpy(loop->instruments, loop->untouched, sizeof *loop->instruments * loop->instrument_count);
    ap_risk_account_init(&loop->account, &ACCOUNT_LIMITS);
    ap_trader_init(&loop->trader, loop->book, loop->instruments, loop->instrument_count, &loop->curve, &loop->account);
    loop->random = 1;
    loop->packet = ap_packets_next(&loop->packets, &loop->packet_size);
}

void *ap_trade_loop_create(const uint8_t *data, size_t size) {
    ap_day day;
    if (!ap_day_init(&day, data, size))
        return NULL;
    trade_loop *loop = day.orders == 0 ? NULL : calloc(1, sizeof *loop);
    if (loop != NULL) {
        loop->messages = day.messages;
        loop->instrument_count = day.symbols;
        loop->curve = (ap_curve){.knots = 2, .days = {365, 10950}, .yields = {COUPON, COUPON}};
        loop->book = ap_book_create(day.symbols, day.orders);
        loop->instruments = calloc(day.symbols, sizeof *loop->instruments);
        loop->untouched = calloc(day.symbols, sizeof *loop->untouched);
        if (loop->book == NULL || loop->instruments == NULL || loop->untouched == NULL ||
            !ap_packets_init(&loop->packets, &day, 0)) {
            ap_trade_loop_destroy(loop);
            loop = NULL;
        }
    }
    if (loop != NULL) {
        quote_all(loop, &day);
        ap_book_clear(loop->book);
        start_day(loop);
    }
    ap_day_free(&day);
    return loop;
}

void ap_trade_loop_destroy(void *state) {
    trade_loop *loop = state;
    ap_book_destroy(loop->book);
    ap_packets_free(&loop->packets);
    free(loop->instruments);
    free(loop->untouched);
    free(loop);
}

uint64_t ap_trade_loop_period(const void *state) {
    return ((const trade_loop *)state)->messages;
}

/* ---- The loop ------------------------------------------------------------------------------------------------ */

/* The bytes as words, the last one filled up with zeros; a sum of products, as they do not wait for one another. */
static uint64_t digest(const uint8_t *bytes, size_t size) {
    uint64_t sum = size, factor = AP_ODD;
    for (size_t at = 0; at < size; at += 8) {
        uint8_t word[8] = {0};
        memcpy(word, bytes + at, size - at < 8 ? size - at : 8);
        sum += factor * ap_load_be64(word);
        factor += 2 * AP_ODD;
    }
    return sum;
}

/* The exchange: an eighth of the ticks that send orders are followed by a fill of one of the symbol's quotes. */
static void fill(trade_loop *loop, uint32_t symbol) {
    uint64_t random = ap_splitmix64(&loop->random);
    char side = random & 8 ? 'B' : 'S';
    const ap_instrument *instrument = &loop->instruments[symbol];
    uint32_t open = side == 'B' ? instrument->bid.order.size : instrument->offer.order.size;
    if (random % 8 == 0 && open != 0)
        ap_trader_fill(&loop->trader, symbol, side, 1 + (uint32_t)(random >> 32) % open);
}

/* Bytes in, bytes out: the next packet, of one message. True where it sent orders. */
static bool serve(void *state) {
    trade_loop *loop = state;
    ap_trader_open(&loop->trader, loop->packet, loop->packet_size);
    loop->status = ap_trader_next(&loop->trader, &loop->tick);
    return loop->tick.size != 0;
}

/* What the tick put out, in the checksum; what the exchange makes of it; and the next packet, of a day that has no end. */
static void settle(void *state) {
    trade_loop *loop = state;
    const ap_tick *tick = &loop->tick;
    uint64_t outcome = (uint64_t)loop->status << 32 | (uint64_t)tick->book << 16 | tick->refused;
    loop->checksum = ap_fold(loop->checksum, outcome + digest(tick->orders, tick->size));
    if (tick->size != 0)
        fill(loop, tick->symbol);
    loop->packet = ap_packets_next(&loop->packets, &loop->packet_size);
    if (loop->packet == NULL)
        start_day(loop);
}

uint64_t ap_trade_loop_watched(void *state, uint64_t operations, const ap_watch *watch) {
    trade_loop *loop = state;
    while (operations-- > 0) {
        loop->trader.watch = watch;
        serve(loop);
        settle(loop);
    }
    loop->trader.watch = NULL;
    return loop->checksum;
}

uint64_t ap_trade_loop(void *state, uint64_t operations) {
    return ap_trade_loop_watched(state, operations, NULL);
}

ap_service ap_trade_loop_service(void *state) {
    return (ap_service){serve, settle, state};
}
