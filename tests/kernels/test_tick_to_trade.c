/* The trader on packets that are lost, doubled, out of order and wrong: whatever comes, what it sends is sound. */
#include "tick_to_trade.h"

#include <string.h>

#include "check.h"
#include "generator.h"
#include "loops.h"

enum { SYMBOLS = AP_GENERATOR_SYMBOLS + 1, PACKETS = 200000, ROOM = AP_FEED_HEADER + 6 * (2 + AP_ITCH_MAX_LENGTH) };

static ap_instrument instruments[SYMBOLS];
static ap_curve curve = {.knots = 1, .days = {3650}, .yields = {0.04}};
static ap_risk_account account;

static void set_up(void) {
    const ap_strategy_terms terms = {
        .tick = 100,
        .half_spread = 100,
        .most_spread = 5000,
        .skew = 300,
        .most_value = 200,
        .imbalance_weight = AP_STRATEGY_ONE / 2,
        .value_weight = AP_STRATEGY_ONE / 4,
        .order_size = 300,
        .most_position = 900,
        .units_per_point = 25000,
    };
    const ap_risk_symbol_limits symbol_limits = {.band = 1 << 12, .most_size = 300, .most_position = 900};
    const ap_risk_limits limits = {UINT64_C(2000000000), UINT64_C(100000000000), 100000, 100};
    ap_bond bond;
    CHECK_EQUAL(ap_bond_init(&bond, 0.04, ap_date(2036, 11, 15), ap_date(2026, 11, 23)), AP_TREASURY_OK);
    CHECK(ap_risk_account_init(&account, &limits));
    for (int i = 1; i < SYMBOLS; i++) {
        memcpy(instruments[i].symbol, "SYMBOL  ", 8);
        instruments[i].is_quoted = ap_strategy_init(&instruments[i].strategy, &terms, &bond, &curve, 0.04) &&
                                   ap_risk_symbol_init(&instruments[i].risk, &symbol_limits, 0);
        CHECK(instruments[i].is_quoted);
    }
}

/* Whole OUCH messages, at most two; every one fit for an exchange. */
static void expect_orders(const ap_tick *tick) {
    size_t at = 0;
    int messages = 0;
    CHECK(tick->size <= sizeof tick->orders);
    for (; at < tick->size; messages++) {
        ap_ouch_message message;
        size_t length = ap_ouch_length((char)tick->orders[at]);
        CHECK(length != 0 && length <= tick->size - at);
        CHECK_EQUAL(ap_ouch_decode(tick->orders + at, length, &message), AP_OUCH_OK);
        if (message.type == 'O')
            CHECK(message.enter_order.quantity > 0 && message.enter_order.quantity <= AP_OUCH_MOST_QUANTITY &&
                  message.enter_order.price > 0);
        if (message.type == 'U')
            CHECK(message.replace_order.quantity > 0 && message.replace_order.quantity <= AP_OUCH_MOST_QUANTITY &&
                  message.replace_order.price > 0);
        at += length;
    }
    CHECK(messages <= 2);
}

/* What risk holds open is what stands in the market, and no position can go beyond its limit. */
static void expect_sound(void) {
    uint64_t notional = 0;
    for (int i = 1; i < SYMBOLS; i++) {
        const ap_instrument *instrument = &instruments[i];
        const ap_risk_order *bid = &instrument->bid.order, *offer = &instrument->offer.order;
        CHECK_EQUAL(instrument->risk.open_buys, bid->size);
        CHECK_EQUAL(instrument->risk.open_sells, offer->size);
        CHECK(instrument->risk.position + (int64_t)bid->size <= 900);
        CHECK(instrument->risk.position - (int64_t)offer->size >= -900);
        CHECK(bid->size == 0 || offer->size == 0 || bid->price < offer->price);
        notional += (uint64_t)bid->price * bid->size + (uint64_t)offer->price * offer->size;
    }
    CHECK_EQUAL(account.open_notional, notional);
}

