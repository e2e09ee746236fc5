/* The SPSC ring: sequence kept between two threads (run it under ThreadSanitizer), batches that wrap, refusals. */
#include "generator.h"
#include "spsc_ring.h"

#include <pthread.h>
#include <sched.h>

#include "check.h"

#define ELEMENTS 1000000U
#define LARGEST_BATCH 48U

/* Both sides mix single operations and batches of random size, and give way when they cannot go on. */

static void *produce(void *argument) {
    ap_ring *ring = argument;
    uint64_t random = 1, next = 0, batch[LARGEST_BATCH];
    while (next < ELEMENTS) {
        uint64_t moved;
        if (ap_splitmix64(&random) & 1) {
            moved = ap_ring_push(ring, next);
        } else {
            uint64_t count = 1 + ap_splitmix64(&random) % LARGEST_BATCH;
            if (count > ELEMENTS - next)
                count = ELEMENTS - next;
            for (uint64_t i = 0; i < count; i++)
                batch[i] = next + i;
            moved = ap_ring_push_many(ring, batch, count);
        }
        next += moved;
        if (moved == 0)
            sched_yield();
    }
    return NULL;
}

static void *consume(void *argument) {
    ap_ring *ring = argument;
    uint64_t random = 2, next = 0, batch[LARGEST_BATCH];
    while (next < ELEMENTS) {
        uint64_t moved = ap_splitmix64(&random) & 1
                             ? ap_ring_pop(ring, batch)
                             : ap_ring_pop_many(ring, batch, 1 + ap_splitmix64(&random) % LARGEST_BATCH);
        for (uint64_t i = 0; i < moved; i++)
            CHECK_EQUAL(batch[i], next + i);
        next += moved;
        if (moved == 0)
            sched_yield();
    }
    return NULL;
}

static void two_threads_keep_the_sequence(uint64_t capacity) {
    ap_ring *ring = ap_ring_create(capacity);
    CHECK(ring != NULL);
    pthread_t producer, consumer;
    CHECK(pthread_create(&producer, NULL, produce, ring) == 0);
    CHECK(pthread_create(&consumer, NULL, consume, ring) == 0);
    CHECK(pthread_join(producer, NULL) == 0);
    CHECK(pthread_join(consumer, NULL) == 0);
    uint64_t word;
    CHECK(!ap_ring_pop(ring, &word));
    ap_ring_destroy(ring);
}

/* What is written before a push is read after the pop of that word, and what the consumer has read before a pop may be
 * written anew: records that words point to need no lock of their own. */
typedef struct {
    uint64_t a, b;
} record;

#define RECORDS 64U

static void *produce_records(void *argument) {
    ap_ring *ring = argument;
    /* One for each word the ring holds, one in the producer's hands and one in the consumer's. */
    static record records[RECORDS + 2];
    for (uint64_t i = 0; i < ELEMENTS / 4; i++) {
        record *r = &records[i % (RECORDS + 2)];
        *r = (record){i, ~i};
        while (!ap_ring_push(ring, (uintptr_t)r))
            sched_yield();
    }
    return NULL;
}

static void what_words_point_to_is_visible(void) {
    ap_ring *ring = ap_ring_create(RECORDS);
    CHECK(ring != NULL);
    pthread_t producer;
    CHECK(pthread_create(&producer, NULL, produce_records, ring) == 0);
    for (uint64_t i = 0; i < ELEMENTS / 4; i++) {
        uint64_t word;
        while (!ap_ring_pop(ring, &word))
            sched_yield();
        const record *r = (const record *)(uintptr_t)word;
        CHECK_EQUAL(r->a, i);
        CHECK_EQUAL(r->b, ~i);
    }
    CHECK(pthread_join(producer, NULL) == 0);
    ap_ring_destroy(ring);
}

static void full_and_empty_refuse_and_change_nothing(void) {
    ap_ring *ring = ap_ring_create(4);
    CHECK(ring != NULL);
    uint64_t words[8] = {1, 2, 3, 4, 5, 6, 7, 8}, word = 99;
    CHECK(!ap_ring_pop(ring, &word) && word == 99);
    CHECK_EQUAL(ap_ring_pop_many(ring, words, 8), 0);
    CHECK_EQUAL(ap_ring_push_many(ring, words, 0), 0);
    CHECK_EQUAL(ap_ring_push_many(ring, words, 8), 4);
    CHECK(!ap_ring_push(ring, 5));
    CHECK(ap_ring_pop(ring, &word) && word == 1);
    CHECK(ap_ring_push(ring, 5));
    CHECK_EQUAL(ap_ring_push_many(ring, words, 1), 0);
    CHECK_EQUAL(ap_ring_pop_many(ring, words, 8), 4); /* 2 to 4 and, past the end, 5 */
    for (int i = 0; i < 4; i++)
        CHECK_EQUAL(words[i], i + 2);
    ap_ring_destroy(ring);
}

static void sizes_that_cannot_be_are_refused(void) {
    CHECK(ap_ring_bytes(0) == 0 && ap_ring_bytes(3) == 0 && ap_ring_bytes(UINT64_C(1) << 63) == 0);
    CHECK(ap_ring_create(0) == NULL && ap_ring_create(1000) == NULL);
    size_t bytes = ap_ring_bytes(64);
    char *memory = aligned_alloc(AP_RING_LINE, bytes + AP_RING_LINE);
    CHECK(memory != NULL);
    CHECK(ap_ring_init(memory, bytes, 64) == (void *)memory);
    CHECK(ap_ring_init(memory, bytes - 1, 64) == NULL);
    CHECK(ap_ring_init(memory + 8, bytes, 64) == NULL);
    CHECK(ap_ring_init(NULL, bytes, 64) == NULL);
    free(memory);
}

static void each_side_writes_lines_of_its_own(void) {
    CHECK(offsetof(ap_ring, pushed) % AP_RING_LINE == 0 && offsetof(ap_ring, popped) % AP_RING_LINE == 0);
    CHECK(offsetof(ap_ring, words) % AP_RING_LINE == 0 && offsetof(ap_ring, pushed) > 0);
    CHECK(offsetof(ap_ring, popped_seen) / AP_RING_LINE == offsetof(ap_ring, pushed) / AP_RING_LINE);
    CHECK(offsetof(ap_ring, pushed_seen) / AP_RING_LINE == offsetof(ap_ring, popped) / AP_RING_LINE);
}

int main(void) {
    full_and_empty_refuse_and_change_nothing();
    sizes_that_cannot_be_are_refused();
    each_side_writes_lines_of_its_own();
    two_threads_keep_the_sequence(1);
    two_threads_keep_the_sequence(16);
    two_threads_keep_the_sequence(4096);
    what_words_point_to_is_visible();
    return 0;
}
