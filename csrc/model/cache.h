/* Set-associative caches with least recently used replacement. A set is an array of its lines, the latest used first: a
 * hit on that one, by far the commonest, changes nothing.
 *
 * An entry is the line's address with what is known of the line in the six bits that the address leaves free. */
#ifndef AP_MODEL_CACHE_H
#define AP_MODEL_CACHE_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { AP_LINE_BITS = 6, AP_LINE_BYTES = 1 << AP_LINE_BITS };

typedef uint64_t ap_line;

#define AP_NO_LINE UINT64_MAX /* no address of a program is like it */
enum { AP_DIRTY = 1, AP_PREFETCHED = 2, AP_FLAGS = AP_LINE_BYTES - 1 };

struct ap_cache {
    ap_line *lines; /* NULL: there is no such cache */
    uint32_t sets, ways;
    uint32_t mask;  /* sets - 1 where that is a power of two, else 0 */
    uint32_t shift; /* log2 of the entries from one set to the next */
};

static inline bool ap_same_line(ap_line line, uint64_t address) { return (line ^ address) < AP_LINE_BYTES; }

static inline ap_line *ap_set_of(const struct ap_cache *cache, uint64_t address) {
    uint64_t number = address >> AP_LINE_BITS;
    return cache->lines + ((cache->mask ? number & cache->mask : number % cache->sets) << cache->shift);
}

/* The same of a cache whose sets are a power of two, as those of L1 must be. */
static inline ap_line *ap_l1_set_of(const struct ap_cache *cache, uint64_t address) {
    return cache->lines + ((address >> AP_LINE_BITS & cache->mask) << cache->shift);
}

/* Its place in the set; `ways` where it is not there. */
static inline uint32_t ap_find(const ap_line *set, uint32_t ways, uint64_t address) {
    uint32_t way = 0;
    while (way < ways && !ap_same_line(set[way], address)) {
        way++;
    }
    return way;
}

/* Moves the lines before `way` one place on, and puts this one first. */
static inline void ap_put_first(ap_line *set, uint32_t way, ap_line line) {
    for (; way > 0; way--) {
        set[way] = set[way - 1];
    }
    set[0] = line;
}

/* Puts the line first whether it was there or not. What it takes the place of: its own entry, or else the line that leaves
 * for it, AP_NO_LINE where there was room. */
static inline ap_line ap_use(ap_line *set, uint32_t ways, ap_line line) {
    ap_line moved = line;
    for (uint32_t way = 0; way < ways; way++) {
        ap_line here = set[way];
        set[way] = moved;
        moved = here;
        if (ap_same_line(here, line)) {
            break;
        }
    }
    return moved;
}

/* The line that leaves for it, AP_NO_LINE where there was room. */
static inline ap_line ap_insert(ap_line *set, uint32_t ways, ap_line line) {
    ap_line victim = set[ways - 1];
    ap_put_first(set, ways - 1, line);
    return victim;
}

/* Takes the line out. The entry that it had, AP_NO_LINE where it was not there. */
static inline ap_line ap_remove(const struct ap_cache *cache, uint64_t address) {
    ap_line *set = ap_set_of(cache, address);
    uint32_t way = ap_find(set, cache->ways, address);
    if (way == cache->ways) {
        return AP_NO_LINE;
    }
    ap_line found = set[way];
    memmove(&set[way], &set[way + 1], (cache->ways - way - 1) * sizeof *set);
    set[cache->ways - 1] = AP_NO_LINE;
    return found;
}

#endif
