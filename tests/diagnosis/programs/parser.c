/* Healthy: a parser of messages that are alike: tag=value fields of fixed widths, whose branches follow a pattern. */
#include "suite.h"

enum { MESSAGES = 800, LENGTH = 58 };

static char text[MESSAGES * LENGTH + 1];

static void prepare(void) {
    for (int i = 0; i < MESSAGES; i++) {
        snprintf(&text[i * LENGTH], LENGTH + 1, "35=8|34=%08d|44=%08d|38=%08d|54=%d|60=%07d|\n", i % 1000,
                 (int)draw(99999999), (int)draw(99999999), 1 + (int)draw(2), (int)draw(9999999));
    }
}

static inline uint32_t eight_digits(const char *at) {
    uint64_t value;
    memcpy(&value, at, 8);
    value = (value & 0x0f0f0f0f0f0f0f0fu) * 2561 >> 8;
    value = (value & 0x00ff00ff00ff00ffu) * 6553601 >> 16;
    return (uint32_t)((value & 0x0000ffff0000ffffu) * 42949672960001u >> 32);
}

static uint64_t work(unsigned thread) {
    (void)thread;
    uint64_t sums[4] = {0};
    for (const char *at = text; *at; at += LENGTH) {
        if (at[3] != '8' || at[16] != '|') {
            continue;
        }
        sums[0] += eight_digits(at + 8);
        sums[1] += eight_digits(at + 20);
        sums[2] += eight_digits(at + 32);
        sums[3] += (uint64_t)(at[44] - '0');
    }
    return sums[0] * 31 + sums[1] * 7 + sums[2] * 3 + sums[3];
}
