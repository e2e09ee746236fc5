/* Dates, 32nds, what is refused, and that price and yield undo each other over the whole range of both. */
#include "treasury.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "check.h"
#include "elementary.h"
#include "generator.h"

static void every_day_follows_the_one_before(void) {
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int32_t number = -25567; /* 1 January 1900: 17 leap years to 1970 */
    for (int32_t year = 1900; year < 2200; year++)
        for (int32_t month = 1; month <= 12; month++) {
            int leap = month == 2 && ((year % 4 == 0 && year % 100 != 0) || year == 2000);
            CHECK_EQUAL(ap_date(year, month, 0), AP_DATE_NONE);
            for (int32_t day = 1; day <= lengths[month - 1] + leap; day++)
                CHECK_EQUAL(ap_date(year, month, day), number++);
            CHECK_EQUAL(ap_date(year, month, lengths[month - 1] + leap + 1), AP_DATE_NONE);
        }
    CHECK_EQUAL(ap_date(1970, 1, 1), 0);
    CHECK_EQUAL(ap_date(1899, 12, 31), AP_DATE_NONE);
    CHECK_EQUAL(ap_date(2200, 1, 1), AP_DATE_NONE);
    CHECK_EQUAL(ap_date(2024, 0, 1), AP_DATE_NONE);
    CHECK_EQUAL(ap_date(2024, 13, 1), AP_DATE_NONE);
    CHECK_EQUAL(ap_date(INT32_MAX, INT32_MAX, INT32_MAX), AP_DATE_NONE);
    CHECK_EQUAL(ap_date(INT32_MIN, INT32_MIN, INT32_MIN), AP_DATE_NONE);
}

static ap_bond bond_of(double coupon, int32_t maturity, int32_t settlement) {
    ap_bond bond;
    CHECK_EQUAL(ap_bond_init(&bond, coupon, maturity, settlement), AP_TREASURY_OK);
    return bond;
}

static void coupons_fall_on_the_maturitys_day_or_the_months_last(void) {
    ap_bond bond = bond_of(0.04, ap_date(2030, 8, 31), ap_date(2028, 2, 28));
    CHECK_EQUAL(bond.next_coupon, ap_date(2028, 2, 29));
    bond = bond_of(0.04, ap_date(2030, 2, 28), ap_date(2028, 3, 1));
    CHECK_EQUAL(bond.next_coupon, ap_date(2028, 8, 31)); /* maturity is its month's last day */
    bond = bond_of(0.04, ap_date(2030, 8, 30), ap_date(2028, 3, 1));
    CHECK_EQUAL(bond.next_coupon, ap_date(2028, 8, 30)); /* maturity is not */
    CHECK_EQUAL(bond.period_days, ap_date(2028, 8, 30) - ap_date(2028, 2, 29));
    bond = bond_of(0.04, ap_date(2053, 5, 15), ap_date(2026, 11, 14));
    CHECK_EQUAL(bond.periods, 54);
    CHECK_EQUAL(bond.elapsed_days, 183);
    CHECK_EQUAL(bond.period_days, 184);
}

/* On a coupon date that coupon is gone: a whole period lies ahead and no interest has accrued. */
static void a_settlement_on_a_coupon_date_owes_no_interest(void) {
    ap_bond bond = bond_of(0.04125, ap_date(2036, 11, 15), ap_date(2026, 11, 15));
    CHECK_EQUAL(bond.periods, 20);
    CHECK_EQUAL(bond.elapsed_days, 0);
    CHECK(bond.elapsed == 0 && ap_bond_accrued(&bond) == 0);
    CHECK_EQUAL(bond.next_coupon, ap_date(2027, 5, 15));
    double price, yield;
    CHECK_EQUAL(ap_bond_price(&bond, 0.04125, &price), AP_TREASURY_OK);
    CHECK(fabs(price - 100) < 1e-12); /* at its coupon it is worth par */
    CHECK_EQUAL(ap_bond_yield(&bond, 100, AP_TREASURY_NO_GUESS, &yield), AP_TREASURY_OK);
    CHECK(fabs(yield - 0.04125) < 1e-14);
}

