/*
 * exp(x) - 1 and log(1 + x) that give the same bits on every machine.
 *
 * A C library's differ from one to the next in the last place, and then so does everything computed from them. These
 * use + - * / alone, each of which IEEE 754 defines to the last bit, in an order that the text fixes.
 *
 * That holds as long as the compiler does what is written. Contraction of a * b + c into one rounding, which clang does
 * by itself on ARM64 and gcc does outside ISO C mode, is turned off here for the whole file that includes this; wider
 * registers and -ffast-math are refused.
 *
 * Both are accurate to 3 units in the last place, near 0 too. The coefficients are those of the Taylor series: the
 * ranges are narrow enough that the best polynomial would save two terms of twelve and say less.
 */
#ifndef AP_ELEMENTARY_H
#define AP_ELEMENTARY_H

#include <float.h>
#include <stdint.h>
#include <string.h>

#if defined(__clang__)
#pragma STDC FP_CONTRACT OFF
#elif defined(__GNUC__)
#pragma GCC optimize("fp-contract=off")
#endif
/* 16 is 0 where there are 16-bit floats. */
#if (FLT_EVAL_METHOD != 0 && FLT_EVAL_METHOD != 16) || defined(__FAST_MATH__)
#error "these results must not depend on wider registers or -ffast-math"
#endif

/* log 2; the first part has 32 zero bits at its end, so that an integer below 2^21 times it is exact. */
#define AP_LN2_HIGH 0x1.62e42feep-1
#define AP_LN2_LOW 0x1.a39ef35793c76p-33

/* log of (1 + s) / (1 - s), for |s| <= 0.1716: 2 (s + s^3/3 + s^5/5 + ...), the next term below 2^-55 of the sum. */
static inline double ap_log_ratio(double s) {
    double z = s * s, z2 = z * z, z4 = z2 * z2;
    double low = (1.0 / 3 + z * (1.0 / 5)) + z2 * (1.0 / 7 + z * (1.0 / 9));
    double middle = (1.0 / 11 + z * (1.0 / 13)) + z2 * (1.0 / 15 + z * (1.0 / 17));
    double high = 1.0 / 19 + z * (1.0 / 21);
    return 2 * s + 2 * s * (z * (low + z4 * (middle + z4 * high)));
}

/* log(x) for a positive normal number; some -709 for the least ones and 0, and 709.8 for infinity. */
static inline double ap_log(double x) {
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    /* x = f 2^k with f between sqrt(1/2) and sqrt(2), whose upper half is 3fe6a09e. */
    int64_t k = (int64_t)(bits - 0x3fe6a09e00000000) >> 52;
    bits -= (uint64_t)k << 52;
    double f;
    memcpy(&f, &bits, sizeof f);
    return (double)k * AP_LN2_HIGH + ((double)k * AP_LN2_LOW + ap_log_ratio((f - 1) / (f + 1)));
}

/* log(1 + x) for x > -1. */
static inline double ap_log1p(double x) {
    if (x > -0.2928 && x < 0.4142) /* 1 + x between sqrt(1/2) and sqrt(2) */
        return ap_log_ratio(x / (2 + x));
    return ap_log(1 + x);
}

/* exp(x) = scale (1 + part), and 1 + part lies between sqrt(1/2) and sqrt(2). For |x| < 700. */
typedef struct {
    double scale, part;
} ap_exp_parts;

static inline ap_exp_parts ap_exp_split(double x) {
    /* Adding 1.5 2^52 rounds to an integer and leaves it in the lowest bits. */
    double shifted = x * 0x1.71547652b82fep+0 + 0x1.8p52, k = shifted - 0x1.8p52;
    double r = (x - k * AP_LN2_HIGH) - k * AP_LN2_LOW, r2 = r * r, r4 = r2 * r2;
    double low = (1.0 / 2 + r * (1.0 / 6)) + r2 * (1.0 / 24 + r * (1.0 / 120));
    double middle = (1.0 / 720 + r * (1.0 / 5040)) + r2 * (1.0 / 40320 + r * (1.0 / 362880));
    double high = (1.0 / 3628800 + r * (1.0 / 39916800)) + r2 * (1.0 / 479001600 + r * (1.0 / 6227020800));
    uint64_t bits;
    memcpy(&bits, &shifted, sizeof bits);
    bits = (bits + 1023) << 52; /* the exponent of 2^k; what lies above it falls out */
    ap_exp_parts parts = {.part = r + r2 * (low + r4 * (middle + r4 * high))};
    memcpy(&parts.scale, &bits, sizeof bits);
    return parts;
}

static inline double ap_exp(double x) {
    ap_exp_parts parts = ap_exp_split(x);
    return parts.scale + parts.scale * parts.part;
}

static inline double ap_expm1(double x) {
    ap_exp_parts parts = ap_exp_split(x);
    return (parts.scale - 1) + parts.scale * parts.part;
}

#endif
