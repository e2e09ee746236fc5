/* The model as a plugin of QEMU: what is done when code is translated, run and ended. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core.h"
#include "decode.h"
#include "qemu.h"

/* QEMU loads what it has not outgrown: from 9.0 on that is version 2, before it 1 at the least. Nothing used here differs
 * between them; the constructor says what this QEMU wants to hear. */
QEMU_EXPORT int qemu_plugin_version = 1;

enum { MAX_THREADS = 1 << 16 };

static struct ap_core *cores[MAX_THREADS]; /* by QEMU's number of the thread, which it uses again */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static __thread struct ap_core *self; /* of the thread that made the last system call here */
static const struct ap_block nowhere;

__attribute__((constructor)) static void choose_version(void) {
    if (dlsym(RTLD_DEFAULT, "qemu_plugin_scoreboard_new")) {
        qemu_plugin_version = 2;
    }
}

/* ---- The hot path ---- */

/* What a callback gets of its access: the number of the site, and the bits of an address that alignment forbids. */
static inline void *access_data(uint32_t site, uint32_t misaligned) {
    return (void *)((uintptr_t)site << 8 | misaligned);
}

/* Where the page or the line is another one than last time. */
static __attribute__((noinline)) void touch(struct ap_core *core, uint64_t address, uint32_t site, bool store) {
    if ((address ^ core->l1d_tlb.recent[0]) >= core->page_bytes) {
        ap_data_page_changed(core, address, site);
    }
    ap_line *first = ap_l1_set_of(&core->l1d, address);
    if (!ap_same_line(*first, address)) {
        ap_data_not_first(core, address, site, store);
    } else if (store) {
        *first |= AP_DIRTY;
    }
}

static __attribute__((noinline)) void unaligned_access(struct ap_core *core, uint32_t info, uint64_t address,
                                                       uint32_t site, bool store) {
    uint64_t bytes = 1u << qemu_plugin_mem_size_shift(info), last = address + bytes - 1;
    touch(core, address, site, store);
    core->sites[site].unaligned += bytes;
    if ((address ^ last) >= AP_LINE_BYTES) {
        core->sites[site].crossing++;
        touch(core, last, site, store);
    }
}

/* An aligned access to the page used last and to the first line of its set, by far the commonest, needs nothing more; the
 * call of what the others need is the last thing done, so that no register has to be saved before. */
static inline void access(unsigned vcpu, uint32_t info, uint64_t address, void *data, bool store) {
    struct ap_core *core = cores[vcpu];
    ap_line *first = ap_l1_set_of(&core->l1d, address);
    uint32_t site = (uint32_t)((uintptr_t)data >> 8);
    if (store) {
        core->last_store = address;
    }
    if (address & ((uintptr_t)data & 0xff)) {
        unaligned_access(core, info, address, site, store);
    } else if ((address ^ core->l1d_tlb.recent[0]) >= core->page_bytes || !ap_same_line(*first, address)) {
        touch(core, address, site, store);
    } else if (store) {
        *first |= AP_DIRTY;
    }
}

/* From the second thread on: the line may be another's now. */
static inline void shared_access(unsigned vcpu, uint32_t info, uint64_t address, void *data, bool store) {
    ap_share(cores[vcpu], address, 1u << qemu_plugin_mem_size_shift(info), (uint32_t)((uintptr_t)data >> 8), store);
    access(vcpu, info, address, data, store);
}

static void on_shared_load(unsigned vcpu, uint32_t info, uint64_t address, void *data) {
    shared_access(vcpu, info, address, data, false);
}

static void on_shared_store(unsigned vcpu, uint32_t info, uint64_t address, void *data) {
    shared_access(vcpu, info, address, data, true);
}

static void on_load(unsigned vcpu, uint32_t info, uint64_t address, void *data) {
    access(vcpu, info, address, data, false);
}

static void on_store(unsigned vcpu, uint32_t info, uint64_t address, void *data) {
    access(vcpu, info, address, data, true);
}

/* QEMU does not tell the address that `dc zva` clears. Whoever clears memory clears it line by line, on from what it has
 * stored to: so that is taken for it. */
