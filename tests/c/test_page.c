/* Reads in user space, on a simulated kernel and core: pages that it writes as Linux does, registers that are an array. So
 * every index, width, wrap and retry is seen on any machine. What `mrs` itself does is tested in the guests.
 */
#define _GNU_SOURCE
#include <stdint.h>

static const char *simulated_routine(uint32_t index);
static uint64_t simulated_read(const char *routine, uint64_t *refused);
#define ARMPROF_REGISTER_ROUTINE(index) simulated_routine(index)
#define ARMPROF_READ_REGISTER(routine, refused) simulated_read(routine, refused)
#include "set.c"

#include "harness.h"

/* ---- The core --------------------------------------------------------------------------------------------------- */

enum { CYCLES = 32, REGISTERS = 33 }; /* by the page's index: 1..31 event counters, 32 the cycle counter */

static uint64_t registers[REGISTERS];
static uint32_t trapping; /* the index whose register user space may not read any more; 0: none */
static void (*before_read)(void);    /* what happens between two instructions of the reader: before a register is read, */
static void (*before_routine)(void); /* and while it takes over a page */
static char routines[ARMPROF_INDEX_ZERO + 1];

static const char *simulated_routine(uint32_t index) {
    CHECK(index < sizeof routines);
    if (before_routine) {
        before_routine();
    }
    return routines + index;
}

static uint64_t simulated_read(const char *routine, uint64_t *refused) {
    size_t index = (size_t)(routine - routines);
    if (before_read) {
        before_read();
    }
    if (index == ARMPROF_INDEX_ZERO) {
        return 0;
    }
    if (index == 0 || index >= REGISTERS) {
        *refused |= ARMPROF_REFUSED_NO_INDEX;
        return 0xdead;
    }
    if (index == trapping) {
        *refused |= ARMPROF_REFUSED_TRAP;
        return 0;
    }
    return registers[index];
}

static uint64_t random_state = 88172645463325252u;

/* xorshift64 (Marsaglia). */
static uint64_t random_word(void) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

/* ---- The kernel: drivers/perf/arm_pmu.c and kernel/events/core.c as far as a page shows them ------------------------ */

struct event {
    armprof_page page;
    uint32_t index; /* its register; 0: none now */
    unsigned width;
    uint64_t counted;  /* until the register was last looked at, */
    uint64_t previous; /* which held this */
};

static uint64_t mask_of(unsigned width) { return width == 64 ? UINT64_MAX : UINT32_MAX; }

/* An access to a 32-bit counter gives anything in its upper half. */
static uint64_t as_wide_as(unsigned width, uint64_t value) {
    return (value & mask_of(width)) | (random_word() & ~mask_of(width));
}

/* The event gets a register, which starts half its range below zero. */
static void schedule(struct event *event, uint32_t index) {
    event->page.lock++;
    event->index = index;
    event->previous = event->width == 64 ? (uint64_t)-INT64_MAX : (uint64_t)-(INT64_C(1) << 31);
    registers[index] = as_wide_as(event->width, event->previous);
    event->page.index = index;
    event->page.pmc_width = (uint16_t)event->width;
    event->page.offset = (int64_t)(event->counted - event->previous);
    event->page.lock++;
}

static void look_at_register(struct event *event) {
    if (event->index) {
        event->counted += (registers[event->index] - event->previous) & mask_of(event->width);
    }
}

/* The overflow interrupt, which comes when the register has wrapped to zero, or a little later. */
static void overflow(struct event *event) {
    look_at_register(event);
    schedule(event, event->index);
}

/* The register is lost, as in a switch to another thread, and holds somebody else's count. */
static void take_away(struct event *event) {
    look_at_register(event);
    event->page.lock++;
    registers[event->index] = random_word();
    event->index = event->page.index = 0;
    event->page.offset = (int64_t)event->counted;
    event->page.lock++;
}

static void count(const struct event *event, uint64_t more) {
    registers[event->index] = as_wide_as(event->width, registers[event->index] + more);
}

static void move(struct event *event, uint32_t index) {
    take_away(event);
    schedule(event, index);
}

/* ---- One counter ------------------------------------------------------------------------------------------------ */

