/* In a header of its own, so that a call that is inlined changes the file. */
static inline __attribute__((always_inline)) int squared(volatile int *value) {
    int v = *value;
    return v * v; /* line: squared */
}

static inline __attribute__((always_inline)) int twice_squared(volatile int *value) {
    return 2 * squared(value); /* line: call of squared */
}
