/* Reads little-endian values from bytes that may end too early: then it has failed, and gives zeros from there on. */
#ifndef ARMPROF_DWARF_CURSOR_H
#define ARMPROF_DWARF_CURSOR_H

#include <string.h>

#include "dwarf.h"

typedef struct cursor {
    const uint8_t *at, *end;
    bool failed;
} cursor;

static inline size_t cursor_left(const cursor *c) { return (size_t)(c->end - c->at); }

static inline cursor cursor_fail(cursor *c) {
    c->at = c->end;
    c->failed = true;
    return *c;
}

/* From an offset to the end of a section. */
static inline cursor cursor_of(dwarf_section section, uint64_t offset) {
    static const uint8_t nothing[1];
    if (offset > section.size || section.bytes == NULL)
        return (cursor){nothing, nothing, true};
    return (cursor){section.bytes + offset, section.bytes + section.size, false};
}

static inline void cursor_skip(cursor *c, uint64_t bytes) {
    if (bytes > cursor_left(c))
        cursor_fail(c);
    else
        c->at += bytes;
}

/* The next bytes as a cursor of their own. */
static inline cursor cursor_part(cursor *c, uint64_t bytes) {
    const uint8_t *start = c->at;
    cursor_skip(c, bytes);
    return c->failed ? *c : (cursor){start, c->at, false};
}

/* Of 1 to 8 bytes. */
static inline uint64_t cursor_value(cursor *c, unsigned bytes) {
    if (bytes > cursor_left(c)) {
        cursor_fail(c);
        return 0;
    }
    uint64_t value = 0;
    for (unsigned i = 0; i < bytes; i++)
        value |= (uint64_t)c->at[i] << 8 * i;
    c->at += bytes;
    return value;
}

static inline uint8_t cursor_u8(cursor *c) {
    if (c->at == c->end) {
        c->failed = true;
        return 0;
    }
    return *c->at++;
}

static inline uint16_t cursor_u16(cursor *c) { return (uint16_t)cursor_value(c, 2); }

static inline uint64_t cursor_u64(cursor *c) {
    uint64_t value = 0;
    if (cursor_left(c) < sizeof value)
        cursor_fail(c);
    else
        memcpy(&value, c->at, sizeof value), c->at += sizeof value; /* ARM64 and x86 Linux are little-endian */
    return value;
}

static inline uint64_t cursor_uleb(cursor *c) {
    uint64_t value = 0;
    unsigned shift = 0;
    for (;;) {
        uint8_t byte = cursor_u8(c);
        if (shift < 64)
            value |= (uint64_t)(byte & 0x7f) << shift;
        shift += 7;
        if (byte < 0x80) /* so is what a failed read gives */
            return value;
    }
}

static inline int64_t cursor_sleb(cursor *c) {
    uint64_t value = 0;
    unsigned shift = 0;
    uint8_t byte;
    do {
        byte = cursor_u8(c);
        if (shift < 64)
            value |= (uint64_t)(byte & 0x7f) << shift;
        shift += 7;
    } while (byte >= 0x80);
    if (shift < 64 && byte & 0x40)
        value |= ~(uint64_t)0 << shift;
    return (int64_t)value;
}

/* A text that ends with a NUL; the cursor goes behind it. */
static inline const char *cursor_text(cursor *c) {
    const char *text = (const char *)c->at;
    const uint8_t *end = c->at == c->end ? NULL : memchr(c->at, 0, cursor_left(c));
    if (end == NULL) {
        cursor_fail(c);
        return "";
    }
    c->at = end + 1;
    return text;
}

#endif
