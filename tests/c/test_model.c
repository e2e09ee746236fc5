/* The parts of the modelled core that need no emulator: how instructions are told apart, translation buffers against a
 * list in order of use, caches against their definition, and ownership of lines between threads. */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core.h"
#include "decode.h"
#include "harness.h"

static uint64_t state = 88172645463325252u;

static uint64_t draw(void) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

/* Each as GNU as 2.40 encodes it. */
static void instructions_are_told_apart(void) {
    static const struct {
        uint32_t word;
        bool memory, store;
        uint16_t bytes, element;
    } accesses[] = {
        {0xf9400020, true, false, 8, 8},    /* ldr x0, [x1] */
        {0xb9000020, true, true, 4, 4},     /* str w0, [x1] */
        {0x39400020, true, false, 1, 1},    /* ldrb w0, [x1] */
        {0x79800020, true, false, 2, 2},    /* ldrsh x0, [x1] */
        {0x3dc00020, true, false, 16, 16},  /* ldr q0, [x1] */
        {0x3d800020, true, true, 16, 16},   /* str q0, [x1] */
        {0xfd000020, true, true, 8, 8},     /* str d0, [x1] */
        {0xa9400820, true, false, 16, 8},   /* ldp x0, x2, [x1] */
        {0xa9bf7bfd, true, true, 16, 8},    /* stp x29, x30, [sp, #-16]! */
        {0x69400820, true, false, 8, 4},    /* ldpsw x0, x2, [x1] */
        {0xad400820, true, false, 32, 16},  /* ldp q0, q2, [x1] */
        {0x58000040, true, false, 8, 8},    /* ldr x0, . + 8 */
        {0xc85f7c20, true, false, 8, 8},    /* ldxr x0, [x1] */
        {0xc8027c20, true, true, 8, 8},     /* stxr w2, x0, [x1] */
        {0xc87f0820, true, false, 16, 16},  /* ldxp x0, x2, [x1] */
        {0x88dffc20, true, false, 4, 4},    /* ldar w0, [x1] */
        {0xc89ffc20, true, true, 8, 8},     /* stlr x0, [x1] */
        {0xc8a07c22, true, true, 8, 8},     /* cas x0, x2, [x1] */
        {0x48207c22, true, true, 16, 16},   /* casp x0, x1, x2, x3, [x1] */
        {0xf8200022, true, true, 8, 8},     /* ldadd x0, x2, [x1] */
        {0xf8bfc020, true, false, 8, 8},    /* ldapr x0, [x1] */
        {0x4c407020, true, false, 16, 1},   /* ld1 {v0.16b}, [x1] */
        {0x4c402020, true, false, 64, 1},   /* ld1 {v0.16b - v3.16b}, [x1] */
        {0x0c000820, true, true, 32, 4},    /* st4 {v0.2s - v3.2s}, [x1] */
        {0x4d40c820, true, false, 4, 4},    /* ld1r {v0.4s}, [x1] */
        {0x0d008020, true, true, 4, 4},     /* st1 {v0.s}[0], [x1] */
        {0xf9800020, false, false, 0, 0},   /* prfm pldl1keep, [x1] */
        {0x8b020020, false, false, 0, 0},   /* add x0, x1, x2 */
        {0x1e622820, false, false, 0, 0},   /* fadd d0, d1, d2 */
        {0xd503201f, false, false, 0, 0},   /* nop */
    };
    for (size_t i = 0; i < sizeof accesses / sizeof *accesses; i++) {
        struct ap_access found = ap_access_of(accesses[i].word);
        CHECK_EQUAL(found.memory, accesses[i].memory);
        if (found.memory) {
            CHECK_EQUAL(found.store, accesses[i].store);
            CHECK_EQUAL(found.bytes, accesses[i].bytes);
            CHECK_EQUAL(found.element, accesses[i].element);
        }
    }
    static const struct {
        uint32_t word;
        enum ap_ending ending;
        int64_t offset;
    } branches[] = {
        {0x54000040, AP_CONDITIONAL, 8},     /* b.eq . + 8 */
        {0xb4ffffe0, AP_CONDITIONAL, -4},    /* cbz x0, . - 4 */
        {0x37080040, AP_CONDITIONAL, 8},     /* tbnz w0, #1, . + 8 */
        {0x14000002, AP_JUMP, 8},            /* b . + 8 */
        {0x97ffffff, AP_CALL, -4},           /* bl . - 4 */
        {0xd61f0000, AP_INDIRECT_JUMP, 0},   /* br x0 */
        {0xd63f0000, AP_INDIRECT_CALL, 0},   /* blr x0 */
        {0xd65f03c0, AP_RETURN, 0},          /* ret */
        {0xd65f0bff, AP_RETURN, 0},          /* retaa */
        {0xd4000001, AP_FALLS_THROUGH, 0},   /* svc #0 */
        {0x8b020020, AP_FALLS_THROUGH, 0},   /* add x0, x1, x2 */
    };
    for (size_t i = 0; i < sizeof branches / sizeof *branches; i++) {
        struct ap_branch found = ap_branch_of(branches[i].word);
        CHECK_EQUAL(found.ending, branches[i].ending);
        CHECK_EQUAL(found.offset, branches[i].offset);
    }
    CHECK(ap_is_dc_zva(0xd50b7423) && !ap_is_dc_zva(0xd50b7523));
}

