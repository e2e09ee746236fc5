/* A loop, and the same with one load more: -DMORE. */
#include <stdint.h>

static uint32_t table[1024];
volatile uint32_t sink;

static __attribute__((noinline)) uint32_t mix(uint32_t x) {
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    return x;
}

__attribute__((noinline)) uint32_t work(uint32_t n) {
    uint32_t sum = 0;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t x = mix(i);
#ifdef MORE
        sum += table[x & 1023]; /* the added load */
#endif
        sum += x * 3;
    }
    return sum;
}

int main(void) {
    for (uint32_t i = 0; i < 1024; i++) {
        table[i] = i;
    }
    sink = work(100000);
    return 0;
}
