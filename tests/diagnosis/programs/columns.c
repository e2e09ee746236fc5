/* The totals of a day: 1.5 million trades in three columns, read once from the first to the last. There is nothing to do but
 * to bring them from memory, and with four bytes for each value instead of eight it is half as much. The last level has
 * 8 MiB here, which is what a core is left of a larger one that others use too. */
#include "suite.h"

#include <sys/mman.h>

enum { TRADES = 1500000 };

#ifdef FIXED
typedef int32_t value;
#else
typedef int64_t value;
#endif

static value *quantity, *fee, *tax;

/* In huge pages: the translations are not the question here. */
static value *column(void) {
    size_t bytes = (TRADES * sizeof(value) + (2 << 20) - 1) >> 21 << 21;
    void *memory = aligned_alloc(2 << 20, bytes);
    madvise(memory, bytes, MADV_HUGEPAGE);
    return memory;
}

static void prepare(void) {
    quantity = column();
    fee = column();
    tax = column();
    for (int i = 0; i < TRADES; i++) {
        quantity[i] = i % 1000;
        fee[i] = i % 7;
        tax[i] = i & 15;
    }
}

static uint64_t work(unsigned thread) {
    (void)thread;
    int64_t quantities = 0, fees = 0, taxes = 0;
    for (int i = 0; i < TRADES; i++) {
        quantities += quantity[i];
        fees += fee[i];
        taxes += tax[i];
    }
    return (uint64_t)(quantities * 31 + fees * 7 + taxes);
}
