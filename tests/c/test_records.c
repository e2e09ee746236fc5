/* Records of the kernel taken apart: whole ones, cut ones, and what has no meaning. */
#define _GNU_SOURCE
#include "records.h"

#include "harness.h"

/* A record that is being built. */
static union {
    struct perf_event_header header;
    char bytes[1 << 16];
} record;
static size_t size;

static void begin(uint32_t type, uint16_t misc) {
    memset(&record, 0xee, sizeof record);
    record.header = (struct perf_event_header){.type = type, .misc = misc};
    size = sizeof record.header;
}

static void put(const void *bytes, size_t length) {
    CHECK(size + length <= sizeof record.bytes);
    memcpy(record.bytes + size, bytes, length);
    size += length;
}

static void put64(uint64_t value) { put(&value, sizeof value); }
static void put32(uint32_t value) { put(&value, sizeof value); }

static void put_trailer(uint64_t time) {
    put32(7), put32(8);
    put64(time);
    put32(1), put32(0);
    put64(100);
}

enum { ID = 100, OTHER_ID = 50, PLACE = 0x400100 };
static const uint64_t ids[] = {OTHER_ID, ID};
static const uint16_t events[] = {3, 5};
static struct armprof_records records;

static void start(void) { records = (struct armprof_records){.ids = ids, .event_of = events, .events = 2}; }

static void sample(uint64_t id, uint64_t depth, const uint64_t *frames) {
    begin(PERF_RECORD_SAMPLE, 0);
    put64(id);
    put64(PLACE);
    put32(7), put32(8);
    put64(123456789);
    put32(2), put32(0);
    put64(1000);
    put64(depth);
    for (uint64_t i = 0; i < depth; i++) {
        put64(frames[i]);
    }
}

static void take(void) { armprof_records_take(&records, record.bytes, size); }

static const armprof_hit *hit(size_t number) { return (const armprof_hit *)records.hits.data + number; }
static const armprof_move *move(size_t number) { return (const armprof_move *)records.moves.data + number; }
static const char *text_of(size_t number) { return (const char *)records.text.data + move(number)->text; }

static void check_stack(size_t of_hit, size_t depth, const uint64_t *frames) {
    const armprof_stack *stack = (const armprof_stack *)records.stacks.data + hit(of_hit)->stack;
    CHECK_EQUAL(stack->depth, depth);
    CHECK(memcmp((const uint64_t *)records.frames.data + stack->first, frames, depth * sizeof *frames) == 0);
}

static void a_sample_is_a_hit_with_its_stack(void) {
    const uint64_t chain[] = {PERF_CONTEXT_USER, PLACE, 0x400200, 0x400300};
    start();
    sample(ID, 4, chain);
    take();
    CHECK_EQUAL(records.hits.used, 1);
    CHECK_EQUAL(hit(0)->pid, 7);
    CHECK_EQUAL(hit(0)->tid, 8);
    CHECK_EQUAL(hit(0)->time, 123456789);
    CHECK_EQUAL(hit(0)->cpu, 2);
    CHECK_EQUAL(hit(0)->period, 1000);
    CHECK_EQUAL(hit(0)->event, 5);
    check_stack(0, 3, chain + 1); /* the mark is no frame */
    armprof_records_free(&records);
}

static void a_sample_without_a_stack_is_at_its_place(void) {
    start();
    sample(OTHER_ID, 0, NULL);
    take();
    CHECK_EQUAL(hit(0)->event, 3);
    check_stack(0, 1, (uint64_t[]){PLACE});
    armprof_records_free(&records);
}

static void each_stack_is_kept_once(void) {
    enum { STACKS = 5000, ROUNDS = 3 };
    start();
    for (int round = 0; round < ROUNDS; round++) {
        for (uint64_t i = 0; i < STACKS; i++) {
            sample(ID, 1 + i % 7, (uint64_t[]){i, i * 3, 1, 2, 3, 4, i / 7});
            take();
        }
    }
    CHECK_EQUAL(records.stacks.used, STACKS);
    CHECK_EQUAL(records.hits.used, STACKS * ROUNDS);
    for (uint64_t i = 0; i < STACKS * ROUNDS; i++) {
        uint64_t n = i % STACKS;
        check_stack(i, 1 + n % 7, (uint64_t[]){n, n * 3, 1, 2, 3, 4, n / 7});
    }
    armprof_records_free(&records);
}

