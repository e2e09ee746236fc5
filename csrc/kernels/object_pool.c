#include "object_pool.h"

#include <stdlib.h>

/* The header of the block ends on a cache line of its own, so that the free list's head, which every call writes,
 * shares no line with the first object. */
#define POOL_HEADER 64
_Static_assert(sizeof(ap_pool) <= POOL_HEADER, "the pool's header outgrew its line");
_Static_assert(AP_POOL_ALIGNMENT >= sizeof(void *), "a free object must have room for its link");

#ifdef AP_POOL_DEBUG
enum { TAKEN_BYTES_PER_OBJECT = 1 };
#else
enum { TAKEN_BYTES_PER_OBJECT = 0 };
#endif

static size_t stride_of(size_t object_size) {
    return (object_size + AP_POOL_ALIGNMENT - 1) / AP_POOL_ALIGNMENT * AP_POOL_ALIGNMENT;
}

size_t ap_pool_bytes(size_t object_size, size_t capacity) {
    if (object_size == 0 || capacity == 0 || object_size > SIZE_MAX - AP_POOL_ALIGNMENT)
        return 0;
    size_t per_object = stride_of(object_size) + TAKEN_BYTES_PER_OBJECT;
    if (capacity > (SIZE_MAX - POOL_HEADER) / per_object)
        return 0;
    return POOL_HEADER + capacity * per_object;
}

ap_pool *ap_pool_init(void *memory, size_t bytes, size_t object_size, size_t capacity) {
    size_t needed = ap_pool_bytes(object_size, capacity);
    if (memory == NULL || needed == 0 || bytes < needed || (uintptr_t)memory % AP_POOL_ALIGNMENT != 0)
        return NULL;
    ap_pool *pool = memory;
    pool->stride = stride_of(object_size);
    pool->capacity = capacity;
    pool->objects = (unsigned char *)memory + POOL_HEADER;
    pool->taken = NULL;
    pool->free = NULL;
    /* From the last to the first, so that the first is handed out first. */
    for (size_t i = capacity; i-- > 0;)
        ap_pool_put(pool, pool->objects + i * pool->stride);
    if (TAKEN_BYTES_PER_OBJECT != 0) {
        pool->taken = pool->objects + capacity * pool->stride;
        memset(pool->taken, 0, capacity);
    }
    return pool;
}

ap_pool *ap_pool_create(size_t object_size, size_t capacity) {
    size_t bytes = ap_pool_bytes(object_size, capacity);
    if (bytes == 0 || bytes > SIZE_MAX - POOL_HEADER)
        return NULL;
    /* aligned_alloc wants a multiple of the alignment. */
    void *memory = aligned_alloc(POOL_HEADER, (bytes + POOL_HEADER - 1) / POOL_HEADER * POOL_HEADER);
    return memory == NULL ? NULL : ap_pool_init(memory, bytes, object_size, capacity);
}

void ap_pool_destroy(ap_pool *pool) {
    free(pool);
}

ap_pool_status ap_pool_check(const ap_pool *pool, const void *object) {
    uintptr_t address = (uintptr_t)object, first = (uintptr_t)pool->objects;
    if (address < first || address - first >= pool->capacity * pool->stride || (address - first) % pool->stride != 0)
        return AP_POOL_FOREIGN;
    if (pool->taken != NULL && !pool->taken[ap_pool_index(pool, object)])
        return AP_POOL_DOUBLE_PUT;
    return AP_POOL_OK;
}