static bool has_moved(const struct armprof_source *source) {
    return source->sequence_and_shift >> 32 != armprof_page_sequence(source->page);
}

static uint64_t read_once(struct event *event, uint64_t *refused) {
    struct armprof_source source = {.page = &event->page};
    armprof_source_refresh(&source, NULL);
    *refused = 0;
    uint64_t value = armprof_source_read(&source, refused);
    CHECK(!has_moved(&source));
    return value;
}

static uint64_t must_read(struct event *event) {
    uint64_t refused;
    uint64_t value = read_once(event, &refused);
    CHECK_EQUAL(refused, 0);
    return value;
}

static void every_index_reads_its_own_register(void) {
    for (uint32_t index = 1; index <= CYCLES; index++) {
        registers[index] = 1000 + index;
    }
    for (uint32_t index = 1; index <= CYCLES; index++) {
        struct event event = {.page = {.index = index, .pmc_width = 64}};
        CHECK_EQUAL(must_read(&event), 1000 + index);
    }
}

/* 33 is the instruction counter of newer kernels; what comes after it nobody knows. */
static void no_index_and_unknown_ones_are_refused(void) {
    static const uint32_t unknown[] = {0, 33, 34, 62, 63, 64, 65, 96, 97, 127, 128, 129, 1u << 16 | 1, UINT32_MAX};
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++) {
        struct event event = {.page = {.index = unknown[i], .pmc_width = 64}};
        uint64_t refused;
        read_once(&event, &refused);
        CHECK_EQUAL(refused, ARMPROF_REFUSED_NO_INDEX);
    }
}

/* A reader that holds the register unsigned reads 2^32 too much from every counter that has just been started. */
static void a_register_is_as_wide_as_the_page_says_and_signed(void) {
    static const struct {
        uint16_t width;
        uint64_t raw;
        int64_t value;
    } cases[] = {
        {32, 0x80000000, -2147483648},           {32, 0x80000001, -2147483647},
        {32, 0xffffffff, -1},                    {32, 0, 0},
        {32, 0x7fffffff, 2147483647},            {32, 0xffffffff00000005, 5},
        {32, 0x7ffffffffffffffe, -2},            {64, 0x80000000, 2147483648},
        {64, 0x8000000000000001, -INT64_MAX},    {64, UINT64_MAX, -1},
        {64, 0x7fffffffffffffff, INT64_MAX},     {48, 0xffff800000000000, -140737488355328},
        {48, 0xabcd7fffffffffff, 140737488355327},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (int64_t offset = -1; offset <= 1; offset++) {
            struct event event = {
                .page = {.index = 13, .pmc_width = cases[i].width, .offset = (INT64_C(1) << 40) * offset}};
            registers[13] = cases[i].raw;
            CHECK_EQUAL(must_read(&event), (uint64_t)event.page.offset + (uint64_t)cases[i].value);
        }
    }
}

static void a_counter_goes_on_across_its_sign_and_its_wraps(void) {
    static const unsigned widths[] = {32, 64};
    for (size_t w = 0; w < 2; w++) {
        struct event event = {.width = widths[w], .counted = 7};
        uint64_t expected = 7;
        unsigned overflows = 0;
        schedule(&event, 5);
        CHECK_EQUAL(must_read(&event), expected);
        for (unsigned step = 0; step < 20000; step++) {
            uint64_t more = widths[w] == 32 ? random_word() >> 36 : random_word() >> 4;
            bool was_negative = registers[5] >> (widths[w] - 1) & 1;
            count(&event, more);
            expected += more;
            CHECK_EQUAL(must_read(&event), expected); /* also before the interrupt */
            if (was_negative && !(registers[5] >> (widths[w] - 1) & 1)) {
                overflow(&event);
                overflows++;
                CHECK_EQUAL(must_read(&event), expected);
            }
        }
        CHECK(overflows > 500);
    }
}

static void a_late_interrupt_does_no_harm(void) {
    struct event event = {.width = 32};
    schedule(&event, 1);
    count(&event, (UINT64_C(1) << 31) - 1); /* the last value below zero */
    CHECK_EQUAL(must_read(&event), 2147483647);
    count(&event, 1); /* zero: the interrupt is due */
    CHECK_EQUAL(must_read(&event), 2147483648);
    count(&event, 2147483647); /* the latest moment at which it may come: 2^32 - 1 */
    CHECK_EQUAL(must_read(&event), UINT32_MAX);
    overflow(&event);
    count(&event, 1);
    CHECK_EQUAL(must_read(&event), UINT64_C(1) << 32);
}

