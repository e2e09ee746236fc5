/* Ownership of lines between the threads of a program, each on a core of its own.
 *
 * Nobody can reach into another thread's cache while it runs, so a line is not taken away when it is written to: it is said
 * in a table who wrote to it last, and each thread looks there whether that was someone else since it looked last. Then its
 * own copy is gone. An entry of the table is one word:
 *
 *     number of the line, who wrote to it last, whether others have read it since, how many times it changed hands
 *
 * A thread whose line is as it last saw it does nothing; neither does a writer while nobody else looked. Lines that share
 * an entry push each other out, which can hide a loss and never makes one up. */
#define _GNU_SOURCE
#include "core.h"

#include <pthread.h>
#include <stdlib.h>

enum { ENTRIES_BITS = 16, WRITER_BITS = 10, TURN_BITS = 11 };

static struct owner {
    uint64_t word;
    uint64_t touched; /* the bytes that were written when it became the writer's, a bit each */
    uint32_t site;    /* the store that made it its own */
} *owners;

static struct ap_contention *lines;
static pthread_mutex_t lock = PTHREAD_ADAPTIVE_MUTEX_INITIALIZER_NP; /* of what is written here; the word alone is read without it */

#define READ_BY_OTHERS ((uint64_t)1 << TURN_BITS)

static uint64_t line_of(uint64_t word) { return word >> (TURN_BITS + 1 + WRITER_BITS); }
static uint32_t writer_of(uint64_t word) { return word >> (TURN_BITS + 1) & ((1u << WRITER_BITS) - 1); }
static uint32_t name_of(const struct ap_core *core) { return (core->order + 1) & ((1u << WRITER_BITS) - 1); }

bool ap_sharing_start(struct ap_contention *section) {
    lines = section;
    owners = calloc((size_t)1 << ENTRIES_BITS, sizeof *owners);
    return owners != NULL;
}

bool ap_sharing_join(struct ap_core *core) {
    core->seen = calloc((size_t)1 << ENTRIES_BITS, sizeof *core->seen);
    return core->seen != NULL;
}

/* One thread lost the line, or had to take it, from another. Both parties in the order of the threads. */
static void note(const struct ap_core *core, uint64_t number, uint64_t touched, uint32_t site,
                 const struct owner *owner, uint32_t writer) {
    uint32_t me = name_of(core), mine = me > writer, theirs = !mine;
    uint32_t threads[2] = {theirs ? me : writer, theirs ? writer : me};
    struct ap_contention *free_one = NULL;
    uint32_t start = (uint32_t)(number * 0x9e3779b97f4a7c15u >> 40) % AP_MAX_LINES;
    for (uint32_t i = 0; i < 16 && !free_one; i++) {
        struct ap_contention *c = &lines[(start + i) % AP_MAX_LINES];
        bool same = c->line == number << AP_LINE_BITS && c->thread[0] == threads[0] && c->thread[1] == threads[1];
        free_one = same || !c->times ? c : NULL;
    }
    if (free_one) {
        free_one->line = number << AP_LINE_BITS;
        free_one->times++;
        free_one->thread[0] = threads[0];
        free_one->thread[1] = threads[1];
        free_one->touched[mine] |= touched;
        free_one->touched[theirs] |= owner->touched;
        free_one->site[mine] = site;
        free_one->site[theirs] = owner->site;
    }
}

static bool had(struct ap_core *core, uint64_t address) {
    bool in_l1d = ap_remove(&core->l1d, address) != AP_NO_LINE;
    bool in_l2 = core->l2.lines && ap_remove(&core->l2, address) != AP_NO_LINE;
    return in_l1d || in_l2;
}

static __attribute__((noinline)) void changed_hands(struct ap_core *core, struct owner *owner, uint64_t *seen,
                                                    uint64_t address, uint64_t touched, uint32_t site, bool store) {
    uint64_t number = address >> AP_LINE_BITS;
    uint32_t me = name_of(core);
    pthread_mutex_lock(&lock);
    uint64_t word = owner->word, now = word;
    bool by_another = line_of(word) == number && writer_of(word) != me;
    if (by_another && word != *seen && had(core, address)) {
        core->sites[site].contended++;
        core->sites[site].false_sharing += !(touched & owner->touched);
        note(core, number, touched, site, owner, writer_of(word));
    }
    if (store) {
        now = (number << WRITER_BITS | me) << (TURN_BITS + 1) | ((word + 1) & (READ_BY_OTHERS - 1));
        owner->touched = touched;
        owner->site = site;
    } else if (by_another) {
        now = word | READ_BY_OTHERS;
    }
    __atomic_store_n(&owner->word, now, __ATOMIC_RELAXED);
    pthread_mutex_unlock(&lock);
    *seen = now;
}

void ap_share(struct ap_core *core, uint64_t address, uint32_t bytes, uint32_t site, bool store) {
    uint64_t number = address >> AP_LINE_BITS;
    uint32_t entry = (uint32_t)(number * 0x9e3779b97f4a7c15u >> (64 - ENTRIES_BITS));
    struct owner *owner = &owners[entry];
    uint64_t *seen = &core->seen[entry], word = __atomic_load_n(&owner->word, __ATOMIC_RELAXED);
    bool mine = line_of(word) == number && writer_of(word) == name_of(core) && !(word & READ_BY_OTHERS);
    if (word != *seen || (store && !mine)) {
        uint64_t touched = (bytes < 64 ? ((uint64_t)1 << bytes) - 1 : UINT64_MAX) << (address % AP_LINE_BYTES);
        changed_hands(core, owner, seen, address, touched, site, store);
    }
}
