#include "core.h"

#include <pthread.h>
#include <stdlib.h>

struct ap_settings ap_settings;
bool ap_shared;

static struct ap_cache last_level;
static pthread_mutex_t last_level_lock = PTHREAD_MUTEX_INITIALIZER;

static bool cache_new(struct ap_cache *cache, struct ap_cache_size size, uint64_t line_bytes) {
    if (!size.bytes) {
        return true;
    }
    uint64_t lines = size.bytes / line_bytes, sets = lines / size.ways;
    cache->ways = (uint32_t)size.ways;
    cache->sets = (uint32_t)sets;
    cache->mask = sets & (sets - 1) ? 0 : (uint32_t)(sets - 1);
    cache->shift = 0;
    while (size.ways > (uint64_t)1 << cache->shift) {
        cache->shift++;
    }
    uint64_t entries = sets << cache->shift;
    cache->lines = aligned_alloc(64, (entries * sizeof(ap_line) + 63) / 64 * 64);
    for (uint64_t i = 0; cache->lines && i < entries; i++) {
        cache->lines[i] = AP_NO_LINE;
    }
    return cache->lines != NULL;
}

struct ap_core *ap_core_new(void) {
    struct ap_core *core = aligned_alloc(64, (sizeof *core + 63) / 64 * 64);
    if (!core) {
        return NULL;
    }
    memset(core, 0, sizeof *core);
    core->code_line = AP_NO_LINE - 1;
    core->page_bytes = (uint64_t)1 << ap_settings.page_bits;
    core->branches.returns = (uint32_t)ap_settings.returns;
    ap_tlb_empty(&core->l1d_tlb, (uint32_t)ap_settings.l1d_tlb);
    ap_tlb_empty(&core->l1i_tlb, (uint32_t)ap_settings.l1i_tlb);
    bool ok = cache_new(&core->l1i, ap_settings.l1i, AP_LINE_BYTES) &&
              cache_new(&core->l1d, ap_settings.l1d, AP_LINE_BYTES) &&
              cache_new(&core->l2, ap_settings.l2, AP_LINE_BYTES) && cache_new(&core->l2_tlb, ap_settings.l2_tlb, 1) &&
              (last_level.lines || cache_new(&last_level, ap_settings.ll, AP_LINE_BYTES));
    if (!ok) {
        ap_core_free(core);
        return NULL;
    }
    return core;
}

void ap_core_free(struct ap_core *core) {
    free(core->l1i.lines);
    free(core->l1d.lines);
    free(core->l2.lines);
    free(core->l2_tlb.lines);
    free(core->seen);
    free(core->banks);
    free(core);
}

/* ---- Beyond L1 ---- */

/* What one access did beyond L1: bits of these. */
enum { L2_MISSED = 1, LL_MISSED = 2 };

static void lock_last_level(void) {
    if (ap_shared) {
        pthread_mutex_lock(&last_level_lock);
    }
}

static void unlock_last_level(void) {
    if (ap_shared) {
        pthread_mutex_unlock(&last_level_lock);
    }
}

/* Whether the last level missed it; it is there afterwards. */
static bool last_level_misses(uint64_t line, unsigned flags) {
    if (!last_level.lines) {
        return true;
    }
    lock_last_level();
    ap_line *set = ap_set_of(&last_level, line);
    ap_line moved = ap_use(set, last_level.ways, line | flags); /* what leaves goes to memory */
    bool missed = !ap_same_line(moved, line);
    if (!missed) {
        set[0] |= moved;
    }
    unlock_last_level();
    return missed;
}

/* Makes room in L2 by sending the victim on. */
static void leave_l2(struct ap_core *core, ap_line victim) {
    if (victim == AP_NO_LINE) {
        return;
    }
    if (ap_settings.inclusive) {
        ap_line above = ap_remove(&core->l1d, victim);
        if (above != AP_NO_LINE) {
            core->bank->l1d_wb += above & AP_DIRTY;
            victim |= above & AP_DIRTY;
        }
    }
    if (victim & AP_DIRTY) {
        core->bank->l2_wb++;
        last_level_misses(victim & ~(ap_line)AP_FLAGS, AP_DIRTY);
    }
}

/* The line comes from beyond L2; `victim` leaves L2 for it. */
static __attribute__((noinline)) unsigned miss_l2(struct ap_core *core, uint64_t line, ap_line victim) {
    unsigned missed = L2_MISSED | (last_level_misses(line, 0) ? LL_MISSED : 0);
    leave_l2(core, victim);
    return missed;
}

static inline unsigned fetch(struct ap_core *core, uint64_t line) {
    if (!core->l2.lines) {
        return miss_l2(core, line, AP_NO_LINE);
    }
    ap_line *set = ap_set_of(&core->l2, line);
    ap_line moved = ap_use(set, core->l2.ways, line);
    if (!ap_same_line(moved, line)) {
        return miss_l2(core, line, moved);
    }
    set[0] = moved;
    return 0;
}

static __attribute__((noinline)) void write_back_l1d(struct ap_core *core, ap_line victim) {
    core->bank->l1d_wb++;
    uint64_t line = victim & ~(ap_line)AP_FLAGS;
    if (!core->l2.lines) {
        last_level_misses(line, AP_DIRTY);
        return;
    }
    ap_line *set = ap_set_of(&core->l2, line);
    uint32_t way = ap_find(set, core->l2.ways, line);
    if (way < core->l2.ways) {
        set[way] |= AP_DIRTY;
    } else {
        leave_l2(core, ap_insert(set, core->l2.ways, line | AP_DIRTY));
    }
}

/* A line that leaves L1D. */
static inline void leave_l1d(struct ap_core *core, ap_line victim) {
    if (victim & AP_DIRTY && victim != AP_NO_LINE) {
        write_back_l1d(core, victim);
    }
}