/* ---- A page that changes under the reader ---------------------------------------------------------------------------- */

static struct event subject;
static unsigned moves_left;

static void move_to_the_next_register(void) {
    if (moves_left > 0) {
        moves_left--;
        move(&subject, subject.index % CYCLES + 1);
    }
}

/* Between the index and the offset of the reader's copy. */
static void a_page_is_taken_over_whole(void) {
    for (unsigned moves = 0; moves < 5; moves++) {
        subject = (struct event){.width = 32, .counted = 500 + moves};
        schedule(&subject, 11);
        count(&subject, 42);
        moves_left = moves;
        before_routine = move_to_the_next_register;
        struct armprof_source source = {.page = &subject.page};
        struct armprof_times times;
        armprof_source_refresh(&source, &times);
        before_routine = NULL;
        uint64_t refused = 0;
        CHECK_EQUAL(armprof_source_read(&source, &refused), 542 + moves);
        CHECK_EQUAL(refused, 0);
        CHECK_EQUAL(source.routine - routines, subject.index);
        CHECK_EQUAL(moves_left, 0);
    }
}

static void a_move_is_noticed_whenever_it_happens(void) {
    subject = (struct event){.width = 32};
    schedule(&subject, 3);
    struct armprof_source source = {.page = &subject.page};
    armprof_source_refresh(&source, NULL);
    CHECK(!has_moved(&source));
    move(&subject, 4);
    CHECK(has_moved(&source));
    armprof_source_refresh(&source, NULL);
    CHECK(!has_moved(&source));
    subject.page.lock = UINT32_MAX - 1; /* the lock wraps too */
    armprof_source_refresh(&source, NULL);
    move(&subject, 5);
    CHECK_EQUAL(subject.page.lock, 2);
    CHECK(has_moved(&source));
}

/* ---- Time --------------------------------------------------------------------------------------------------------- */

static void the_times_of_a_page(void) {
    armprof_page page = {.time_enabled = 9000, .time_running = 6500, .time_offset = (uint64_t)-4000, .index = 1};
    struct armprof_source source = {.page = &page};
    struct armprof_times times;
    armprof_source_refresh(&source, &times);
    CHECK_EQUAL(times.enabled_base, 5000); /* enabled is 9000 at the moment at which the clock shows 4000 */
    CHECK_EQUAL(times.lost, 2500);
}

/* clocks_calc_mult_shift() of kernel/time/clocksource.c, as sched_clock_register() calls it for the arch timer. */
static void kernel_mult_shift(uint32_t frequency, uint32_t *mult, uint16_t *shift) {
    uint64_t longest = UINT64_C(3600) * frequency >> 32;
    uint32_t accuracy = 32;
    for (; longest; longest >>= 1) {
        accuracy--;
    }
    uint64_t product = 0;
    uint32_t by = 32;
    for (; by > 0; by--) {
        product = ((UINT64_C(1000000000) << by) + frequency / 2) / frequency;
        if (product >> accuracy == 0) {
            break;
        }
    }
    *mult = (uint32_t)product;
    *shift = (uint16_t)by;
    if (*shift == 32) { /* as arch_perf_update_userpage() does */
        *shift = 31;
        *mult >>= 1;
    }
}