static void whatever_comes_the_orders_are_sound(void) {
    static ap_generator generator;
    static const char session[AP_FEED_SESSION + 1] = "SESSION  1";
    uint64_t random = 90, sequence = 1, sent = 0, fills = 0;
    ap_book *book = ap_book_create(SYMBOLS, 8192);
    CHECK(book != NULL);
    set_up();
    ap_trader trader;
    ap_trader_init(&trader, book, instruments, SYMBOLS, &curve, &account, NULL);
    ap_generator_init(&generator, 90);
    for (int i = 0; i < PACKETS; i++) {
        uint64_t r = ap_splitmix64(&random);
        uint8_t frames[ROOM], *bytes = malloc(ROOM);
        CHECK(bytes != NULL);
        size_t size, frames_size = ap_generator_fill(&generator, frames, ROOM - AP_FEED_HEADER, 1 + r % 3);
        ap_feed_pack(session, sequence, frames, frames_size, bytes, ROOM, &size);
        sequence += 1 + r % 3;
        if ((r >> 8) % 64 == 0) { /* one bit behind the header */
            size_t at = AP_FEED_HEADER + (r >> 16) % (size - AP_FEED_HEADER);
            bytes[at] ^= (uint8_t)(1 << (r >> 48) % 8);
        }
        bytes = realloc(bytes, size);
        CHECK(bytes != NULL);
        int times = (r >> 32) % 64 == 0 ? 0 : (r >> 32) % 64 == 1 ? 2 : 1;
        while (times-- > 0) {
            ap_tick tick;
            ap_itch_status status;
            ap_trader_open(&trader, bytes, size);
            while ((status = ap_trader_next(&trader, &tick)) != AP_ITCH_END) {
                expect_orders(&tick);
                sent += tick.size != 0;
                if (status == AP_ITCH_OK && tick.size != 0 && ap_splitmix64(&random) % 4 == 0)
                    fills += ap_trader_fill(&trader, tick.symbol, ap_splitmix64(&random) & 1 ? 'B' : 'S',
                                            1 + ap_splitmix64(&random) % 300);
            }
        }
        free(bytes);
        if (r >> 40 & 1)
            ap_trader_resume(&trader);
        if (i % 64 == 0)
            expect_sound();
    }
    expect_sound();
    CHECK(sent > 1000 && fills > 100);
    CHECK(trader.feed.counts[AP_FEED_GAPS] > 1000 && trader.feed.counts[AP_FEED_DUPLICATES] > 1000);
    for (uint32_t symbol = 0; symbol <= SYMBOLS; symbol++) {
        ap_tick tick;
        ap_trader_pull(&trader, symbol, &tick);
        expect_orders(&tick);
    }
    CHECK_EQUAL(account.open_notional, 0);
    ap_book_destroy(book);
}

/* Recording takes the same ticks to the same orders as not recording does. */
static void recording_changes_nothing(void) {
    enum { MESSAGES = 20000, TICKS = 300 };
    static ap_generator generator;
    static uint8_t data[MESSAGES * (2 + AP_ITCH_MAX_LENGTH)];
    static uint64_t stage_ns[TICKS * AP_STAGES];
    ap_generator_init(&generator, 91);
    size_t size = ap_generator_fill(&generator, data, sizeof data, MESSAGES);
    void *recorded = ap_trade_loop_create(data, size), *plain = ap_trade_loop_create(data, size);
    CHECK(recorded != NULL && plain != NULL);
    memset(stage_ns, 0xff, sizeof stage_ns);
    CHECK_EQUAL(ap_trade_loop_record(recorded, TICKS, stage_ns), TICKS);
    for (int i = 0; i < TICKS * AP_STAGES; i++)
        CHECK(stage_ns[i] != UINT64_MAX);
    uint64_t checksum = ap_trade_loop(recorded, 0);
    for (uint64_t i = 0; ap_trade_loop(plain, 1) != checksum; i++)
        CHECK(i < ap_trade_loop_period(plain));
    CHECK_EQUAL(ap_trade_loop(plain, 1000), ap_trade_loop(recorded, 1000));
    ap_trade_loop_destroy(recorded);
    ap_trade_loop_destroy(plain);
}

/* One order and its delete: nothing is ever quoted. */
static void a_day_without_orders_ends_the_recording(void) {
    static ap_generator generator;
    uint8_t data[52];
    uint64_t stage_ns[AP_STAGES];
    ap_itch_message message;
    ap_generator_init(&generator, 92);
    do
        ap_generator_next(&generator, &message);
    while (message.type != 'A');
    size_t length = ap_itch_encode(&message, data + 2);
    data[0] = 0;
    data[1] = (uint8_t)length;
    void *state = ap_trade_loop_create(data, 2 + length);
    CHECK(state != NULL);
    CHECK_EQUAL(ap_trade_loop_period(state), 2);
    CHECK_EQUAL(ap_trade_loop_record(state, 1, stage_ns), 0);
    ap_trade_loop_destroy(state);
}

int main(void) {
    whatever_comes_the_orders_are_sound();
    recording_changes_nothing();
    a_day_without_orders_ends_the_recording();
    return 0;
}
