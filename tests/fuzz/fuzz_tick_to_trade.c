/* Tick to trade from packets to orders, with fills, pulls and the kill switch in between: an exchange reads each order, and
 * what stands there is what the trader and risk think does. */
#include "input.h"
#include "sound_book.h"
#include "tick_to_trade.h"

enum { SYMBOLS = 4, ORDERS = 64, MOST_POSITION = 900, MOST_SIZE = 300 };

/* Kinds of record, the others being packets. The bytes of fills are a symbol and a size, those of pulls a symbol. */
enum { BUY_FILLS = 0, SELL_FILLS, PULL, RESUME, KILL, REVIVE };

/* ---- The exchange --------------------------------------------------------------------------------------------- */

typedef struct {
    uint32_t reference, quantity, executed;
    uint64_t price;
} resting;

typedef struct {
    resting sides[SYMBOLS][2]; /* of quantity 0 where nothing rests */
    uint32_t last_reference;
    uint64_t entered, replaced, cancelled;
} exchange;

static resting *of_reference(exchange *market, uint32_t symbol, uint32_t reference) {
    for (int side = 0; side < 2; side++)
        if (market->sides[symbol][side].quantity != 0 && market->sides[symbol][side].reference == reference)
            return &market->sides[symbol][side];
    CHECK(!"an order that rests is meant");
    return NULL;
}

static void is_new(exchange *market, uint32_t reference) {
    CHECK(reference > market->last_reference);
    market->last_reference = reference;
}

static void take(exchange *market, uint32_t symbol, const ap_ouch_message *message, bool may_quote) {
    switch (message->type) {
    case 'O': {
        const ap_ouch_enter_order *enter = &message->enter_order;
        resting *place = &market->sides[symbol][enter->side == 'S'];
        CHECK(enter->side == 'B' || enter->side == 'S');
        CHECK_EQUAL(place->quantity, 0);
        is_new(market, enter->user_reference);
        *place = (resting){enter->user_reference, enter->quantity, 0, enter->price};
        CHECK(place->quantity > 0 && place->price > 0 && may_quote);
        market->entered++;
        break;
    }
    case 'U': {
        const ap_ouch_replace_order *replace = &message->replace_order;
        resting *place = of_reference(market, symbol, replace->original_user_reference);
        is_new(market, replace->user_reference);
        *place = (resting){replace->user_reference, replace->quantity, place->executed, replace->price};
        CHECK(place->quantity > place->executed && place->price > 0 && may_quote);
        market->replaced++;
        break;
    }
    default:
        CHECK_EQUAL(message->cancel_order.quantity, 0);
        of_reference(market, symbol, message->cancel_order.user_reference)->quantity = 0;
        market->cancelled++;
    }
}

static void take_all(exchange *market, const ap_tick *tick, bool may_quote) {
    size_t at = 0;
    CHECK(tick->size <= sizeof tick->orders);
    while (at < tick->size) {
        ap_ouch_message message;
        size_t length = ap_ouch_length((char)tick->orders[at]);
        CHECK(length > 0 && at + length <= tick->size);
        CHECK_EQUAL(ap_ouch_decode(tick->orders + at, length, &message), AP_OUCH_OK);
        take(market, tick->symbol, &message, may_quote);
        at += length;
    }
}

/* ---- The trader ----------------------------------------------------------------------------------------------- */

static const ap_strategy_terms TERMS = {
    .tick = 100,
    .half_spread = 100,
    .most_spread = AP_STRATEGY_MOST,
    .skew = 300,
    .most_value = 200,
    .imbalance_weight = AP_STRATEGY_ONE / 2,
    .order_size = MOST_SIZE,
    .most_position = MOST_POSITION,
    .units_per_point = 10000,
};
static const ap_risk_symbol_limits SYMBOL_LIMITS = {.band = 6000, .most_size = MOST_SIZE, .most_position = MOST_POSITION};
static const ap_risk_limits ACCOUNT_LIMITS = {UINT64_C(3000000000), UINT64_C(6000000000), 1000000, 8};
static const ap_curve CURVE = {.knots = 2, .days = {365, 10950}, .yields = {0.04, 0.04}};

/* The last symbol trades on the curve; the first is not quoted. */
static void set_up(ap_instrument instruments[SYMBOLS], ap_risk_account *account) {
    ap_bond bond;
    CHECK_EQUAL(ap_bond_init(&bond, 0.04, ap_date(2036, 11, 15), ap_date(2026, 11, 23)), AP_TREASURY_OK);
    memset(instruments, 0, sizeof *instruments * SYMBOLS);
    for (int i = 1; i < SYMBOLS; i++) {
        ap_strategy_terms terms = TERMS;
        terms.value_weight = i == SYMBOLS - 1 ? AP_STRATEGY_ONE / 4 : 0;
        memcpy(instruments[i].symbol, "FUZZED  ", sizeof instruments[i].symbol);
        instruments[i].is_quoted = true;
        CHECK(ap_strategy_init(&instruments[i].strategy, &terms, &bond, &CURVE, 0.04));
        CHECK(ap_risk_symbol_init(&instruments[i].risk, &SYMBOL_LIMITS, 0));
    }
    CHECK(ap_risk_account_init(account, &ACCOUNT_LIMITS));
}

