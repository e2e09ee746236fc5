/* Loops of what is computed from the market: time, yields, quotes, risk. */
#include "loops.h"

#include <stdlib.h>
#include <string.h>

#include "checksum.h"
#include "elementary.h" /* no contraction: what the kernels are fed is computed here */
#include "generator.h"
#include "risk.h"
#include "strategy.h"
#include "timing.h"
#include "treasury.h"

/* ---- Timing -------------------------------------------------------------------------------------------------- */

typedef struct {
    ap_timing timing;
    uint64_t last;
    uint64_t checksum;
} timing_loop;

void *ap_timing_loop_create(uint64_t seed) {
    timing_loop *loop = calloc(1, sizeof *loop);
    if (loop == NULL)
        return NULL;
    /* A millisecond: the loop stamps and converts nothing. */
    ap_timing_init(&loop->timing, AP_TIMING_COUNTER, 1000000);
    loop->last = ap_timing_stamp(&loop->timing);
    loop->checksum = seed;
    return loop;
}

void ap_timing_loop_destroy(void *state) {
    free(state);
}

uint64_t ap_timing_loop(void *state, uint64_t operations) {
    timing_loop *loop = state;
    uint64_t checksum = loop->checksum, last = loop->last;
    while (operations-- > 0) {
        uint64_t stamp = ap_timing_stamp(&loop->timing);
        checksum = ap_fold(checksum, stamp >= last);
        last = stamp;
    }
    loop->last = last;
    return loop->checksum = checksum;
}

/* ---- Treasury ------------------------------------------------------------------------------------------------ */

typedef struct {
    ap_bond bond;
    int32_t middle, ticks; /* where the price wanders, and where it is; 256ths of a point */
    double yield;
} treasury_quote;

typedef struct {
    uint64_t random;
    uint64_t checksum;
    treasury_quote quotes[AP_TREASURY_LOOP_BONDS];
} treasury_loop;