static void on_dc_zva(unsigned vcpu, void *data) {
    struct ap_core *core = cores[vcpu];
    uint64_t line = (core->last_store & ~(uint64_t)AP_FLAGS) + AP_LINE_BYTES;
    if ((line ^ core->l1d_tlb.recent[0]) >= core->page_bytes) {
        ap_data_page_changed(core, line, (uint32_t)(uintptr_t)data);
    }
    ap_data_cleared(core, line);
    core->last_store = line;
    __atomic_fetch_add(&ap_counts->zeroed, 1, __ATOMIC_RELAXED);
}

static void on_enter(unsigned vcpu, uint32_t info, uint64_t address, void *base) {
    (void)info;
    ap_region_enter(cores[vcpu], address, (uint64_t)(uintptr_t)base);
}

static void on_leave(unsigned vcpu, uint32_t info, uint64_t address, void *base) {
    (void)info, (void)base;
    ap_region_leave(cores[vcpu], address);
}

/* Goes through the lines of the block's code. */
static __attribute__((noinline)) void fetch_code(struct ap_core *core, const struct ap_block *block) {
    uint64_t line = block->address;
    for (uint32_t lines = block->lines; lines > 0; lines--) {
        bool same_page = (line ^ core->l1i_tlb.recent[0]) < core->page_bytes;
        if (!same_page || !ap_same_line(*ap_l1_set_of(&core->l1i, line), line)) {
            ap_code_changed(core, block, line);
        }
        line += AP_LINE_BYTES;
    }
    core->code_line = (line - AP_LINE_BYTES) & ~(uint64_t)AP_FLAGS;
}

/* How the block that the thread came from ended, now that it is known where it led: all but conditional branches. */
static __attribute__((noinline)) void resolve(struct ap_core *core, const struct ap_block *from,
                                              const struct ap_block *to) {
    struct ap_branches *branches = &core->branches;
    bool predicted = true;
    switch (from->ending) {
    case AP_CALL: ap_call(branches, from->next); break;
    case AP_INDIRECT_CALL: ap_call(branches, from->next); /* fall through */
    case AP_INDIRECT_JUMP: predicted = ap_predict_indirect(branches, from->next, to->address); break;
    case AP_RETURN: predicted = ap_predict_return(branches, to->address); break;
    }
    core->blocks[from->number].mispredicted += !predicted;
    if (to->only_line != core->code_line) {
        fetch_code(core, to);
    }
}

/* Whether it was taken is as unforeseeable as the program's data: nothing here branches on it. */
static inline void resolve_conditional(struct ap_core *core, const struct ap_block *from, uint64_t here) {
    uint32_t taken = here == from->target, passed = here == from->next;
    if (taken | passed) { /* else a signal came between */
        struct ap_block_counts *counts = &core->blocks[from->number];
        counts->taken += taken;
        counts->mispredicted += ap_mispredicted(&core->branches, from->next, taken);
    }
}

/* As in access(), calls are the last thing done. */
static void on_block(unsigned vcpu, void *data) {
    struct ap_core *core = cores[vcpu];
    const struct ap_block *block = data, *from = core->previous;
    core->previous = block;
    core->blocks[block->number].executed++;
    if (from->ending > AP_JUMP) {
        resolve(core, from, block);
        return;
    }
    if (from->ending == AP_CONDITIONAL) {
        resolve_conditional(core, from, block->address);
    }
    if (block->only_line != core->code_line) {
        fetch_code(core, block);
    }
}

/* ---- Translation ---- */

static struct { /* blocks that were translated before, by address */
    uint32_t *first;
    uint32_t *chained; /* by number of the block; 0 ends the chain, and so block 0 is never used */
} known;

enum { KNOWN_BITS = 18 };

static uint32_t hash_of(uint64_t address) {
    return (uint32_t)((address >> 2) * 0x9e3779b97f4a7c15u >> (64 - KNOWN_BITS));
}

static uint32_t instruction(const struct qemu_plugin_tb *tb, size_t index) {
    uint32_t word;
    memcpy(&word, qemu_plugin_insn_haddr(qemu_plugin_tb_get_insn(tb, index)), sizeof word);
    return word;
}

static uint32_t words_hash(const struct qemu_plugin_tb *tb, size_t size) {
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < size; i++) {
        hash = (hash ^ instruction(tb, i)) * 16777619u;
    }
    return hash;
}