static void check_quote(const ap_quote *quote, const resting *rests) {
    CHECK_EQUAL(quote->order.size, rests->quantity - (rests->quantity == 0 ? 0 : rests->executed));
    if (quote->order.size == 0)
        return;
    CHECK_EQUAL(quote->user_reference, rests->reference);
    CHECK_EQUAL(quote->order.price, rests->price);
    CHECK(quote->order.size <= MOST_SIZE && rests->quantity <= AP_OUCH_MOST_QUANTITY);
}

static void check(const ap_trader *trader, const exchange *market) {
    uint64_t open = 0;
    for (int i = 0; i < SYMBOLS; i++) {
        const ap_instrument *instrument = &trader->instruments[i];
        const ap_risk_order *bid = &instrument->bid.order, *offer = &instrument->offer.order;
        check_quote(&instrument->bid, &market->sides[i][0]);
        check_quote(&instrument->offer, &market->sides[i][1]);
        CHECK(bid->size == 0 || offer->size == 0 || bid->price < offer->price);
        CHECK_EQUAL(instrument->risk.open_buys, bid->size);
        CHECK_EQUAL(instrument->risk.open_sells, offer->size);
        CHECK(instrument->risk.position + bid->size <= MOST_POSITION);
        CHECK(instrument->risk.position - (int64_t)offer->size >= -MOST_POSITION);
        open += (uint64_t)bid->price * bid->size + (uint64_t)offer->price * offer->size;
    }
    CHECK_EQUAL(trader->account->open_notional, open);
    CHECK(open <= ACCOUNT_LIMITS.most_open_notional);
    CHECK(trader->entered == market->entered && trader->replaced == market->replaced &&
          trader->cancelled == market->cancelled);
}

static void fill(ap_trader *trader, exchange *market, const fuzz_record *record) {
    if (record->size < 4)
        return;
    int is_sell = record->kind == SELL_FILLS;
    uint32_t symbol = ap_load_be16(record->bytes), size = ap_load_be16(record->bytes + 2);
    resting *rests = symbol < SYMBOLS ? &market->sides[symbol][is_sell] : NULL;
    bool is_there = symbol > 0 && rests != NULL && (rests->quantity == 0 ? 0 : rests->quantity - rests->executed) >= size;
    CHECK_EQUAL(ap_trader_fill(trader, symbol, is_sell ? 'S' : 'B', size), is_there);
    if (is_there && rests->quantity != 0 && (rests->executed += size) == rests->quantity)
        *rests = (resting){0};
}

static void receive(ap_trader *trader, exchange *market, fuzz_record *record) {
    ap_tick tick;
    ap_itch_status status;
    fuzz_packet(record, trader->feed.next);
    if (ap_trader_open(trader, record->bytes, record->size) == AP_FEED_GAP)
        CHECK(trader->is_stopped);
    while ((status = ap_trader_next(trader, &tick)) != AP_ITCH_END) {
        bool may_quote = status == AP_ITCH_OK && !trader->is_stopped && !trader->account->killed &&
                         tick.symbol < SYMBOLS && !trader->instruments[tick.symbol].is_halted;
        take_all(market, &tick, may_quote);
        check(trader, market);
    }
    free(record->bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_input input = {data, size};
    fuzz_record record;
    ap_instrument instruments[SYMBOLS];
    ap_risk_account account;
    ap_trader trader;
    ap_tick tick;
    exchange market = {0};
    ap_book *book = ap_book_create(SYMBOLS, ORDERS);
    CHECK(book != NULL);
    set_up(instruments, &account);
    ap_trader_init(&trader, book, instruments, SYMBOLS, &CURVE, &account);
    while (fuzz_take(&input, &record)) {
        switch (record.kind) {
        case BUY_FILLS:
        case SELL_FILLS:
            fill(&trader, &market, &record);
            break;
        case PULL:
            ap_trader_pull(&trader, record.size == 0 ? UINT32_MAX : record.bytes[0], &tick);
            take_all(&market, &tick, false);
            break;
        case RESUME:
            ap_trader_resume(&trader);
            break;
        case KILL:
            ap_risk_kill(&account);
            break;
        case REVIVE:
            ap_risk_revive(&account);
            break;
        default:
            receive(&trader, &market, &record);
        }
        check(&trader, &market);
    }
    expect_sound(book);
    ap_book_destroy(book);
    return 0;
}