static void a_sample_of_an_event_that_is_none_of_ours_is_malformed(void) {
    start();
    sample(ID + 1, 0, NULL);
    take();
    CHECK_EQUAL(records.hits.used, 0);
    CHECK_EQUAL(records.malformed, 1);
    armprof_records_free(&records);
}

static void a_record_that_is_cut_anywhere_is_malformed_and_no_hit(void) {
    start();
    sample(ID, 3, (uint64_t[]){1, 2, 3});
    size_t whole = size;
    for (size_t cut = sizeof record.header; cut < whole; cut++) {
        char *copy = malloc(cut); /* of exactly that size, for the address sanitizer */
        CHECK(copy != NULL);
        memcpy(copy, record.bytes, cut);
        armprof_records_take(&records, copy, cut);
        free(copy);
    }
    CHECK_EQUAL(records.hits.used, 0);
    CHECK_EQUAL(records.malformed, whole - sizeof record.header);
    armprof_records_free(&records);
}

static void a_stack_that_claims_more_frames_than_there_are_is_malformed(void) {
    start();
    sample(ID, 0, NULL);
    const uint64_t claimed = UINT64_MAX;
    memcpy(record.bytes + size - sizeof claimed, &claimed, sizeof claimed);
    take();
    CHECK_EQUAL(records.hits.used, 0);
    CHECK_EQUAL(records.malformed, 1);
    armprof_records_free(&records);
}

/* A sample of the thread that found so many of both events. */
static void sample_group(uint32_t thread, uint64_t first, uint64_t second, uint64_t place) {
    begin(PERF_RECORD_SAMPLE, 0);
    put64(ID);
    put64(place);
    put32(7), put32(thread);
    put64(123456789);
    put32(2), put32(0);
    put64(1000);
    put64(2);               /* counts */
    put64(900), put64(800); /* enabled, running */
    put64(first), put64(ID);
    put64(second), put64(OTHER_ID);
    put64(0);
}

static void check_hit(size_t number, uint16_t event, uint64_t period, uint64_t place) {
    CHECK_EQUAL(hit(number)->event, event);
    CHECK_EQUAL(hit(number)->period, period);
    check_stack(number, 1, &place);
}

static void start_group(enum armprof_reading reading) {
    start();
    records.reading = reading;
}

static void a_sample_of_a_group_stands_for_what_its_counts_grew_by(void) {
    start_group(ARMPROF_OF_THREAD);
    sample_group(8, 1000, 5, PLACE), take();
    sample_group(9, 400, 7, PLACE), take();
    sample_group(8, 1800, 5, PLACE + 4), take();
    CHECK_EQUAL(records.hits.used, 5);
    check_hit(0, 5, 1000, PLACE);
    check_hit(1, 3, 5, PLACE);
    check_hit(2, 5, 400, PLACE); /* each thread has counts of its own */
    check_hit(3, 3, 7, PLACE);
    check_hit(4, 5, 800, PLACE + 4); /* and none of what did not happen */
    armprof_records_free(&records);
    start_group(ARMPROF_OF_CPU);
    sample_group(8, 1000, 5, PLACE), take();
    sample_group(9, 1400, 5, PLACE), take();
    CHECK_EQUAL(hit(2)->tid, 9);
    CHECK_EQUAL(hit(2)->period, 400);
    armprof_records_free(&records);
}

static void counts_of_a_group_may_come_with_their_losses(void) {
    start_group(ARMPROF_OF_THREAD);
    records.with_losses = true;
    begin(PERF_RECORD_SAMPLE, 0);
    put64(ID);
    put64(PLACE);
    put32(7), put32(8);
    put64(1);
    put32(2), put32(0);
    put64(1000);
    put64(2);
    put64(900), put64(800);
    put64(1000), put64(ID), put64(3);
    put64(5), put64(OTHER_ID), put64(0);
    put64(1), put64(PLACE + 8);
    take();
    check_hit(0, 5, 1000, PLACE + 8);
    check_hit(1, 3, 5, PLACE + 8);
    armprof_records_free(&records);
}

