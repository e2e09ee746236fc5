/* Fully associative translation buffers with least recently used replacement: the pages used last in an array, where a hit
 * costs a few comparisons, the others in a list, found by hash. */
#ifndef AP_MODEL_TLB_H
#define AP_MODEL_TLB_H

#include <stdbool.h>
#include <stdint.h>

enum {
    AP_RECENT = 4,
    AP_MIN_TLB = AP_RECENT + 1,
    AP_MAX_TLB = 254,
    AP_TLB_BUCKETS = 256,
    AP_TLB_NONE = 255,
};

#define AP_NO_PAGE UINT64_MAX

struct ap_tlb {
    uint64_t recent[AP_RECENT]; /* addresses of pages, the latest first */
    uint8_t bucket[AP_TLB_BUCKETS]; /* first entry of each hash */
    struct ap_tlb_entry {
        uint64_t page;
        uint8_t chained;      /* the next of the same hash */
        uint8_t newer, older; /* in order of use, a ring through AP_TLB_NONE */
    } entry[AP_TLB_NONE + 1];
};

void ap_tlb_empty(struct ap_tlb *tlb, uint32_t entries);

/* Uses a page that is not the latest. Whether it was there; it is afterwards, in the place of the one unused for longest. */
bool ap_tlb_use(struct ap_tlb *tlb, uint64_t page);

#endif
