/* A message of 330 fields, each decoded and checked by a function of its own, which generate.py writes. What happens to
 * a field that fails stands in the middle of what happens to all others, and with it the code is larger than L1I; in
 * a function of its own that is told to be cold, it is out of the way. */
#include "suite.h"

enum { TIMES = 20 };

static struct {
    uint64_t count, last_field, last_reason, last_value, last_bound, by_reason[4], digest;
} rejected;

#ifdef FIXED
static __attribute__((cold, noinline))
#else
static inline __attribute__((always_inline))
#endif
void reject(uint64_t field, uint64_t reason, uint64_t value, uint64_t bound) {
    rejected.count++;
    rejected.last_field = field;
    rejected.last_reason = reason;
    rejected.last_value = value;
    rejected.last_bound = bound;
    rejected.by_reason[reason]++;
    rejected.digest = rejected.digest * 31 + (value ^ bound << 7);
}

#include "fields.inc"

static uint32_t raw[FIELDS];

static void prepare(void) {
    for (int i = 0; i < FIELDS; i++) {
        raw[i] = __builtin_bswap32((uint32_t)draw(200) * 4096 + 100 + (uint32_t)draw(3000));
    }
}

static uint64_t work(unsigned thread) {
    (void)thread;
    for (int i = 0; i < TIMES; i++) {
        decode(raw);
    }
    return rejected.digest + rejected.count + decoded[7];
}