static void what_was_counted_over_a_loss_or_without_code_is_nowhere(void) {
    start_group(ARMPROF_OF_THREAD);
    sample_group(8, 1000, 5, PLACE), take();
    begin(PERF_RECORD_LOST, 0);
    put64(ID), put64(17);
    put_trailer(9);
    take();
    sample_group(8, 2000, 6, PLACE), take();
    sample_group(8, 3000, 7, PLACE), take();
    check_hit(2, 5, 1000, ARMPROF_NOWHERE);
    check_hit(3, 3, 1, ARMPROF_NOWHERE);
    check_hit(4, 5, 1000, PLACE);
    CHECK_EQUAL(records.lost, 17);
    begin(PERF_RECORD_THROTTLE, 0);
    put64(0), put64(ID), put64(ID);
    put_trailer(10);
    take();
    sample_group(8, 3500, 7, PLACE), take();
    check_hit(6, 5, 500, ARMPROF_NOWHERE);
    sample_group(8, 4000, 7, UINT64_MAX - 4096), take(); /* of the kernel, which tells no stack of a thread that has ended */
    check_hit(7, 5, 500, ARMPROF_NOWHERE);
    armprof_records_free(&records);
}

static void a_group_of_many_threads_and_more_counts_than_there_are_is_taken(void) {
    enum { THREADS = 5000 };
    start_group(ARMPROF_OF_THREAD);
    for (uint32_t round = 1; round <= 3; round++) {
        for (uint32_t thread = 0; thread < THREADS; thread++) {
            sample_group(thread, (uint64_t)round * (thread + 1), round, PLACE), take();
        }
    }
    CHECK_EQUAL(records.hits.used, 2 * 3 * THREADS);
    for (size_t i = 0; i < records.hits.used; i += 2) {
        CHECK_EQUAL(hit(i)->period, hit(i)->tid + 1);
        CHECK_EQUAL(hit(i + 1)->period, 1);
    }
    sample_group(1, 0, 0, PLACE); /* of which the number of counts is a lie */
    const uint64_t claimed = UINT64_MAX;
    memcpy(record.bytes + size - sizeof(uint64_t) * 8, &claimed, sizeof claimed);
    take();
    CHECK_EQUAL(records.malformed, 1);
    armprof_records_free(&records);
}

static void put_mapping(const char *file, size_t length) {
    begin(PERF_RECORD_MMAP2, PERF_RECORD_MISC_USER);
    put32(7), put32(8);
    put64(0x400000), put64(0x2000), put64(0x1000);
    put64(0), put64(0), put64(0);
    put32(5), put32(2);
    put(file, length);
    put_trailer(77);
}

static void mappings_names_and_lives_are_moves(void) {
    start();
    put_mapping("/lib/x.so\0\0\0\0\0\0", 16);
    take();
    begin(PERF_RECORD_COMM, PERF_RECORD_MISC_COMM_EXEC);
    put32(7), put32(8);
    put("program", 8);
    put_trailer(78);
    take();
    begin(PERF_RECORD_COMM, 0);
    put32(7), put32(9);
    put("thread\0", 8);
    put_trailer(79);
    take();
    for (int type = PERF_RECORD_EXIT; type; type = type == PERF_RECORD_EXIT ? PERF_RECORD_FORK : 0) {
        begin((uint32_t)type, 0);
        put32(10), put32(7), put32(11), put32(8);
        put64(80);
        put_trailer(80);
        take();
    }
    CHECK_EQUAL(records.malformed, 0);
    CHECK_EQUAL(records.moves.used, 5);
    const uint32_t kinds[] = {ARMPROF_MAPPED, ARMPROF_BECAME, ARMPROF_NAMED, ARMPROF_ENDED, ARMPROF_FORKED};
    for (size_t i = 0; i < 5; i++) {
        CHECK_EQUAL(move(i)->kind, kinds[i]);
        CHECK_EQUAL(move(i)->time, i < 3 ? 77 + i : 80);
    }
    CHECK_EQUAL(move(0)->start, 0x400000);
    CHECK_EQUAL(move(0)->length, 0x2000);
    CHECK_EQUAL(move(0)->offset, 0x1000);
    CHECK(strcmp(text_of(0), "/lib/x.so") == 0);
    CHECK(strcmp(text_of(1), "program") == 0);
    CHECK(strcmp(text_of(2), "thread") == 0);
    CHECK_EQUAL(move(3)->pid, 10);
    CHECK_EQUAL(move(3)->parent, 7);
    CHECK_EQUAL(move(3)->tid, 11);
    armprof_records_free(&records);
}

