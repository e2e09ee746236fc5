/* What is called in loops: handlers by a register, an atomic operation by a helper. */
#include <stdint.h>

static uint64_t totals[2][64];

static __attribute__((noinline)) void bid(uint64_t n) {
    totals[0][n & 63] += n;
}

static __attribute__((noinline)) void ask(uint64_t n) {
    totals[1][n & 63] += n ^ 7;
}

static void (*const handlers[])(uint64_t) = {bid, ask};

__attribute__((noinline)) void serve(const uint8_t *kinds, uint64_t count) {
    for (uint64_t i = 0; i < count; i++) {
        handlers[kinds[i]](i); /* here: a register */
    }
}

__attribute__((noinline)) uint64_t counted(uint64_t *counter, uint64_t count) {
    uint64_t sum = 0;
    for (uint64_t i = 0; i < count; i++) {
        sum += i * 3;
        __atomic_fetch_add(counter, i, __ATOMIC_RELAXED); /* here: a helper */
    }
    return sum;
}

int main(void) {
    static const uint8_t kinds[64] = {0, 1, 1};
    static uint64_t counter;
    serve(kinds, 64);
    return (int)(counted(&counter, 64) + totals[0][1] + counter);
}
