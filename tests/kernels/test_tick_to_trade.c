/* The trader on packets that are lost, doubled, out of order and wrong: whatever comes, what it sends is sound. */
#include "tick_to_trade.h"

#include <string.h>

#include "check.h"
#include "generator.h"
#include "loops.h"
#include "stage_times.h"

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
    ap_trader_init(&trader, book, instruments, SYMBOLS, &curve, &account);
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

/* What a watch sees of one tick. */
typedef struct {
    int points;      /* passed since the arrival, each once and in order */
    uint64_t orders; /* ticks that passed the last one */
} sight;

static void look(void *context, int point) {
    sight *seen = context;
    if (point == 0)
        seen->points = 0;
    CHECK_EQUAL(point, seen->points);
    seen->points++;
    seen->orders += point == AP_STAGES;
}

static void a_watch_sees_each_stage_and_the_last_of_ticks_with_orders_alone(void) {
    enum { MESSAGES = 20000 };
    static ap_generator generator;
    sight seen = {0};
    const ap_watch watch = {look, &seen};
    uint64_t sent = 0;
    ap_book *book = ap_book_create(SYMBOLS, 8192);
    CHECK(book != NULL);
    set_up();
    ap_trader trader;
    ap_trader_init(&trader, book, instruments, SYMBOLS, &curve, &account);
    trader.watch = &watch;
    ap_generator_init(&generator, 93);
    for (uint64_t sequence = 1; sequence <= MESSAGES; sequence++) {
        uint8_t frame[2 + AP_ITCH_MAX_LENGTH], packet[ROOM];
        size_t size, frame_size = ap_generator_fill(&generator, frame, sizeof frame, 1);
        ap_feed_pack("SESSION  1", sequence, frame, frame_size, packet, sizeof packet, &size);
        ap_tick tick;
        ap_trader_open(&trader, packet, size);
        CHECK_EQUAL(seen.points, 1);
        CHECK_EQUAL(ap_trader_next(&trader, &tick), AP_ITCH_OK);
        CHECK(seen.points > AP_STAGE_BOOK + 1);
        CHECK_EQUAL(seen.points == AP_STAGES + 1, tick.size != 0);
        sent += tick.size != 0;
        if (tick.size != 0 && sent % 16 == 0) { /* what is pulled is no tick's */
            int points = seen.points;
            ap_trader_pull(&trader, tick.symbol, &tick);
            CHECK_EQUAL(seen.points, points);
            CHECK(trader.watch == &watch);
        }
    }
    CHECK(sent > 100);
    CHECK_EQUAL(seen.orders, sent);
    ap_book_destroy(book);
}

/* Whether timed one by one, at a rate, stage by stage or not at all, ticks give the same orders. */
static void whoever_looks_on_the_orders_are_the_same(void) {
    enum { MESSAGES = 20000, TICKS = 1000, ROOM_FOR = 100 };
    static ap_generator generator;
    static uint8_t data[MESSAGES * (2 + AP_ITCH_MAX_LENGTH)];
    static uint64_t ns[TICKS], stage_ns[ROOM_FOR * AP_STAGES];
    ap_generator_init(&generator, 91);
    size_t size = ap_generator_fill(&generator, data, sizeof data, MESSAGES);
    void *plain = ap_trade_loop_create(data, size), *seen = ap_trade_loop_create(data, size);
    CHECK(plain != NULL && seen != NULL);
    ap_timing timing;
    ap_timing_init(&timing, AP_TIMING_COUNTER, 1000000);
    ap_pace_clock clock = ap_pace_clock_of(&timing);
    ap_service service = ap_trade_loop_service(seen);
    ap_stage_times times;
    memset(stage_ns, 0xff, sizeof stage_ns);
    ap_stage_times_init(&times, &timing, stage_ns, ROOM_FOR);
    uint64_t period = ap_trade_loop_period(plain);
    for (uint64_t done = 0; done < 2 * period;) {
        ap_pace closed = ap_pace_closed(&service, &clock, TICKS, ns, TICKS);
        CHECK_EQUAL(closed.operations, TICKS);
        ap_pace open = ap_pace_open(&service, &clock, 500, 500 * TICKS, ns, TICKS);
        CHECK(open.operations <= TICKS);
        uint64_t checksum = ap_trade_loop_watched(seen, TICKS, &times.watch);
        done += closed.operations + open.operations + TICKS;
        CHECK_EQUAL(checksum, ap_trade_loop(plain, closed.operations + open.operations + TICKS));
    }
    CHECK_EQUAL(times.rows, ROOM_FOR);
    for (int i = 0; i < ROOM_FOR * AP_STAGES; i++)
        CHECK(stage_ns[i] != UINT64_MAX);
    ap_trade_loop_destroy(seen);
    ap_trade_loop_destroy(plain);
}

static void stages_of_nothing_fill_the_room(void) {
    uint64_t ns[10 * AP_STAGES];
    ap_timing timing;
    ap_timing_init(&timing, AP_TIMING_COUNTER, 1000000);
    ap_stage_times times;
    memset(ns, 0xff, sizeof ns);
    ap_stage_times_init(&times, &timing, ns, 10);
    ap_stage_times_of_nothing(&times);
    CHECK_EQUAL(times.rows, 10);
    for (int i = 0; i < 10 * AP_STAGES; i++)
        CHECK(ns[i] != UINT64_MAX);
}

/* A gap pulls the quotes as their instruments move, and none comes before trading is resumed. */
static void a_gap_stops_the_trader(void) {
    static ap_generator generator;
    bool is_stopped = false;
    uint64_t before = 0, cancelled = 0;
    ap_book *book = ap_book_create(SYMBOLS, 8192);
    CHECK(book != NULL);
    set_up();
    ap_trader trader;
    ap_trader_init(&trader, book, instruments, SYMBOLS, &curve, &account);
    ap_generator_init(&generator, 94);
    for (uint64_t sequence = 1; sequence <= 30000; sequence++) {
        uint8_t frame[2 + AP_ITCH_MAX_LENGTH], packet[ROOM];
        size_t size, frame_size = ap_generator_fill(&generator, frame, sizeof frame, 1);
        if (sequence == 10000)
            continue; /* lost */
        ap_feed_pack("SESSION  1", sequence, frame, frame_size, packet, sizeof packet, &size);
        ap_feed_status status = ap_trader_open(&trader, packet, size);
        CHECK_EQUAL(status, sequence == 10001 ? AP_FEED_GAP : AP_FEED_OK);
        if (status == AP_FEED_GAP) {
            is_stopped = true;
            before = trader.entered + trader.replaced;
            CHECK(before > 10);
        }
        if (sequence == 20000) {
            CHECK(cancelled > 10);
            ap_trader_resume(&trader);
            is_stopped = false;
        }
        CHECK_EQUAL(trader.is_stopped, is_stopped);
        ap_tick tick;
        ap_trader_next(&trader, &tick);
        if (is_stopped) {
            for (size_t at = 0; at < tick.size; at += ap_ouch_length('X'), cancelled++)
                CHECK_EQUAL(tick.orders[at], 'X');
            CHECK_EQUAL(trader.entered + trader.replaced, before);
        }
    }
    CHECK(trader.entered + trader.replaced > before);
    ap_book_destroy(book);
}

int main(void) {
    whatever_comes_the_orders_are_sound();
    a_gap_stops_the_trader();
    a_watch_sees_each_stage_and_the_last_of_ticks_with_orders_alone();
    whoever_looks_on_the_orders_are_the_same();
    stages_of_nothing_fill_the_room();
    return 0;
}