static void a_name_that_never_ends_ends_with_its_record(void) {
    char endless[64];
    memset(endless, 'x', sizeof endless);
    start();
    put_mapping(endless, sizeof endless);
    take();
    CHECK_EQUAL(strlen(text_of(0)), sizeof endless);
    armprof_records_free(&records);
}

static void losses_are_added_up(void) {
    start();
    for (int i = 0; i < 2; i++) {
        begin(PERF_RECORD_LOST, 0);
        put64(ID), put64(5);
        put_trailer(1);
        take();
        begin(PERF_RECORD_LOST_SAMPLES, 0);
        put64(2);
        put_trailer(1);
        take();
        begin(PERF_RECORD_THROTTLE, 0);
        put64(1), put64(ID), put64(ID);
        put_trailer(1);
        take();
    }
    CHECK_EQUAL(records.lost, 14);
    CHECK_EQUAL(records.throttled, 2);
    armprof_records_free(&records);
}

/* ---- memory ---------------------------------------------------------------------------------------------------------- */

static int allocations_left = -1; /* -1: without end */

void *__real_calloc(size_t count, size_t element);
void *__real_realloc(void *memory, size_t bytes);

static bool may_allocate(void) { return allocations_left < 0 || allocations_left-- > 0; }

void *__wrap_calloc(size_t count, size_t element);
void *__wrap_calloc(size_t count, size_t element) { return may_allocate() ? __real_calloc(count, element) : NULL; }

void *__wrap_realloc(void *memory, size_t bytes);
void *__wrap_realloc(void *memory, size_t bytes) { return may_allocate() ? __real_realloc(memory, bytes) : NULL; }

static void what_there_is_no_memory_for_is_counted_and_the_rest_is_kept(void) {
    for (int allowed = 0; allowed < 8; allowed++) {
        start();
        allocations_left = allowed;
        for (uint64_t i = 0; i < 3000; i++) {
            sample(ID, 2, (uint64_t[]){i, i});
            take();
        }
        put_mapping("/lib/y.so", 10);
        take();
        allocations_left = -1;
        CHECK_EQUAL(records.hits.used + records.moves.used + records.no_memory, 3001);
        CHECK(allowed > 6 || records.no_memory > 0);
        for (size_t i = 0; i < records.hits.used; i++) {
            CHECK(hit(i)->stack < records.stacks.used);
        }
        armprof_records_free(&records);
    }
}

int main(int argc, char **argv) {
    const struct test tests[] = {
        TEST(a_sample_is_a_hit_with_its_stack),
        TEST(a_sample_without_a_stack_is_at_its_place),
        TEST(each_stack_is_kept_once),
        TEST(a_sample_of_a_group_stands_for_what_its_counts_grew_by),
        TEST(counts_of_a_group_may_come_with_their_losses),
        TEST(what_was_counted_over_a_loss_or_without_code_is_nowhere),
        TEST(a_group_of_many_threads_and_more_counts_than_there_are_is_taken),
        TEST(a_sample_of_an_event_that_is_none_of_ours_is_malformed),
        TEST(a_record_that_is_cut_anywhere_is_malformed_and_no_hit),
        TEST(a_stack_that_claims_more_frames_than_there_are_is_malformed),
        TEST(mappings_names_and_lives_are_moves),
        TEST(a_name_that_never_ends_ends_with_its_record),
        TEST(losses_are_added_up),
        TEST(what_there_is_no_memory_for_is_counted_and_the_rest_is_kept),
    };
    return run_tests(tests, sizeof tests / sizeof *tests, argc, argv);
}