/* ---- The prefetcher: strides of lines within a page, seen twice ---- */

/* Second in its set, not first: that it is asked for must not pass unseen. */
static void prefetch_line(struct ap_core *core, uint64_t line) {
    ap_line *set = ap_set_of(&core->l1d, line);
    uint32_t ways = core->l1d.ways;
    if (ways < 2 || ap_find(set, ways, line) < ways) {
        return;
    }
    unsigned missed = fetch(core, line);
    core->bank->prefetched++;
    core->bank->prefetch_l2_refill += missed & L2_MISSED;
    core->bank->prefetch_ll_miss += missed / LL_MISSED;
    ap_line victim = ap_insert(set + 1, ways - 1, line | AP_PREFETCHED);
    leave_l1d(core, victim);
}

static __attribute__((noinline)) void run_ahead(struct ap_core *core, uint64_t line, int64_t stride) {
    for (uint64_t ahead = 1; ahead <= ap_settings.prefetch; ahead++) {
        uint64_t next = line + ahead * (uint64_t)stride;
        if ((next ^ line) >= core->page_bytes) {
            break;
        }
        prefetch_line(core, next);
    }
}

static inline void prefetch(struct ap_core *core, uint64_t line) {
    uint64_t page = line >> ap_settings.page_bits;
    struct ap_stream *stream = &core->streams[(page ^ page >> 4) % AP_STREAMS];
    int64_t stride = (int64_t)(line - stream->line);
    if (stream->page != page) {
        *stream = (struct ap_stream){.page = page, .line = line};
        return;
    }
    stream->seen = stride == stream->stride ? stream->seen + 1 : 0;
    stream->stride = stride;
    stream->line = line;
    if (stream->seen && stride) {
        run_ahead(core, line, stride);
    }
}

/* ---- Data ---- */

static __attribute__((noinline)) void refill_l1d(struct ap_core *core, uint64_t line, ap_line *set, uint32_t site,
                                                 bool store) {
    struct ap_site_counts *counts = &core->sites[site];
    counts->l1d_refill++;
    unsigned missed = fetch(core, line);
    if (missed) {
        counts->l2_refill++;
        counts->ll_miss += missed / LL_MISSED;
    }
    leave_l1d(core, ap_insert(set, core->l1d.ways, line | (store ? AP_DIRTY : 0)));
    if (ap_settings.prefetch) {
        prefetch(core, line);
    }
}

void ap_data_not_first(struct ap_core *core, uint64_t address, uint32_t site, bool store) {
    uint64_t line = address & ~(uint64_t)AP_FLAGS;
    ap_line *set = ap_l1_set_of(&core->l1d, line);
    uint32_t way = ap_find(set, core->l1d.ways, line);
    if (way == core->l1d.ways) {
        refill_l1d(core, line, set, site, store);
        return;
    }
    ap_line found = set[way];
    ap_put_first(set, way, (found & ~(ap_line)AP_PREFETCHED) | (store ? AP_DIRTY : 0));
    if (found & AP_PREFETCHED) {
        prefetch(core, line);
    }
}

void ap_data_cleared(struct ap_core *core, uint64_t address) {
    uint64_t line = address & ~(uint64_t)AP_FLAGS;
    ap_line *set = ap_l1_set_of(&core->l1d, line);
    uint32_t ways = core->l1d.ways, way = ap_find(set, ways, line);
    if (way < ways) {
        ap_put_first(set, way, line | AP_DIRTY);
    } else {
        leave_l1d(core, ap_insert(set, ways, line | AP_DIRTY));
    }
}

/* Whether the second-level TLB missed it; it is there afterwards. */
static bool l2_tlb_misses(struct ap_core *core, uint64_t page) {
    if (!core->l2_tlb.lines) {
        return true;
    }
    uint64_t key = page >> ap_settings.page_bits << AP_LINE_BITS;
    ap_line *set = ap_set_of(&core->l2_tlb, key);
    return !ap_same_line(ap_use(set, core->l2_tlb.ways, key), key);
}

void ap_data_page_changed(struct ap_core *core, uint64_t address, uint32_t site) {
    uint64_t page = address & ~(core->page_bytes - 1);
    if (!ap_tlb_back(&core->l1d_tlb, page) && !ap_tlb_use(&core->l1d_tlb, page)) {
        core->sites[site].dtlb_refill++;
        core->sites[site].dtlb_walk += l2_tlb_misses(core, page);
    }
}

/* ---- Instructions ---- */

static void code_page_changed(struct ap_core *core, const struct ap_block *block, uint64_t page) {
    if (!ap_tlb_back(&core->l1i_tlb, page) && !ap_tlb_use(&core->l1i_tlb, page)) {
        core->blocks[block->number].itlb_refill++;
        core->blocks[block->number].itlb_walk += l2_tlb_misses(core, page);
    }
}

void ap_code_changed(struct ap_core *core, const struct ap_block *block, uint64_t address) {
    uint64_t page = address & ~(core->page_bytes - 1), line = address & ~(uint64_t)AP_FLAGS;
    if (page != core->l1i_tlb.recent[0]) {
        code_page_changed(core, block, page);
    }
    ap_line *set = ap_l1_set_of(&core->l1i, line);
    uint32_t way = ap_find(set, core->l1i.ways, line);
    if (way < core->l1i.ways) {
        ap_put_first(set, way, set[way]);
        return;
    }
    struct ap_block_counts *counts = &core->blocks[block->number];
    counts->l1i_refill++;
    unsigned missed = fetch(core, line);
    counts->l2_refill += missed & L2_MISSED;
    counts->ll_miss += missed / LL_MISSED;
    ap_insert(set, core->l1i.ways, line);
}
