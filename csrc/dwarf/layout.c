/* Structures: where their members are; and the variables that are structures. */
#include "entry.h"

#include <stdlib.h>

enum { DEEPEST = 12, WORD = 8 }; /* of types of types */

typedef struct type {
    uint64_t size, align;   /* 0, 1: not known */
    uint64_t structure;     /* the place of the structure that it is, or is an array of; 0: of none */
    uint32_t name;
} type;

typedef struct reader {
    builder b;
    ARRAY(type) types;
    map type_at;      /* by place */
    map structure_at; /* by place */
    ARRAY(dwarf_structure) structures;
    ARRAY(dwarf_member) members;
    ARRAY(dwarf_variable) variables;
    ARRAY(uint64_t) variable_types; /* the places of their structures */
    ARRAY(uint32_t) open; /* the structures that the entries around the one that is read are, or DWARF_NONE */
} reader;

static type type_at(reader *r, uint64_t place, unsigned depth);

static bool is_structure(unsigned tag) { return tag == DW_TAG_structure_type || tag == DW_TAG_class_type; }

/* How many elements an array has, in all dimensions: the entries within it tell. 0: not known. */
static uint64_t elements(builder *b, const unit *u, cursor c) {
    uint64_t count = 1;
    for (;;) {
        const abbreviation *a = abbreviation_of(b, u, cursor_uleb(&c));
        if (a == NULL || a->tag != DW_TAG_subrange_type || !burn(b, 1u + a->count))
            return a == NULL ? count : 0;
        entry e = entry_read(b, u, a, &c);
        uint64_t own = 0;
        if (value_is_constant(e.count))
            own = e.count.number;
        else if (value_is_constant(e.upper))
            own = e.upper.number + 1;
        if (own == 0 || own > UINT32_MAX || count > UINT32_MAX)
            return 0;
        count *= own;
    }
}

/* The largest alignment of what a structure holds: its own. */
static uint64_t alignment(reader *r, const unit *u, cursor c, unsigned depth) {
    uint64_t align = 1;
    unsigned level = 0;
    while (!c.failed) {
        uint64_t code = cursor_uleb(&c);
        if (code == 0) {
            if (level-- == 0)
                break;
            continue;
        }
        const abbreviation *a = abbreviation_of(&r->b, u, code);
        if (a == NULL || !burn(&r->b, 1u + a->count))
            break;
        entry e = entry_read(&r->b, u, a, &c);
        if (level == 0 && (a->tag == DW_TAG_member || a->tag == DW_TAG_inheritance) && e.external.form == 0) {
            type own = type_at(r, entry_place(&r->b, u, e.type), depth + 1);
            uint64_t wanted = value_is_constant(e.alignment) ? e.alignment.number : own.align;
            align = wanted > align ? wanted : align;
        }
        level += a->children;
    }
    return align;
}

static type read_type(reader *r, uint64_t place, unsigned depth) {
    type found = {.align = 1, .name = DWARF_NONE};
    const unit *u;
    cursor c;
    const abbreviation *a = entry_find(&r->b, place, &u, &c);
    if (a == NULL || !burn(&r->b, 8u + a->count))
        return found;
    entry e = entry_read(&r->b, u, a, &c);
    uint64_t bytes = value_is_constant(e.bytes) ? e.bytes.number : 0;
    switch (a->tag) {
    case DW_TAG_base_type:
    case DW_TAG_enumeration_type:
        found.size = bytes;
        found.align = bytes == 0 || (bytes & (bytes - 1)) != 0 || bytes > 16 ? 1 : bytes;
        break;
    case DW_TAG_pointer_type:
    case DW_TAG_reference_type:
    case DW_TAG_rvalue_reference_type:
        found.size = found.align = WORD;
        break;
    case DW_TAG_typedef:
    case DW_TAG_const_type:
    case DW_TAG_volatile_type:
    case DW_TAG_restrict_type:
    case DW_TAG_atomic_type:
        found = type_at(r, entry_place(&r->b, u, e.type), depth + 1);
        break;
    case DW_TAG_array_type: {
        type element = type_at(r, entry_place(&r->b, u, e.type), depth + 1);
        uint64_t count = a->children ? elements(&r->b, u, c) : 0;
        found.align = element.align;
        found.structure = element.structure;
        if (count != 0 && element.size <= UINT32_MAX && count <= UINT32_MAX)
            found.size = count * element.size;
        break;
    }
    case DW_TAG_structure_type:
    case DW_TAG_class_type:
    case DW_TAG_union_type:
        found.size = bytes;
        found.structure = is_structure(a->tag) ? place : 0;
        found.name = entry_text(&r->b, u, e.name);
        found.align = a->children ? alignment(r, u, c, depth) : 1;
        break;
    default:
        break;
    }
    if (value_is_constant(e.alignment) && e.alignment.number > found.align)
        found.align = e.alignment.number;
    return found;
}

