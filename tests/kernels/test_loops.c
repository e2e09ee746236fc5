/* Checksums are the same on every machine and in every build, and do not depend on how the work was split. */
#include "kernels.h"

#include <string.h>

#include "check.h"
#include "checksums.h"

enum { OPERATIONS = 100000 };

static ap_generator generator;
static uint8_t stream[OPERATIONS * (AP_ITCH_FRAME_HEADER + AP_ITCH_MAX_LENGTH)];
static size_t stream_size;

static void *create_itch(uint64_t seed) {
    (void)seed;
    return ap_itch_loop_create(stream, stream_size);
}

/* These keep what they need of their input. */
static void *create_from_stream(void *(*create)(const uint8_t *, size_t), uint64_t seed) {
    static ap_generator another;
    uint8_t *bytes = malloc(sizeof stream);
    CHECK(bytes != NULL);
    ap_generator_init(&another, seed);
    void *state = create(bytes, ap_generator_fill(&another, bytes, sizeof stream, OPERATIONS));
    free(bytes);
    return state;
}

static void *create_book(uint64_t seed) {
    return create_from_stream(ap_book_loop_create, seed);
}

static void *create_feed(uint64_t seed) {
    return create_from_stream(ap_feed_loop_create, seed);
}

static void *create_trade(uint64_t seed) {
    return create_from_stream(ap_trade_loop_create, seed);
}

static const struct {
    const char *name;
    void *(*create)(uint64_t seed);
    ap_loop loop;
    void (*destroy)(void *);
    uint64_t checksum; /* of OPERATIONS operations with seed 1 */
} kernels[] = {
    {"object_pool", ap_pool_loop_create, ap_pool_loop, ap_pool_loop_destroy, CHECKSUM_object_pool},
    {"spsc_ring", ap_ring_loop_create, ap_ring_loop, ap_ring_loop_destroy, CHECKSUM_spsc_ring},
    {"timing", ap_timing_loop_create, ap_timing_loop, ap_timing_loop_destroy, CHECKSUM_timing},
    {"treasury", ap_treasury_loop_create, ap_treasury_loop, ap_treasury_loop_destroy, CHECKSUM_treasury},
    {"order_book", create_book, ap_book_loop, ap_book_loop_destroy, CHECKSUM_order_book},
    {"feed_handler", create_feed, ap_feed_loop, ap_feed_loop_destroy, CHECKSUM_feed_handler},
    {"strategy", ap_strategy_loop_create, ap_strategy_loop, ap_strategy_loop_destroy, CHECKSUM_strategy},
    {"risk", ap_risk_loop_create, ap_risk_loop, ap_risk_loop_destroy, CHECKSUM_risk},
    {"tick_to_trade", create_trade, ap_trade_loop, ap_trade_loop_destroy, CHECKSUM_tick_to_trade},
    {"itch50", create_itch, ap_itch_loop, ap_itch_loop_destroy, CHECKSUM_itch50},
};
enum { KERNELS = sizeof kernels / sizeof *kernels };

/* FNV-1a (Fowler, Noll, Vo): nothing of ours between the bytes and the figure. */
static uint64_t fnv1a(const uint8_t *bytes, size_t size) {
    uint64_t hash = 0xcbf29ce484222325U;
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ bytes[i]) * 0x100000001b3U;
    return hash;
}

static void the_generator_gives_the_same_bytes_everywhere(void) {
    CHECK_EQUAL(generator.sent, OPERATIONS);
    CHECK_EQUAL(fnv1a(stream, stream_size), CHECKSUM_OF_THE_STREAM);
}

/* A stream written piece by piece is the stream written at once. */
static void the_generator_stops_where_there_is_no_room(void) {
    static ap_generator again;
    uint8_t piece[333];
    size_t at = 0;
    ap_generator_init(&again, 1);
    while (at < stream_size) {
        size_t size = ap_generator_fill(&again, piece, sizeof piece, OPERATIONS - again.sent);
        CHECK(size > 0 && memcmp(stream + at, piece, size) == 0);
        at += size;
    }
    CHECK_EQUAL(at, stream_size);
    CHECK_EQUAL(ap_generator_fill(&again, piece, AP_ITCH_FRAME_HEADER + AP_ITCH_MAX_LENGTH - 1, 1), 0);
}

static void checksums_are_the_same_everywhere(void) {
    for (int i = 0; i < KERNELS; i++) {
        void *state = kernels[i].create(1);
        CHECK(state != NULL);
        uint64_t checksum = kernels[i].loop(state, OPERATIONS);
        if (checksum != kernels[i].checksum)
            fprintf(stderr, "%s: ", kernels[i].name);
        CHECK_EQUAL(checksum, kernels[i].checksum);
        kernels[i].destroy(state);
    }
}

