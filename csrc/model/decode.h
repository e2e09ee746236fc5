/* What the model must know of an A64 instruction: whether it touches memory and how, and how it ends a block. The
 * encodings are those of the Arm Architecture Reference Manual, C4.1. */
#ifndef AP_MODEL_DECODE_H
#define AP_MODEL_DECODE_H

#include <stdbool.h>
#include <stdint.h>

#include "counts.h"

struct ap_access {
    bool memory; /* reads or writes memory; prefetches do not */
    bool store;
    uint16_t bytes;   /* in all */
    uint16_t element; /* that must be aligned for the access to be */
};

struct ap_branch {
    enum ap_ending ending;
    int64_t offset; /* of a direct branch */
};

static inline uint32_t ap_bits(uint32_t word, unsigned high, unsigned low) {
    return word >> low & ((2u << (high - low)) - 1);
}

static inline struct ap_access ap_pair(uint32_t word) {
    uint32_t size = ap_bits(word, 31, 30);
    uint16_t bytes = ap_bits(word, 26, 26) ? (uint16_t)(4 << size) : size == 2 ? 8 : 4;
    return (struct ap_access){true, !ap_bits(word, 22, 22), (uint16_t)(2 * bytes), bytes};
}

static inline struct ap_access ap_literal(uint32_t word) {
    uint32_t size = ap_bits(word, 31, 30);
    bool vector = ap_bits(word, 26, 26);
    uint16_t bytes = vector ? (uint16_t)(4 << size) : size == 1 ? 8 : 4;
    return (struct ap_access){vector || size != 3, false, bytes, bytes};
}

/* Exclusives, acquire and release, compare and swap. */
static inline struct ap_access ap_ordered(uint32_t word) {
    bool pair = ap_bits(word, 21, 21) && !ap_bits(word, 23, 23);
    bool swap = ap_bits(word, 21, 21) && (ap_bits(word, 23, 23) || !ap_bits(word, 31, 31));
    uint16_t bytes = (uint16_t)(1 << (pair && !ap_bits(word, 31, 31) ? 2 + ap_bits(word, 30, 30) : ap_bits(word, 31, 30)));
    uint16_t all = (uint16_t)(bytes << pair);
    return (struct ap_access){true, swap || !ap_bits(word, 22, 22), all, all};
}

static inline struct ap_access ap_single(uint32_t word) {
    uint32_t size = ap_bits(word, 31, 30), operation = ap_bits(word, 23, 22);
    if (ap_bits(word, 26, 26)) {
        uint16_t bytes = (uint16_t)(1 << (size | (operation & 2) << 1));
        return (struct ap_access){true, !(operation & 1), bytes, bytes};
    }
    uint16_t bytes = (uint16_t)(1 << size);
    bool unsigned_offset = ap_bits(word, 24, 24);
    if (!unsigned_offset && ap_bits(word, 21, 21) && ap_bits(word, 10, 10)) {
        return (struct ap_access){true, false, 8, 8}; /* LDRAA, LDRAB */
    }
    if (!unsigned_offset && ap_bits(word, 21, 21) && ap_bits(word, 11, 10) == 0) {
        bool acquire = ap_bits(word, 15, 12) == 0xc; /* LDAPR; the others read, modify and write */
        return (struct ap_access){true, !acquire, bytes, bytes};
    }
    bool prefetch = size == 3 && operation == 2;
    return (struct ap_access){!prefetch, operation == 0, bytes, bytes};
}