static void terms_that_cannot_be_are_refused(void) {
    ap_bond bond, before;
    memset(&bond, 0x5a, sizeof bond);
    before = bond;
    int32_t maturity = ap_date(2036, 11, 15), now = ap_date(2026, 11, 23);
    CHECK_EQUAL(ap_bond_init(&bond, 0.04, AP_DATE_NONE, now), AP_TREASURY_BAD_DATE);
    CHECK_EQUAL(ap_bond_init(&bond, 0.04, maturity, AP_DATE_NONE), AP_TREASURY_BAD_DATE);
    CHECK_EQUAL(ap_bond_init(&bond, 0.04, INT32_MAX, now), AP_TREASURY_BAD_DATE);
    CHECK_EQUAL(ap_bond_init(&bond, 4, maturity, now), AP_TREASURY_BAD_COUPON); /* 4 % is 0.04 */
    CHECK_EQUAL(ap_bond_init(&bond, 1.01, maturity, now), AP_TREASURY_BAD_COUPON);
    CHECK_EQUAL(ap_bond_init(&bond, -0.01, maturity, now), AP_TREASURY_BAD_COUPON);
    CHECK_EQUAL(ap_bond_init(&bond, NAN, maturity, now), AP_TREASURY_BAD_COUPON);
    CHECK_EQUAL(ap_bond_init(&bond, 0.04, maturity, maturity), AP_TREASURY_MATURED);
    CHECK_EQUAL(ap_bond_init(&bond, 0.04, maturity, maturity + 1), AP_TREASURY_MATURED);
    CHECK_EQUAL(ap_bond_init(&bond, 0.04, maturity, ap_date(1930, 1, 1)), AP_TREASURY_TOO_LONG);
    CHECK_EQUAL(ap_bond_init(&bond, 0.04, maturity, ap_date(1936, 11, 14)), AP_TREASURY_TOO_LONG);
    CHECK(memcmp(&bond, &before, sizeof bond) == 0);
    CHECK_EQUAL(ap_bond_init(&bond, 0.04, maturity, ap_date(1936, 11, 15)), AP_TREASURY_OK);
    CHECK_EQUAL(bond.periods, AP_TREASURY_PERIODS);
}

static void a_yield_is_found_from_a_guess_that_leads_astray(void) {
    ap_bond bond = bond_of(2.8268240351344088e-192, 26806, 1280);
    double price, yield;
    CHECK_EQUAL(ap_bond_price(&bond, 45.83880979083417, &price), AP_TREASURY_OK);
    CHECK_EQUAL(ap_bond_yield(&bond, price, 6.4e149, &yield), AP_TREASURY_OK);
    CHECK(fabs(yield - 45.83880979083417) < 1e-9);
}

static void prices_and_yields_that_cannot_be_are_refused(int32_t maturity) {
    ap_bond bond = bond_of(0.04, maturity, ap_date(2026, 11, 23));
    double accrued = ap_bond_accrued(&bond), result = 7;
    ap_bond_risk risk = {.price = 7};
    const double prices[] = {-accrued, -accrued - 1, -INFINITY, INFINITY, NAN, -1e300};
    for (size_t i = 0; i < sizeof prices / sizeof *prices; i++)
        CHECK_EQUAL(ap_bond_yield(&bond, prices[i], 0.04, &result), AP_TREASURY_BAD_PRICE);
    const double yieldless[] = {1e300, DBL_MAX, 1e10, 1e-6 - accrued};
    for (size_t i = 0; i < sizeof yieldless / sizeof *yieldless; i++)
        CHECK_EQUAL(ap_bond_yield(&bond, yieldless[i], 0.04, &result), AP_TREASURY_NO_YIELD);
    const double yields[] = {-1.0000001, 50.0000001, INFINITY, -INFINITY, NAN};
    for (size_t i = 0; i < sizeof yields / sizeof *yields; i++) {
        CHECK_EQUAL(ap_bond_price(&bond, yields[i], &result), AP_TREASURY_BAD_YIELD);
        CHECK_EQUAL(ap_bond_risk_at(&bond, yields[i], &risk), AP_TREASURY_BAD_YIELD);
        CHECK_EQUAL(ap_bond_yield(&bond, 99, yields[i], &result), AP_TREASURY_OK); /* any guess will do */
        CHECK(result > 0 && result < 1);
        result = 7;
    }
    CHECK(result == 7 && risk.price == 7);
}

