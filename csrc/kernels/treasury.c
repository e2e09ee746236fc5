#include "treasury.h"

#include <stdbool.h>

#include "elementary.h"

/* ---- Dates --------------------------------------------------------------------------------------------------- */

static bool is_leap(int32_t year) {
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int32_t month_length(int32_t year, int32_t month) {
    static const int8_t lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return lengths[month - 1] + (month == 2 && is_leap(year));
}

/* Days are counted in years that begin on the first of March, so that the leap day comes last: Hinnant's
 * chrono-compatible algorithms, days_from_civil and civil_from_days, for years after 0. */
static int32_t number_of(int32_t year, int32_t month, int32_t day) {
    year -= month <= 2;
    int32_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return 365 * year + year / 4 - year / 100 + year / 400 + of_year - 719468;
}

typedef struct {
    int32_t year, month, day;
} civil;

static civil civil_of(int32_t number) {
    int32_t days = number + 719468, era = days / 146097, of_era = days % 146097;
    int32_t year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int32_t of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int32_t shifted = (5 * of_year + 2) / 153, month = shifted < 10 ? shifted + 3 : shifted - 9;
    return (civil){year_of_era + 400 * era + (month <= 2), month, of_year - (153 * shifted + 2) / 5 + 1};
}

static const int32_t FIRST_YEAR = 1900, LAST_YEAR = 2199;

int32_t ap_date(int32_t year, int32_t month, int32_t day) {
    if (year < FIRST_YEAR || year > LAST_YEAR || month < 1 || month > 12 || day < 1 || day > month_length(year, month))
        return AP_DATE_NONE;
    return number_of(year, month, day);
}

static bool is_date(int32_t number) {
    return number >= number_of(FIRST_YEAR, 1, 1) && number <= number_of(LAST_YEAR, 12, 31);
}

/* The coupon date `periods` half-years before maturity. */
static int32_t coupon_date(civil maturity, int32_t periods) {
    int32_t months = 12 * maturity.year + maturity.month - 1 - 6 * periods, year = months / 12, month = months % 12 + 1;
    int32_t last = month_length(year, month);
    bool at_the_end = maturity.day == month_length(maturity.year, maturity.month);
    return number_of(year, month, at_the_end || maturity.day > last ? last : maturity.day);
}

ap_treasury_status ap_bond_init(ap_bond *bond, double coupon, int32_t maturity, int32_t settlement) {
    if (!is_date(maturity) || !is_date(settlement))
        return AP_TREASURY_BAD_DATE;
    if (!(coupon >= 0 && coupon <= 1))
        return AP_TREASURY_BAD_COUPON;
    if (settlement >= maturity)
        return AP_TREASURY_MATURED;
    civil last = civil_of(maturity), now = civil_of(settlement);
    /* Whole half-years between the months, and one more or less for the days in them. */
    int32_t periods = (12 * (last.year - now.year) + last.month - now.month) / 6;
    while (coupon_date(last, periods) <= settlement)
        periods--;
    while (coupon_date(last, periods + 1) > settlement)
        periods++;
    int32_t previous = coupon_date(last, periods + 1), next = coupon_date(last, periods);
    if (periods + 1 > AP_TREASURY_PERIODS)
        return AP_TREASURY_TOO_LONG;
    *bond = (ap_bond){
        .half_coupon = coupon / 2,
        .elapsed = (double)(settlement - previous) / (double)(next - previous),
        .periods = periods + 1,
        .period_days = next - previous,
        .elapsed_days = settlement - previous,
        .maturity = maturity,
        .settlement = settlement,
        .next_coupon = next,
    };
    return AP_TREASURY_OK;
}

/* ---- The value and its slope --------------------------------------------------------------------------------- */

/* What is due, of one unit of face, at the yield h a period; and the first and second derivative of its logarithm. */
typedef struct {
    double value, slope, bend;
} point;

/*
 * Payment by payment: the sum is a polynomial p(v) with v = 1 / (1 + h), its value v^w p(v), and Horner's rule gives p
 * and its derivatives. Without a negative term nothing cancels, however low the yield, but it takes O(n).
 */
static point point_by_sum(const ap_bond *bond, double h) {
    double w = 1 - bond->elapsed, c = bond->half_coupon;
    if (bond->periods == 1) {
        double factor = 1 + w * h, slope = -w / factor;
        return (point){(1 + c) / factor, slope, slope * slope};
    }
    double v = 1 / (1 + h), p = c + 1, p1 = 0, p2 = 0; /* p2 is half the second derivative */
    for (int32_t k = 1; k < bond->periods; k++) {
        p2 = p2 * v + p1;
        p1 = p1 * v + p;
        p = p * v + c;
    }
    double r1 = v * p1 / p, r2 = 2 * v * v * p2 / p;
    return (point){
        .value = ap_exp(-w * ap_log1p(h)) * p,
        .slope = -v * (w + r1),
        .bend = v * v * (w + 2 * r1 + r2 - r1 * r1),
    };
}

/* Where h is so near to 0 that dividing by it costs digits, or one coupon is left, only the sum will do. */
static inline bool needs_sum(const ap_bond *bond, double h) {
    return bond->periods == 1 || (h > -1e-7 && h < 1e-7);
}

/*
 * All at once: with z = v^n and the annuity a = v + ... + v^n = (1 - z) / h,
 *
 *     value = (1 + h)^elapsed (c a + z).
 *
 * From log(1 + h) come both powers, and 1 - z by the parts of exp without the cancellation of subtracting a power that
 * is nearly 1.
 */
typedef struct {
    double odd, z, annuity; /* (1 + h)^elapsed, z, a */
} powers;

static inline powers powers_at(const ap_bond *bond, double h, double per_h) {
    double log_factor = ap_log1p(h);
    ap_exp_parts discount = ap_exp_split(-(double)bond->periods * log_factor);
    return (powers){
        .odd = ap_exp(bond->elapsed * log_factor),
        .z = discount.scale + discount.scale * discount.part,
        .annuity = ((1 - discount.scale) - discount.scale * discount.part) * per_h,
    };
}

/* The derivatives of a lose digits near h = 0; they only lead from a guess to the next, and for that they have plenty. */
static inline point point_at(const ap_bond *bond, double h) {
    if (needs_sum(bond, h))
        return point_by_sum(bond, h);
    double n = bond->periods, c = bond->half_coupon, v = 1 / (1 + h), per_h = 1 / h;
    powers at = powers_at(bond, h, per_h);
    double z1 = -n * v * at.z, z2 = -(n + 1) * v * z1;
    double a1 = -(z1 + at.annuity) * per_h, a2 = -(z2 + 2 * a1) * per_h;
    double body = c * at.annuity + at.z, per_body = 1 / body;
    double body1 = (c * a1 + z1) * per_body, body2 = (c * a2 + z2) * per_body;
    return (point){
        .value = at.odd * body,
        .slope = bond->elapsed * v + body1,
        .bend = (body2 - body1 * body1) - bond->elapsed * (v * v),
    };
}

static const double LEAST = AP_TREASURY_LEAST_YIELD / 2, GREATEST = AP_TREASURY_GREATEST_YIELD / 2;

static double value_of(const ap_bond *bond, double h) {
    if (needs_sum(bond, h))
        return point_by_sum(bond, h).value;
    powers at = powers_at(bond, h, 1 / h);
    return at.odd * (bond->half_coupon * at.annuity + at.z);
}

static bool is_yield(double yield) {
    return yield >= AP_TREASURY_LEAST_YIELD && yield <= AP_TREASURY_GREATEST_YIELD;
}

ap_treasury_status ap_bond_price(const ap_bond *bond, double yield, double *price) {
    if (!is_yield(yield))
        return AP_TREASURY_BAD_YIELD;
    *price = 100 * value_of(bond, yield / 2) - ap_bond_accrued(bond);
    return AP_TREASURY_OK;
}

ap_treasury_status ap_bond_risk_at(const ap_bond *bond, double yield, ap_bond_risk *risk) {
    if (!is_yield(yield))
        return AP_TREASURY_BAD_YIELD;
    point at = point_by_sum(bond, yield / 2);
    *risk = (ap_bond_risk){
        .price = 100 * at.value - ap_bond_accrued(bond),
        .accrued = ap_bond_accrued(bond),
        .duration = -at.slope / 2,
        .dv01 = 100 * at.value * (-at.slope / 2) / 10000,
        .convexity = (at.bend + at.slope * at.slope) / 4,
    };
    return AP_TREASURY_OK;
}

/* ---- Yield --------------------------------------------------------------------------------------------------- */

/* Coupon and gain to par a period over a mean of price and par: within some 0.5 % of a year's yield in any market. */
static double estimate(const ap_bond *bond, double value) {
    double price = value - bond->half_coupon * bond->elapsed, left = (double)bond->periods - bond->elapsed;
    return (bond->half_coupon + (1 - price) / left) / (0.4 + 0.6 * price);
}

/* How far beyond the ends rounding may lead. */
static const double EDGE = 1e-12;

/* Nine are the most that 20 million random bonds, prices and guesses over the whole range took. */
enum { MOST_STEPS = 30 };

static double within(double h) {
    return h < LEAST ? LEAST : h > GREATEST ? GREATEST : h;
}

/* Where Halley's steps lead nowhere: between the ends, between which the value only falls. Nobody quotes such bonds: of a coupon
 * of 1e-192 over seventy years the curve has a bend at a yield of 4,584 %, which throws a step back beyond the lower end. */
static ap_treasury_status by_halving(const ap_bond *bond, double wanted, double *yield) {
    double low = LEAST, high = GREATEST;
    if (!(value_of(bond, low) >= wanted && value_of(bond, high) <= wanted))
        return AP_TREASURY_NO_YIELD;
    for (;;) {
        double middle = low + (high - low) / 2;
        if (middle <= low || middle >= high)
            break;
        *(value_of(bond, middle) > wanted ? &low : &high) = middle;
    }
    *yield = 2 * low;
    return AP_TREASURY_OK;
}

/*
 * Halley's method on log value, which is convex, falls everywhere and is nearly straight: an error e is left of
 * K e^3, where |K| <= n^2 / 4 since no payment is later than n periods, and as a rule ten times less.
 */
ap_treasury_status ap_bond_yield(const ap_bond *bond, double price, double guess, double *yield) {
    double wanted = price / 100 + bond->half_coupon * bond->elapsed;
    if (!(wanted > 0 && wanted <= DBL_MAX))
        return AP_TREASURY_BAD_PRICE;
    if (bond->periods == 1) {
        double h = ((1 + bond->half_coupon) / wanted - 1) / (1 - bond->elapsed);
        if (h < LEAST - EDGE || h > GREATEST + EDGE)
            return AP_TREASURY_NO_YIELD;
        *yield = 2 * within(h);
        return AP_TREASURY_OK;
    }
    double n = bond->periods, h = within(guess >= AP_TREASURY_LEAST_YIELD ? guess / 2 : estimate(bond, wanted));
    for (int step = 0; step < MOST_STEPS; step++) {
        point here = point_at(bond, h);
        /* log(wanted / value): near the goal by its series, whose rest is beyond what one step achieves. */
        double s = (wanted - here.value) / (wanted + here.value), z = s * s;
        double gap = z < 0.01 ? 2 * s + 2 * s * (z * (1.0 / 3 + z * (1.0 / 5))) : ap_log(wanted / here.value);
        double per_slope = 1 / here.slope, newton = gap * per_slope;
        double bent = 1 + here.bend * per_slope * (1.0 / 2) * newton;
        double e = newton / (bent > 0.5 ? bent : 0.5), next = h + e;
        if (next < LEAST - EDGE || next > GREATEST + EDGE) {
            if (h == within(next))
                return by_halving(bond, wanted, yield);
            h = within(next);
            continue;
        }
        h = within(next);
        if (n * n * (e < 0 ? -e * e * e : e * e * e) < 4e-12) {
            *yield = 2 * h;
            return AP_TREASURY_OK;
        }
    }
    return by_halving(bond, wanted, yield);
}

/* ---- 32nds --------------------------------------------------------------------------------------------------- */

enum { MOST_POINTS = 9999, TICKS_OF_32ND = AP_TREASURY_TICKS / 32 };

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

ap_treasury_status ap_treasury_parse(const char *text, size_t length, int32_t *ticks) {
    size_t at = 0;
    int32_t points = 0;
    for (; at < length && is_digit(text[at]) && at < 4; at++)
        points = 10 * points + text[at] - '0';
    if (at == 0 || length < at + 3 || length > at + 4 || text[at] != '-' || !is_digit(text[at + 1]) ||
        !is_digit(text[at + 2]))
        return AP_TREASURY_BAD_TEXT;
    int32_t of_point = 10 * (text[at + 1] - '0') + text[at + 2] - '0', eighths = 0;
    if (of_point >= 32)
        return AP_TREASURY_BAD_TEXT;
    if (length == at + 4) {
        char last = text[at + 3];
        if (last != '+' && (last < '0' || last > '7'))
            return AP_TREASURY_BAD_TEXT;
        eighths = last == '+' ? 4 : last - '0';
    }
    *ticks = points * AP_TREASURY_TICKS + of_point * TICKS_OF_32ND + eighths;
    return AP_TREASURY_OK;
}

size_t ap_treasury_format(int32_t ticks, char text[AP_TREASURY_TEXT]) {
    if (ticks < 0 || ticks / AP_TREASURY_TICKS > MOST_POINTS)
        return 0;
    int32_t points = ticks / AP_TREASURY_TICKS, of_point = ticks % AP_TREASURY_TICKS / TICKS_OF_32ND;
    int32_t eighths = ticks % TICKS_OF_32ND;
    size_t at = 0;
    for (int32_t power = 1000; power > 0; power /= 10)
        if (points >= power || power == 1)
            text[at++] = (char)('0' + points / power % 10);
    text[at++] = '-';
    text[at++] = (char)('0' + of_point / 10);
    text[at++] = (char)('0' + of_point % 10);
    if (eighths != 0)
        text[at++] = eighths == 4 ? '+' : (char)('0' + eighths);
    text[at] = '\0';
    return at;
}
