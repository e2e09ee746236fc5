/* Prices of 40,000 records of 64 bytes, looked up in any order in a buffer that begins with a header of 20 bytes: each price
 * begins on one line and ends on the next, and takes two. Behind a header that is padded to a line, it takes one. */
#include "suite.h"

enum { RECORDS = 40000, LOOKUPS = 40000 };

struct record {
    uint64_t number, sent, received, venue, flags;
    int64_t price;
    uint64_t quantity, check;
};

#ifdef FIXED
enum { HEADER = 64 };
#else
enum { HEADER = 20 };
#endif

static char buffer[HEADER + RECORDS * sizeof(struct record)] __attribute__((aligned(64)));
static uint32_t lookups[LOOKUPS];

static inline int64_t price(uint32_t number) {
    int64_t value;
    /* here: line-crossing */
    memcpy(&value, &buffer[HEADER + number * sizeof(struct record) + offsetof(struct record, price)], sizeof value);
    return value;
}

static void prepare(void) {
    for (uint32_t i = 0; i < RECORDS; i++) {
        struct record record = {.number = i, .price = 10000 + (int64_t)draw(100), .quantity = 1 + draw(500)};
        memcpy(&buffer[HEADER + i * sizeof record], &record, sizeof record);
    }
    for (int i = 0; i < LOOKUPS; i++) {
        lookups[i] = (uint32_t)draw(RECORDS);
    }
}

static uint64_t work(unsigned thread) {
    (void)thread;
    int64_t total = 0;
    for (int i = 0; i < LOOKUPS; i++) {
        total += price(lookups[i]); /* here: line-crossing */
    }
    return (uint64_t)total;
}
