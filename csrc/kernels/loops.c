#include "loops.h"

#include <stdlib.h>

#include "big_endian.h"
#include "checksum.h"
#include "generator.h"
#include "itch50.h"
#include "object_pool.h"
#include "spsc_ring.h"

/* ---- Object pool --------------------------------------------------------------------------------------------- */

/* The size of an order record: a cache line. */
typedef struct {
    uint64_t link; /* the pool's while the object is free */
    uint64_t number;
    uint64_t rest[6];
} pool_record;

typedef struct {
    ap_pool *pool;
    uint64_t random;
    uint64_t number;
    uint64_t checksum;
    pool_record *live[AP_POOL_LOOP_LIVE];
} pool_loop;

void *ap_pool_loop_create(uint64_t seed) {
    pool_loop *loop = calloc(1, sizeof *loop);
    if (loop == NULL)
        return NULL;
    loop->random = seed;
    loop->pool = ap_pool_create(sizeof(pool_record), AP_POOL_LOOP_LIVE + 1);
    if (loop->pool == NULL) {
        free(loop);
        return NULL;
    }
    for (int i = 0; i < AP_POOL_LOOP_LIVE; i++) {
        loop->live[i] = ap_pool_get(loop->pool);
        loop->live[i]->number = loop->number++;
    }
    return loop;
}

void ap_pool_loop_destroy(void *state) {
    pool_loop *loop = state;
    ap_pool_destroy(loop->pool);
    free(loop);
}

uint64_t ap_pool_loop(void *state, uint64_t operations) {
    pool_loop *loop = state;
    uint64_t checksum = loop->checksum;
    while (operations-- > 0) {
        pool_record *fresh = ap_pool_get(loop->pool);
        fresh->number = loop->number++;
        pool_record **slot = &loop->live[ap_splitmix64(&loop->random) % AP_POOL_LOOP_LIVE];
        pool_record *old = *slot;
        *slot = fresh;
        checksum = ap_fold(checksum, old->number);
        ap_pool_put(loop->pool, old);
    }
    return loop->checksum = checksum;
}

/* ---- SPSC ring ----------------------------------------------------------------------------------------------- */

#define RING_CAPACITY 1024

typedef struct {
    ap_ring *ring;
    uint64_t number;
    uint64_t checksum;
} ring_loop;

void *ap_ring_loop_create(uint64_t seed) {
    ring_loop *loop = calloc(1, sizeof *loop);
    if (loop == NULL)
        return NULL;
    loop->number = seed;
    loop->ring = ap_ring_create(RING_CAPACITY);
    if (loop->ring == NULL) {
        free(loop);
        return NULL;
    }
    return loop;
}

void ap_ring_loop_destroy(void *state) {
    ring_loop *loop = state;
    ap_ring_destroy(loop->ring);
    free(loop);
}

uint64_t ap_ring_loop(void *state, uint64_t operations) {
    ring_loop *loop = state;
    uint64_t checksum = loop->checksum;
    while (operations-- > 0) {
        uint64_t word = 0;
        ap_ring_push(loop->ring, loop->number++);
        ap_ring_pop(loop->ring, &word);
        checksum = ap_fold(checksum, word);
    }
    return loop->checksum = checksum;
}

/* ---- ITCH 5.0 ------------------------------------------------------------------------------------------------ */

typedef struct {
    const uint8_t *data;
    size_t size;
    ap_itch_reader reader;
    uint64_t checksum;
} itch_loop;

/* How each kind of field becomes a number for the digest. */
#define NUMBER_letter(field) ((uint8_t)(field))
#define NUMBER_text2(field) ap_load_be16(field)
#define NUMBER_text4(field) ap_load_be32(field)
#define NUMBER_text8(field) ap_load_be64(field)
#define NUMBER_u16(field) (field)
#define NUMBER_u32(field) (field)
#define NUMBER_u48(field) (field)
#define NUMBER_u64(field) (field)
#define NUMBER_price4(field) (field)
#define NUMBER_price8(field) (field)

/* The sum of all fields, each times an odd number of its own: the products do not wait for one another as a chain of
 * folds would, so that the checksum costs little beside the decoding it proves. */
static inline uint64_t digest(const ap_itch_message *message) {
    uint64_t sum = (uint8_t)message->type;
#define ADD_HEADER(kind, name, offset) sum += AP_ODD * (2 * (offset) + 1) * NUMBER_##kind(message->name);
    AP_ITCH_HEADER(ADD_HEADER)
#define ADD(kind, name, offset) sum += AP_ODD * (2 * (offset) + 1) * NUMBER_##kind(body->name);
#define DIGEST(letter, member, fields, length)                                                                 \
    case letter: {                                                                                             \
        const ap_itch_##member *body = &message->member;                                                       \
        fields(ADD) break;                                                                                     \
    }
    switch (message->type) { AP_ITCH_MESSAGES(DIGEST) }
    return sum;
}

static void rewind_reader(itch_loop *loop) {
    ap_itch_reader_init(&loop->reader, loop->data, loop->size, AP_ITCH_BINARYFILE);
}

void *ap_itch_loop_create(const uint8_t *data, size_t size) {
    ap_itch_message message;
    itch_loop *loop = calloc(1, sizeof *loop);
    if (loop == NULL)
        return NULL;
    loop->data = data;
    loop->size = size;
    rewind_reader(loop);
    ap_itch_status first = ap_itch_next(&loop->reader, &message);
    if (first == AP_ITCH_TRUNCATED || first == AP_ITCH_END) {
        free(loop);
        return NULL;
    }
    rewind_reader(loop);
    return loop;
}

void ap_itch_loop_destroy(void *state) {
    free(state);
}

uint64_t ap_itch_loop(void *state, uint64_t operations) {
    itch_loop *loop = state;
    uint64_t checksum = loop->checksum;
    while (operations > 0) {
        ap_itch_message message;
        ap_itch_status status = ap_itch_next(&loop->reader, &message);
        if (status == AP_ITCH_END || status == AP_ITCH_TRUNCATED) {
            rewind_reader(loop); /* an unfinished frame at the end is none */
            continue;
        }
        checksum = ap_fold(checksum, status == AP_ITCH_OK ? digest(&message) : (uint64_t)status);
        operations--;
    }
    return loop->checksum = checksum;
}
