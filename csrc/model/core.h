/* One modelled core for each thread of the program: its caches, translation buffers, predictors, and where it counts. */
#ifndef AP_MODEL_CORE_H
#define AP_MODEL_CORE_H

#include "branches.h"
#include "cache.h"
#include "counts.h"
#include "tlb.h"

struct ap_cache_size {
    uint64_t bytes;
    uint64_t ways;
};

/* What is modelled. Each is set by an argument of its name (l1d_bytes, l1d_ways, ...). */
struct ap_settings {
    struct ap_cache_size l1i, l1d, l2, ll; /* 0 bytes: L2 and the last level may be missing */
    uint64_t l1i_tlb, l1d_tlb;             /* entries */
    struct ap_cache_size l2_tlb;           /* bytes: entries */
    uint64_t page_bits;
    uint64_t prefetch;                     /* lines that the prefetcher runs ahead; 0: there is none */
    uint64_t inclusive;                    /* 1: what leaves L2 leaves L1D too */
    uint64_t returns;                      /* entries of the return stack */
};

enum { AP_STREAMS = 16, AP_DEPTH = 64 };

struct ap_core {
    /* What every access and every block looks at. */
    struct ap_cache l1d, l1i;
    struct ap_site_counts *sites;
    struct ap_block_counts *blocks;
    const struct ap_block *previous; /* the block that the thread came from */
    uint64_t page_bytes;
    uint64_t last_store;
    uint64_t code_line; /* the line of code gone through last: the first of its set, in the page used last */

    struct ap_bank *bank;
    struct ap_cache l2, l2_tlb;
    struct ap_tlb l1d_tlb, l1i_tlb;
    struct ap_stream {
        uint64_t page, line;
        int64_t stride;
        uint32_t seen; /* times in a row that the stride was this */
    } streams[AP_STREAMS];
    uint32_t depth; /* of regions, of which those beyond AP_DEPTH are not told apart */
    struct ap_frame {
        uint64_t name; /* where the program keeps the name of the region */
        uint32_t region;
    } frames[AP_DEPTH];
    struct ap_bank **banks; /* by region */
    uint32_t order; /* of the thread among those of the process */
    uint64_t *seen; /* what is said of each line's ownership, as this thread saw it last; NULL with one thread */
    struct ap_branches branches;
};

extern AP_HIDDEN struct ap_settings ap_settings;

/* A core with everything empty. NULL where memory is short. */
struct ap_core *ap_core_new(void);
void ap_core_free(struct ap_core *core);

/* What is to be done unless the page is the one used last, and the line the first of its set. */
void ap_data_page_changed(struct ap_core *core, uint64_t address, uint32_t site);
void ap_data_not_first(struct ap_core *core, uint64_t address, uint32_t site, bool store);
/* A line that is written whole, so that nothing is read for it. */
void ap_data_cleared(struct ap_core *core, uint64_t address);
void ap_code_changed(struct ap_core *core, const struct ap_block *block, uint64_t address);

/* Whether the last level has to be locked: from the second thread on. */
extern AP_HIDDEN bool ap_shared;

/* ---- Where a thread counts (regions.c) ---- */

/* Banks for a new thread, or for the thread that lives on in a child of fork. False where there is no room. */
bool ap_banks_start(struct ap_core *core);

/* Gives them back when the thread ends: threads that come later count into them. */
void ap_banks_end(struct ap_core *core);

/* The program enters and leaves the region whose name is there. `base` is where address 0 of the program lies here. */
void ap_region_enter(struct ap_core *core, uint64_t name, uint64_t base);
void ap_region_leave(struct ap_core *core, uint64_t name);

/* ---- Ownership of lines between threads (sharing.c) ---- */

/* `section` is that of the file of counts. False where memory is short. */
bool ap_sharing_start(struct ap_contention *section);
bool ap_sharing_join(struct ap_core *core);

/* The other threads' part in an access: where one of them wrote to the line since this thread had it, the line is lost. */
void ap_share(struct ap_core *core, uint64_t address, uint32_t bytes, uint32_t site, bool store);

#endif