/* Where address 0 of the program lies in this process. */
static uint64_t base_of(const struct qemu_plugin_tb *tb) {
    return (uint64_t)(uintptr_t)qemu_plugin_insn_haddr(qemu_plugin_tb_get_insn(tb, 0)) - qemu_plugin_tb_vaddr(tb);
}

/* The block of this code, translated before or new. NULL where there is no room for more. QEMU translates code anew when
 * its cache is full and when threads start; several blocks may start at one address. */
static struct ap_block *block_of(const struct qemu_plugin_tb *tb, size_t size) {
    uint64_t address = qemu_plugin_tb_vaddr(tb);
    uint32_t hash = words_hash(tb, size), *first = &known.first[hash_of(address)];
    for (uint32_t number = *first; number; number = known.chained[number]) {
        struct ap_block *block = &ap_blocks[number];
        if (block->address == address && block->size == size && block->hash == hash) {
            return block;
        }
    }
    uint32_t number = ap_take(&ap_counts->blocks, 1, AP_MAX_BLOCKS);
    uint32_t words = number == UINT32_MAX ? number : ap_take(&ap_counts->words, (uint32_t)size, AP_MAX_WORDS);
    if (words == UINT32_MAX) {
        __atomic_fetch_add(&ap_counts->exhausted, 1, __ATOMIC_RELAXED);
        return NULL;
    }
    for (size_t i = 0; i < size; i++) {
        ap_words[words + i] = instruction(tb, i);
    }
    struct ap_branch branch = ap_branch_of(ap_words[words + size - 1]);
    uint32_t lines = (uint32_t)(((address + 4 * size - 1) >> AP_LINE_BITS) - (address >> AP_LINE_BITS) + 1);
    struct ap_block *block = &ap_blocks[number];
    *block = (struct ap_block){
        .address = address,
        .next = address + 4 * size,
        .target = address + 4 * (size - 1) + (uint64_t)branch.offset,
        .number = number,
        .words = words,
        .size = (uint32_t)size,
        .lines = lines,
        .ending = branch.ending,
        .hash = hash,
        .only_line = lines == 1 ? address & ~(uint64_t)AP_FLAGS : AP_NO_LINE,
    };
    known.chained[number] = *first;
    *first = number;
    ap_note_module(address, base_of(tb));
    return block;
}

/* The site of each instruction that touches memory. The sites of a block follow each other in its order. */
static void watch_memory(struct qemu_plugin_tb *tb, struct ap_block *block, size_t size) {
    uint32_t accesses = 0;
    for (size_t i = 0; i < size; i++) {
        accesses += ap_access_of(ap_words[block->words + i]).memory || ap_is_dc_zva(ap_words[block->words + i]);
    }
    if (block->sites_known == 0 && accesses > 0) {
        uint32_t first = ap_take(&ap_counts->sites, accesses, AP_MAX_SITES);
        if (first == UINT32_MAX) {
            __atomic_fetch_add(&ap_counts->exhausted, 1, __ATOMIC_RELAXED);
            return;
        }
        block->sites = first;
        block->sites_known = accesses;
    }
    uint32_t site = block->sites;
    for (size_t i = 0; i < size; i++) {
        uint32_t word = ap_words[block->words + i];
        struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
        struct ap_access access = ap_access_of(word);
        if (ap_is_dc_zva(word)) {
            access = (struct ap_access){true, true, AP_LINE_BYTES, AP_LINE_BYTES};
            qemu_plugin_register_vcpu_insn_exec_cb(insn, on_dc_zva, QEMU_NO_REGISTERS, (void *)(uintptr_t)site);
        } else if (ap_is_enter(word) || ap_is_leave(word)) {
            qemu_plugin_register_vcpu_mem_cb(insn, ap_is_enter(word) ? on_enter : on_leave, QEMU_NO_REGISTERS,
                                             QEMU_MEM_ANY, (void *)(uintptr_t)base_of(tb));
        } else if (access.memory) {
            uint32_t whole = access.element < 8 ? access.element : 8; /* QEMU makes two accesses of 16 bytes */
            qemu_accessed *alone = access.store ? on_store : on_load;
            qemu_accessed *shared = access.store ? on_shared_store : on_shared_load;
            qemu_plugin_register_vcpu_mem_cb(insn, ap_shared ? shared : alone, QEMU_NO_REGISTERS, QEMU_MEM_ANY,
                                             access_data(site, whole - 1));
        }
        if (access.memory) {
            ap_sites[site++] = (struct ap_site){block->address + 4 * i, block->number, access.bytes, access.store};
        }
    }
}