static void ticks_become_ns_as_128_bit_arithmetic_says(void) {
    /* Raspberry Pi 3, Apple, Altra, Raspberry Pi 5, Juno, QEMU, ThunderX2, Graviton2, SBSA's 1 GHz, Graviton3 and 4. */
    static const uint32_t frequencies[] = {19200000,  24000000,  25000000,   54000000,   50000000,
                                           62500000,  100000000, 121875000,  1000000000, 1050000000};
    for (size_t i = 0; i < sizeof frequencies / sizeof *frequencies; i++) {
        uint32_t mult;
        uint16_t shift;
        kernel_mult_shift(frequencies[i], &mult, &shift);
        CHECK(mult > 0);
        for (unsigned round = 0; round < 100000; round++) {
            uint64_t ticks = random_word() >> (random_word() % 64);
            __extension__ unsigned __int128 product = (unsigned __int128)ticks * mult;
            CHECK_EQUAL(armprof_ticks_to_ns(ticks, mult, shift), (uint64_t)(product >> shift));
        }
        uint64_t second = armprof_ticks_to_ns(frequencies[i], mult, shift);
        CHECK(second > 999999000 && second < 1000001000);
    }
    CHECK_EQUAL(armprof_ticks_to_ns(12345, 1, 0), 12345);
    CHECK_EQUAL(armprof_ticks_to_ns(UINT64_MAX, UINT32_MAX, 32), UINT64_MAX - (UINT64_C(1) << 32));
}

/* ---- Whole sets ----------------------------------------------------------------------------------------------------- */

static struct event events[ARMPROF_MAX_EVENTS];
static struct armprof_set set;
static int kernel_end[ARMPROF_MAX_GROUPS]; /* what is written here, read(2) of the group's leader gives */

/* As armprof_open() leaves a set whose every event got a page. The clock of the pages is armprof_ticks() itself. */
static void make_set(uint32_t slots, uint32_t groups, bool unfenced) {
    memset(&set, 0, sizeof set);
    set.how = unfenced ? ARMPROF_UNFENCED : 0;
    set.events = set.slots = slots;
    set.groups = groups;
    for (uint32_t g = 0; g < groups; g++) {
        int ends[2];
        CHECK(pipe(ends) == 0);
        kernel_end[g] = ends[1];
        set.group[g] = (struct armprof_group){
            .leader_fd = ends[0], .begin = g, .end = g == groups - 1 ? slots : g + 1, .wanted = g};
    }
    for (uint32_t slot = 0; slot < slots; slot++) {
        events[slot] = (struct event){.width = slot % 3 ? 32 : 64, .counted = 1000000 * (slot + UINT64_C(1))};
        events[slot].page.time_mult = 1;
        schedule(&events[slot], slot + 1);
        set.page[slot] = &events[slot].page;
        set.source[slot].page = &events[slot].page;
        set.slot_of[slot] = (int)slot;
        set.group_of[slot] = slot < groups ? slot : groups - 1;
        set.access[slot] = ARMPROF_USER32;
        set.fd[slot] = -1;
    }
    settle_access(&set);
    CHECK((set.how & ARMPROF_BY_SYSCALL) == 0);
}

static void unmake_set(void) {
    for (uint32_t g = 0; g < set.groups; g++) {
        close(set.group[g].leader_fd);
        close(kernel_end[g]);
    }
}

/* Lets the next read(2) of every group give what is true now. */
static void answer_reads(void) {
    for (uint32_t g = 0; g < set.groups; g++) {
        uint64_t answer[3 + ARMPROF_MAX_EVENTS] = {set.group[g].end - set.group[g].begin, 5000, 4000 - g};
        for (uint32_t slot = set.group[g].begin; slot < set.group[g].end; slot++) {
            look_at_register(&events[slot]);
            events[slot].previous = registers[events[slot].index];
            answer[3 + slot - set.group[g].begin] = events[slot].counted;
        }
        ssize_t size = (ssize_t)((3 + answer[0]) * sizeof *answer);
        CHECK(write(kernel_end[g], answer, (size_t)size) == size);
    }
}

static void check_values(const armprof_count *counts, uint64_t more) {
    for (uint32_t slot = 0; slot < set.slots; slot++) {
        CHECK_EQUAL(counts[slot].value, 1000000 * (slot + UINT64_C(1)) + more * (slot + 1));
    }
}

static void all_count(uint64_t more) {
    for (uint32_t slot = 0; slot < set.slots; slot++) {
        count(&events[slot], more * (slot + 1));
    }
}

static void for_all_sizes(void (*body)(void)) {
    for (uint32_t slots = 1; slots <= ARMPROF_MAX_EVENTS; slots++) {
        for (uint32_t groups = 1; groups <= slots && groups <= ARMPROF_MAX_GROUPS; groups += 1 + slots / 8) {
            for (int unfenced = 0; unfenced < 2; unfenced++) {
                make_set(slots, groups, unfenced);
                body();
                unmake_set();
            }
        }
    }
}

