/* memset without `dc zva`, of which neither this model nor the guest's is told what it clears. */
#include <stddef.h>
#include <stdint.h>

void *memset(void *memory, int byte, size_t size) {
    uint8_t *at = memory, *end = at + size;
    for (; at < end && (uintptr_t)at % 8; at++) {
        *(volatile uint8_t *)at = (uint8_t)byte;
    }
    for (; at + 8 <= end; at += 8) {
        *(volatile uint64_t *)at = (uint8_t)byte * 0x0101010101010101u;
    }
    for (; at < end; at++) {
        *(volatile uint8_t *)at = (uint8_t)byte;
    }
    return memory;
}