static void a_translation_buffer_keeps_the_pages_used_last(void) {
    for (uint32_t entries = AP_MIN_TLB; entries <= AP_MAX_TLB; entries += 83) {
        static struct ap_tlb tlb;
        uint64_t listed[AP_MAX_TLB], latest = AP_NO_PAGE;
        uint32_t used = 0;
        ap_tlb_empty(&tlb, entries);
        for (int i = 0; i < 200000; i++) {
            uint64_t page = draw() % (entries + entries / 3) << 12;
            uint32_t at = 0;
            while (at < used && listed[at] != page) {
                at++;
            }
            if (page != latest) {
                CHECK_EQUAL(ap_tlb_back(&tlb, page) || ap_tlb_use(&tlb, page), at < used);
            }
            if (at == used && used < entries) {
                used++;
            } else if (at == used) {
                at--;
            }
            memmove(listed + 1, listed, at * sizeof *listed);
            listed[0] = latest = page;
        }
    }
}

static void start_counting(void) {
    char name[] = "/tmp/armprof-counts-XXXXXX";
    int file = mkstemp(name);
    CHECK(file >= 0);
    close(file);
    CHECK(ap_counts_open(name));
    unlink(name); /* what is mapped before stays; no bank can be opened afterwards */
}

static struct ap_core *new_core(uint32_t order) {
    static struct ap_bank bank[4];
    ap_settings = (struct ap_settings){
        .l1i = {65536, 4}, .l1d = {65536, 4}, .l2 = {1 << 20, 8}, .ll = {8 << 20, 16}, .l1i_tlb = 48, .l1d_tlb = 48,
        .l2_tlb = {1280, 5}, .page_bits = 12, .inclusive = 1, .returns = 16,
    };
    struct ap_core *core = ap_core_new();
    CHECK(core != NULL);
    core->order = order;
    core->bank = &bank[order];
    core->sites = calloc(4, sizeof *core->sites);
    core->blocks = calloc(4, sizeof *core->blocks);
    return core;
}

static void end_core(struct ap_core *core) {
    free(core->sites);
    free(core->blocks);
    ap_core_free(core);
}

/* Random lines of three times the cache, against each set as a list in order of use. */
static void a_cache_keeps_the_lines_used_last(void) {
    enum { SETS = 256, WAYS = 4, LINES = 3 * SETS * WAYS };
    struct ap_core *core = new_core(0);
    static uint64_t listed[SETS][WAYS];
    memset(listed, 0xff, sizeof listed);
    uint64_t misses = 0;
    for (int i = 0; i < 300000; i++) {
        uint64_t line = draw() % LINES, *set = listed[line % SETS];
        uint32_t at = 0;
        while (at < WAYS && set[at] != line) {
            at++;
        }
        misses += at == WAYS;
        at -= at == WAYS;
        memmove(set + 1, set, at * sizeof *set);
        set[0] = line;
        if (!ap_same_line(*ap_l1_set_of(&core->l1d, line * 64), line * 64)) {
            ap_data_not_first(core, line * 64, 1, draw() & 1);
        }
    }
    CHECK_EQUAL(core->sites[1].l1d_refill, misses);
    CHECK_EQUAL(core->sites[1].l2_refill, LINES); /* each line once: the second level holds them all */
    end_core(core);
}

