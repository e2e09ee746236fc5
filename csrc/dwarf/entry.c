#include "entry.h"

static value *wanted(entry *e, unsigned name) {
    switch (name) {
    case DW_AT_low_pc:
        return &e->low;
    case DW_AT_high_pc:
        return &e->high;
    case DW_AT_ranges:
        return &e->ranges;
    case DW_AT_name:
        return &e->name;
    case DW_AT_linkage_name:
    case DW_AT_MIPS_linkage_name:
        return &e->linkage_name;
    case DW_AT_abstract_origin:
    case DW_AT_specification:
        return &e->origin;
    case DW_AT_call_file:
        return &e->call_file;
    case DW_AT_call_line:
        return &e->call_line;
    case DW_AT_stmt_list:
        return &e->lines;
    case DW_AT_comp_dir:
        return &e->directory;
    case DW_AT_producer:
        return &e->producer;
    case DW_AT_language:
        return &e->language;
    case DW_AT_dwo_name:
    case DW_AT_GNU_dwo_name:
        return &e->split_name;
    case DW_AT_type:
        return &e->type;
    case DW_AT_byte_size:
        return &e->bytes;
    case DW_AT_data_member_location:
        return &e->offset;
    case DW_AT_bit_size:
        return &e->bits;
    case DW_AT_data_bit_offset:
        return &e->bit_offset;
    case DW_AT_alignment:
        return &e->alignment;
    case DW_AT_decl_file:
        return &e->file;
    case DW_AT_decl_line:
        return &e->line;
    case DW_AT_declaration:
        return &e->declaration;
    case DW_AT_external:
        return &e->external;
    case DW_AT_count:
        return &e->count;
    case DW_AT_upper_bound:
        return &e->upper;
    case DW_AT_location:
        return &e->location;
    default:
        return NULL;
    }
}

entry entry_read(const builder *b, const unit *u, const abbreviation *a, cursor *c) {
    entry e = {0};
    const attribute *attributes = attributes_of(b, u, a);
    for (unsigned i = 0; i < a->count; i++) {
        value *kept = wanted(&e, attributes[i].name);
        if (kept == NULL)
            form_skip(c, u, &attributes[i]);
        else
            *kept = form_read(c, u, &attributes[i]);
    }
    return e;
}

void entry_skip(const builder *b, const unit *u, const abbreviation *a, cursor *c) {
    if (a->fixed) {
        cursor_skip(c, a->bytes + (size_t)a->offsets * u->offset_size + (size_t)a->addresses * u->address_size);
        return;
    }
    const attribute *attributes = attributes_of(b, u, a);
    for (unsigned i = 0; i < a->count; i++)
        form_skip(c, u, &attributes[i]);
}

uint32_t entry_text(builder *b, const unit *u, value v) {
    size_t size;
    const char *text = value_text(b, u, v, &size);
    return text == NULL ? DWARF_NONE : text_number(b, text, size);
}

cursor entry_at(const unit *u, uint64_t offset) {
    cursor c = cursor_of(u->source->sections.info, offset);
    if (!c.failed)
        c.end = u->source->sections.info.bytes + u->end;
    return c;
}

uint64_t entry_place(const builder *b, const unit *u, value v) {
    uint64_t offset;
    const source *from = value_entry(b, u, v, &offset);
    return from == NULL || offset >= from->sections.info.size ? 0 : place_of(from, offset);
}

static const source *source_of(const builder *b, uint64_t place) {
    if (place < b->alternate.first_place)
        return &b->main;
    if (b->split_count == 0 || place < b->splits[0].first_place)
        return &b->alternate;
    size_t low = 0, high = b->split_count; /* the last that begins at the place or before */
    while (high - low > 1) {
        size_t middle = (low + high) / 2;
        if (b->splits[middle].first_place <= place)
            low = middle;
        else
            high = middle;
    }
    return &b->splits[low];
}

const abbreviation *entry_find(const builder *b, uint64_t place, const unit **u, cursor *c) {
    const source *from = source_of(b, place);
    *u = unit_at(from, place - from->first_place);
    if (*u == NULL)
        return NULL;
    *c = entry_at(*u, place - from->first_place);
    return abbreviation_of(b, *u, cursor_uleb(c));
}

void entry_program(builder *b, unit *u, const entry *first) {
    size_t size;
    const char *directory = value_text(b, u, first->directory, &size);
    if (first->lines.form != 0)
        u->program = program_at(b, u, first->lines.number, directory == NULL ? "" : directory);
}

void entry_bases(const builder *b, unit *u) {
    if (u->source->is_split && u->version >= 5) { /* the tables are behind a header */
        u->str_offsets_base = u->offset_size == 8 ? 16 : 8;
        u->ranges_base = u->offset_size == 8 ? 20 : 12;
    }
    cursor c = entry_at(u, u->first);
    const abbreviation *a = abbreviation_of(b, u, cursor_uleb(&c));
    const attribute *attributes = a == NULL ? NULL : attributes_of(b, u, a);
    for (unsigned i = 0; a != NULL && i < a->count; i++) {
        value v = form_read(&c, u, &attributes[i]);
        switch (attributes[i].name) {
        case DW_AT_addr_base:
        case DW_AT_GNU_addr_base:
            u->addr_base = v.number;
            break;
        case DW_AT_str_offsets_base:
            u->str_offsets_base = v.number;
            break;
        case DW_AT_rnglists_base:
        case DW_AT_GNU_ranges_base:
            u->ranges_base = v.number;
            break;
        case DW_AT_GNU_dwo_id:
            u->id = v.number;
            u->has_id = true;
            break;
        default:
            break;
        }
    }
}

unit *entry_owner(builder *b, unit *u) {
    uint32_t number = u->has_id ? map_get(&b->split_at, u->id) : DWARF_NONE;
    unit *found = number == DWARF_NONE ? NULL : unit_with(&b->splits[number], u->id);
    if (found == NULL)
        return u;
    found->low = u->low;
    found->program = u->program;
    found->addr_base = u->addr_base;
    if (found->version < 5)
        found->ranges_base = u->ranges_base;
    return found;
}
