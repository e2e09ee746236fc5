/* What is called in loops: handlers by a register, an atomic operation by a helper, a function behind a divide. */
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

__attribute__((noinline)) void serve_twice(const uint8_t *kinds, uint64_t count) {
    for (uint64_t i = 0; i < count; i++) {
        handlers[kinds[i]](i);
        handlers[kinds[i + 1]](i);
    }
}

__attribute__((noinline)) uint64_t weight(uint64_t n) {
    return (n ^ n >> 3) * 31;
}

__attribute__((noinline)) uint64_t shared(const uint64_t *values, uint64_t count, uint64_t by) {
    uint64_t sum = 0;
    for (uint64_t i = 0; i < count; i++) {
        sum += weight(values[i] / by); /* here: a divide */
    }
    return sum;
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
    serve_twice(kinds, 63);
    return (int)(counted(&counter, 64) + totals[0][1] + shared(totals[0], 64, 3) + counter);
}
