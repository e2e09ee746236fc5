/* The tables that say what the entries of a unit consist of. */
#include "forms.h"

#include <stdlib.h>

/* Compilers write a few dozen. Without a bound one byte of an entry could stand for any number of empty attributes. */
enum { MOST_ATTRIBUTES = 200 };

static void measure(abbreviation *entry, unsigned form) {
    unsigned size = form_size(form);
    if (size == SIZE_ADDRESS)
        entry->addresses++;
    else if (size == SIZE_OFFSET)
        entry->offsets++;
    else if (size <= 16)
        entry->bytes += size;
    if (size == SIZE_VARIES || size == SIZE_UNKNOWN || form == DW_FORM_ref_addr)
        entry->fixed = false;
}

/* False at the end of the table. */
static bool read_entry(abbreviations *table, cursor *c) {
    abbreviation entry = {.code = cursor_uleb(c), .first = (uint32_t)table->attributes.count, .fixed = true};
    entry.tag = (uint16_t)cursor_uleb(c);
    if (entry.code == 0 || c->failed)
        return false;
    entry.children = cursor_u8(c) != 0;
    for (;;) {
        attribute a = {.name = (uint16_t)cursor_uleb(c), .form = (uint16_t)cursor_uleb(c)};
        if (c->failed || entry.count > MOST_ATTRIBUTES)
            return false;
        if (a.form == DW_FORM_implicit_const)
            a.constant = cursor_sleb(c);
        if (a.form == DW_FORM_flag_present)
            a.constant = 1;
        if (a.name == 0 && a.form == 0)
            break;
        if (!ARRAY_RESERVE(&table->attributes, 1))
            return false;
        table->attributes.items[table->attributes.count++] = a;
        measure(&entry, a.form);
        entry.has_code |= a.name == DW_AT_low_pc || a.name == DW_AT_ranges;
        entry.count++;
    }
    entry.has_code &= entry.tag == DW_TAG_subprogram || entry.tag == DW_TAG_inlined_subroutine;
    if (!ARRAY_RESERVE(&table->entries, 1))
        return false;
    table->entries.items[table->entries.count++] = entry;
    return true;
}

static int by_code(const void *left, const void *right) {
    const abbreviation *l = left, *r = right;
    return (l->code > r->code) - (l->code < r->code);
}

uint32_t abbreviations_at(builder *b, source *from, uint64_t offset) {
    uint32_t number = map_get(&from->tables, offset);
    if (number != DWARF_NONE)
        return number;
    cursor c = cursor_of(from->sections.abbrev, offset);
    const uint8_t *start = c.at;
    abbreviations table = {0};
    bool ascending = true;
    /* tables may overlap, so each that is read again is work */
    while (burn(b, 1) && read_entry(&table, &c)) {
        size_t last = table.entries.count - 1;
        ascending = ascending && (last == 0 || table.entries.items[last - 1].code < table.entries.items[last].code);
    }
    if (!burn(b, 8 * (uint64_t)(c.at - start)))
        table.entries.count = 0;
    if (!ascending)
        qsort(table.entries.items, table.entries.count, sizeof *table.entries.items, by_code);
    number = (uint32_t)b->tables.count;
    if (!ARRAY_RESERVE(&b->tables, 1) || !map_put(&from->tables, offset, number)) {
        free(table.entries.items);
        free(table.attributes.items);
        b->short_of_memory = true;
        return DWARF_NONE;
    }
    b->tables.items[b->tables.count++] = table;
    return number;
}

const attribute *attributes_of(const builder *b, const unit *u, const abbreviation *a) {
    return a->count == 0 ? NULL : b->tables.items[u->abbreviations].attributes.items + a->first;
}

const abbreviation *abbreviation_of(const builder *b, const unit *u, uint64_t code) {
    const abbreviations *table = &b->tables.items[u->abbreviations];
    const abbreviation *entries = table->entries.items;
    if (code - 1 < table->entries.count && entries[code - 1].code == code) /* compilers count from 1 */
        return &entries[code - 1];
    size_t low = 0, high = table->entries.count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (entries[middle].code < code)
            low = middle + 1;
        else
            high = middle;
    }
    return low < table->entries.count && entries[low].code == code ? &entries[low] : NULL;
}
