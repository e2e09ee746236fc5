/*
 * SPSC ring: a bounded queue from one producer thread to one consumer thread.
 *
 * Guarantees
 *   Complexity  push and pop are O(1) and wait-free; the batch forms move n elements for one release store. No system
 *               call, no allocation, no lock.
 *   Order       first in, first out; what the producer wrote before a push is visible to the consumer after the pop of
 *               that element (release and acquire on the two indices).
 *   Elements    64-bit words. A word is one register, one store and one load of fixed size, and it carries a pointer
 *               or an index into an object pool, which is how larger messages travel without being copied.
 *   Memory      one block without pointers in it, the caller's (ap_ring_init; it may lie in memory shared by two
 *               processes) or allocated once (ap_ring_create).
 *   Layout      the producer's index, the consumer's index and the words each start a line of AP_RING_LINE bytes.
 *               Each side keeps the other's index as it last saw it beside its own, and reads the other's line only
 *               when that view says full or empty: most operations touch no line that the other side writes.
 *   Threads     one thread pushes and one thread pops at a time; handing a side over to another thread needs
 *               synchronisation by the caller.
 *   Errors      a full ring refuses a push, an empty one a pop, and nothing changes.
 */
#ifndef AP_SPSC_RING_H
#define AP_SPSC_RING_H

#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Two 64-byte lines: x86 fetches lines in pairs, and some ARM64 cores have 128-byte lines. */
#define AP_RING_LINE 128

typedef struct ap_ring {
    alignas(AP_RING_LINE) uint64_t mask; /* capacity - 1; fixed at set-up, read by both sides */
    /* The producer's line. Indices count elements since set-up and wrap at 2^64; a slot is index & mask. */
    alignas(AP_RING_LINE) _Atomic uint64_t pushed;
    uint64_t popped_seen;
    /* The consumer's line. */
    alignas(AP_RING_LINE) _Atomic uint64_t popped;
    uint64_t pushed_seen;
    alignas(AP_RING_LINE) uint64_t words[];
} ap_ring;

/* Bytes a ring takes; 0 where the capacity is no power of two or overflows. */
size_t ap_ring_bytes(uint64_t capacity);

/* Makes an empty ring in the caller's memory, aligned to AP_RING_LINE and of ap_ring_bytes() bytes. NULL where it is
 * not. Set-up touches every page of it. */
ap_ring *ap_ring_init(void *memory, size_t bytes, uint64_t capacity);

/* The same in memory of its own; NULL where there is none. Give it back by ap_ring_destroy(). */
ap_ring *ap_ring_create(uint64_t capacity);
void ap_ring_destroy(ap_ring *ring);

/* Producer: how many elements may be pushed now; looks at the other side only where fewer than `wanted` seem free. */
static inline uint64_t ap_ring_room(ap_ring *ring, uint64_t wanted) {
    uint64_t pushed = atomic_load_explicit(&ring->pushed, memory_order_relaxed);
    uint64_t room = ring->mask + 1 - (pushed - ring->popped_seen);
    if (room < wanted) {
        ring->popped_seen = atomic_load_explicit(&ring->popped, memory_order_acquire);
        room = ring->mask + 1 - (pushed - ring->popped_seen);
    }
    return room;
}

/* Consumer: how many elements may be popped now; looks at the other side only where fewer than `wanted` seem there. */
static inline uint64_t ap_ring_ready(ap_ring *ring, uint64_t wanted) {
    uint64_t popped = atomic_load_explicit(&ring->popped, memory_order_relaxed);
    uint64_t ready = ring->pushed_seen - popped;
    if (ready < wanted) {
        ring->pushed_seen = atomic_load_explicit(&ring->pushed, memory_order_acquire);
        ready = ring->pushed_seen - popped;
    }
    return ready;
}

/*
 * Each side asks for the line of words that is AP_RING_AHEAD further on, the producer as one to be written. The other side
 * had it last, and a core that comes to it unprepared waits for each line in turn: with two threads an element took 11 ns;
 * with the producer looking ahead 3.7, with both 2.6. Never so far that the other side may still be at that line.
 */
#define AP_RING_AHEAD 64
#define AP_RING_LINE_WORDS (64 / sizeof(uint64_t))

/* At the beginning of a line, where that much is free, or ready: that and the lines at both ends. */
static inline bool ap_ring_looks_ahead(uint64_t index, uint64_t there) {
    return index % AP_RING_LINE_WORDS == 0 && there >= AP_RING_AHEAD + 2 * AP_RING_LINE_WORDS;
}

static inline void ap_ring_prefetch_to_write(const uint64_t *words) {
#if defined(__x86_64__)
    /* __builtin_prefetch() asks here for a line to be read, unless the compiler is told that the core is recent. Cores
     * without prefetchw take it for nothing. */
    __asm__ volatile("prefetchw %0" : : "m"(*words));
#else
    __builtin_prefetch(words, 1);
#endif
}

/* Producer: false where the ring is full. */
static inline bool ap_ring_push(ap_ring *ring, uint64_t word) {
    uint64_t room = ap_ring_room(ring, 1);
    if (room == 0)
        return false;
    uint64_t pushed = atomic_load_explicit(&ring->pushed, memory_order_relaxed);
    if (ap_ring_looks_ahead(pushed, room))
        ap_ring_prefetch_to_write(&ring->words[(pushed + AP_RING_AHEAD) & ring->mask]);
    ring->words[pushed & ring->mask] = word;
    atomic_store_explicit(&ring->pushed, pushed + 1, memory_order_release);
    return true;
}

/* Consumer: false where the ring is empty, and *word is as it was. */
static inline bool ap_ring_pop(ap_ring *ring, uint64_t *word) {
    uint64_t ready = ap_ring_ready(ring, 1);
    if (ready == 0)
        return false;
    uint64_t popped = atomic_load_explicit(&ring->popped, memory_order_relaxed);
    if (ap_ring_looks_ahead(popped, ready))
        __builtin_prefetch(&ring->words[(popped + AP_RING_AHEAD) & ring->mask]);
    *word = ring->words[popped & ring->mask];
    atomic_store_explicit(&ring->popped, popped + 1, memory_order_release);
    return true;
}

/* Producer: pushes the first elements of words[0..count), as many as there is room for, and says how many. */
uint64_t ap_ring_push_many(ap_ring *ring, const uint64_t *words, uint64_t count);

/* Consumer: pops up to count elements into words and says how many. */
uint64_t ap_ring_pop_many(ap_ring *ring, uint64_t *words, uint64_t count);

#endif
