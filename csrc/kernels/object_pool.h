/*
 * Object pool: fixed-size objects handed out and taken back in constant time.
 *
 * Guarantees
 *   Complexity  get and put are O(1): one load and one store each, no loop, no system call, no allocation.
 *   Order       last in, first out: the object put back last is still in the cache and is handed out next. A fresh
 *               pool hands its objects out in address order.
 *   Memory      one block, the caller's (ap_pool_init) or allocated once (ap_pool_create). Set-up writes to every
 *               object, so that no page fault is left for the hot path.
 *   Layout      objects lie side by side, each rounded up to AP_POOL_ALIGNMENT. A free object holds the link to the
 *               next free one in its first bytes; the rest of it is left as its last user left it.
 *   Threads     one pool belongs to one thread at a time.
 *   Errors      an empty pool gives NULL. Compiled with AP_POOL_DEBUG, put refuses a pointer that is not an object
 *               of this pool (AP_POOL_FOREIGN) and one that is not out (AP_POOL_DOUBLE_PUT), and leaves the pool as
 *               it was. Without it these two are undefined behaviour, as with free().
 */
#ifndef AP_OBJECT_POOL_H
#define AP_OBJECT_POOL_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Enough for every C type, as malloc's. */
#define AP_POOL_ALIGNMENT 16

typedef enum ap_pool_status {
    AP_POOL_OK = 0,
    AP_POOL_FOREIGN,    /* not the address of an object of this pool */
    AP_POOL_DOUBLE_PUT, /* the object is not out: put twice, or never handed out */
} ap_pool_status;

typedef struct ap_pool {
    void *free;           /* first free object; its first bytes point to the next */
    unsigned char *taken; /* one byte per object, 1 while it is out; NULL unless object_pool.c has AP_POOL_DEBUG */
    unsigned char *objects;
    size_t stride; /* bytes from one object to the next */
    size_t capacity;
} ap_pool;

/* Bytes a pool takes in all; 0 where the sizes are zero or overflow. */
size_t ap_pool_bytes(size_t object_size, size_t capacity);

/* Makes a pool in the caller's memory, which is aligned to AP_POOL_ALIGNMENT and bears ap_pool_bytes() bytes. NULL
 * where it does not. The pool lives as long as that memory. */
ap_pool *ap_pool_init(void *memory, size_t bytes, size_t object_size, size_t capacity);

/* The same in memory of its own; NULL where there is none. Give it back by ap_pool_destroy(). */
ap_pool *ap_pool_create(size_t object_size, size_t capacity);
void ap_pool_destroy(ap_pool *pool);

/* What AP_POOL_DEBUG checks before an object is taken back. */
ap_pool_status ap_pool_check(const ap_pool *pool, const void *object);

static inline size_t ap_pool_index(const ap_pool *pool, const void *object) {
    return (size_t)((uintptr_t)object - (uintptr_t)pool->objects) / pool->stride;
}

/* A free object, NULL where all are out. */
static inline void *ap_pool_get(ap_pool *pool) {
    void *object = pool->free;
    if (object == NULL)
        return NULL;
    /* memcpy and not a typed load: the object was last written as the caller's type or as a link, and both are
     * legal to read this way. */
    memcpy(&pool->free, object, sizeof pool->free);
#ifdef AP_POOL_DEBUG
    if (pool->taken != NULL)
        pool->taken[ap_pool_index(pool, object)] = 1;
#endif
    return object;
}

/* Takes an object back. */
static inline ap_pool_status ap_pool_put(ap_pool *pool, void *object) {
#ifdef AP_POOL_DEBUG
    if (pool->taken != NULL) {
        ap_pool_status status = ap_pool_check(pool, object);
        if (status != AP_POOL_OK)
            return status;
        pool->taken[ap_pool_index(pool, object)] = 0;
    }
#endif
    memcpy(object, &pool->free, sizeof pool->free);
    pool->free = object;
    return AP_POOL_OK;
}

#endif