static type type_at(reader *r, uint64_t place, unsigned depth) {
    type none = {.align = 1, .name = DWARF_NONE};
    if (place == 0 || depth > DEEPEST || r->b.short_of_memory)
        return none;
    uint32_t known = map_get(&r->type_at, place);
    if (known != DWARF_NONE)
        return r->types.items[known];
    type found = read_type(r, place, depth);
    if (map_get(&r->type_at, place) != DWARF_NONE) /* it is made of itself */
        return found;
    if (!ARRAY_RESERVE(&r->types, 1) || !map_put(&r->type_at, place, (uint32_t)r->types.count)) {
        r->b.short_of_memory = true;
        return none;
    }
    r->types.items[r->types.count++] = found;
    return found;
}

static uint32_t line_of(value v) { return value_is_constant(v) && v.number <= UINT32_MAX ? (uint32_t)v.number : 0; }

static uint32_t add_structure(reader *r, const unit *u, const entry *e, uint64_t place) {
    if (!value_is_constant(e->bytes) || e->declaration.form != 0)
        return DWARF_NONE;
    uint32_t number = (uint32_t)r->structures.count;
    dwarf_structure made = {e->bytes.number, type_at(r, place, 0).align, entry_text(&r->b, u, e->name), DWARF_NONE,
                            line_of(e->line), 0};
    if (value_is_constant(e->file))
        made.file = program_file(&r->b, u->program, e->file.number);
    if (!burn(&r->b, sizeof made) || !ARRAY_RESERVE(&r->structures, 1) || !map_put(&r->structure_at, place, number)) {
        r->b.short_of_memory |= r->b.fuel > 0;
        return DWARF_NONE;
    }
    r->structures.items[r->structures.count++] = made;
    return number;
}

static void add_member(reader *r, const unit *u, const abbreviation *a, const entry *e, uint32_t of) {
    dwarf_structure *structure = &r->structures.items[of];
    if (e->external.form != 0 || e->declaration.form != 0)
        return; /* static */
    if (e->bits.form != 0 || e->bit_offset.form != 0 || (e->offset.form != 0 && !value_is_constant(e->offset))) {
        structure->irregular = 1;
        return;
    }
    type own = type_at(r, entry_place(&r->b, u, e->type), 0);
    if (value_is_constant(e->alignment) && e->alignment.number > own.align)
        own.align = e->alignment.number;
    uint32_t name = a->tag == DW_TAG_inheritance ? own.name : entry_text(&r->b, u, e->name);
    dwarf_member made = {e->offset.number, own.size, own.align, of, name};
    if (!burn(&r->b, sizeof made) || !ARRAY_RESERVE(&r->members, 1)) {
        r->b.short_of_memory |= r->b.fuel > 0;
        return;
    }
    r->members.items[r->members.count++] = made;
}

/* Whether a variable lies at one address all the time, and at which. */
static bool address_of(const unit *u, value location, uint64_t *address) {
    if (location.form != DW_FORM_exprloc || location.number < 2)
        return false;
    const uint8_t *bytes = (const uint8_t *)location.text;
    cursor c = {bytes + 1, bytes + location.number, false};
    switch (bytes[0]) {
    case DW_OP_addr:
        *address = cursor_u64(&c);
        break;
    case DW_OP_addrx:
    case DW_OP_GNU_addr_index:
        if (!value_address(u, (value){.form = DW_FORM_addrx, .number = cursor_uleb(&c)}, address))
            return false;
        break;
    default:
        return false;
    }
    return !c.failed && cursor_left(&c) == 0;
}