static void read_in_user_space(void) {
    armprof_count counts[ARMPROF_MAX_EVENTS];
    CHECK_EQUAL(armprof_sample(&set, counts), 0);
    check_values(counts, 0);
    all_count(17);
    CHECK_EQUAL(armprof_sample(&set, counts), 0);
    check_values(counts, 17);
    CHECK_EQUAL(armprof_samples_by_syscall(&set), 0);
}

static void sets_of_every_size_are_read_in_user_space(void) { for_all_sizes(read_in_user_space); }

static unsigned reads_until_it_happens;
static uint32_t slot_it_happens_to;

/* A move of any event, at any point of the loop over the slots. */
static void move_one(void) {
    if (reads_until_it_happens-- == 0) {
        uint32_t other = events[slot_it_happens_to].index;
        take_away(&events[slot_it_happens_to]);
        schedule(&events[slot_it_happens_to], other);
    }
}

static void a_page_that_moves_in_the_middle_is_read_again(void) {
    static const uint32_t sizes[] = {1, 2, 5, 6, 7};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        for (uint32_t at = 0; at < sizes[i]; at++) {
            for (uint32_t slot = 0; slot < sizes[i]; slot++) {
                armprof_count counts[ARMPROF_MAX_EVENTS];
                make_set(sizes[i], 1 + sizes[i] / 4, false);
                all_count(3);
                reads_until_it_happens = at;
                slot_it_happens_to = slot;
                before_read = move_one;
                CHECK_EQUAL(armprof_sample(&set, counts), 0);
                before_read = NULL;
                check_values(counts, 3);
                all_count(2);
                CHECK_EQUAL(armprof_sample(&set, counts), 0);
                check_values(counts, 5);
                CHECK_EQUAL(armprof_samples_by_syscall(&set), 0);
                unmake_set();
            }
        }
    }
}

static void one_counter_without_a_register_sends_the_sample_to_the_kernel(void) {
    armprof_count counts[ARMPROF_MAX_EVENTS];
    for (uint32_t slot = 0; slot < set.slots; slot++) {
        uint32_t index = events[slot].index;
        uint64_t before = armprof_samples_by_syscall(&set);
        answer_reads();
        take_away(&events[slot]);
        CHECK_EQUAL(armprof_sample(&set, counts), 0);
        check_values(counts, 0);
        for (uint32_t i = 0; i < set.slots; i++) {
            CHECK_EQUAL(counts[i].enabled_ns, 5000);
            CHECK_EQUAL(counts[i].running_ns, 4000 - set.group_of[i]); /* each group has times of its own */
        }
        CHECK_EQUAL(armprof_samples_by_syscall(&set), before + 1);
        schedule(&events[slot], index); /* and goes back to user space as soon as it has one again */
        CHECK_EQUAL(armprof_sample(&set, counts), 0);
        check_values(counts, 0);
        CHECK_EQUAL(armprof_samples_by_syscall(&set), before + 1);
    }
    CHECK(!armprof_user_reads_withdrawn(&set));
}

static void the_kernel_is_asked_while_a_counter_has_no_register(void) {
    for_all_sizes(one_counter_without_a_register_sends_the_sample_to_the_kernel);
}

static void one_trap_ends_user_reads(void) {
    armprof_count counts[ARMPROF_MAX_EVENTS];
    all_count(9);
    answer_reads();
    trapping = set.slots;
    CHECK_EQUAL(armprof_sample(&set, counts), 0);
    trapping = 0;
    check_values(counts, 9);
    CHECK(armprof_user_reads_withdrawn(&set));
    all_count(1);
    answer_reads();
    CHECK_EQUAL(armprof_sample(&set, counts), 0);
    check_values(counts, 10);
    CHECK_EQUAL(armprof_samples_by_syscall(&set), 2);
}

static void the_kernel_is_asked_for_good_after_a_trap(void) { for_all_sizes(one_trap_ends_user_reads); }