/* LD1 to LD4 and ST1 to ST4 of whole registers, and of one element of each. */
static inline struct ap_access ap_structures(uint32_t word) {
    bool store = !ap_bits(word, 22, 22), whole_register = ap_bits(word, 30, 30);
    if (!ap_bits(word, 24, 24)) {
        static const uint8_t registers[16] = {4, 0, 4, 0, 3, 0, 3, 1, 2, 0, 2, 0, 0, 0, 0, 0};
        uint32_t count = registers[ap_bits(word, 15, 12)];
        return (struct ap_access){true, store, (uint16_t)(count * (whole_register ? 16 : 8)),
                                  (uint16_t)(1 << ap_bits(word, 11, 10))};
    }
    uint32_t operation = ap_bits(word, 15, 13), scale = operation >> 1;
    uint32_t registers = (ap_bits(word, 13, 13) << 1 | ap_bits(word, 21, 21)) + 1;
    if (scale == 3) {
        scale = ap_bits(word, 11, 10); /* to every lane */
    } else if (scale == 2 && ap_bits(word, 10, 10)) {
        scale = 3;
    }
    return (struct ap_access){true, store, (uint16_t)(registers << scale), (uint16_t)(1 << scale)};
}

static inline struct ap_access ap_access_of(uint32_t word) {
    if ((word & 0x0a000000) != 0x08000000) {
        return (struct ap_access){0};
    }
    switch (ap_bits(word, 29, 27)) {
    case 1:
        if (ap_bits(word, 26, 26)) {
            return ap_structures(word);
        }
        return ap_bits(word, 24, 24) ? (struct ap_access){0} : ap_ordered(word);
    case 3:
        if (!ap_bits(word, 24, 24)) {
            return ap_literal(word);
        }
        if (!ap_bits(word, 21, 21) && !ap_bits(word, 26, 26)) { /* LDAPUR, STLUR */
            uint16_t bytes = (uint16_t)(1 << ap_bits(word, 31, 30));
            return (struct ap_access){true, ap_bits(word, 23, 22) == 0, bytes, bytes};
        }
        return (struct ap_access){0}; /* memory tags */
    case 5: return ap_pair(word);
    case 7: return ap_single(word);
    default: return (struct ap_access){0};
    }
}

static inline int64_t ap_signed(uint32_t word, unsigned high, unsigned low) {
    return (int64_t)((uint64_t)ap_bits(word, high, low) << (63 - (high - low))) >> (63 - (high - low));
}

static inline struct ap_branch ap_branch_of(uint32_t word) {
    if ((word & 0x7c000000) == 0x14000000) { /* B, BL */
        return (struct ap_branch){word >> 31 ? AP_CALL : AP_JUMP, 4 * ap_signed(word, 25, 0)};
    }
    if ((word & 0xff000000) == 0x54000000 || (word & 0x7e000000) == 0x34000000) { /* B.cond, BC.cond, CBZ, CBNZ */
        return (struct ap_branch){AP_CONDITIONAL, 4 * ap_signed(word, 23, 5)};
    }
    if ((word & 0x7e000000) == 0x36000000) { /* TBZ, TBNZ */
        return (struct ap_branch){AP_CONDITIONAL, 4 * ap_signed(word, 18, 5)};
    }
    if ((word & 0xfe000000) == 0xd6000000) { /* BR, BLR, RET, each with and without pointer authentication; ERET */
        static const enum ap_ending endings[4] = {AP_INDIRECT_JUMP, AP_INDIRECT_CALL, AP_RETURN, AP_FALLS_THROUGH};
        return (struct ap_branch){ap_bits(word, 23, 23) ? AP_FALLS_THROUGH : endings[ap_bits(word, 22, 21)], 0};
    }
    return (struct ap_branch){AP_FALLS_THROUGH, 0};
}

/* LDRB WZR, [Xn, #2017] and #2018: the marks that armprof_enter() and armprof_leave() leave, at the region's name. */
static inline bool ap_is_enter(uint32_t word) { return (word & 0xfffffc1f) == (0x3940001f | 2017u << 10); }
static inline bool ap_is_leave(uint32_t word) { return (word & 0xfffffc1f) == (0x3940001f | 2018u << 10); }

static inline bool ap_is_dc_zva(uint32_t word) { return (word & 0xffffffe0) == 0xd50b7420; }

#endif