/* A price of nothing has no yield where nothing has accrued; where interest has, it is still a price. */
static void a_price_of_0_is_refused_where_nothing_has_accrued(void) {
    ap_bond bond = bond_of(0.04, ap_date(2036, 11, 15), ap_date(2026, 11, 15));
    double yield = 7;
    CHECK_EQUAL(ap_bond_yield(&bond, 0, 0.04, &yield), AP_TREASURY_BAD_PRICE);
    bond = bond_of(0, ap_date(2036, 11, 15), ap_date(2026, 12, 15));
    CHECK_EQUAL(ap_bond_yield(&bond, 0, 0.04, &yield), AP_TREASURY_BAD_PRICE);
    CHECK_EQUAL(ap_bond_yield(&bond, -5, 0.04, &yield), AP_TREASURY_BAD_PRICE);
    CHECK(yield == 7);
}

static double uniform(uint64_t *random) {
    return (double)(ap_splitmix64(random) >> 11) * 0x1p-53;
}

/* Market yields, and those next to 0 and to the ends of what is allowed. */
static double draw_yield(uint64_t *random) {
    double u = uniform(random);
    switch (ap_splitmix64(random) % 7) {
    case 0: return AP_TREASURY_LEAST_YIELD + 51 * u;
    case 1: return (u < 0.5 ? -1 : 1) * ap_exp(-41 * uniform(random));
    case 2: return AP_TREASURY_LEAST_YIELD + 1e-6 * u;
    case 3: return AP_TREASURY_GREATEST_YIELD - 1e-3 * u;
    case 4: return 2 * u - 1;
    default: return 0.2 * u;
    }
}

static void a_price_gives_back_its_yield(int cases) {
    uint64_t random = 1;
    for (int i = 0; i < cases; i++) {
        int32_t periods = 1 + (int32_t)(ap_splitmix64(&random) % (ap_splitmix64(&random) % 2 ? 200 : 10));
        double coupon = ap_splitmix64(&random) % 4 == 0 ? 0 : uniform(&random) * (uniform(&random) < 0.5 ? 1 : 0.1);
        ap_bond bond = {.half_coupon = coupon / 2, .elapsed = (double)(ap_splitmix64(&random) % 184) / 184, .periods = periods};
        double yield = draw_yield(&random), price, found;
        double guesses[] = {AP_TREASURY_NO_GUESS, draw_yield(&random), yield + (uniform(&random) - 0.5) * 1e-4};
        ap_bond_risk risk;
        CHECK_EQUAL(ap_bond_price(&bond, yield, &price), AP_TREASURY_OK);
        CHECK_EQUAL(ap_bond_risk_at(&bond, yield, &risk), AP_TREASURY_OK);
        double due = price + ap_bond_accrued(&bond);
        CHECK(fabs(risk.price - price) <= 1e-12 * (due + 100 * coupon));
        /* Rounding of the price, what has accrued included, moves the yield by as much. */
        double allowed = 1e-11 + 1e-13 * (due + 50 * coupon) / due / risk.duration;
        for (int g = 0; g < 3; g++) {
            CHECK_EQUAL(ap_bond_yield(&bond, price, guesses[g], &found), AP_TREASURY_OK);
            CHECK(fabs(found - yield) <= allowed);
        }
    }
}

/* In small steps over the place where the closed form gives way to the sum. */
static void nothing_jumps_near_a_yield_of_0(void) {
    ap_bond bond = bond_of(0.04, ap_date(2056, 11, 15), ap_date(2026, 12, 23));
    double last = INFINITY, price;
    for (int i = -3000; i <= 3000; i++) {
        CHECK_EQUAL(ap_bond_price(&bond, i * 1e-10, &price), AP_TREASURY_OK);
        CHECK(price < last);
        if (i > -3000)
            CHECK(fabs((last - price) / 1e-10 / 4700 - 1) < 0.1);
        last = price;
    }
    CHECK_EQUAL(ap_bond_price(&bond, 0, &price), AP_TREASURY_OK);
    CHECK(fabs(price + ap_bond_accrued(&bond) - (100 + 60 * 2)) < 1e-12);
}

