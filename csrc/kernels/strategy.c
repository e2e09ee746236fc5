#include "strategy.h"

#include "elementary.h"

/* ---- Curve --------------------------------------------------------------------------------------------------- */

ap_curve_place ap_curve_find(const ap_curve *curve, int32_t days) {
    int32_t last = curve->knots - 1, knot = 0;
    if (days <= curve->days[0])
        return (ap_curve_place){0, 0, 0};
    if (days >= curve->days[last])
        return (ap_curve_place){last, last, 0};
    while (days >= curve->days[knot + 1])
        knot++;
    double from = curve->days[knot], to = curve->days[knot + 1];
    return (ap_curve_place){knot, knot + 1, (days - from) / (to - from)};
}

double ap_curve_at(const ap_curve *curve, ap_curve_place place) {
    double from = curve->yields[place.knot], to = curve->yields[place.next];
    return from + (to - from) * place.weight;
}

/* ---- Set-up -------------------------------------------------------------------------------------------------- */

static bool is_curve(const ap_curve *curve) {
    if (curve->knots < 1 || curve->knots > AP_CURVE_KNOTS)
        return false;
    for (int32_t i = 1; i < curve->knots; i++)
        if (curve->days[i] <= curve->days[i - 1])
            return false;
    return true;
}

static bool is_within(uint32_t value, uint32_t least, uint32_t most) {
    return value >= least && value <= most;
}

bool ap_strategy_init(ap_strategy *strategy, const ap_strategy_terms *terms, const ap_bond *bond, const ap_curve *curve,
                      double yield) {
    ap_bond_risk risk;
    if (!is_within(terms->tick, 1, AP_STRATEGY_MOST) || !is_within(terms->half_spread, 1, AP_STRATEGY_MOST) ||
        !is_within(terms->most_spread, 1, AP_STRATEGY_MOST) || terms->skew > AP_STRATEGY_MOST ||
        terms->most_value > AP_STRATEGY_MOST || terms->imbalance_weight > AP_STRATEGY_ONE ||
        terms->value_weight > AP_STRATEGY_ONE || terms->order_size == 0 ||
        !is_within(terms->most_position, 1, INT32_MAX) || !(terms->premium >= -1 && terms->premium <= 1) ||
        !(terms->units_per_point > 0 && terms->units_per_point <= AP_STRATEGY_MOST))
        return false;
    if (!is_curve(curve) || ap_bond_risk_at(bond, yield, &risk) != AP_TREASURY_OK)
        return false;
    *strategy = (ap_strategy){
        .terms = *terms,
        .bond = *bond,
        .place = ap_curve_find(curve, bond->maturity - bond->settlement),
        .yield = yield,
        .slope = risk.dv01 * 10000 * terms->units_per_point,
        .skew_of_one = (int64_t)terms->skew * AP_STRATEGY_ONE / terms->most_position,
    };
    return true;
}

/* ---- Decision ------------------------------------------------------------------------------------------------ */

static int64_t clamp(int64_t value, int64_t most) {
    return value < -most ? -most : value > most ? most : value;
}

bool ap_strategy_value(ap_strategy *strategy, const ap_curve *curve, const ap_strategy_market *market, int64_t *value) {
    const ap_strategy_terms *terms = &strategy->terms;
    *value = 0;
    if (terms->value_weight == 0)
        return true;
    double price = ((double)market->bid + (double)market->offer) / (2 * terms->units_per_point), yield;
    if (ap_bond_yield(&strategy->bond, price, strategy->yield, &yield) != AP_TREASURY_OK)
        return false;
    strategy->yield = yield;
    double cheap = (yield - ap_curve_at(curve, strategy->place) - terms->premium) * strategy->slope;
    double most = terms->most_value;
    if (cheap != cheap)
        return false; /* the curve holds what is no number */
    cheap = cheap < -most ? -most : cheap > most ? most : cheap;
    *value = (int64_t)(cheap < 0 ? cheap - 0.5 : cheap + 0.5);
    return true;
}

/* From -2^16, nothing but offers, to 2^16, nothing but bids. Sums beyond 2^32 are cut: no market is that deep. */
static int64_t imbalance_of(const ap_strategy_market *market) {
    uint64_t bids = market->bid_shares, offers = market->offer_shares;
    int64_t b = (int64_t)(bids > UINT32_MAX ? UINT32_MAX : bids), o = (int64_t)(offers > UINT32_MAX ? UINT32_MAX : offers);
    return (b - o) * AP_STRATEGY_ONE / (b + o);
}

static int64_t floor_to(int64_t price, int64_t tick) {
    int64_t rest = price % tick;
    return price - (rest < 0 ? rest + tick : rest);
}

static uint32_t size_for(const ap_strategy_terms *terms, int64_t held) {
    int64_t room = terms->most_position - held;
    return room <= 0 ? 0 : room < terms->order_size ? (uint32_t)room : terms->order_size;
}

ap_strategy_status ap_strategy_decide(ap_strategy *strategy, const ap_curve *curve, const ap_strategy_market *market,
                                      int32_t inventory, ap_strategy_quotes *quotes) {
    const ap_strategy_terms *terms = &strategy->terms;
    int64_t bid = market->bid, offer = market->offer, spread = offer - bid, tick = terms->tick, value;
    *quotes = (ap_strategy_quotes){0};
    if (market->bid_shares == 0 || market->offer_shares == 0)
        return AP_STRATEGY_ONE_SIDED;
    if (spread <= 0)
        return AP_STRATEGY_CROSSED;
    if (spread > terms->most_spread)
        return AP_STRATEGY_WIDE;
    if (!ap_strategy_value(strategy, curve, market, &value))
        return AP_STRATEGY_NO_VALUE;

    /* In 2^-16 units. */
    int64_t fair = (bid + offer) * (AP_STRATEGY_ONE / 2) +
                   imbalance_of(market) * terms->imbalance_weight / 2 * spread / AP_STRATEGY_ONE +
                   value * terms->value_weight - clamp(inventory, terms->most_position) * strategy->skew_of_one;
    int64_t half = (int64_t)terms->half_spread * AP_STRATEGY_ONE, step = tick * AP_STRATEGY_ONE;
    int64_t own_bid = floor_to(fair - half, step) / AP_STRATEGY_ONE;
    int64_t own_offer = -(floor_to(-(fair + half), step) / AP_STRATEGY_ONE);
    int64_t highest = floor_to(offer - 1, tick), lowest = floor_to(bid, tick) + tick;
    own_bid = own_bid < highest ? own_bid : highest;
    own_offer = own_offer > lowest ? own_offer : lowest;

    uint32_t bid_size = size_for(terms, inventory), offer_size = size_for(terms, -(int64_t)inventory);
    if (own_bid > 0 && bid_size > 0) {
        quotes->bid = (uint32_t)own_bid;
        quotes->bid_size = bid_size;
    }
    if (own_offer > 0 && own_offer <= UINT32_MAX && offer_size > 0) {
        quotes->offer = (uint32_t)own_offer;
        quotes->offer_size = offer_size;
    }
    return quotes->bid_size + quotes->offer_size == 0 ? AP_STRATEGY_NO_ROOM : AP_STRATEGY_QUOTES;
}
