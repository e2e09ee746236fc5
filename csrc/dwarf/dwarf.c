/* The whole of it, from sections to tables. */
#include "build.h"

#include <stdlib.h>

enum { FUEL_PER_BYTE = 32, FUEL_AT_LEAST = 1 << 20 };

static uint64_t size_of(const dwarf_file *f) {
    return (uint64_t)f->info.size + f->abbrev.size + f->line.size + f->str.size + f->line_str.size + f->ranges.size +
           f->rnglists.size + f->addr.size + f->str_offsets.size;
}

static void free_source(source *s) {
    free(s->units.items);
    free(s->tables.slots);
}

static void free_builder(builder *b) {
    free_source(&b->main);
    free_source(&b->alternate);
    for (size_t i = 0; i < b->tables.count; i++) {
        free(b->tables.items[i].entries.items);
        free(b->tables.items[i].attributes.items);
    }
    for (size_t i = 0; i < b->programs.count; i++) {
        free(b->programs.items[i].directories.items);
        free(b->programs.items[i].files.items);
    }
    free(b->tables.items);
    free(b->programs.items);
    free(b->program_at.slots);
    free(b->name_at.slots);
    free(b->texts.items);
    free(b->text_starts.items);
    free(b->text_slots);
    free(b->rows.items);
    free(b->sequences.items);
    free(b->scopes.items);
    free(b->scope_origins.items);
    free(b->pieces.items);
    free(b->open.items);
    free(b->units.items);
}

/* Hands an array over. */
#define GIVE(index, name, count_name, array)                                                                           \
    ((index)->name = (array)->items, (index)->count_name = (array)->count, (array)->items = NULL, (array)->count = 0)

dwarf_index *dwarf_index_make(const dwarf_file *file, const dwarf_file *alternate, const dwarf_span *code, size_t code_count) {
    builder b = {.main = {.sections = *file}, .alternate = {.sections = *alternate, .number = 1}};
    b.code = code;
    b.code_count = code_count;
    b.fuel = FUEL_AT_LEAST + FUEL_PER_BYTE * (size_of(file) + size_of(alternate));
    dwarf_index *index = calloc(1, sizeof *index);
    if (index == NULL)
        return NULL;
    units_find(&b, &b.main);
    units_find(&b, &b.alternate);
    for (size_t i = 0; i < b.main.units.count && !b.short_of_memory; i++)
        entries_walk(&b, &b.main.units.items[i]);
    entries_name(&b);
    bool made = !b.short_of_memory && tables_make(&b, index);
    index->complete = b.fuel > 0;
    GIVE(index, scopes, scope_count, &b.scopes);
    GIVE(index, units, unit_count, &b.units);
    GIVE(index, texts, texts_size, &b.texts);
    GIVE(index, text_starts, text_count, &b.text_starts);
    free_builder(&b);
    if (!made) {
        dwarf_index_free(index);
        return NULL;
    }
    return index;
}

void dwarf_index_free(dwarf_index *index) {
    if (index == NULL)
        return;
    free(index->rows);
    free(index->scopes);
    free(index->pieces);
    free(index->units);
    free(index->texts);
    free(index->text_starts);
    free(index);
}