static int32_t parsed(const char *text) {
    int32_t ticks = -1;
    ap_treasury_status status = ap_treasury_parse(text, strlen(text), &ticks);
    CHECK((status == AP_TREASURY_OK) == (ticks != -1));
    CHECK(status == AP_TREASURY_OK || status == AP_TREASURY_BAD_TEXT);
    return ticks;
}

static void prices_in_32nds_are_read(void) {
    CHECK_EQUAL(parsed("99-16"), 99 * 256 + 128);
    CHECK_EQUAL(parsed("99-16+"), 99 * 256 + 132);
    CHECK_EQUAL(parsed("99-162"), 99 * 256 + 130);
    CHECK_EQUAL(parsed("100-00"), 100 * 256);
    CHECK_EQUAL(parsed("0-001"), 1);
    CHECK_EQUAL(parsed("101-317"), 102 * 256 - 1);
    CHECK_EQUAL(parsed("99-160"), parsed("99-16"));
    CHECK_EQUAL(parsed("99-164"), parsed("99-16+"));
    CHECK_EQUAL(parsed("0099-16"), parsed("99-16"));
    static const char *bad[] = {"",       "99",      "99-",    "99-1",   "99-32",  "99-168",  "99-169", "99-16-", "99-16+ ",
                                "-99-16", "9 9-16",  "99.16",  "99-1+",  "99-16++", "99-1622", "99 -16", "12345-00",
                                "a-16",   "99-1a",   "99-16a", " 99-16", "99--6",  "-16",     "+99-16", "99-\xb2\xb2"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK_EQUAL(parsed(bad[i]), -1);
}

static void every_price_is_read_as_it_was_written(void) {
    char text[AP_TREASURY_TEXT];
    for (int32_t ticks = 0; ticks < 10000 * 256; ticks++) {
        size_t length = ap_treasury_format(ticks, text);
        CHECK(length >= 4 && length < AP_TREASURY_TEXT && strlen(text) == length);
        CHECK_EQUAL(parsed(text), ticks);
    }
    CHECK_EQUAL(ap_treasury_format(99 * 256 + 132, text), 6);
    CHECK(strcmp(text, "99-16+") == 0);
    CHECK_EQUAL(ap_treasury_format(-1, text), 0);
    CHECK_EQUAL(ap_treasury_format(10000 * 256, text), 0);
}

/* Only [text, text + length) is read: copies of just that size, so that a sanitizer sees one byte too many. */
static void no_text_is_read_beyond_its_length(void) {
    static const char letters[] = "0123456789-+. a";
    uint64_t random = 5;
    for (int i = 0; i < 200000; i++) {
        size_t length = ap_splitmix64(&random) % 9;
        char *text = malloc(length);
        CHECK(text != NULL || length == 0);
        for (size_t k = 0; k < length; k++)
            text[k] = letters[ap_splitmix64(&random) % (sizeof letters - 1)];
        int32_t ticks;
        char again[AP_TREASURY_TEXT];
        if (ap_treasury_parse(text, length, &ticks) == AP_TREASURY_OK)
            CHECK(ap_treasury_format(ticks, again) > 0 && parsed(again) == ticks);
        free(text);
    }
}

int main(void) {
    every_day_follows_the_one_before();
    coupons_fall_on_the_maturitys_day_or_the_months_last();
    a_settlement_on_a_coupon_date_owes_no_interest();
    terms_that_cannot_be_are_refused();
    a_yield_is_found_from_a_guess_that_leads_astray();
    prices_and_yields_that_cannot_be_are_refused(ap_date(2036, 11, 15));
    prices_and_yields_that_cannot_be_are_refused(ap_date(2027, 4, 30)); /* one coupon left */
    a_price_of_0_is_refused_where_nothing_has_accrued();
    a_price_gives_back_its_yield(200000);
    nothing_jumps_near_a_yield_of_0();
    prices_in_32nds_are_read();
    every_price_is_read_as_it_was_written();
    no_text_is_read_beyond_its_length();
    return 0;
}