/* As after a switch to another thread with kernel.perf_user_access at 0: the page bears no index, and the group counts. */
static void no_index_while_it_counts_ends_user_reads(void) {
    armprof_count counts[ARMPROF_MAX_EVENTS];
    uint32_t last = set.groups - 1;
    for (uint32_t slot = set.group[last].begin; slot < set.group[last].end; slot++) {
        take_away(&events[slot]);
    }
    armprof_page *leader = &events[set.group[last].begin].page;
    leader->lock++;
    leader->time_enabled = 3000;
    leader->time_running = 2000 - last; /* as much less as read(2) will give */
    leader->lock++;
    answer_reads();
    CHECK_EQUAL(armprof_sample(&set, counts), 0);
    check_values(counts, 0);
    CHECK(armprof_user_reads_withdrawn(&set));
}

static void the_kernel_is_asked_for_good_where_no_index_comes_back(void) {
    for_all_sizes(no_index_while_it_counts_ends_user_reads);
}

static void a_kernel_that_answers_too_little_is_an_error(void) {
    armprof_count counts[ARMPROF_MAX_EVENTS];
    make_set(3, 1, false);
    take_away(&events[0]);
    static const uint64_t short_answer[5] = {3, 5, 5, 1, 2}, other_size[6] = {2, 5, 5, 1, 2, 3};
    CHECK(write(kernel_end[0], short_answer, sizeof short_answer) == sizeof short_answer);
    CHECK_EQUAL(armprof_sample(&set, counts), EIO);
    CHECK(write(kernel_end[0], other_size, sizeof other_size) == sizeof other_size);
    CHECK_EQUAL(armprof_sample(&set, counts), EIO);
    close(kernel_end[0]); /* nothing, as a group in error state gives */
    CHECK_EQUAL(armprof_sample(&set, counts), EIO);
    close(set.group[0].leader_fd);
    CHECK_EQUAL(armprof_sample(&set, counts), EBADF);
}

/* ---- The times of a sample ----------------------------------------------------------------------------------------- */

static uint64_t away;

/* The thread loses the core for a while, in which its events do not want to count. */
static void switch_out_and_in(void) {
    if (reads_until_it_happens-- != 0) {
        return;
    }
    armprof_page *page = &events[0].page;
    uint64_t out = armprof_ticks(), in;
    do {
        in = armprof_ticks();
    } while (in - out < away);
    for (uint32_t slot = 0; slot < set.slots; slot++) {
        move(&events[slot], events[slot].index);
    }
    page->lock++;
    page->time_enabled += out + page->time_offset;
    page->time_running = page->time_enabled - 77;
    page->time_offset = (uint64_t)0 - in;
    page->lock++;
}

/* The clock must be looked at after the page that it is added to was written: a sample that came to terms with a switch
 * in its midst, but kept the time of before, went back by as long as the thread was away. */
static void time_does_not_go_back_when_the_thread_is_switched_in_the_midst_of_a_sample(void) {
    for (uint32_t at = 0; at < 6; at++) {
        for (int unfenced = 0; unfenced < 2; unfenced++) {
            armprof_count before[ARMPROF_MAX_EVENTS], after[ARMPROF_MAX_EVENTS];
            make_set(6, 1, unfenced);
            away = armprof_ticks_per_second() / 1000;
            events[0].page.time_offset = (uint64_t)0 - armprof_ticks();
            events[0].page.lock += 2;
            uint64_t begin = armprof_ticks();
            CHECK_EQUAL(armprof_sample(&set, before), 0);
            reads_until_it_happens = at;
            before_read = switch_out_and_in;
            CHECK_EQUAL(armprof_sample(&set, after), 0);
            before_read = NULL;
            uint64_t wall = armprof_ticks() - begin;
            uint64_t enabled = after[0].enabled_ns - before[0].enabled_ns;
            CHECK(enabled <= wall - away);
            CHECK_EQUAL(after[0].running_ns - before[0].running_ns, enabled - 77);
            CHECK_EQUAL(armprof_samples_by_syscall(&set), 0);
            unmake_set();
        }
    }
}

/* ---- Other threads --------------------------------------------------------------------------------------------------- */

static void *sample_elsewhere(void *counts) {
    CHECK_EQUAL(armprof_sample(&set, counts), 0);
    return NULL;
}

