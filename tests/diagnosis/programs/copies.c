/* Healthy: messages of 40 to 104 bytes are copied into a ring and out of it, as between two stages of a gateway. */
#include "suite.h"

enum { SLOTS = 64, SLOT = 128, MESSAGES = 8192 };

static char ring[SLOTS][SLOT] __attribute__((aligned(64))), in[SLOT], out[SLOT];

static void prepare(void) {
    for (int i = 0; i < SLOT; i++) {
        in[i] = (char)draw(256);
    }
}

static uint64_t work(unsigned thread) {
    (void)thread;
    uint64_t sum = 0;
    for (uint64_t i = 0; i < MESSAGES; i++) {
        char *slot = ring[i % SLOTS];
        uint64_t length = 40 + i % 5 * 16;
        memcpy(slot, &length, sizeof length);
        memcpy(slot + 8, in, length);
        const char *oldest = ring[(i + 1) % SLOTS];
        uint64_t size;
        memcpy(&size, oldest, sizeof size);
        memcpy(out, oldest + 8, size & 127);
        sum += size + (uint8_t)out[i % 40];
    }
    return sum;
}
