/* Prices in 32nds of any text, and bonds of any terms at any yield, price and guess: numbers, or a status that says why. */
#include "treasury.h"
#include "input.h"

static void text(const uint8_t *data, size_t size) {
    char *copy = (char *)fuzz_copy(data, size, 0), written[AP_TREASURY_TEXT];
    int32_t ticks = -1, again = -1;
    if (ap_treasury_parse(copy, size, &ticks) == AP_TREASURY_OK) {
        size_t length = ap_treasury_format(ticks, written);
        CHECK(length > 0 && length < sizeof written && written[length] == '\0');
        CHECK_EQUAL(ap_treasury_parse(written, length, &again), AP_TREASURY_OK);
        CHECK_EQUAL(again, ticks);
    } else {
        CHECK_EQUAL(ticks, -1);
    }
    free(copy);
}

typedef struct {
    double coupon, yield, price, guess;
    int32_t maturity, settlement;
} terms;

/* Within what the header promises: some digits of what is due in all, or of the yield. */
static void there_and_back(const ap_bond *bond, double yield, double guess) {
    double price, found;
    CHECK_EQUAL(ap_bond_price(bond, yield, &price), AP_TREASURY_OK);
    ap_bond_risk risk;
    CHECK_EQUAL(ap_bond_risk_at(bond, yield, &risk), AP_TREASURY_OK);
    double due = price + risk.accrued, scale = due + 100 * bond->half_coupon;
    CHECK(due > 0 && risk.duration > 0 && risk.dv01 > 0 && risk.convexity > 0);
    CHECK(price - risk.price <= 1e-11 * scale && risk.price - price <= 1e-11 * scale);
    if (yield < -0.999 || yield > 49.9) /* rounding may lead beyond the ends */
        return;
    ap_treasury_status status = ap_bond_yield(bond, price, guess, &found);
    CHECK_EQUAL(status, AP_TREASURY_OK);
    double most = 1e-11 + 1e-13 * scale / (1e4 * risk.dv01);
    CHECK(found - yield <= most && yield - found <= most);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    text(data, size);
    if (size < sizeof(terms))
        return 0;
    terms t;
    ap_bond bond;
    double found = 0;
    memcpy(&t, data, sizeof t);
    if (ap_bond_init(&bond, t.coupon, t.maturity, t.settlement) != AP_TREASURY_OK)
        return 0;
    CHECK(bond.periods > 0 && bond.periods <= AP_TREASURY_PERIODS && bond.elapsed >= 0 && bond.elapsed < 1);
    CHECK(bond.next_coupon > bond.settlement && bond.next_coupon <= bond.maturity);
    if (t.yield >= AP_TREASURY_LEAST_YIELD && t.yield <= AP_TREASURY_GREATEST_YIELD)
        there_and_back(&bond, t.yield, t.guess);
    if (ap_bond_yield(&bond, t.price, t.guess, &found) == AP_TREASURY_OK)
        CHECK(found >= AP_TREASURY_LEAST_YIELD && found <= AP_TREASURY_GREATEST_YIELD);
    return 0;
}
