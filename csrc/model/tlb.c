#include "tlb.h"

#include <string.h>

static uint8_t *bucket_of(struct ap_tlb *tlb, uint64_t page) {
    return &tlb->bucket[(page >> 12 ^ page >> 20) % AP_TLB_BUCKETS];
}

void ap_tlb_empty(struct ap_tlb *tlb, uint32_t entries) {
    tlb->recent[0] = tlb->recent[1] = AP_NO_PAGE;
    memset(tlb->bucket, AP_TLB_NONE, sizeof tlb->bucket);
    tlb->entry[AP_TLB_NONE] = (struct ap_tlb_entry){.newer = (uint8_t)(entries - 1), .older = 0};
    for (uint32_t i = 0; i < entries; i++) {
        tlb->entry[i] = (struct ap_tlb_entry){
            .page = AP_NO_PAGE,
            .newer = (uint8_t)(i ? i - 1 : AP_TLB_NONE),
            .older = (uint8_t)(i + 1 < entries ? i + 1 : AP_TLB_NONE),
        };
    }
}

static void make_newest(struct ap_tlb_entry *e, uint8_t i) {
    e[e[i].newer].older = e[i].older;
    e[e[i].older].newer = e[i].newer;
    uint8_t newest = e[AP_TLB_NONE].older;
    e[i].older = newest;
    e[i].newer = AP_TLB_NONE;
    e[newest].newer = i;
    e[AP_TLB_NONE].older = i;
}

/* Gives the entry to another page. */
static void replace(struct ap_tlb *tlb, uint8_t i, uint64_t page) {
    struct ap_tlb_entry *e = tlb->entry;
    uint8_t *link = bucket_of(tlb, e[i].page), *first = bucket_of(tlb, page);
    while (*link != i && *link != AP_TLB_NONE) { /* one that is still empty is in no chain */
        link = &e[*link].chained;
    }
    if (*link == i) {
        *link = e[i].chained;
    }
    e[i].page = page;
    e[i].chained = *first;
    *first = i;
}

bool ap_tlb_use(struct ap_tlb *tlb, uint64_t page) {
    struct ap_tlb_entry *e = tlb->entry;
    uint8_t newest = e[AP_TLB_NONE].older, i = *bucket_of(tlb, page);
    if (e[newest].page != tlb->recent[0]) {
        make_newest(e, e[newest].older);
    }
    tlb->recent[1] = tlb->recent[0];
    tlb->recent[0] = page;
    while (i != AP_TLB_NONE && e[i].page != page) {
        i = e[i].chained;
    }
    bool found = i != AP_TLB_NONE;
    if (!found) {
        i = e[AP_TLB_NONE].newer;
        replace(tlb, i, page);
    }
    make_newest(e, i);
    return found;
}
