/* The entries of a unit: its functions and the calls in them that were inlined. */
#include "entry.h"

enum { LONGEST_CHAIN = 16 }; /* from an inlined call to what it is an instance of, to its declaration */

/* ---- Where the code is --------------------------------------------------------------------------------------------- */

static void add_range(builder *b, open_scope of, uint64_t start, uint64_t end) {
    if (start >= end || !is_code(b, start) || !burn(b, sizeof(piece_of_scope)))
        return;
    if (!ARRAY_RESERVE(&b->pieces, 1)) {
        b->short_of_memory = true;
        return;
    }
    b->pieces.items[b->pieces.count++] = (piece_of_scope){start, end, of.scope, of.depth};
}

/* The list of .debug_ranges, before DWARF 5. */
static void old_ranges(builder *b, const unit *u, open_scope of, uint64_t offset) {
    cursor c = cursor_of(u->source->sections.ranges, offset);
    uint64_t base = u->low;
    while (!c.failed && burn(b, 4)) {
        uint64_t start = cursor_u64(&c), end = cursor_u64(&c);
        if (start == 0 && end == 0)
            return;
        if (start == UINT64_MAX)
            base = end;
        else
            add_range(b, of, base + start, base + end);
    }
}

static bool indexed_address(const unit *u, cursor *c, uint64_t *address) {
    return value_address(u, (value){.form = DW_FORM_addrx, .number = cursor_uleb(c)}, address);
}

static void new_ranges(builder *b, const unit *u, open_scope of, uint64_t offset) {
    cursor c = cursor_of(u->source->sections.rnglists, offset);
    uint64_t base = u->low, start = 0, end = 0;
    while (!c.failed && burn(b, 4)) {
        bool told = true;
        switch (cursor_u8(&c)) {
        case DW_RLE_base_addressx:
            if (!indexed_address(u, &c, &base))
                return;
            continue;
        case DW_RLE_base_address:
            base = cursor_u64(&c);
            continue;
        case DW_RLE_startx_endx:
            told = indexed_address(u, &c, &start);
            told = indexed_address(u, &c, &end) && told;
            break;
        case DW_RLE_startx_length:
            told = indexed_address(u, &c, &start);
            end = start + cursor_uleb(&c);
            break;
        case DW_RLE_offset_pair:
            start = base + cursor_uleb(&c);
            end = base + cursor_uleb(&c);
            break;
        case DW_RLE_start_end:
            start = cursor_u64(&c);
            end = cursor_u64(&c);
            break;
        case DW_RLE_start_length:
            start = cursor_u64(&c);
            end = start + cursor_uleb(&c);
            break;
        default: /* the end, or nothing known */
            return;
        }
        if (told && !c.failed)
            add_range(b, of, start, end);
    }
}

static void add_code(builder *b, const unit *u, const entry *e, open_scope of) {
    uint64_t low, high;
    if (e->ranges.form != 0) {
        uint64_t offset = e->ranges.number;
        if (u->version < 5) {
            old_ranges(b, u, of, offset + (u->source->is_split ? u->ranges_base : 0));
            return;
        }
        if (e->ranges.form == DW_FORM_rnglistx) {
            cursor c = cursor_of(u->source->sections.rnglists, u->ranges_base);
            cursor_skip(&c, offset > u->source->sections.rnglists.size ? UINT64_MAX : offset * u->offset_size);
            offset = u->ranges_base + cursor_value(&c, u->offset_size);
            if (c.failed)
                return;
        }
        new_ranges(b, u, of, offset);
    } else if (value_address(u, e->low, &low)) {
        if (value_is_constant(e->high))
            add_range(b, of, low, low + e->high.number);
        else if (value_address(u, e->high, &high))
            add_range(b, of, low, high);
    }
}

/* ---- Functions and inlined calls ----------------------------------------------------------------------------------- */

/* What the entries within this one belong to. */
static open_scope add_scope(builder *b, const unit *u, const abbreviation *a, const entry *e, open_scope around) {
    open_scope own = {(uint32_t)b->scopes.count, around.depth + 1};
    dwarf_scope scope = {DWARF_NONE, DWARF_NONE, DWARF_NONE, 0};
    if (a->tag == DW_TAG_subprogram)
        own.depth = 0;
    size_t before = b->pieces.count;
    add_code(b, u, e, own);
    if (b->pieces.count == before)
        return around;
    if (a->tag == DW_TAG_inlined_subroutine) {
        scope.parent = around.scope;
        scope.line = e->call_line.number > UINT32_MAX ? 0 : (uint32_t)e->call_line.number;
        scope.file = value_is_constant(e->call_file) ? program_file(b, u->program, e->call_file.number) : DWARF_NONE;
    }
    uint64_t origin = e->linkage_name.form != 0 ? 0 : entry_place(b, u, e->origin);
    if (origin == 0)
        scope.name = entry_text(b, u, e->linkage_name.form != 0 ? e->linkage_name : e->name);
    if (!ARRAY_RESERVE(&b->scopes, 1) || !ARRAY_RESERVE(&b->scope_origins, 1)) {
        b->short_of_memory = true;
        return around;
    }
    b->scopes.items[b->scopes.count++] = scope;
    b->scope_origins.items[b->scope_origins.count++] = origin;
    return own;
}