static void on_translation(qemu_plugin_id id, struct qemu_plugin_tb *tb) {
    (void)id;
    size_t size = qemu_plugin_tb_n_insns(tb);
    pthread_mutex_lock(&lock);
    struct ap_block *block = block_of(tb, size);
    if (block) {
        qemu_plugin_register_vcpu_tb_exec_cb(tb, on_block, QEMU_NO_REGISTERS, block);
        watch_memory(tb, block, size);
    }
    pthread_mutex_unlock(&lock);
}

/* ---- Threads and processes ---- */

static void give_up(const char *why) {
    fprintf(stderr, "armprof: the model stops the program: %s\n", why);
    exit(125);
}

static void on_thread_start(qemu_plugin_id id, unsigned vcpu) {
    (void)id;
    struct ap_core *core = vcpu < MAX_THREADS ? ap_core_new() : NULL;
    if (!core) {
        give_up("no memory for one more thread");
    }
    core->order = __atomic_fetch_add(&ap_counts->threads, 1, __ATOMIC_RELAXED);
    core->previous = &nowhere;
    /* QEMU translates everything anew before a second thread runs. */
    if (cores[0] && !ap_shared && (!ap_sharing_start(ap_lines) || !ap_sharing_join(cores[0]))) {
        give_up("no memory to watch what threads share");
    }
    ap_shared = ap_shared || cores[0];
    if (ap_shared && !ap_sharing_join(core)) {
        give_up("no memory for one more thread");
    }
    if (!ap_banks_start(core)) {
        give_up("no room for the counts of one more thread");
    }
    cores[vcpu] = core;
}

static void on_thread_end(qemu_plugin_id id, unsigned vcpu) {
    (void)id;
    ap_banks_end(cores[vcpu]);
    ap_core_free(cores[vcpu]);
    cores[vcpu] = NULL;
}

static void on_system_call(qemu_plugin_id id, unsigned vcpu, int64_t number, uint64_t a1, uint64_t a2, uint64_t a3,
                           uint64_t a4, uint64_t a5, uint64_t a6, uint64_t a7, uint64_t a8) {
    (void)id, (void)a1, (void)a2, (void)a3, (void)a4, (void)a5, (void)a6, (void)a7, (void)a8;
    enum { EXECVE = 221, EXECVEAT = 281 };
    self = cores[vcpu];
    if (number == EXECVE || number == EXECVEAT) {
        __atomic_fetch_add(&ap_counts->execs, 1, __ATOMIC_RELAXED);
    }
}

/* The child counts into banks of its own. */
static void after_fork_in_child(void) {
    __atomic_fetch_add(&ap_counts->forks, 1, __ATOMIC_RELAXED);
    if (self && !ap_banks_start(self)) {
        give_up("no room for the counts of one more process");
    }
}

/* ---- Start ---- */

static const struct {
    const char *name;
    uint64_t *value;
} arguments[] = {
    {"l1i_bytes", &ap_settings.l1i.bytes},
    {"l1i_ways", &ap_settings.l1i.ways},
    {"l1d_bytes", &ap_settings.l1d.bytes},
    {"l1d_ways", &ap_settings.l1d.ways},
    {"l2_bytes", &ap_settings.l2.bytes},
    {"l2_ways", &ap_settings.l2.ways},
    {"ll_bytes", &ap_settings.ll.bytes},
    {"ll_ways", &ap_settings.ll.ways},
    {"l1i_tlb", &ap_settings.l1i_tlb},
    {"l1d_tlb", &ap_settings.l1d_tlb},
    {"l2_tlb", &ap_settings.l2_tlb.bytes},
    {"l2_tlb_ways", &ap_settings.l2_tlb.ways},
    {"page_bits", &ap_settings.page_bits},
    {"prefetch", &ap_settings.prefetch},
    {"inclusive", &ap_settings.inclusive},
    {"returns", &ap_settings.returns},
};

