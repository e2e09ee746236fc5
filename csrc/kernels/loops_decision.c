/* Loops of what is computed from the market: time, yields, quotes, risk. */
#include "loops.h"

#include <stdlib.h>
#include <string.h>

#include "checksum.h"
#include "elementary.h" /* no contraction: what the kernels are fed is computed here */
#include "generator.h"
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
