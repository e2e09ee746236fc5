/*
 * Strategy: a market maker's quotes for one Treasury security, from its book, the yield curve and the inventory.
 *
 * The rule, with the market's best bid and offer b < o and the shares B and O that stand on the two sides:
 *
 *     fair  = (b + o) / 2
 *           + imbalance_weight  (B - O) / (B + O)  (o - b) / 2         towards the side that is about to be taken out
 *           + value_weight  min(max(value, -most_value), most_value)   towards the price that the curve gives
 *           - skew  inventory / most_position                          away from what is held already
 *     value = (yield of (b + o) / 2  -  curve's yield at this maturity  -  premium)  -dP/dy
 *     quotes: the last tick at or below fair - half_spread, the first at or above fair + half_spread; neither at nor
 *             through the other side of the market; of order_size each, less where a fill would exceed most_position.
 *
 * Guarantees
 *   Complexity  O(1): one yield from a price (treasury.h) and five divisions. No allocation, no system call.
 *   Determinism the same quotes on every machine, compiler and build. `value` is computed in doubles (elementary.h) and
 *               rounded to a unit of price, half away from 0; the rest in integers of 2^-16 units, divided towards 0,
 *               so that a market turned upside down has its quotes turned upside down, the curve left aside.
 *   Quotes      bid < offer, bid < market's offer, offer > market's bid, whole ticks, never at 0. No fill of a quote
 *               takes the inventory beyond most_position, and a side on which one would has no quote.
 *   Threads     one strategy belongs to one thread at a time, and nobody writes the curve meanwhile.
 *   Errors      nothing is quoted on a market that does not allow it: see ap_strategy_status.
 */
#ifndef AP_STRATEGY_H
#define AP_STRATEGY_H

#include <stdbool.h>
#include <stdint.h>

#include "treasury.h"

typedef enum ap_strategy_status {
    AP_STRATEGY_QUOTES = 0, /* on both sides or on one */
    AP_STRATEGY_ONE_SIDED,  /* no bid or no offer */
    AP_STRATEGY_CROSSED,    /* the bid is not below the offer */
    AP_STRATEGY_WIDE,       /* they lie further apart than most_spread */
    AP_STRATEGY_NO_VALUE,   /* the price between them has no yield, or the curve no number here */
    AP_STRATEGY_NO_ROOM,    /* no price is left for the side that the inventory leaves to quote */
} ap_strategy_status;

/* Yields at maturities, in between on a straight line, beyond the ends the same. */
#define AP_CURVE_KNOTS 16

typedef struct ap_curve {
    int32_t knots; /* 1 to AP_CURVE_KNOTS */
    int32_t days[AP_CURVE_KNOTS]; /* ascending */
    double yields[AP_CURVE_KNOTS];
} ap_curve;

/* Where on a curve a maturity lies: between knot and the next, `weight` of the way. Changes with the days alone. */
typedef struct ap_curve_place {
    int32_t knot, next;
    double weight;
} ap_curve_place;

ap_curve_place ap_curve_find(const ap_curve *curve, int32_t days);
double ap_curve_at(const ap_curve *curve, ap_curve_place place);

/* Prices in units of the caller's choice, as all prices here. */
typedef struct ap_strategy_terms {
    uint32_t tick;             /* 1 to AP_STRATEGY_MOST */
    uint32_t half_spread;      /* 1 to AP_STRATEGY_MOST */
    uint32_t most_spread;      /* 1 to AP_STRATEGY_MOST */
    uint32_t skew;             /* at most AP_STRATEGY_MOST; that of a full position */
    uint32_t most_value;       /* at most AP_STRATEGY_MOST */
    uint32_t imbalance_weight; /* in 2^-16, at most 1 */
    uint32_t value_weight;     /* in 2^-16, at most 1; 0 leaves the curve alone */
    uint32_t order_size;       /* 1 or more */
    uint32_t most_position;    /* 1 to INT32_MAX, long or short */
    double premium;            /* what this security yields above the curve as a rule */
    double units_per_point;    /* of a price per 100 of face: 10000 where a unit is 10^-4, above 0 */
} ap_strategy_terms;

#define AP_STRATEGY_MOST (1U << 24)
#define AP_STRATEGY_ONE (1U << 16)

typedef struct ap_strategy {
    ap_strategy_terms terms;
    ap_bond bond;
    ap_curve_place place;
    double yield; /* the last, from which the next is found */
    double slope; /* -dP/dy in units of price, of the yield at set-up */
    int64_t skew_of_one;
} ap_strategy;

typedef struct ap_strategy_market {
    uint32_t bid, offer;
    uint64_t bid_shares, offer_shares; /* as many levels deep as the caller likes; 0 where the side is empty */
} ap_strategy_market;

/* No size, no quote; the price is 0 then. */
typedef struct ap_strategy_quotes {
    uint32_t bid, offer;
    uint32_t bid_size, offer_size;
} ap_strategy_quotes;

/* Set-up for a day: the bond as it settles, its curve and its yield. False where a term is outside its range, the curve's
 * days do not ascend or the yield is outside treasury.h's range. */
bool ap_strategy_init(ap_strategy *strategy, const ap_strategy_terms *terms, const ap_bond *bond, const ap_curve *curve,
                      double yield);

/* The price that the curve gives, less the market's middle, in units; 0 where value_weight is. False where there is no
 * yield. */
bool ap_strategy_value(ap_strategy *strategy, const ap_curve *curve, const ap_strategy_market *market, int64_t *value);

/* What to quote. Where the status is not AP_STRATEGY_QUOTES all of *quotes is 0. */
ap_strategy_status ap_strategy_decide(ap_strategy *strategy, const ap_curve *curve, const ap_strategy_market *market,
                                      int32_t inventory, ap_strategy_quotes *quotes);

#endif
