/*
 * Big-endian integers at any alignment, as network protocols have them.
 *
 * memcpy and a byte swap, not a loop of shifts over the bytes: gcc 12 at -O2 leaves such a loop a loop, clang does not.
 */
#ifndef AP_BIG_ENDIAN_H
#define AP_BIG_ENDIAN_H

#include <stdint.h>
#include <string.h>

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define AP_BIG_ENDIAN_SWAP(bits, value) __builtin_bswap##bits(value)
#else
#define AP_BIG_ENDIAN_SWAP(bits, value) (value)
#endif

#define AP_BIG_ENDIAN(bits)                                                                                  \
    static inline uint##bits##_t ap_load_be##bits(const void *from) {                                        \
        uint##bits##_t value;                                                                                \
        memcpy(&value, from, sizeof value);                                                                  \
        return AP_BIG_ENDIAN_SWAP(bits, value);                                                              \
    }                                                                                                        \
    static inline void ap_store_be##bits(void *to, uint##bits##_t value) {                                   \
        value = AP_BIG_ENDIAN_SWAP(bits, value);                                                             \
        memcpy(to, &value, sizeof value);                                                                    \
    }
AP_BIG_ENDIAN(16)
AP_BIG_ENDIAN(32)
AP_BIG_ENDIAN(64)

/* Six bytes. */
static inline uint64_t ap_load_be48(const void *from) {
    const uint8_t *bytes = from;
    return (uint64_t)ap_load_be16(bytes) << 32 | ap_load_be32(bytes + 2);
}

static inline void ap_store_be48(void *to, uint64_t value) {
    uint8_t *bytes = to;
    ap_store_be16(bytes, (uint16_t)(value >> 32));
    ap_store_be32(bytes + 2, (uint32_t)value);
}

#endif
