/* What the checks promise through long random trading, and a kill switch that another thread throws. */
#include "risk.h"

#include <pthread.h>

#include "check.h"
#include "generator.h"

enum { OPEN = 64, MOST_POSITION = 1000, MOST_SIZE = 200 };

static const ap_risk_limits limits = {
    .most_notional = 150 * 1000,
    .most_open_notional = 2000 * 1000,
    .orders_per_second = 3, /* a token each 333,333,334 ns */
    .burst = 5,
};
static const ap_risk_symbol_limits symbol_limits = {.band = 6554, .most_size = MOST_SIZE, .most_position = MOST_POSITION};

typedef struct {
    ap_risk_account account;
    ap_risk_symbol symbol;
} desk;

static desk new_desk(int32_t position) {
    desk new;
    CHECK(ap_risk_account_init(&new.account, &limits));
    CHECK(ap_risk_symbol_init(&new.symbol, &symbol_limits, position));
    ap_risk_reference(&new.symbol, 1000);
    return new;
}

static void a_good_order_passes_and_each_limit_refuses_by_its_name(void) {
    static const struct {
        ap_risk_order order;
        unsigned reasons;
    } cases[] = {
        {{1000, 100, 'B'}, 0},
        {{1000, 100, 'S'}, 0},
        {{899, 1, 'B'}, AP_RISK_PRICE},
        {{900, 1, 'B'}, 0},
        {{1100, 1, 'B'}, 0},
        {{1101, 1, 'B'}, AP_RISK_PRICE},
        {{1000, 150, 'S'}, 0},
        {{1001, 150, 'S'}, AP_RISK_NOTIONAL},
        {{1000, 201, 'B'}, AP_RISK_SIZE | AP_RISK_NOTIONAL},
        {{1000, 0, 'B'}, AP_RISK_BAD_ORDER},
        {{0, 10, 'B'}, AP_RISK_BAD_ORDER | AP_RISK_PRICE},
        {{1000, 10, 'b'}, AP_RISK_BAD_ORDER},
        {{1000, 10, 0}, AP_RISK_BAD_ORDER},
        {{1000, 1001, 'B'}, AP_RISK_SIZE | AP_RISK_POSITION | AP_RISK_NOTIONAL},
        {{1000, 2001, 'S'}, AP_RISK_SIZE | AP_RISK_POSITION | AP_RISK_NOTIONAL | AP_RISK_OPEN_NOTIONAL},
        {{UINT32_MAX, UINT32_MAX, 'B'},
         AP_RISK_PRICE | AP_RISK_SIZE | AP_RISK_POSITION | AP_RISK_NOTIONAL | AP_RISK_OPEN_NOTIONAL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        desk one = new_desk(0);
        CHECK_EQUAL(ap_risk_check(&one.account, &one.symbol, &cases[i].order, 0), cases[i].reasons);
        CHECK_EQUAL(one.account.passed, cases[i].reasons == 0);
        for (int bit = 0; bit < AP_RISK_REASONS; bit++)
            CHECK_EQUAL(one.account.refused[bit], cases[i].reasons >> bit & 1);
    }
}

static void the_band_lies_around_the_reference(void) {
    desk one = new_desk(0);
    CHECK_EQUAL(one.symbol.lowest, 900);
    CHECK_EQUAL(one.symbol.highest, 1100);
    ap_risk_reference(&one.symbol, UINT32_MAX);
    CHECK_EQUAL(one.symbol.highest, UINT32_MAX);
    ap_risk_reference(&one.symbol, 9); /* a tenth of 9 is less than a unit */
    CHECK_EQUAL(one.symbol.lowest, 9);
    CHECK_EQUAL(one.symbol.highest, 9);
    CHECK(ap_risk_symbol_init(&one.symbol, &symbol_limits, 0));
    const ap_risk_order order = {1, 1, 'B'};
    CHECK_EQUAL(ap_risk_check(&one.account, &one.symbol, &order, 0), AP_RISK_PRICE); /* no reference, no order */
}

static void tokens_come_back_one_by_one(void) {
    desk one = new_desk(0);
    const ap_risk_order order = {1000, 1, 'B'};
    const uint64_t start = 1000000, token = 333333334;
    for (int i = 0; i < 5; i++)
        CHECK_EQUAL(ap_risk_check(&one.account, &one.symbol, &order, start), 0);
    CHECK_EQUAL(ap_risk_check(&one.account, &one.symbol, &order, start), AP_RISK_RATE);
    CHECK_EQUAL(ap_risk_check(&one.account, &one.symbol, &order, 0), AP_RISK_RATE); /* time goes back */
    CHECK_EQUAL(ap_risk_check(&one.account, &one.symbol, &order, start + token - 1), AP_RISK_RATE);
    CHECK_EQUAL(ap_risk_check(&one.account, &one.symbol, &order, start + token), 0);
    CHECK_EQUAL(ap_risk_check(&one.account, &one.symbol, &order, start + 2 * token - 1), AP_RISK_RATE);
    CHECK_EQUAL(ap_risk_check(&one.account, &one.symbol, &order, start + 3 * token), 0);
    CHECK_EQUAL(ap_risk_check(&one.account, &one.symbol, &order, start), 0); /* one was left */
    CHECK_EQUAL(ap_risk_check(&one.account, &one.symbol, &order, start), AP_RISK_RATE);
    for (int i = 0; i < 5; i++) /* full again, and no fuller */
        CHECK_EQUAL(ap_risk_check(&one.account, &one.symbol, &order, start + 100 * token), 0);
    CHECK_EQUAL(ap_risk_check(&one.account, &one.symbol, &order, start + 100 * token), AP_RISK_RATE);
}

static void limits_outside_their_range_are_refused(void) {
    desk one = new_desk(0);
    ap_risk_limits of_account = limits;
    of_account.orders_per_second = 0;
    CHECK(!ap_risk_account_init(&one.account, &of_account));
    of_account.orders_per_second = 1000000001;
    CHECK(!ap_risk_account_init(&one.account, &of_account));
    of_account.orders_per_second = 1000000000;
    CHECK(ap_risk_account_init(&one.account, &of_account));
    CHECK_EQUAL(one.account.token_ns, 1);
    of_account.burst = 0;
    CHECK(!ap_risk_account_init(&one.account, &of_account));
    ap_risk_symbol_limits of_symbol = symbol_limits;
    of_symbol.band = 65537;
    CHECK(!ap_risk_symbol_init(&one.symbol, &of_symbol, 0));
    of_symbol = symbol_limits;
    of_symbol.most_position = (uint32_t)INT32_MAX + 1;
    CHECK(!ap_risk_symbol_init(&one.symbol, &of_symbol, 0));
}

/* Orders at random, filled or released in pieces at random: no limit is ever passed, and at the end nothing is open. */
static void whatever_becomes_of_the_orders_no_limit_is_passed(uint64_t seed, int32_t start) {
    desk one = new_desk(start);
    struct {
        ap_risk_order order;
        uint32_t left;
    } open[OPEN] = {0};
    uint64_t now = 0;
    for (int step = 0; step < 300000; step++) {
        uint64_t random = ap_splitmix64(&seed), slot = random % OPEN;
        if (open[slot].left == 0) {
            ap_risk_order order = {850 + (uint32_t)(random >> 8) % 300, 1 + (uint32_t)(random >> 20) % 250,
                                   random >> 63 ? 'B' : 'S'};
            now += random >> 32 & 0x3fffffff;
            if (ap_risk_check(&one.account, &one.symbol, &order, now) == 0) {
                open[slot].order = order;
                open[slot].left = order.size;
            }
        } else {
            uint32_t piece = 1 + (uint32_t)(random >> 8) % open[slot].left;
            bool (*close)(ap_risk_account *, ap_risk_symbol *, const ap_risk_order *, uint32_t) =
                random >> 63 ? ap_risk_fill : ap_risk_release;
            CHECK(close(&one.account, &one.symbol, &open[slot].order, piece));
            open[slot].left -= piece;
        }
        int64_t most_long = start > MOST_POSITION ? start : MOST_POSITION;
        int64_t most_short = start < -MOST_POSITION ? -start : MOST_POSITION;
        CHECK(one.symbol.position + (int64_t)one.symbol.open_buys <= most_long);
        CHECK((int64_t)one.symbol.open_sells - one.symbol.position <= most_short);
        CHECK(one.account.open_notional <= limits.most_open_notional);
    }
    for (int i = 0; i < OPEN; i++) {
        CHECK(!ap_risk_fill(&one.account, &one.symbol, &open[i].order, open[i].order.size + 1)); /* more than it was */
        CHECK(ap_risk_release(&one.account, &one.symbol, &open[i].order, open[i].left));
    }
    CHECK_EQUAL(one.symbol.open_buys + one.symbol.open_sells + one.account.open_notional, 0);
    CHECK(one.account.passed > 1000);
    const ap_risk_order gone = {1000, 1, 'B'};
    CHECK(!ap_risk_fill(&one.account, &one.symbol, &gone, 1));
    CHECK(!ap_risk_release(&one.account, &one.symbol, &gone, 1));
}

static void *kill_it(void *account) {
    ap_risk_kill(account);
    return NULL;
}

static void a_kill_from_another_thread_stops_all_orders(void) {
    desk one = new_desk(0);
    const ap_risk_order order = {1000, 1, 'B'};
    pthread_t killer;
    CHECK_EQUAL(pthread_create(&killer, NULL, kill_it, &one.account), 0);
    uint64_t now = 0;
    unsigned reasons;
    do {
        now += 1000000000;
        reasons = ap_risk_check(&one.account, &one.symbol, &order, now);
        CHECK(reasons == 0 || reasons == AP_RISK_KILLED);
        if (reasons == 0)
            CHECK(ap_risk_release(&one.account, &one.symbol, &order, 1));
    } while (reasons == 0);
    CHECK_EQUAL(pthread_join(killer, NULL), 0);
    CHECK_EQUAL(ap_risk_check(&one.account, &one.symbol, &order, now), AP_RISK_KILLED);
    ap_risk_revive(&one.account);
    CHECK_EQUAL(ap_risk_check(&one.account, &one.symbol, &order, now), 0);
}

int main(void) {
    a_good_order_passes_and_each_limit_refuses_by_its_name();
    the_band_lies_around_the_reference();
    tokens_come_back_one_by_one();
    limits_outside_their_range_are_refused();
    whatever_becomes_of_the_orders_no_limit_is_passed(1, 0);
    whatever_becomes_of_the_orders_no_limit_is_passed(2, 5000); /* begins beyond the limit, and only comes back */
    whatever_becomes_of_the_orders_no_limit_is_passed(3, -5000);
    a_kill_from_another_thread_stops_all_orders();
    return 0;
}
