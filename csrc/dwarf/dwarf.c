/* The whole of it, from sections to tables. */
#include "build.h"

#include <stdlib.h>

dwarf_index *dwarf_index_make(const dwarf_files *files, const dwarf_span *code, size_t code_count) {
    dwarf_index *index = calloc(1, sizeof *index);
    if (index == NULL)
        return NULL;
    builder b;
    builder_begin(&b, files);
    b.code = code;
    b.code_count = code_count;
    for (size_t i = 0; i < b.main.units.count && !b.short_of_memory; i++)
        entries_walk(&b, &b.main.units.items[i]);
    entries_name(&b);
    bool made = !b.short_of_memory && tables_make(&b, index);
    index->complete = b.fuel > 0;
    GIVE(index, scopes, scope_count, &b.scopes);
    GIVE(index, units, unit_count, &b.units);
    GIVE(index, skeletons, skeleton_count, &b.skeletons);
    GIVE(index, texts, texts_size, &b.texts);
    GIVE(index, text_starts, text_count, &b.text_starts);
    builder_end(&b);
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
    free(index->skeletons);
    free(index->texts);
    free(index->text_starts);
    free(index);
}
