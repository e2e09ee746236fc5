/*
 * What a fuzzer's bytes mean to the targets that take more than one thing: a row of records, each a kind, a size of two
 * bytes and as many bytes; the last is as long as what is left. The bytes of each are handed on in memory of exactly their
 * size, so that AddressSanitizer sees the first byte beyond it.
 */
#ifndef FUZZ_INPUT_H
#define FUZZ_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "big_endian.h"
#include "check.h"
#include "feed_handler.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct {
    const uint8_t *data;
    size_t left;
} fuzz_input;

typedef struct {
    uint8_t kind;
    uint8_t *bytes; /* to be freed */
    size_t size;
} fuzz_record;

enum { FUZZ_RECORD_HEADER = 3 };

/* A copy of exactly `size` bytes, with room for `before` others in front of them. */
static inline uint8_t *fuzz_copy(const uint8_t *data, size_t size, size_t before) {
    uint8_t *copy = malloc(before + size);
    CHECK(copy != NULL || before + size == 0);
    if (size > 0)
        memcpy(copy + before, data, size);
    return copy;
}

/* The header of a record taken off the input; false where nothing is left. record->bytes point into the input. */
static inline bool fuzz_take(fuzz_input *input, fuzz_record *record) {
    if (input->left < FUZZ_RECORD_HEADER)
        return false;
    size_t left = input->left - FUZZ_RECORD_HEADER, size = ap_load_be16(input->data + 1);
    *record = (fuzz_record){input->data[0], (uint8_t *)(uintptr_t)input->data + FUZZ_RECORD_HEADER, size < left ? size : left};
    input->data = record->bytes + record->size;
    input->left = left - record->size;
    return true;
}

/*
 * Kinds of record. Of the least the targets make what they like; FUZZ_PACKET is a packet as it is, bad or good. The others
 * are message blocks, for which a header is made: fuzzers find sequence numbers, sessions and counts that fit only by luck.
 */
enum { FUZZ_PACKET = 15, FUZZ_IN_ORDER = 0x80 };

static const char FUZZ_SESSION[AP_FEED_SESSION] = {'F', 'U', 'Z', 'Z', ' ', ' ', ' ', ' ', ' ', ' '};

static inline uint16_t fuzz_blocks(const uint8_t *data, size_t size) {
    uint16_t blocks = 0;
    while (size >= AP_ITCH_FRAME_HEADER && size - AP_ITCH_FRAME_HEADER >= ap_load_be16(data)) {
        size_t length = AP_ITCH_FRAME_HEADER + (size_t)ap_load_be16(data);
        data += length;
        size -= length;
        blocks++;
    }
    return blocks;
}

/* Makes a packet of a record. The kind says how far from `next` its numbers begin and whether it promises a block too many. */
static inline void fuzz_packet(fuzz_record *record, uint64_t next) {
    if (record->kind == FUZZ_PACKET) {
        record->bytes = fuzz_copy(record->bytes, record->size, 0);
        return;
    }
    uint16_t blocks = (uint16_t)(fuzz_blocks(record->bytes, record->size) + record->kind % 2);
    uint8_t *packet = fuzz_copy(record->bytes, record->size, AP_FEED_HEADER);
    memcpy(packet, FUZZ_SESSION, AP_FEED_SESSION);
    ap_store_be64(packet + AP_FEED_SESSION, next + record->kind / 2 - FUZZ_IN_ORDER / 2);
    ap_store_be16(packet + AP_FEED_SESSION + 8, blocks);
    record->bytes = packet;
    record->size += AP_FEED_HEADER;
}

#endif
