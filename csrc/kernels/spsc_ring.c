#include "spsc_ring.h"

#include <stdlib.h>
#include <string.h>

_Static_assert(sizeof(ap_ring) == 3 * AP_RING_LINE, "three lines before the words");

size_t ap_ring_bytes(uint64_t capacity) {
    if (capacity == 0 || (capacity & (capacity - 1)) != 0 ||
        capacity > (SIZE_MAX - sizeof(ap_ring) - AP_RING_LINE) / sizeof(uint64_t))
        return 0;
    size_t bytes = sizeof(ap_ring) + capacity * sizeof(uint64_t);
    return (bytes + AP_RING_LINE - 1) / AP_RING_LINE * AP_RING_LINE;
}

ap_ring *ap_ring_init(void *memory, size_t bytes, uint64_t capacity) {
    size_t needed = ap_ring_bytes(capacity);
    if (memory == NULL || needed == 0 || bytes < needed || (uintptr_t)memory % AP_RING_LINE != 0)
        return NULL;
    ap_ring *ring = memory;
    memset(ring, 0, needed);
    ring->mask = capacity - 1;
    atomic_init(&ring->pushed, 0);
    atomic_init(&ring->popped, 0);
    return ring;
}

ap_ring *ap_ring_create(uint64_t capacity) {
    size_t bytes = ap_ring_bytes(capacity);
    void *memory = bytes == 0 ? NULL : aligned_alloc(AP_RING_LINE, bytes);
    return memory == NULL ? NULL : ap_ring_init(memory, bytes, capacity);
}

void ap_ring_destroy(ap_ring *ring) {
    free(ring);
}

/* Elements from a slot to the end of the words: a batch that goes on past it is copied in two pieces. */
static uint64_t before_the_end(const ap_ring *ring, uint64_t index, uint64_t count) {
    uint64_t piece = ring->mask + 1 - (index & ring->mask);
    return count < piece ? count : piece;
}

uint64_t ap_ring_push_many(ap_ring *ring, const uint64_t *words, uint64_t count) {
    uint64_t room = ap_ring_room(ring, count);
    if (count > room)
        count = room;
    if (count == 0)
        return 0;
    uint64_t pushed = atomic_load_explicit(&ring->pushed, memory_order_relaxed);
    uint64_t piece = before_the_end(ring, pushed, count);
    memcpy(ring->words + (pushed & ring->mask), words, piece * sizeof *words);
    memcpy(ring->words, words + piece, (count - piece) * sizeof *words);
    atomic_store_explicit(&ring->pushed, pushed + count, memory_order_release);
    return count;
}

uint64_t ap_ring_pop_many(ap_ring *ring, uint64_t *words, uint64_t count) {
    uint64_t ready = ap_ring_ready(ring, count);
    if (count > ready)
        count = ready;
    if (count == 0)
        return 0;
    uint64_t popped = atomic_load_explicit(&ring->popped, memory_order_relaxed);
    uint64_t piece = before_the_end(ring, popped, count);
    memcpy(words, ring->words + (popped & ring->mask), piece * sizeof *words);
    memcpy(words + piece, ring->words, (count - piece) * sizeof *words);
    atomic_store_explicit(&ring->popped, popped + count, memory_order_release);
    return count;
}
