/* The loops of ring_peers.cpp over our ring. */
#include <sched.h>
#include <stdint.h>

#include "spsc_ring.h"

enum { BATCH = 64, PAUSES = 1 << 20 };

void *ours_create(uint64_t capacity) {
    return ap_ring_create(capacity);
}

void ours_destroy(void *ring) {
    ap_ring_destroy(ring);
}

/* All queues wait by this. */
void wait_a_little(unsigned *waited) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
    if (++*waited % PAUSES == 0)
        sched_yield();
}

uint64_t ours_alone(void *ring, uint64_t count) {
    uint64_t sum = 0, word = 0;
    for (uint64_t i = 0; i < count; i++) {
        ap_ring_push(ring, i);
        ap_ring_pop(ring, &word);
        sum += word;
    }
    return sum;
}

void ours_produce(void *ring, uint64_t count) {
    unsigned waited = 0;
    for (uint64_t i = 0; i < count; i++)
        while (!ap_ring_push(ring, i))
            wait_a_little(&waited);
}

uint64_t ours_consume(void *ring, uint64_t count) {
    unsigned waited = 0;
    uint64_t sum = 0, word = 0;
    for (uint64_t i = 0; i < count; i++) {
        while (!ap_ring_pop(ring, &word))
            wait_a_little(&waited);
        sum += word;
    }
    return sum;
}

void ours_produce_batches(void *ring, uint64_t count) {
    unsigned waited = 0;
    uint64_t batch[BATCH];
    for (uint64_t at = 0; at < count;) {
        uint64_t size = count - at < BATCH ? count - at : BATCH;
        for (uint64_t i = 0; i < size; i++)
            batch[i] = at + i;
        uint64_t moved = ap_ring_push_many(ring, batch, size);
        at += moved;
        if (moved == 0)
            wait_a_little(&waited);
    }
}

uint64_t ours_consume_batches(void *ring, uint64_t count) {
    unsigned waited = 0;
    uint64_t sum = 0, batch[BATCH];
    for (uint64_t at = 0; at < count;) {
        uint64_t moved = ap_ring_pop_many(ring, batch, BATCH);
        for (uint64_t i = 0; i < moved; i++)
            sum += batch[i];
        at += moved;
        if (moved == 0)
            wait_a_little(&waited);
    }
    return sum;
}