/* The registers are those of the core that the reader runs on: another thread would read its own, or nobody's. */
static void another_thread_asks_the_kernel(void) {
    armprof_count counts[ARMPROF_MAX_EVENTS];
    make_set(6, 1, false);
    answer_reads();
    for (uint32_t index = 1; index < REGISTERS; index++) {
        registers[index] ^= 0x5555;
    }
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, sample_elsewhere, counts) == 0);
    pthread_join(thread, NULL);
    check_values(counts, 0);
    CHECK_EQUAL(armprof_samples_by_syscall(&set), 1);
    for (uint32_t index = 1; index < REGISTERS; index++) {
        registers[index] ^= 0x5555;
    }
    CHECK_EQUAL(armprof_sample(&set, counts), 0); /* its own thread goes on in user space */
    check_values(counts, 0);
    CHECK_EQUAL(armprof_samples_by_syscall(&set), 1);
}

/* ---- The real table --------------------------------------------------------------------------------------------------- */

#if defined(__aarch64__)

/* MRS X0, S3_3_C14_C(8+n/8)_(n%8) is PMEVCNTRn_EL0, S3_3_C9_C13_0 is PMCCNTR_EL0 (Arm ARM, C5.2 and D24.5). */
static uint32_t mrs_of(uint32_t index) {
    uint32_t counter = index - 1;
    return index == CYCLES ? 0xd53b9d00u : 0xd53be800u | counter / 8 << 8 | counter % 8 << 5;
}

static void the_routine_of_each_index_reads_its_register(void) {
    enum { RET = 0xd65f03c0, NO_INDEX = 0xb2400021 /* orr x1, x1, #1 */, BTI_C = 0xd503245f };
    for (uint32_t index = 0; index <= CYCLES; index++) {
        uint32_t code[ARMPROF_ROUTINE_BYTES / 4];
        memcpy(code, armprof_register_routine(index), sizeof code);
        const uint32_t *at = code[0] == BTI_C ? code + 1 : code;
        CHECK_EQUAL(at[0], index == 0 ? NO_INDEX : mrs_of(index));
        CHECK_EQUAL(at[1], RET);
    }
    uint64_t refused = 0;
    CHECK_EQUAL(armprof_read_register(armprof_register_routine(ARMPROF_INDEX_ZERO), &refused), 0);
    CHECK_EQUAL(refused, 0);
    armprof_read_register(armprof_register_routine(0), &refused);
    CHECK_EQUAL(refused, ARMPROF_REFUSED_NO_INDEX);
    CHECK_EQUAL(armprof_register_routines_end - armprof_register_routines, sizeof routines * ARMPROF_ROUTINE_BYTES);
}

#else

static void the_routine_of_each_index_reads_its_register(void) {
    uint64_t refused = 0;
    armprof_read_register(armprof_register_routine(1), &refused);
    CHECK_EQUAL(refused, ARMPROF_REFUSED_NO_INDEX);
    skip("the table of `mrs` instructions is ARM64's; here every register is refused, as it should be");
}

#endif

int main(int argc, char **argv) {
    static const struct test tests[] = {
        TEST(every_index_reads_its_own_register),
        TEST(no_index_and_unknown_ones_are_refused),
        TEST(a_register_is_as_wide_as_the_page_says_and_signed),
        TEST(a_counter_goes_on_across_its_sign_and_its_wraps),
        TEST(a_late_interrupt_does_no_harm),
        TEST(a_page_is_taken_over_whole),
        TEST(a_move_is_noticed_whenever_it_happens),
        TEST(the_times_of_a_page),
        TEST(ticks_become_ns_as_128_bit_arithmetic_says),
        TEST(sets_of_every_size_are_read_in_user_space),
        TEST(a_page_that_moves_in_the_middle_is_read_again),
        TEST(the_kernel_is_asked_while_a_counter_has_no_register),
        TEST(the_kernel_is_asked_for_good_after_a_trap),
        TEST(the_kernel_is_asked_for_good_where_no_index_comes_back),
        TEST(a_kernel_that_answers_too_little_is_an_error),
        TEST(time_does_not_go_back_when_the_thread_is_switched_in_the_midst_of_a_sample),
        TEST(another_thread_asks_the_kernel),
        TEST(the_routine_of_each_index_reads_its_register),
    };
    return run_tests(tests, sizeof tests / sizeof *tests, argc, argv);
}
