/* Five small kernels, each with what makes it slower: -DDIVIDE, -DCROSSING, -DCALLED, -DLARGE, -DRANDOM. The line that a
 * reviewer should be sent to is marked.
 */
#include <stdint.h>
#include <stdlib.h>

enum { COUNT = 4096 };

volatile uint64_t sink;
static volatile uint64_t divisor = 8;

static inline uint64_t hashed(uint64_t x) {
    x ^= x >> 7;
    x *= 0x9E3779B97F4A7C15;
    return x ^ x >> 31;
}

/* A divide where a shift was. */
__attribute__((noinline)) uint64_t shares(uint64_t n) {
    uint64_t sum = 0, by = divisor;
    for (uint64_t i = 0; i < n; i++) {
#ifdef DIVIDE
        sum += sum % by + i; /* planted: DIVIDE */
#else
        sum += (sum & 7) + i;
#endif
    }
    return sum + by;
}

/* A field that lies across two lines. */
#ifdef CROSSING
struct __attribute__((packed, aligned(64))) order { char name[60]; uint64_t price; char rest[60]; };
#else
struct __attribute__((packed, aligned(64))) order { char name[56]; uint64_t price; char rest[64]; };
#endif
struct order orders[COUNT]; /* for all to see: what nobody can write to is no memory */

__attribute__((noinline)) uint64_t prices(uint64_t n) {
    uint64_t sum = 0;
    for (uint64_t i = 0; i < n; i++) {
        sum += orders[hashed(i) % COUNT].price; /* planted: CROSSING */
    }
    return sum;
}

/* A call where the function was inlined. */
#ifdef CALLED
__attribute__((noinline))
#else
__attribute__((always_inline))
#endif
static inline uint64_t step(uint64_t x) {
    return x * 31 + 7;
} /* planted: CALLED ends in a return that was not there before */

__attribute__((noinline)) uint64_t steps(uint64_t n) {
    uint64_t x = n;
    for (uint64_t i = 0; i < n; i++) {
        x ^= step(x + i);
    }
    return x;
}

/* A table that no longer fits. */
#ifdef LARGE
enum { SLOTS = 1 << 19 };
#else
enum { SLOTS = 1 << 10 };
#endif
uint64_t table[1 << 19];

__attribute__((noinline)) uint64_t lookups(uint64_t n) {
    uint64_t sum = 0;
    for (uint64_t i = 0; i < n; i++) {
        sum += table[hashed(i) % SLOTS]; /* planted: LARGE */
    }
    return sum;
}

/* A branch on what nobody can foresee. */
__attribute__((noinline)) uint64_t filtered(uint64_t n) {
    uint64_t kept = 0;
    for (uint64_t i = 0; i < n; i++) {
        uint64_t x = hashed(i);
#ifdef RANDOM
        uint64_t by = x >> 20;
#else
        uint64_t by = x >> 20 & 0 | i;
#endif
        if (by & 1) { /* planted: RANDOM */
            sink = kept;
            kept += x;
        }
    }
    return kept;
}

int main(int count, char **words) {
    uint64_t (*kernels[])(uint64_t) = {shares, prices, steps, lookups, filtered};
    int which = count > 1 ? atoi(words[1]) : 0;
    sink = kernels[which](100000);
    return 0;
}
