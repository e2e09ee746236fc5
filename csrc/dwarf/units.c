/* The headers of units. */
#include "entry.h"

#include <stdlib.h>

/* False where no further one can be read. */
static bool read_header(builder *b, source *from, cursor *c) {
    const uint8_t *start = from->sections.info.bytes;
    unit u = {.source = from, .offset = (uint64_t)(c->at - start), .program = DWARF_NONE, .offset_size = 4};
    uint64_t length = cursor_value(c, 4);
    if (length == 0xffffffff) {
        length = cursor_u64(c);
        u.offset_size = 8;
    }
    cursor body = cursor_part(c, length);
    if (body.failed)
        return false;
    u.end = (uint64_t)(body.end - start);
    uint16_t version = cursor_u16(&body);
    if (version < 2 || version > 5)
        return true;
    u.version = (uint8_t)version;
    unsigned kind = version == 5 ? cursor_u8(&body) : DW_UT_compile;
    if (version == 5)
        u.address_size = cursor_u8(&body);
    uint64_t abbreviations = cursor_value(&body, u.offset_size);
    if (version < 5)
        u.address_size = cursor_u8(&body);
    u.has_id = kind == DW_UT_skeleton || kind == DW_UT_split_compile;
    if (u.has_id)
        u.id = cursor_u64(&body);
    if (body.failed || u.address_size != 8 || kind == DW_UT_type || kind == DW_UT_split_type)
        return true; /* types have no code */
    u.first = (uint64_t)(body.at - start);
    u.abbreviations = abbreviations_at(b, from, abbreviations);
    if (u.abbreviations == DWARF_NONE || !ARRAY_RESERVE(&from->units, 1))
        return false;
    entry_bases(b, &u);
    from->units.items[from->units.count++] = u;
    return true;
}

void units_find(builder *b, source *from) {
    cursor c = cursor_of(from->sections.info, 0);
    while (cursor_left(&c) > 0 && burn(b, 16) && read_header(b, from, &c))
        ;
}

const unit *unit_at(const source *from, uint64_t offset) {
    size_t low = 0, high = from->units.count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (from->units.items[middle].end <= offset)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == from->units.count || offset < from->units.items[low].first)
        return NULL;
    return &from->units.items[low];
}

unit *unit_with(source *from, uint64_t id) {
    for (size_t i = 0; i < from->units.count; i++)
        if (from->units.items[i].has_id && from->units.items[i].id == id)
            return &from->units.items[i];
    return NULL;
}
