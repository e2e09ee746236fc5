/* Runs one kernel's loop for the model to count: a part of it first, that fills the caches, then the part that counts, in
 * a region of the kernel's name. Prints the checksum of each part.
 *
 *     kernels NAME SEED MESSAGES OPERATIONS [INPUT]
 *
 * MESSAGES are generated for kernels with a feed, unless INPUT is a file of them. Compiled for ARM64 by armprof itself
 * (armprof/components/emulated.py), which has looked at the arguments before. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "armprof.h"
#include "kernels.h"

static const struct kernel {
    const char *name;
    ap_loop loop;
    void *(*from_seed)(uint64_t seed);
    void *(*from_feed)(const uint8_t *data, size_t size);
} kernels[] = {
    {"timing", ap_timing_loop, ap_timing_loop_create, NULL},
    {"treasury", ap_treasury_loop, ap_treasury_loop_create, NULL},
    {"strategy", ap_strategy_loop, ap_strategy_loop_create, NULL},
    {"risk", ap_risk_loop, ap_risk_loop_create, NULL},
    {"object_pool", ap_pool_loop, ap_pool_loop_create, NULL},
    {"spsc_ring", ap_ring_loop, ap_ring_loop_create, NULL},
    {"itch50", ap_itch_loop, NULL, ap_itch_loop_create},
    {"feed_handler", ap_feed_loop, NULL, ap_feed_loop_create},
    {"order_book", ap_book_loop, NULL, ap_book_loop_create},
    {"tick_to_trade", ap_trade_loop, NULL, ap_trade_loop_create},
};

static uint8_t *generated(uint64_t seed, uint64_t messages, size_t *size) {
    static ap_generator generator;
    ap_generator_init(&generator, seed);
    size_t room = messages * (AP_ITCH_FRAME_HEADER + AP_ITCH_MAX_LENGTH);
    uint8_t *data = malloc(room);
    *size = data ? ap_generator_fill(&generator, data, room, messages) : 0;
    return data;
}

static uint8_t *contents(const char *path, size_t *size) {
    FILE *file = fopen(path, "rb");
    uint8_t *data = NULL;
    if (file && fseek(file, 0, SEEK_END) == 0) {
        *size = (size_t)ftell(file);
        rewind(file);
        data = malloc(*size + 1);
        *size = data ? fread(data, 1, *size, file) : 0;
    }
    if (file) {
        fclose(file);
    }
    return data;
}

int main(int argc, char **argv) {
    const struct kernel *kernel = NULL;
    for (size_t i = 0; argc >= 5 && i < sizeof kernels / sizeof *kernels; i++) {
        kernel = strcmp(argv[1], kernels[i].name) == 0 ? &kernels[i] : kernel;
    }
    if (!kernel) {
        fprintf(stderr, "usage: kernels NAME SEED MESSAGES OPERATIONS [INPUT]\n");
        return 2;
    }
    uint64_t seed = strtoull(argv[2], NULL, 10), messages = strtoull(argv[3], NULL, 10);
    uint64_t operations = strtoull(argv[4], NULL, 10);
    void *state;
    if (kernel->from_seed) {
        state = kernel->from_seed(seed);
    } else {
        size_t size = 0;
        uint8_t *feed = argc > 5 ? contents(argv[5], &size) : generated(seed, messages, &size);
        state = feed ? kernel->from_feed(feed, size) : NULL;
    }
    armprof_options options = {.cpu = -1};
    armprof_region region = armprof_region_define(kernel->name);
    if (!state || !region || armprof_regions_setup(NULL, 0, &options) != 0) {
        fprintf(stderr, "kernels: no memory, or no messages\n");
        return 1;
    }
    uint64_t first = kernel->loop(state, operations);
    armprof_enter(region);
    uint64_t second = kernel->loop(state, operations);
    armprof_leave(region);
    printf("%016" PRIx64 " %016" PRIx64 "\n", first, second);
    return 0;
}
