/*
 * Tick to trade: packets of a market data feed in, the bytes of orders out.
 *
 *     feed handler -> order book -> strategy -> risk -> OUCH
 *
 * A message that moves the best bid or offer of a quoted instrument is decided on at once: where the strategy wants
 * other quotes than stand in the market, they are entered, replaced or cancelled. A new quote that risk refuses is not
 * sent, and what stands in its place is cancelled.
 *
 * Guarantees
 *   Complexity  O(1) a message, as that of its parts. No allocation, no system call.
 *   Orders      at most one message a side for each tick; a quote that is as wanted is left alone. None asks for more
 *               than AP_OUCH_MOST_QUANTITY, with what was executed of those that it replaces.
 *   Caution     nothing is quoted while an instrument is halted by a trading action, nor after messages were missed: then
 *               the books cannot be trusted, and quotes are pulled as their instruments move, until ap_trader_resume().
 *   Determinism the same packets and fills give the same orders, byte for byte, on every machine: time is that of the
 *               messages, and a watch changes nothing.
 *   Threads     a trader, its book, instruments and account belong to one thread at a time.
 *   Errors      counted by the part they concern: feed, book, account.
 *
 * What the exchange answers is not read here: each order is taken for accepted when it is sent, each cancel for done.
 * Fills come in by ap_trader_fill().
 */
#ifndef AP_TICK_TO_TRADE_H
#define AP_TICK_TO_TRADE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "feed_handler.h"
#include "ouch50.h"
#include "risk.h"
#include "strategy.h"

typedef enum ap_stage {
    AP_STAGE_FEED = 0, /* until the message is decoded */
    AP_STAGE_BOOK,     /* until the book is updated */
    AP_STAGE_DECISION, /* until it is known what to quote */
    AP_STAGE_RISK,     /* until both sides are checked */
    AP_STAGE_ORDER,    /* until the orders are encoded */
    AP_STAGES,
} ap_stage;

/*
 * Who looks on. at() is called with 0 where a packet arrives, before a byte of it is read, and with `stage` + 1 where a
 * tick leaves that stage. Ticks end early where there is nothing to decide; AP_STAGES is reached by those alone that send
 * orders. Messages behind the first of a packet have no arrival of their own.
 */
typedef struct ap_watch {
    void (*at)(void *context, int point);
    void *context;
} ap_watch;

/* An own order in the market. */
typedef struct ap_quote {
    ap_risk_order order; /* as it is still open; of size 0 where there is none */
    uint32_t executed;   /* of it and of those that it replaced in turn */
    uint32_t user_reference;
} ap_quote;

/* What is traded under one stock locate. The caller sets up the first four; the rest starts as 0. */
typedef struct ap_instrument {
    bool is_quoted;
    char symbol[8]; /* padded with spaces */
    ap_strategy strategy;
    ap_risk_symbol risk;
    bool is_halted;
    bool has_band; /* risk's is laid around the first two-sided market's middle, and anew around prices of trades */
    ap_quote bid, offer;
} ap_instrument;

typedef struct ap_trader {
    ap_feed feed;
    ap_instrument *instruments; /* by stock locate */
    uint32_t instrument_count;
    const ap_curve *curve;
    ap_risk_account *account;
    const ap_watch *watch;   /* NULL where nobody looks on; may be changed between ticks */
    uint32_t user_reference; /* that of the last order */
    bool is_stopped;
    uint64_t entered, replaced, cancelled;
} ap_trader;

/* What became of one message. */
typedef struct ap_tick {
    uint32_t symbol;
    ap_book_status book;
    ap_strategy_status decision; /* AP_STRATEGY_QUOTES too where there was none */
    unsigned refused;            /* reasons of risk, of both sides */
    size_t size;
    uint8_t orders[2 * AP_OUCH_MAX_LENGTH]; /* `size` bytes of OUCH messages, one after the other */
} ap_tick;

/* A trader before its first packet, without quotes and without a watch. All that it is given outlives it. */
void ap_trader_init(ap_trader *trader, ap_book *book, ap_instrument *instruments, uint32_t instrument_count,
                    const ap_curve *curve, ap_risk_account *account);

/* Begins with a packet, as ap_feed_open() does. AP_FEED_GAP stops the trader. */
ap_feed_status ap_trader_open(ap_trader *trader, const uint8_t *packet, size_t size);

/* Takes the next message of the packet through all stages; as ap_feed_next(). */
ap_itch_status ap_trader_next(ap_trader *trader, ap_tick *tick);

/* Cancels the quotes of an instrument, unwatched; the orders are in *tick. They come back when it moves. */
void ap_trader_pull(ap_trader *trader, uint32_t symbol, ap_tick *tick);

/* The books are whole again. */
void ap_trader_resume(ap_trader *trader);

/* `size` of the quote on this side was executed. False, and nothing changes, where less stands there. */
bool ap_trader_fill(ap_trader *trader, uint32_t symbol, char side, uint32_t size);

#endif
