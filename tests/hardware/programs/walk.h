/* The walk, for each program that has one. */
#ifndef WALK_H
#define WALK_H

#include <stddef.h>
#include <stdint.h>

/*
 * Loads base[0], base[step], ... below base + bytes, and returns the sum of the bytes. bytes and step are not 0.
 * Assembly, so that no compiler changes what the loop costs: 5 instructions for each of the ceil(bytes / step) loads.
 */
uint64_t walk(const char *base, size_t bytes, size_t step)
{
    const char *end = base + bytes;
    uint64_t sum = 0;
    uint64_t byte;
    __asm__ volatile("1: ldrb %w[byte], [%[at]]\n"
                     "   add %[sum], %[sum], %[byte]\n"
                     "   add %[at], %[at], %[step]\n"
                     "   cmp %[at], %[end]\n"
                     "   b.lo 1b\n"
                     : [at] "+&r"(base), [sum] "+&r"(sum), [byte] "=&r"(byte)
                     : [end] "r"(end), [step] "r"(step)
                     : "cc", "memory");
    return sum;
}

#endif