static void what_leaves_an_inclusive_l2_leaves_l1d(void) {
    struct ap_core *core = new_core(0);
    ap_data_not_first(core, 0, 1, true);
    for (uint64_t line = 1; line <= 8; line++) { /* of the same set of L2, of other sets of L1D */
        for (uint64_t other = 0; other < 8; other++) {
            ap_data_not_first(core, line * (1 << 17) + other * (1 << 20), 1, false);
        }
    }
    CHECK_EQUAL(core->bank->l1d_wb, 1);
    CHECK_EQUAL(core->bank->l2_wb, 1);
    end_core(core);
}

static pthread_barrier_t turn;

static void *write_in_turn(void *argument) {
    struct ap_core *core = argument;
    for (uint32_t i = 0; i < 100; i++) {
        if (i % 2 == core->order) {
            uint64_t address = 4096 + 8 * core->order;
            ap_share(core, address, 8, core->order + 1, true);
            if (!ap_same_line(*ap_l1_set_of(&core->l1d, address), address)) {
                ap_data_not_first(core, address, core->order + 1, true);
            }
        }
        pthread_barrier_wait(&turn);
    }
    return NULL;
}

static void two_threads_that_write_in_turn_lose_the_line_each_time(void) {
    static struct ap_contention lines[AP_MAX_LINES];
    struct ap_core *core[2] = {new_core(0), new_core(1)};
    ap_shared = true;
    CHECK(ap_sharing_start(lines) && ap_sharing_join(core[0]) && ap_sharing_join(core[1]));
    pthread_barrier_init(&turn, NULL, 2);
    pthread_t thread[2];
    for (int i = 0; i < 2; i++) {
        CHECK_EQUAL(pthread_create(&thread[i], NULL, write_in_turn, core[i]), 0);
    }
    for (int i = 0; i < 2; i++) {
        pthread_join(thread[i], NULL);
    }
    /* Every write but the first of each thread finds the line gone. */
    CHECK_EQUAL(core[0]->sites[1].contended + core[1]->sites[2].contended, 98);
    CHECK_EQUAL(core[0]->sites[1].false_sharing + core[1]->sites[2].false_sharing, 98);
    uint64_t times = 0;
    for (int i = 0; i < AP_MAX_LINES; i++) {
        times += lines[i].times;
        if (lines[i].times) {
            CHECK_EQUAL(lines[i].line, 4096);
            CHECK_EQUAL(lines[i].touched[0], 0xff);
            CHECK_EQUAL(lines[i].touched[1], 0xff00);
        }
    }
    CHECK_EQUAL(times, 98);
    end_core(core[0]);
    end_core(core[1]);
}

static void room_is_taken_whole_or_not_at_all(void) {
    start_counting();
    uint32_t count = 5;
    CHECK_EQUAL(ap_take(&count, 3, 10), 5);
    CHECK_EQUAL(ap_take(&count, 3, 10), UINT32_MAX);
    CHECK_EQUAL(count, 8);
    CHECK_EQUAL(ap_take(&count, 2, 10), 8);
}

int main(int argc, char **argv) {
    static const struct test tests[] = {
        TEST(instructions_are_told_apart),
        TEST(a_translation_buffer_keeps_the_pages_used_last),
        TEST(a_cache_keeps_the_lines_used_last),
        TEST(what_leaves_an_inclusive_l2_leaves_l1d),
        TEST(two_threads_that_write_in_turn_lose_the_line_each_time),
        TEST(room_is_taken_whole_or_not_at_all),
    };
    return run_tests(tests, sizeof tests / sizeof *tests, argc, argv);
}
