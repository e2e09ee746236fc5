/* What the strategy promises whatever it is given, over the whole range of every input; sanitizers see each overflow. */
#include "strategy.h"

#include "check.h"
#include "generator.h"

static uint64_t drawn = 1;

/* The ends of a range, and all orders of magnitude in between. */
static uint64_t draw(uint64_t least, uint64_t most) {
    uint64_t random = ap_splitmix64(&drawn), reach = most - least;
    switch (random & 7) {
    case 0: return least;
    case 1: return most;
    default: reach >>= random >> 3 & 63; return least + (reach == UINT64_MAX ? random : ap_splitmix64(&drawn) % (reach + 1));
    }
}

static ap_strategy draw_strategy(ap_curve *curve) {
    ap_strategy_terms terms = {
        .tick = (uint32_t)draw(1, AP_STRATEGY_MOST),
        .half_spread = (uint32_t)draw(1, AP_STRATEGY_MOST),
        .most_spread = (uint32_t)draw(1, AP_STRATEGY_MOST),
        .skew = (uint32_t)draw(0, AP_STRATEGY_MOST),
        .most_value = (uint32_t)draw(0, AP_STRATEGY_MOST),
        .imbalance_weight = (uint32_t)draw(0, AP_STRATEGY_ONE),
        .value_weight = (uint32_t)draw(0, AP_STRATEGY_ONE),
        .order_size = (uint32_t)draw(1, UINT32_MAX),
        .most_position = (uint32_t)draw(1, INT32_MAX),
        .premium = (double)draw(0, 2000) * 1e-3 - 1,
        .units_per_point = (double)draw(1, AP_STRATEGY_MOST),
    };
    ap_bond bond;
    int32_t today = ap_date(2026, 11, 23);
    CHECK_EQUAL(ap_bond_init(&bond, (double)draw(0, 1000) * 1e-3, today + (int32_t)draw(1, 36000), today), AP_TREASURY_OK);
    *curve = (ap_curve){.knots = (int32_t)draw(1, AP_CURVE_KNOTS)};
    for (int32_t i = 0; i < curve->knots; i++) {
        curve->days[i] = (i > 0 ? curve->days[i - 1] : 0) + (int32_t)draw(1, 5000);
        curve->yields[i] = (double)draw(0, 1000) * 1e-4;
    }
    ap_strategy strategy;
    CHECK(ap_strategy_init(&strategy, &terms, &bond, curve, (double)draw(0, 5100) * 0.01 - 1));
    return strategy;
}

static void quotes_keep_their_promises(const ap_strategy_terms *terms, const ap_strategy_market *market,
                                       int32_t inventory, ap_strategy_status status, ap_strategy_quotes quotes) {
    CHECK((quotes.bid_size > 0) == (quotes.bid > 0));
    CHECK((quotes.offer_size > 0) == (quotes.offer > 0));
    CHECK((status == AP_STRATEGY_QUOTES) == (quotes.bid_size > 0 || quotes.offer_size > 0));
    CHECK(quotes.bid % terms->tick == 0 && quotes.offer % terms->tick == 0);
    if (quotes.bid_size > 0) {
        CHECK(quotes.bid < market->offer && quotes.bid_size <= terms->order_size);
        CHECK((int64_t)inventory + quotes.bid_size <= terms->most_position);
    }
    if (quotes.offer_size > 0) {
        CHECK(quotes.offer > market->bid && quotes.offer_size <= terms->order_size);
        CHECK((int64_t)inventory - quotes.offer_size >= -(int64_t)terms->most_position);
    }
    if (quotes.bid_size > 0 && quotes.offer_size > 0)
        CHECK((int64_t)quotes.offer - quotes.bid >= 2 * (int64_t)terms->half_spread);
}

int main(void) {
    uint64_t seen[AP_STRATEGY_NO_ROOM + 1] = {0};
    for (int i = 0; i < 20000; i++) {
        ap_curve curve;
        ap_strategy strategy = draw_strategy(&curve);
        for (int k = 0; k < 20; k++) {
            uint32_t bid = (uint32_t)draw(0, UINT32_MAX), reach = UINT32_MAX - bid;
            uint32_t most = reach < strategy.terms.most_spread ? reach : strategy.terms.most_spread;
            ap_strategy_market market = {bid, bid + (uint32_t)draw(0, most), draw(0, UINT64_MAX), draw(0, UINT64_MAX)};
            if (k % 8 == 0)
                market.offer = (uint32_t)draw(0, UINT32_MAX);
            int32_t inventory = (int32_t)((int64_t)draw(0, UINT32_MAX) + INT32_MIN);
            ap_strategy_quotes quotes;
            ap_strategy_status status = ap_strategy_decide(&strategy, &curve, &market, inventory, &quotes);
            CHECK(status <= AP_STRATEGY_NO_ROOM);
            seen[status]++;
            quotes_keep_their_promises(&strategy.terms, &market, inventory, status, quotes);
        }
    }
    for (int i = 0; i <= AP_STRATEGY_NO_ROOM; i++)
        CHECK(seen[i] > 1000);
    return 0;
}