static uint64_t bits_of(double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

/* Maturities spread over what was issued as 2 to 30 years, coupons of 1/8 % to 6 %, yields of 3 to 5 %. */
static void draw_bond(treasury_quote *quote, uint64_t *random) {
    static const int32_t terms[] = {2, 3, 5, 7, 10, 20, 30};
    int32_t settlement = ap_date(2026, 11, 23), term = terms[ap_splitmix64(random) % 7];
    int32_t maturity = settlement + 30 + (int32_t)(ap_splitmix64(random) % (uint64_t)(365 * term - 30));
    double price = 0, yield = 0.03 + 1e-5 * (double)(ap_splitmix64(random) % 2000);
    ap_bond_init(&quote->bond, 0.00125 * (double)(1 + ap_splitmix64(random) % 48), maturity, settlement);
    ap_bond_price(&quote->bond, yield, &price);
    quote->middle = quote->ticks = (int32_t)(price * AP_TREASURY_TICKS);
    quote->yield = yield;
}

void *ap_treasury_loop_create(uint64_t seed) {
    treasury_loop *loop = calloc(1, sizeof *loop);
    if (loop == NULL)
        return NULL;
    loop->random = seed;
    for (int i = 0; i < AP_TREASURY_LOOP_BONDS; i++)
        draw_bond(&loop->quotes[i], &loop->random);
    return loop;
}

void ap_treasury_loop_destroy(void *state) {
    free(state);
}

uint64_t ap_treasury_loop(void *state, uint64_t operations) {
    treasury_loop *loop = state;
    uint64_t checksum = loop->checksum;
    while (operations-- > 0) {
        uint64_t random = ap_splitmix64(&loop->random);
        treasury_quote *quote = &loop->quotes[random % AP_TREASURY_LOOP_BONDS];
        quote->ticks += (int32_t)((random >> 32) % 5) - 2;
        if (quote->ticks < quote->middle - AP_TREASURY_TICKS || quote->ticks > quote->middle + AP_TREASURY_TICKS)
            quote->ticks = quote->middle; /* the only large move, once in thousands */
        ap_treasury_status status = ap_bond_yield(&quote->bond, quote->ticks / (double)AP_TREASURY_TICKS, quote->yield,
                                                  &quote->yield);
        checksum = ap_fold(checksum, bits_of(quote->yield) + (uint64_t)status);
    }
    return loop->checksum = checksum;
}

/* ---- Strategy ------------------------------------------------------------------------------------------------ */

#define UNITS_PER_POINT 10000 /* as ITCH prices */

typedef struct {
    ap_strategy strategy;
    int64_t middle; /* where the price wanders */
    ap_strategy_market market;
    int32_t inventory;
} quoted_bond;

typedef struct {
    uint64_t random;
    uint64_t checksum;
    uint64_t operations;
    ap_curve curve;
    quoted_bond bonds[AP_STRATEGY_LOOP_BONDS];
} strategy_loop;

static const ap_strategy_terms LOOP_TERMS = {
    .tick = 39, /* 1/256 of a point is 39.0625 units */
    .half_spread = 60,
    .most_spread = 2000,
    .skew = 300,
    .most_value = 400,
    .imbalance_weight = AP_STRATEGY_ONE / 2,
    .value_weight = AP_STRATEGY_ONE / 4,
    .order_size = 1000,
    .most_position = 10000,
    .units_per_point = UNITS_PER_POINT,
};

void *ap_strategy_loop_create(uint64_t seed) {
    strategy_loop *loop = calloc(1, sizeof *loop);
    if (loop == NULL)
        return NULL;
    static const int32_t years[] = {1, 2, 3, 5, 7, 10, 20, 30};
    loop->random = seed;
    loop->curve.knots = sizeof years / sizeof *years;
    for (int i = 0; i < loop->curve.knots; i++) {
        loop->curve.days[i] = 365 * years[i];
        loop->curve.yields[i] = 0.035 + 0.0004 * years[i];
    }
    for (int i = 0; i < AP_STRATEGY_LOOP_BONDS; i++) {
        quoted_bond *bond = &loop->bonds[i];
        treasury_quote drawn;
        draw_bond(&drawn, &loop->random);
        double price = 0, yield = ap_curve_at(&loop->curve, ap_curve_find(&loop->curve, drawn.bond.maturity -
                                                                                            drawn.bond.settlement));
        ap_bond_price(&drawn.bond, yield, &price);
        ap_strategy_init(&bond->strategy, &LOOP_TERMS, &drawn.bond, &loop->curve, yield);
        bond->middle = (int64_t)(price * UNITS_PER_POINT);
        bond->market.bid = (uint32_t)bond->middle;
    }
    return loop;
}

void ap_strategy_loop_destroy(void *state) {
    free(state);
}

/* The bid moves by up to two ticks within half a point, the inventory by up to an order within one and a half times what
 * is allowed; the spread and the shares on either side are drawn anew. */
static void move_market(quoted_bond *bond, uint64_t random) {
    int64_t bid = (int64_t)bond->market.bid + 39 * ((int64_t)(random >> 8 & 3) + (int64_t)(random >> 10 & 1) - 2);
    if (bid < bond->middle - UNITS_PER_POINT / 2 || bid > bond->middle + UNITS_PER_POINT / 2)
        bid = bond->middle;
    bond->market.bid = (uint32_t)bid;
    bond->market.offer = (uint32_t)(bid + 39 * (int64_t)(1 + (random >> 11 & 7)));
    bond->market.bid_shares = 1 + (random >> 16 & 0xffff);
    bond->market.offer_shares = 1 + (random >> 32 & 0xffff);
    bond->inventory += (int32_t)(random >> 48 & 0x7ff) - 1024;
    if (bond->inventory < -15000 || bond->inventory > 15000)
        bond->inventory = 0;
}

uint64_t ap_strategy_loop(void *state, uint64_t operations) {
    strategy_loop *loop = state;
    uint64_t checksum = loop->checksum;
    while (operations-- > 0) {
        uint64_t random = ap_splitmix64(&loop->random);
        quoted_bond *bond = &loop->bonds[random % AP_STRATEGY_LOOP_BONDS];
        ap_strategy_quotes quotes;
        move_market(bond, random);
        if (loop->operations++ % 16 == 0)
            loop->curve.yields[random >> 61] += 1e-6 * ((double)(random >> 59 & 3) - 1.5);
        ap_strategy_status status = ap_strategy_decide(&bond->strategy, &loop->curve, &bond->market, bond->inventory, &quotes);
        checksum = ap_fold(checksum, ((uint64_t)quotes.bid << 32 | quotes.offer) + (uint64_t)status);
        checksum = ap_fold(checksum, (uint64_t)quotes.bid_size << 32 | quotes.offer_size);
    }
    return loop->checksum = checksum;
}

/* ---- Risk ---------------------------------------------------------------------------------------------------- */

typedef struct {
    ap_risk_order order;
    uint32_t symbol;
} open_order;

typedef struct {
    uint64_t random;
    uint64_t checksum;
    uint64_t now_ns;
    uint64_t passed;
    ap_risk_account account;
    ap_risk_symbol symbols[AP_RISK_LOOP_SYMBOLS];
    open_order open[AP_RISK_LOOP_OPEN];
} risk_loop;

/* Prices of about 100.0000. */
#define LOOP_PRICE 1000000

void *ap_risk_loop_create(uint64_t seed) {
    risk_loop *loop = calloc(1, sizeof *loop);
    if (loop == NULL)
        return NULL;
    static const ap_risk_limits limits = {
        .most_notional = (uint64_t)LOOP_PRICE * 4096,
        .most_open_notional = (uint64_t)LOOP_PRICE * 4096 * AP_RISK_LOOP_OPEN,
        .orders_per_second = 1000000,
        .burst = 100,
    };
    static const ap_risk_symbol_limits symbol_limits = {.band = 3200, .most_size = 4000, .most_position = 50000};
    loop->random = seed;
    ap_risk_account_init(&loop->account, &limits);
    for (int i = 0; i < AP_RISK_LOOP_SYMBOLS; i++) {
        ap_risk_symbol_init(&loop->symbols[i], &symbol_limits, 0);
        ap_risk_reference(&loop->symbols[i], LOOP_PRICE);
    }
    return loop;
}

void ap_risk_loop_destroy(void *state) {
    free(state);
}

uint64_t ap_risk_loop(void *state, uint64_t operations) {
    risk_loop *loop = state;
    uint64_t checksum = loop->checksum;
    while (operations-- > 0) {
        uint64_t random = ap_splitmix64(&loop->random);
        uint32_t number = random % AP_RISK_LOOP_SYMBOLS;
        ap_risk_symbol *symbol = &loop->symbols[number];
        ap_risk_order order = {
            .price = LOOP_PRICE - 51200 + (uint32_t)(random >> 8) % 102400,
            .size = 1 + (uint32_t)(random >> 32) % 4096,
            .side = random >> 63 ? 'B' : 'S',
        };
        loop->now_ns += 380 + (random >> 48 & 1023);
        unsigned reasons = ap_risk_check(&loop->account, symbol, &order, loop->now_ns);
        if (reasons == 0) {
            open_order *last = &loop->open[loop->passed++ % AP_RISK_LOOP_OPEN];
            if (last->order.size != 0) {
                if (random >> 62 & 1)
                    ap_risk_fill(&loop->account, &loop->symbols[last->symbol], &last->order, last->order.size);
                else
                    ap_risk_release(&loop->account, &loop->symbols[last->symbol], &last->order, last->order.size);
            }
            *last = (open_order){order, number};
        }
        checksum = ap_fold(checksum, reasons + loop->account.open_notional + (uint64_t)symbol->position);
    }
    return loop->checksum = checksum;
}
