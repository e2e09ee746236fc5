/* Fully associative translation buffers with least recently used replacement: entries in a ring in order of use, found by
 * hash. The two pages used last are known without: going to and fro between two is by far the commonest change. */
#ifndef AP_MODEL_TLB_H
#define AP_MODEL_TLB_H

#include <stdbool.h>
#include <stdint.h>

enum {
    AP_MIN_TLB = 2,
    AP_MAX_TLB = 254,
    AP_TLB_BUCKETS = 256,
    AP_TLB_NONE = 255,
};

#define AP_NO_PAGE UINT64_MAX

struct ap_tlb {
    uint64_t recent[2]; /* addresses of pages, the latest first */
    uint8_t bucket[AP_TLB_BUCKETS]; /* first entry of each hash */
    struct ap_tlb_entry {
        uint64_t page;
        uint8_t chained;      /* the next of the same hash */
        uint8_t newer, older; /* in order of use, a ring through AP_TLB_NONE; the two newest may be the other way round */
    } entry[AP_TLB_NONE + 1];
};

void ap_tlb_empty(struct ap_tlb *tlb, uint32_t entries);

/* Whether it is the page used before the latest. It is the latest afterwards. */
static inline bool ap_tlb_back(struct ap_tlb *tlb, uint64_t page) {
    if (tlb->recent[1] != page) {
        return false;
    }
    tlb->recent[1] = tlb->recent[0];
    tlb->recent[0] = page;
    return true;
}

/* Uses a page that is none of the two. Whether it was there; it is afterwards, in the place of the one unused for longest. */
bool ap_tlb_use(struct ap_tlb *tlb, uint64_t page);

#endif
