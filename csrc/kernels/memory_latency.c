#define _GNU_SOURCE /* MADV_HUGEPAGE */
#include "memory_latency.h"

#include <string.h>
#include <sys/mman.h>

#include "generator.h"
#include "timing.h"

/* What Linux makes of 4 KiB pages on its own. With larger base pages it is only an alignment. */
#define HUGE_PAGE ((size_t)2 << 20)

static size_t whole_pages(size_t bytes) {
    return (bytes + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
}

void *ap_chase_map(size_t bytes, bool huge) {
    if (bytes == 0 || bytes > SIZE_MAX / 2)
        return NULL;
    size_t size = whole_pages(bytes), room = size + HUGE_PAGE;
    uint8_t *memory = mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return NULL;
    size_t before = (HUGE_PAGE - (uintptr_t)memory % HUGE_PAGE) % HUGE_PAGE;
    if (before > 0)
        munmap(memory, before);
    if (before < HUGE_PAGE)
        munmap(memory + before + size, HUGE_PAGE - before);
    memory += before;
    madvise(memory, size, huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
    memset(memory, 0, size);
    return memory;
}

void ap_chase_unmap(void *memory, size_t bytes) {
    if (memory != NULL)
        munmap(memory, whole_pages(bytes));
}

void **ap_chase_lay(void *memory, size_t cells, size_t stride, uint64_t seed) {
    uint8_t *base = memory;
    for (size_t i = 0; i < cells; i++)
        *(void **)(void *)(base + i * stride) = base + i * stride;
    /* Sattolo: swapping each with an earlier one, never with itself, leaves a single cycle. */
    for (size_t i = cells; i-- > 1;) {
        void **one = (void **)(void *)(base + i * stride);
        void **other = (void **)(void *)(base + ap_splitmix64(&seed) % i * stride);
        void *next = *one;
        *one = *other;
        *other = next;
    }
    return memory;
}

void **ap_chase(void **at, uint64_t steps) {
    for (; steps >= 8; steps -= 8) {
        at = *at;
        at = *at;
        at = *at;
        at = *at;
        at = *at;
        at = *at;
        at = *at;
        at = *at;
    }
    for (; steps > 0; steps--)
        at = *at;
    return at;
}

uint64_t ap_chase_time(void ***at, uint64_t steps) {
    uint64_t start = ap_timing_system_ns();
    *at = ap_chase(*at, steps);
    return ap_timing_system_ns() - start;
}
