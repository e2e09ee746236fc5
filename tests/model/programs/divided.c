/* A loop of divisions that is hot, and another one that does not run. */
#include <stdint.h>

__attribute__((noinline)) uint64_t hot(const uint64_t *at, int count, uint64_t by) {
    uint64_t sum = 0;
    for (int i = 0; i < count; i++)
        sum += at[i] / by; /* hot */
    return sum;
}

__attribute__((noinline)) uint64_t cold(const uint64_t *at, int count, uint64_t by) {
    uint64_t sum = 0;
    for (int i = 0; i < count; i++)
        sum += at[i] % by; /* cold */
    return sum;
}

int main(int count, char **arguments) {
    static uint64_t at[1000];
    for (int i = 0; i < 1000; i++)
        at[i] = (uint64_t)i * 1234567;
    uint64_t sum = 0;
    for (uint64_t i = 0; i < 300; i++)
        sum += hot(at, 1000, 7 + (uint64_t)count + (i & 3));
    if (count > 5)
        sum += cold(at, 1000, (uint64_t)*arguments[1]);
    return sum == 0;
}