static void add_variable(reader *r, const unit *u, const entry *e) {
    dwarf_variable made = {.name = DWARF_NONE};
    if (!address_of(u, e->location, &made.address))
        return;
    cursor c;
    entry named = *e;
    const unit *from = u;
    for (unsigned hop = 0; named.origin.form != 0 && hop < DEEPEST; hop++) { /* the definition of what was declared */
        uint64_t place = entry_place(&r->b, from, named.origin);
        const abbreviation *a = place == 0 ? NULL : entry_find(&r->b, place, &from, &c);
        if (a == NULL || !burn(&r->b, 8u + a->count))
            return;
        named = entry_read(&r->b, from, a, &c);
    }
    type own = type_at(r, entry_place(&r->b, from, named.type), 0);
    made.name = entry_text(&r->b, from, named.name);
    if (!burn(&r->b, sizeof made) || !ARRAY_RESERVE(&r->variables, 1) || !ARRAY_RESERVE(&r->variable_types, 1)) {
        r->b.short_of_memory |= r->b.fuel > 0;
        return;
    }
    r->variables.items[r->variables.count++] = made;
    r->variable_types.items[r->variable_types.count++] = own.structure;
}

static void walk(reader *r, const unit *u) {
    builder *b = &r->b;
    cursor c = entry_at(u, u->first);
    r->open.count = 0;
    uint32_t around = DWARF_NONE;
    while (cursor_left(&c) > 0 && !b->short_of_memory) {
        uint64_t offset = (uint64_t)(c.at - u->source->sections.info.bytes);
        uint64_t code = cursor_uleb(&c);
        if (code == 0) {
            if (!burn(b, 1) || r->open.count == 0)
                return;
            around = r->open.items[--r->open.count];
            continue;
        }
        const abbreviation *a = abbreviation_of(b, u, code);
        if (a == NULL || !burn(b, 1u + a->count))
            return;
        uint32_t within = DWARF_NONE;
        if (is_structure(a->tag)) {
            entry e = entry_read(b, u, a, &c);
            within = add_structure(r, u, &e, place_of(u->source, offset));
        } else if (around != DWARF_NONE && (a->tag == DW_TAG_member || a->tag == DW_TAG_inheritance)) {
            entry e = entry_read(b, u, a, &c);
            add_member(r, u, a, &e, around);
        } else if (a->tag == DW_TAG_variable) {
            entry e = entry_read(b, u, a, &c);
            add_variable(r, u, &e);
        } else {
            entry_skip(b, u, a, &c);
        }
        if (!a->children)
            continue;
        if (!ARRAY_RESERVE(&r->open, 1)) {
            b->short_of_memory = true;
            return;
        }
        r->open.items[r->open.count++] = around;
        around = within;
    }
}

dwarf_layout *dwarf_layout_make(const dwarf_files *files) {
    dwarf_layout *layout = calloc(1, sizeof *layout);
    if (layout == NULL)
        return NULL;
    reader r = {0};
    builder_begin(&r.b, files);
    for (size_t i = 0; i < r.b.main.units.count && !r.b.short_of_memory; i++) {
        unit *u = &r.b.main.units.items[i];
        cursor c = entry_at(u, u->first);
        const abbreviation *a = abbreviation_of(&r.b, u, cursor_uleb(&c));
        if (a == NULL)
            continue;
        entry first = entry_read(&r.b, u, a, &c);
        entry_program(&r.b, u, &first); /* the structures' files are there */
        walk(&r, entry_owner(&r.b, u));
    }
    for (size_t i = 0; i < r.variables.count; i++)
        r.variables.items[i].structure = map_get(&r.structure_at, r.variable_types.items[i]);
    bool made = !r.b.short_of_memory;
    layout->complete = r.b.fuel > 0;
    GIVE(layout, structures, structure_count, &r.structures);
    GIVE(layout, members, member_count, &r.members);
    GIVE(layout, variables, variable_count, &r.variables);
    GIVE(layout, texts, texts_size, &r.b.texts);
    GIVE(layout, text_starts, text_count, &r.b.text_starts);
    free(r.types.items);
    free(r.type_at.slots);
    free(r.structure_at.slots);
    free(r.variable_types.items);
    free(r.open.items);
    builder_end(&r.b);
    if (!made) {
        dwarf_layout_free(layout);
        return NULL;
    }
    return layout;
}

void dwarf_layout_free(dwarf_layout *layout) {
    if (layout == NULL)
        return;
    free(layout->structures);
    free(layout->members);
    free(layout->variables);
    free(layout->texts);
    free(layout->text_starts);
    free(layout);
}
