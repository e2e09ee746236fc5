/* Loops of what is computed from the market: time, yields, quotes, risk. */
#include "loops.h"

#include <stdlib.h>

#include "checksum.h"
#include "timing.h"

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