static void walk(builder *b, const unit *u, cursor c) {
    b->open.count = 0;
    open_scope around = {DWARF_NONE, 0};
    while (cursor_left(&c) > 0 && !b->short_of_memory) {
        uint64_t code = cursor_uleb(&c);
        if (code == 0) {
            if (!burn(b, 1) || b->open.count == 0)
                return;
            around = b->open.items[--b->open.count];
            continue;
        }
        const abbreviation *a = abbreviation_of(b, u, code);
        if (a == NULL || !burn(b, 1u + a->count))
            return;
        open_scope within = around;
        if (a->has_code) {
            entry e = entry_read(b, u, a, &c);
            within = add_scope(b, u, a, &e, around);
        } else {
            entry_skip(b, u, a, &c);
        }
        if (!a->children)
            continue;
        if (!ARRAY_RESERVE(&b->open, 1)) {
            b->short_of_memory = true;
            return;
        }
        b->open.items[b->open.count++] = around;
        around = within;
    }
}

/* A unit's first entry, the cursor behind it. NULL where it is none of those with code. */
static const abbreviation *first_entry(const builder *b, const unit *u, cursor *c, entry *e) {
    *c = entry_at(u, u->first);
    const abbreviation *a = abbreviation_of(b, u, cursor_uleb(c));
    if (a == NULL || c->failed)
        return NULL;
    *e = entry_read(b, u, a, c);
    bool known = a->tag == DW_TAG_compile_unit || a->tag == DW_TAG_partial_unit || a->tag == DW_TAG_skeleton_unit;
    return known ? a : NULL;
}

static void add_skeleton(builder *b, const unit *u, const entry *e, bool found) {
    dwarf_skeleton made = {u->id, entry_text(b, u, e->split_name), entry_text(b, u, e->directory), found, 0};
    if (ARRAY_RESERVE(&b->skeletons, 1))
        b->skeletons.items[b->skeletons.count++] = made;
    else
        b->short_of_memory = true;
}

void entries_walk(builder *b, unit *u) {
    cursor c;
    entry e;
    const abbreviation *a = first_entry(b, u, &c, &e);
    if (a == NULL)
        return;
    value_address(u, e.low, &u->low);
    entry_program(b, u, &e);
    if (u->has_id && e.split_name.form != 0) {
        const unit *skeleton = u;
        u = entry_owner(b, u);
        add_skeleton(b, skeleton, &e, u != skeleton);
        a = first_entry(b, u, &c, &e);
        if (a == NULL)
            return;
    }
    bool is_told = u->source->is_split || !u->has_id; /* a skeleton says nothing of the compiler */
    if (a->tag == DW_TAG_compile_unit && is_told && ARRAY_RESERVE(&b->units, 1)) {
        dwarf_unit told = {entry_text(b, u, e.name), entry_text(b, u, e.producer), (uint32_t)e.language.number, u->version};
        b->units.items[b->units.count++] = told;
    }
    if (a->children)
        walk(b, u, c);
}

/* ---- Names --------------------------------------------------------------------------------------------------------- */

/* The name at an entry or at what it is an instance of: the linker's where there is one. */
static uint32_t find_name(builder *b, uint64_t place) {
    uint32_t name = DWARF_NONE;
    for (unsigned hop = 0; place != 0 && hop < LONGEST_CHAIN; hop++) {
        const unit *u;
        cursor c;
        const abbreviation *a = entry_find(b, place, &u, &c);
        if (a == NULL || !burn(b, 8u + a->count))
            break;
        entry e = entry_read(b, u, a, &c);
        if (e.linkage_name.form != 0)
            return entry_text(b, u, e.linkage_name);
        if (e.name.form != 0 && name == DWARF_NONE)
            name = entry_text(b, u, e.name);
        place = entry_place(b, u, e.origin);
    }
    return name;
}

void entries_name(builder *b) {
    for (size_t i = 0; i < b->scopes.count && !b->short_of_memory; i++) {
        uint64_t place = b->scope_origins.items[i];
        if (place == 0)
            continue;
        uint32_t known = map_get(&b->name_at, place);
        if (known == DWARF_NONE) {
            known = find_name(b, place);
            if (known != DWARF_NONE && !map_put(&b->name_at, place, known))
                b->short_of_memory = true;
        }
        b->scopes.items[i].name = known;
    }
}