static bool set_number(const char *argument) {
    for (size_t i = 0; i < sizeof arguments / sizeof *arguments; i++) {
        size_t length = strlen(arguments[i].name);
        if (strncmp(argument, arguments[i].name, length) == 0 && argument[length] == '=') {
            char *end;
            errno = 0;
            *arguments[i].value = strtoull(argument + length + 1, &end, 10);
            return !errno && !*end && end != argument + length + 1;
        }
    }
    return false;
}

static const char *wrong_settings(void) {
    const struct ap_settings *s = &ap_settings;
    const struct {
        struct ap_cache_size size;
        uint64_t unit;
        bool needed;
    } caches[] = {{s->l1i, AP_LINE_BYTES, true}, {s->l1d, AP_LINE_BYTES, true}, {s->l2, AP_LINE_BYTES, false},
                  {s->ll, AP_LINE_BYTES, false}, {s->l2_tlb, 1, false}};
    for (size_t i = 0; i < sizeof caches / sizeof *caches; i++) {
        uint64_t bytes = caches[i].size.bytes, ways = caches[i].size.ways;
        if (bytes ? !ways || ways > 1 << 16 || bytes % (ways * caches[i].unit) || bytes > (uint64_t)1 << 32
                  : caches[i].needed) {
            return "the bytes (entries) of a cache are no multiple of its ways and lines";
        }
    }
    uint64_t l1i_sets = s->l1i.bytes / s->l1i.ways / AP_LINE_BYTES, l1d_sets = s->l1d.bytes / s->l1d.ways / AP_LINE_BYTES;
    if ((l1i_sets & (l1i_sets - 1)) || (l1d_sets & (l1d_sets - 1))) {
        return "the sets of an L1 cache are no power of two";
    }
    if (s->l1d_tlb < AP_MIN_TLB || s->l1d_tlb > AP_MAX_TLB || s->l1i_tlb < AP_MIN_TLB || s->l1i_tlb > AP_MAX_TLB) {
        return "an L1 TLB has 2 to 254 entries";
    }
    if (s->page_bits < 12 || s->page_bits > 30) {
        return "page_bits is 12 to 30";
    }
    if (!s->returns || s->returns > AP_MAX_RETURNS) {
        return "returns is 1 to 64";
    }
    return s->prefetch > 64 ? "prefetch is 64 at most" : NULL;
}

QEMU_EXPORT int qemu_plugin_install(qemu_plugin_id id, const struct qemu_plugin_info *info, int argc, char **argv) {
    const char *counts = NULL;
    if (info->system_emulation || strcmp(info->target_name, "aarch64") != 0) {
        fprintf(stderr, "armprof: the model is for qemu-aarch64, not for %s\n", info->target_name);
        return -1;
    }
    for (int i = 0; i < argc; i++) {
        if (strncmp(argv[i], "counts=", 7) == 0) {
            counts = argv[i] + 7;
        } else if (!set_number(argv[i])) {
            fprintf(stderr, "armprof: not an argument of the model: %s\n", argv[i]);
            return -1;
        }
    }
    const char *wrong = counts ? wrong_settings() : "counts=FILE is missing";
    if (wrong) {
        fprintf(stderr, "armprof: %s\n", wrong);
        return -1;
    }
    known.first = calloc((size_t)1 << KNOWN_BITS, sizeof *known.first);
    known.chained = calloc(AP_MAX_BLOCKS, sizeof *known.chained);
    if (!known.first || !known.chained || !ap_counts_open(counts)) {
        fprintf(stderr, "armprof: %s: %s\n", counts, strerror(errno));
        return -1;
    }
    ap_branches_learn();
    pthread_atfork(NULL, NULL, after_fork_in_child);
    qemu_plugin_register_vcpu_init_cb(id, on_thread_start);
    qemu_plugin_register_vcpu_exit_cb(id, on_thread_end);
    qemu_plugin_register_vcpu_tb_trans_cb(id, on_translation);
    qemu_plugin_register_vcpu_syscall_cb(id, on_system_call);
    return 0;
}
