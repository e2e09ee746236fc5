#include "tlb.h"

#include <string.h>

static uint8_t *bucket_of(struct ap_tlb *tlb, uint64_t page) {
    return &tlb->bucket[(page >> 12 ^ page >> 20) % AP_TLB_BUCKETS];
}

void ap_tlb_empty(struct ap_tlb *tlb, uint32_t entries) {
    for (uint32_t i = 0; i < AP_RECENT; i++) {
        tlb->recent[i] = AP_NO_PAGE;
    }
    memset(tlb->bucket, AP_TLB_NONE, sizeof tlb->bucket);
    uint32_t listed = entries - AP_RECENT;
    tlb->entry[AP_TLB_NONE] = (struct ap_tlb_entry){.newer = (uint8_t)(listed - 1), .older = 0};
    for (uint32_t i = 0; i < listed; i++) {
        tlb->entry[i] = (struct ap_tlb_entry){
            .page = AP_NO_PAGE,
            .newer = (uint8_t)(i ? i - 1 : AP_TLB_NONE),
            .older = (uint8_t)(i + 1 < listed ? i + 1 : AP_TLB_NONE),
        };
    }
}

static void unlink_entry(struct ap_tlb_entry *e, uint8_t i) {
    e[e[i].newer].older = e[i].older;
    e[e[i].older].newer = e[i].newer;
}

static void make_newest(struct ap_tlb_entry *e, uint8_t i) {
    uint8_t newest = e[AP_TLB_NONE].older;
    e[i].older = newest;
    e[i].newer = AP_TLB_NONE;
    e[newest].newer = i;
    e[AP_TLB_NONE].older = i;
}

/* Takes the page's entry out of its chain. */
static void unchain(struct ap_tlb *tlb, uint8_t i) {
    uint8_t *link = bucket_of(tlb, tlb->entry[i].page);
    while (*link != i) {
        link = &tlb->entry[*link].chained;
    }
    *link = tlb->entry[i].chained;
}

/* The page comes into the array, and the last of the array into the list: into the entry that the page leaves there, or
 * that of the page unused for longest. */
bool ap_tlb_use(struct ap_tlb *tlb, uint64_t page) {
    uint64_t *recent = tlb->recent, last = recent[AP_RECENT - 1];
    uint32_t place = 1;
    while (place < AP_RECENT - 1 && recent[place] != page) {
        place++;
    }
    bool found = recent[place] == page;
    for (uint32_t i = place; i > 0; i--) {
        recent[i] = recent[i - 1];
    }
    recent[0] = page;
    if (found) {
        return true;
    }
    struct ap_tlb_entry *e = tlb->entry;
    uint8_t i = *bucket_of(tlb, page);
    while (i != AP_TLB_NONE && e[i].page != page) {
        i = e[i].chained;
    }
    found = i != AP_TLB_NONE;
    if (last == AP_NO_PAGE) {
        return false; /* the list is still empty */
    }
    if (!found) {
        i = e[AP_TLB_NONE].newer;
    }
    if (e[i].page != AP_NO_PAGE) {
        unchain(tlb, i);
    }
    unlink_entry(e, i);
    make_newest(e, i);
    uint8_t *link = bucket_of(tlb, last);
    e[i].page = last;
    e[i].chained = *link;
    *link = i;
    return found;
}