static void checksums_do_not_depend_on_how_work_is_split(void) {
    for (int i = 0; i < KERNELS; i++) {
        void *state = kernels[i].create(1);
        CHECK(state != NULL);
        uint64_t left = OPERATIONS, random = 3, checksum = 0;
        while (left > 0) {
            uint64_t piece = ap_splitmix64(&random) % 1000;
            piece = piece < left ? piece : left;
            checksum = kernels[i].loop(state, piece);
            left -= piece;
        }
        CHECK_EQUAL(checksum, kernels[i].checksum);
        CHECK_EQUAL(kernels[i].loop(state, 0), checksum);
        kernels[i].destroy(state);
    }
}

static void checksums_depend_on_the_input(void) {
    for (int i = 0; i < KERNELS; i++) {
        if (kernels[i].create == create_itch) /* takes its input from the stream, below */
            continue;
        void *state = kernels[i].create(2);
        CHECK(state != NULL);
        CHECK(kernels[i].loop(state, OPERATIONS) != kernels[i].checksum);
        kernels[i].destroy(state);
    }
}

static uint64_t checksum_of_the_first(uint64_t frames) {
    void *state = create_itch(1);
    CHECK(state != NULL);
    uint64_t checksum = ap_itch_loop(state, frames);
    ap_itch_loop_destroy(state);
    return checksum;
}

/* One bit changed anywhere changes the checksum of the ITCH loop, or a field would have been left out. */
static void every_bit_of_the_stream_counts(void) {
    enum { FRAMES = 1000, BYTES = FRAMES * (AP_ITCH_FRAME_HEADER + 12) /* fewer than the frames take */ };
    uint64_t random = 4, untouched = checksum_of_the_first(FRAMES);
    for (int i = 0; i < 2000; i++) {
        size_t at = ap_splitmix64(&random) % BYTES;
        uint8_t bit = (uint8_t)(1 << ap_splitmix64(&random) % 8);
        stream[at] ^= bit;
        CHECK(checksum_of_the_first(FRAMES) != untouched);
        stream[at] ^= bit;
    }
}

static void itch_needs_a_whole_frame_and_starts_anew_at_the_end(void) {
    CHECK(ap_itch_loop_create(stream, 0) == NULL);
    CHECK(ap_itch_loop_create(stream, 13) == NULL); /* the first frame takes 14 */
    uint8_t repeated[10 * 14];
    for (int i = 0; i < 10; i++)
        memcpy(repeated + 14 * i, stream, 14);
    void *one = ap_itch_loop_create(stream, 14), *unfinished = ap_itch_loop_create(stream, 20),
         *ten = ap_itch_loop_create(repeated, sizeof repeated);
    CHECK(one != NULL && unfinished != NULL && ten != NULL);
    uint64_t expected = ap_itch_loop(ten, 10);
    CHECK_EQUAL(ap_itch_loop(one, 10), expected);
    CHECK_EQUAL(ap_itch_loop(unfinished, 10), expected);
    ap_itch_loop_destroy(one);
    ap_itch_loop_destroy(unfinished);
    ap_itch_loop_destroy(ten);
}

static void the_clock_fills_every_sample(void) {
    ap_clock clock = ap_clock_measure();
    CHECK(clock.cost_ns >= 0 && clock.cost_ns < 1e6);
    CHECK(clock.resolution_ns >= 1 && clock.resolution_ns < 100000000);
    uint64_t ns[100];
    memset(ns, 0xff, sizeof ns);
    void *state = ap_ring_loop_create(1);
    CHECK(state != NULL);
    uint64_t checksum = ap_time_batches(ap_ring_loop, state, OPERATIONS / 100, 100, ns);
    CHECK_EQUAL(checksum, kernels[1].checksum);
    for (int i = 0; i < 100; i++)
        CHECK(ns[i] != UINT64_MAX);
    ap_ring_loop_destroy(state);
}

static unsigned calls;

static void call(void) {
    calls++;
}

static void a_function_is_called_once_for_each_operation(void) {
    ap_function function = call;
    uint64_t ns[3];
    CHECK_EQUAL(ap_call_loop(&function, 0), 0);
    CHECK_EQUAL(calls, 0);
    ap_time_batches(ap_call_loop, &function, 5, 3, ns);
    CHECK_EQUAL(calls, 15);
}

int main(void) {
    ap_generator_init(&generator, 1);
    stream_size = ap_generator_fill(&generator, stream, sizeof stream, OPERATIONS);
    the_generator_gives_the_same_bytes_everywhere();
    the_generator_stops_where_there_is_no_room();
    checksums_are_the_same_everywhere();
    checksums_do_not_depend_on_how_work_is_split();
    checksums_depend_on_the_input();
    every_bit_of_the_stream_counts();
    itch_needs_a_whole_frame_and_starts_anew_at_the_end();
    the_clock_fills_every_sample();
    a_function_is_called_once_for_each_operation();
    return 0;
}
