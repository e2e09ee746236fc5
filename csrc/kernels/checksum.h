/* What the loops make of a kernel's output. */
#ifndef AP_CHECKSUM_H
#define AP_CHECKSUM_H

#include <stdint.h>

#define AP_ODD 0x9e3779b97f4a7c15U /* 2^64 over the golden ratio: an odd number with its bits well mixed */

/* One multiplication on the chain from fold to fold: some 6 cycles. The order of the values counts. */
static inline uint64_t ap_fold(uint64_t checksum, uint64_t value) {
    checksum = (checksum ^ value) * AP_ODD;
    return checksum ^ checksum >> 32;
}

#endif
