/* The object pool against a plain model, in memory of its own and in the caller's; misuse is refused in debug builds. */
#include "generator.h"
#include "object_pool.h"

#include "check.h"

#define CAPACITY 37 /* no power of two, so that rounding would show */

typedef struct {
    unsigned char *object;
    unsigned char pattern;
} owned;

static void fill(const owned *mine, size_t size) {
    memset(mine->object, mine->pattern, size);
}

static int is_untouched(const owned *mine, size_t size) {
    for (size_t i = 0; i < size; i++)
        if (mine->object[i] != mine->pattern)
            return 0;
    return 1;
}

/* Random gets and puts: every object out is one of the pool's, aligned, nobody else's, and keeps what was written. */
static void random_use_keeps_objects_apart(ap_pool *pool, size_t size, uint64_t seed) {
    owned out[CAPACITY];
    size_t count = 0;
    for (int step = 0; step < 200000; step++) {
        uint64_t random = ap_splitmix64(&seed);
        if (random & 1) {
            owned mine = {ap_pool_get(pool), (unsigned char)(random >> 8)};
            CHECK((mine.object == NULL) == (count == CAPACITY));
            if (mine.object == NULL)
                continue;
            CHECK((uintptr_t)mine.object % AP_POOL_ALIGNMENT == 0);
            CHECK(ap_pool_index(pool, mine.object) < CAPACITY);
            for (size_t i = 0; i < count; i++)
                CHECK(out[i].object != mine.object);
            fill(&mine, size);
            out[count++] = mine;
        } else if (count > 0) {
            size_t chosen = (random >> 8) % count;
            CHECK(is_untouched(&out[chosen], size));
            CHECK_EQUAL(ap_pool_put(pool, out[chosen].object), AP_POOL_OK);
            void *last = out[chosen].object;
            out[chosen] = out[--count];
            if ((random >> 40) % 4 == 0) { /* last in, first out */
                CHECK(ap_pool_get(pool) == last);
                CHECK_EQUAL(ap_pool_put(pool, last), AP_POOL_OK);
            }
        }
    }
    while (count > 0)
        CHECK_EQUAL(ap_pool_put(pool, out[--count].object), AP_POOL_OK);
}

static void sizes_that_cannot_be_are_refused(void) {
    unsigned char memory[1024];
    void *aligned = memory + (AP_POOL_ALIGNMENT - (uintptr_t)memory % AP_POOL_ALIGNMENT) % AP_POOL_ALIGNMENT;
    size_t needed = ap_pool_bytes(24, 8);
    CHECK(needed > 0 && needed <= sizeof memory - AP_POOL_ALIGNMENT);
    CHECK(ap_pool_init(aligned, needed, 24, 8) == aligned);
    CHECK(ap_pool_init(aligned, needed - 1, 24, 8) == NULL);
    CHECK(ap_pool_init((char *)aligned + 1, needed, 24, 8) == NULL);
    CHECK(ap_pool_init(NULL, needed, 24, 8) == NULL);
    CHECK(ap_pool_bytes(0, 8) == 0 && ap_pool_bytes(24, 0) == 0);
    CHECK(ap_pool_bytes(SIZE_MAX, 1) == 0 && ap_pool_bytes(1, SIZE_MAX / 8) == 0);
    CHECK(ap_pool_bytes(SIZE_MAX / 2, 3) == 0);
    CHECK(ap_pool_create(0, 8) == NULL && ap_pool_create(SIZE_MAX / 2, 3) == NULL);
}

static void a_fresh_pool_hands_out_in_address_order(void) {
    ap_pool *pool = ap_pool_create(20, CAPACITY);
    CHECK(pool != NULL);
    for (size_t i = 0; i < CAPACITY; i++)
        CHECK_EQUAL(ap_pool_index(pool, ap_pool_get(pool)), i);
    CHECK(ap_pool_get(pool) == NULL);
    ap_pool_destroy(pool);
}

#ifdef AP_POOL_DEBUG
static void misuse_is_named_and_changes_nothing(void) {
    ap_pool *pool = ap_pool_create(48, 4), *other = ap_pool_create(48, 4);
    CHECK(pool != NULL && other != NULL);
    char *first = ap_pool_get(pool), *second = ap_pool_get(pool);
    int local;
    CHECK_EQUAL(ap_pool_put(pool, NULL), AP_POOL_FOREIGN);
    CHECK_EQUAL(ap_pool_put(pool, &local), AP_POOL_FOREIGN);
    CHECK_EQUAL(ap_pool_put(pool, ap_pool_get(other)), AP_POOL_FOREIGN);
    CHECK_EQUAL(ap_pool_put(pool, first + 1), AP_POOL_FOREIGN);
    CHECK_EQUAL(ap_pool_put(pool, first - 48), AP_POOL_FOREIGN);
    CHECK_EQUAL(ap_pool_put(pool, first + 4 * 48), AP_POOL_FOREIGN);
    CHECK_EQUAL(ap_pool_put(pool, first + 2 * 48), AP_POOL_DOUBLE_PUT); /* never handed out */
    CHECK_EQUAL(ap_pool_put(pool, first), AP_POOL_OK);
    CHECK_EQUAL(ap_pool_put(pool, first), AP_POOL_DOUBLE_PUT);
    CHECK_EQUAL(ap_pool_put(pool, second), AP_POOL_OK);
    CHECK_EQUAL(ap_pool_put(pool, first), AP_POOL_DOUBLE_PUT);
    /* All four are there, once each. */
    for (int i = 0; i < 4; i++)
        CHECK(ap_pool_get(pool) != NULL);
    CHECK(ap_pool_get(pool) == NULL);
    ap_pool_destroy(pool);
    ap_pool_destroy(other);
}
#endif

int main(void) {
    static const size_t sizes[] = {1, 8, 16, 17, 64, 200};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        ap_pool *pool = ap_pool_create(sizes[i], CAPACITY);
        CHECK(pool != NULL);
        random_use_keeps_objects_apart(pool, sizes[i], i);
        ap_pool_destroy(pool);

        /* Exactly the bytes asked for, so that a sanitizer sees one too many. */
        size_t bytes = ap_pool_bytes(sizes[i], CAPACITY);
        void *memory = malloc(bytes);
        CHECK(memory != NULL);
        pool = ap_pool_init(memory, bytes, sizes[i], CAPACITY);
        CHECK(pool != NULL);
        random_use_keeps_objects_apart(pool, sizes[i], i + 100);
        free(memory);
    }
    sizes_that_cannot_be_are_refused();
    a_fresh_pool_hands_out_in_address_order();
#ifdef AP_POOL_DEBUG
    misuse_is_named_and_changes_nothing();
#endif
    return 0;
}
