/* A checksum over frames of 1,024 bytes, bit by bit: all of it is work, and the core does as much of it at a time as it can.
 * By a table, a byte takes one step instead of eight. */
#include "suite.h"

enum { FRAMES = 32, BYTES = 1024 };

static uint8_t frames[FRAMES][BYTES];
static uint32_t table[256];

static inline uint32_t bits(uint32_t crc) {
#pragma GCC unroll 8
    for (int bit = 0; bit < 8; bit++) {
        crc = crc >> 1 ^ (0xedb88320u & (0u - (crc & 1))); /* here: do-less-work */
    }
    return crc;
}

static void prepare(void) {
    for (uint32_t i = 0; i < 256; i++) {
        table[i] = bits(i);
    }
    for (int frame = 0; frame < FRAMES; frame++) {
        for (int i = 0; i < BYTES; i++) {
            frames[frame][i] = (uint8_t)draw(256);
        }
    }
}

/* Of four frames at a time: one alone would wait for its own last step. */
static inline uint32_t next(uint32_t crc, uint8_t byte) {
#ifdef FIXED
    return crc >> 8 ^ table[(crc ^ byte) & 0xff];
#else
    return bits(crc ^ byte);
#endif
}

static uint64_t work(unsigned thread) {
    (void)thread;
    uint64_t sum = 0;
    for (int frame = 0; frame < FRAMES; frame += 4) {
        uint32_t a = ~0u, b = ~0u, c = ~0u, d = ~0u;
        for (int i = 0; i < BYTES; i++) {
            a = next(a, frames[frame][i]);
            b = next(b, frames[frame + 1][i]);
            c = next(c, frames[frame + 2][i]);
            d = next(d, frames[frame + 3][i]);
        }
        sum = sum * 31 + (a ^ b ^ c ^ d);
    }
    return sum;
}
