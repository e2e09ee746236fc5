#include "tick_to_trade.h"

#include <string.h>

void ap_trader_init(ap_trader *trader, ap_book *book, ap_instrument *instruments, uint32_t instrument_count,
                    const ap_curve *curve, ap_risk_account *account) {
    *trader = (ap_trader){
        .instruments = instruments,
        .instrument_count = instrument_count,
        .curve = curve,
        .account = account,
    };
    ap_feed_init(&trader->feed, book);
}

static inline void pass(const ap_trader *trader, int point) {
    if (trader->watch != NULL)
        trader->watch->at(trader->watch->context, point);
}

ap_feed_status ap_trader_open(ap_trader *trader, const uint8_t *packet, size_t size) {
    pass(trader, 0);
    ap_feed_status status = ap_feed_open(&trader->feed, packet, size);
    trader->is_stopped |= status == AP_FEED_GAP;
    return status;
}

void ap_trader_resume(ap_trader *trader) {
    trader->is_stopped = false;
}

static ap_instrument *quoted(const ap_trader *trader, uint32_t symbol) {
    if (symbol >= trader->instrument_count || !trader->instruments[symbol].is_quoted)
        return NULL;
    return &trader->instruments[symbol];
}

/* ---- Decision ------------------------------------------------------------------------------------------------ */

/* A cross that found nobody to trade bears no price. */
static void lay_band(ap_instrument *instrument, uint32_t price) {
    if (price == 0)
        return;
    ap_risk_reference(&instrument->risk, price);
    instrument->has_band = true;
}

/* Takes note of a message that is about no order in the book. True where it halts or resumes trading. */
static bool take_note(ap_instrument *instrument, const ap_itch_message *message) {
    switch (message->type) {
    case 'H': {
        bool is_halted = message->trading_action.trading_state != 'T', has_changed = is_halted != instrument->is_halted;
        instrument->is_halted = is_halted;
        return has_changed;
    }
    case 'C':
        lay_band(instrument, message->order_executed_at_price.price);
        return false;
    case 'P':
        lay_band(instrument, message->trade.price);
        return false;
    case 'Q':
        lay_band(instrument, message->cross_trade.price);
        return false;
    default:
        return false;
    }
}

static int32_t inventory_of(const ap_instrument *instrument) {
    int64_t position = instrument->risk.position;
    return position > INT32_MAX ? INT32_MAX : position < -INT32_MAX ? -INT32_MAX : (int32_t)position;
}

static ap_strategy_status decide(const ap_trader *trader, ap_instrument *instrument, uint32_t symbol,
                                 ap_strategy_quotes *quotes) {
    *quotes = (ap_strategy_quotes){0};
    if (trader->is_stopped || instrument->is_halted)
        return AP_STRATEGY_QUOTES;
    ap_book_bbo top = ap_book_top(trader->feed.book, symbol);
    if (!instrument->has_band && top.bid.orders != 0 && top.offer.orders != 0)
        lay_band(instrument, (uint32_t)(((uint64_t)top.bid.price + top.offer.price) / 2));
    ap_strategy_market market = {top.bid.price, top.offer.price, top.bid.shares, top.offer.shares};
    return ap_strategy_decide(&instrument->strategy, trader->curve, &market, inventory_of(instrument), quotes);
}

/* ---- Risk and orders ----------------------------------------------------------------------------------------- */

/* What is to be sent for one side. */
typedef struct {
    ap_quote *quote;      /* NULL where it stays as it is */
    ap_risk_order wanted; /* of size 0 to cancel it */
} order_change;

/* Frees the room that the standing quote takes at risk, and asks for that of the one that is wanted in its place. */
static order_change check(ap_trader *trader, ap_instrument *instrument, ap_quote *quote, ap_risk_order wanted,
                          uint64_t time, unsigned *refused) {
    ap_risk_order *standing = &quote->order;
    if (standing->size == wanted.size && (wanted.size == 0 || standing->price == wanted.price))
        return (order_change){0};
    if ((uint64_t)quote->executed + wanted.size > AP_OUCH_MOST_QUANTITY)
        wanted.size = 0; /* the row of orders that replaced each other is at its end; the next is entered anew */
    if (standing->size != 0)
        ap_risk_release(trader->account, &instrument->risk, standing, standing->size);
    if (wanted.size != 0) {
        unsigned reasons = ap_risk_check(trader->account, &instrument->risk, &wanted, time);
        *refused |= reasons;
        if (reasons != 0)
            wanted.size = 0;
    }
    return standing->size == 0 && wanted.size == 0 ? (order_change){0} : (order_change){quote, wanted};
}

static ap_ouch_message enter(const ap_instrument *instrument, const ap_risk_order *order, uint32_t user_reference) {
    ap_ouch_message message = {
        .type = 'O',
        .enter_order = {
            .user_reference = user_reference,
            .side = order->side,
            .quantity = order->size,
            .price = order->price,
            .time_in_force = '0',
            .display = 'Y',
            .capacity = 'P',
            .sweep = 'N',
            .cross_type = 'N',
            .client_order_id = "              ",
        },
    };
    memcpy(message.enter_order.symbol, instrument->symbol, sizeof message.enter_order.symbol);
    return message;
}

