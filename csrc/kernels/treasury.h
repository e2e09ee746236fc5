/*
 * Treasury notes and bonds: price and yield, accrued interest, duration, DV01, convexity; prices in 32nds.
 *
 * Conventions
 *   Periods     semi-annual coupons counted back from maturity, on the last day of the month where maturity is one;
 *               actual/actual (ICMA). Odd first periods are not modelled: settlement lies in a regular period.
 *   Yield       a fraction a year, compounded twice a year over the odd days too (street convention); with one coupon
 *               left simple interest. With n coupons left of c/2 each, the share w of a period to go until the next,
 *               and v = 1 / (1 + y/2):   price + accrued = c/2 (v^w + ... + v^(w+n-1)) + 100 v^(w+n-1);
 *               with n = 1:              price + accrued = (100 + c/2) / (1 + w y/2).
 *               The Treasury's own auction prices discount the odd days by simple interest in any case (31 CFR 356,
 *               Appendix B): theirs is price + accrued times (1 + y/2)^w / (1 + w y/2).
 *   Units       prices per 100 of face; coupons and yields as fractions (0.04125 for 4 1/8 %); dates in days since
 *               1970-01-01, proleptic Gregorian.
 *
 * Guarantees
 *   Complexity  yield from price: one evaluation of the formula where the guess is as near as the last tick's yield,
 *               one or two from the estimate of its own, less than ten for any price and guess seen. O(1) in the
 *               coupons left, as price from yield, but for yields within 2e-7 of 0, which sum them up;
 *               ap_bond_risk_at() always does. No allocation, no system call.
 *   Determinism the same bits on every machine, compiler and build: see elementary.h.
 *   Accuracy    prices to 1e-12 of what is due in all; yields to 1e-11, whatever the guess.
 *   Threads     functions share nothing; a bond is only read after ap_bond_init().
 *   Errors      ap_treasury_status; results are written only where it is AP_TREASURY_OK.
 */
#ifndef AP_TREASURY_H
#define AP_TREASURY_H

#include <stddef.h>
#include <stdint.h>

typedef enum ap_treasury_status {
    AP_TREASURY_OK = 0,
    AP_TREASURY_BAD_DATE,   /* no such day, or outside 1900 to 2199 */
    AP_TREASURY_BAD_COUPON, /* not between 0 and 1 */
    AP_TREASURY_MATURED,    /* settles on the day of maturity or later */
    AP_TREASURY_TOO_LONG,   /* more than AP_TREASURY_PERIODS coupons left */
    AP_TREASURY_BAD_PRICE,  /* not a number, or what is paid, accrued interest included, is not above 0 */
    AP_TREASURY_BAD_YIELD,  /* not a number, or outside AP_TREASURY_LEAST_YIELD to AP_TREASURY_GREATEST_YIELD */
    AP_TREASURY_NO_YIELD,   /* this price's yield lies outside of them */
    AP_TREASURY_BAD_TEXT,   /* not a price in 32nds */
} ap_treasury_status;

#define AP_TREASURY_PERIODS 200 /* a hundred years */
#define AP_TREASURY_LEAST_YIELD (-1.0)
#define AP_TREASURY_GREATEST_YIELD 50.0

/* Start from an estimate of one's own. */
#define AP_TREASURY_NO_GUESS (-2.0)

#define AP_DATE_NONE INT32_MIN

/* One note or bond as it settles on one day. */
typedef struct ap_bond {
    double half_coupon; /* of one unit of face */
    double elapsed;     /* the share of this period that has gone by, in [0, 1) */
    int32_t periods;    /* coupons left */
    int32_t period_days;
    int32_t elapsed_days;
    int32_t maturity, settlement, next_coupon;
} ap_bond;

typedef struct ap_bond_risk {
    double price;    /* as quoted, without accrued interest */
    double accrued;
    double duration; /* modified: -dP/dy / P in years, of the price with accrued interest, as the next two */
    double dv01;     /* what the price falls by when the yield rises by 0.0001 */
    double convexity; /* d2P/dy2 / P in years squared */
} ap_bond_risk;

/* The number of a day; AP_DATE_NONE where there is no such day or it lies outside 1900 to 2199. */
int32_t ap_date(int32_t year, int32_t month, int32_t day);

/* Terms and settlement; once a day, 100 ns or so. */
ap_treasury_status ap_bond_init(ap_bond *bond, double coupon, int32_t maturity, int32_t settlement);

static inline double ap_bond_accrued(const ap_bond *bond) {
    return 100 * bond->half_coupon * bond->elapsed;
}

/* Price without accrued interest. */
ap_treasury_status ap_bond_price(const ap_bond *bond, double yield, double *price);

/* Yield of a price without accrued interest. `guess` is best the last yield; AP_TREASURY_NO_GUESS without one. */
ap_treasury_status ap_bond_yield(const ap_bond *bond, double price, double guess, double *yield);

/* All the rest, at a yield. */
ap_treasury_status ap_bond_risk_at(const ap_bond *bond, double yield, ap_bond_risk *risk);

/*
 * Prices in 32nds of a point, as cash notes and bonds are quoted: 99-16 is 99 16/32, a third digit counts eighths of a
 * 32nd, and + is four of them: 99-16+ is 99 16.5/32, 99-162 is 99 16.25/32. Futures write 99-162 and mean it, but 99-165
 * for what is 99-16+ here. In memory such a price is an integer of 256ths of a point; divided by 256.0 it is exact.
 */
#define AP_TREASURY_TICKS 256
#define AP_TREASURY_TEXT 16 /* room for every price with its final 0 */

/* Reads text[0..length), which need not end in 0 and holds nothing else. */
ap_treasury_status ap_treasury_parse(const char *text, size_t length, int32_t *ticks);

/* Writes a price of up to 9,999 points and returns its length without the final 0; 0 where it is negative or above. */
size_t ap_treasury_format(int32_t ticks, char text[AP_TREASURY_TEXT]);

#endif
