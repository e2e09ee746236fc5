/* Translation buffers: a fully associative one with least recently used replacement, found by hash; and sets. */
#ifndef AP_MODEL_TLB_H
#define AP_MODEL_TLB_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { AP_MAX_TLB = 254, AP_TLB_BUCKETS = 256, AP_TLB_NONE = 255 };

struct ap_tlb {
    uint8_t bucket[AP_TLB_BUCKETS]; /* first entry of each hash */
    struct ap_tlb_entry {
        uint64_t page;
        uint8_t chained;        /* the next of the same hash */
        uint8_t newer, older;   /* in order of use, a ring through AP_TLB_NONE */
        bool used;
    } entry[AP_TLB_NONE + 1];
};

static inline uint32_t ap_tlb_hash(uint64_t page) { return (uint32_t)(page ^ page >> 8) % AP_TLB_BUCKETS; }

static inline void ap_tlb_empty(struct ap_tlb *tlb, uint32_t entries) {
    memset(tlb->bucket, AP_TLB_NONE, sizeof tlb->bucket);
    tlb->entry[AP_TLB_NONE] = (struct ap_tlb_entry){.newer = (uint8_t)(entries - 1), .older = 0};
    for (uint32_t i = 0; i < entries; i++) {
        tlb->entry[i] = (struct ap_tlb_entry){
            .newer = (uint8_t)(i ? i - 1 : AP_TLB_NONE),
            .older = (uint8_t)(i + 1 < entries ? i + 1 : AP_TLB_NONE),
        };
    }
}

static inline void ap_tlb_make_newest(struct ap_tlb *tlb, uint8_t i) {
    struct ap_tlb_entry *e = tlb->entry, *ring = &e[AP_TLB_NONE];
    e[e[i].newer].older = e[i].older;
    e[e[i].older].newer = e[i].newer;
    e[i].older = ring->older;
    e[i].newer = AP_TLB_NONE;
    e[ring->older].newer = i;
    ring->older = i;
}

/* Whether the page was there. It is afterwards, in the place of the one unused for longest. */
static inline bool ap_tlb_use(struct ap_tlb *tlb, uint64_t page) {
    uint8_t *link = &tlb->bucket[ap_tlb_hash(page)];
    for (uint8_t i = *link; i != AP_TLB_NONE; i = tlb->entry[i].chained) {
        if (tlb->entry[i].page == page) {
            ap_tlb_make_newest(tlb, i);
            return true;
        }
    }
    uint8_t victim = tlb->entry[AP_TLB_NONE].newer;
    struct ap_tlb_entry *entry = &tlb->entry[victim];
    if (entry->used) {
        uint8_t *from = &tlb->bucket[ap_tlb_hash(entry->page)];
        while (*from != victim) {
            from = &tlb->entry[*from].chained;
        }
        *from = entry->chained;
    }
    entry->page = page;
    entry->used = true;
    entry->chained = *link;
    *link = victim;
    ap_tlb_make_newest(tlb, victim);
    return false;
}

#endif