static ap_ouch_message replace(const ap_quote *standing, const ap_risk_order *order, uint32_t user_reference) {
    return (ap_ouch_message){
        .type = 'U',
        .replace_order = {
            .original_user_reference = standing->user_reference,
            .user_reference = user_reference,
            .quantity = order->size + standing->executed,
            .price = order->price,
            .time_in_force = '0',
            .display = 'Y',
            .sweep = 'N',
            .client_order_id = "              ",
        },
    };
}

static ap_ouch_message cancel(const ap_quote *standing) {
    return (ap_ouch_message){.type = 'X', .cancel_order = {.user_reference = standing->user_reference, .quantity = 0}};
}

static void send(ap_trader *trader, const ap_instrument *instrument, const order_change *change, ap_tick *tick) {
    ap_quote *quote = change->quote;
    const ap_risk_order *wanted = &change->wanted;
    if (quote == NULL)
        return;
    ap_ouch_message message;
    if (wanted->size == 0) {
        message = cancel(quote);
        *quote = (ap_quote){0};
        trader->cancelled++;
    } else if (quote->order.size == 0) {
        message = enter(instrument, wanted, ++trader->user_reference);
        *quote = (ap_quote){*wanted, 0, trader->user_reference};
        trader->entered++;
    } else {
        message = replace(quote, wanted, ++trader->user_reference);
        *quote = (ap_quote){*wanted, quote->executed, trader->user_reference};
        trader->replaced++;
    }
    tick->size += ap_ouch_encode(&message, tick->orders + tick->size);
}

/* ---- The tick ------------------------------------------------------------------------------------------------ */

/* Brings what stands in the market to what is wanted. */
static void requote(ap_trader *trader, ap_instrument *instrument, const ap_strategy_quotes *wanted, uint64_t time,
                    ap_tick *tick) {
    ap_risk_order buy = {wanted->bid, wanted->bid_size, 'B'}, sell = {wanted->offer, wanted->offer_size, 'S'};
    order_change bid = check(trader, instrument, &instrument->bid, buy, time, &tick->refused);
    order_change offer = check(trader, instrument, &instrument->offer, sell, time, &tick->refused);
    pass(trader, AP_STAGE_RISK + 1);
    send(trader, instrument, &bid, tick);
    send(trader, instrument, &offer, tick);
    if (tick->size != 0)
        pass(trader, AP_STAGE_ORDER + 1);
}

static void clear(ap_tick *tick, uint32_t symbol) {
    tick->symbol = symbol;
    tick->book = AP_BOOK_OK;
    tick->decision = AP_STRATEGY_QUOTES;
    tick->refused = 0;
    tick->size = 0;
}

ap_itch_status ap_trader_next(ap_trader *trader, ap_tick *tick) {
    ap_itch_message message;
    ap_itch_status status = ap_feed_next(&trader->feed, &message);
    if (status == AP_ITCH_END)
        return status;
    pass(trader, AP_STAGE_FEED + 1);
    clear(tick, status == AP_ITCH_OK ? message.stock_locate : 0);
    if (status != AP_ITCH_OK)
        return status;

    tick->book = ap_feed_apply(trader->feed.book, &message);
    pass(trader, AP_STAGE_BOOK + 1);
    ap_instrument *instrument = quoted(trader, tick->symbol);
    if (instrument == NULL)
        return status;
    bool has_changed = take_note(instrument, &message);
    if (tick->book != AP_BOOK_MOVED && !has_changed)
        return status;

    ap_strategy_quotes wanted;
    tick->decision = decide(trader, instrument, tick->symbol, &wanted);
    pass(trader, AP_STAGE_DECISION + 1);
    requote(trader, instrument, &wanted, message.timestamp, tick);
    return status;
}

void ap_trader_pull(ap_trader *trader, uint32_t symbol, ap_tick *tick) {
    clear(tick, symbol);
    ap_instrument *instrument = quoted(trader, symbol);
    if (instrument == NULL)
        return;
    const ap_watch *watch = trader->watch;
    trader->watch = NULL;
    requote(trader, instrument, &(ap_strategy_quotes){0}, 0, tick);
    trader->watch = watch;
}

bool ap_trader_fill(ap_trader *trader, uint32_t symbol, char side, uint32_t size) {
    ap_instrument *instrument = quoted(trader, symbol);
    if (instrument == NULL || (side != 'B' && side != 'S'))
        return false;
    ap_quote *quote = side == 'B' ? &instrument->bid : &instrument->offer;
    if (!ap_risk_fill(trader->account, &instrument->risk, &quote->order, size))
        return false;
    quote->order.size -= size;
    quote->executed += size;
    if (quote->order.size == 0)
        *quote = (ap_quote){0};
    return true;
}
