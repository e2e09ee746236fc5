/* DWARF of any content: what is read of it is sorted, and refers to what is there. */
#include "dwarf.h"
#include "input.h"

static dwarf_section *section(dwarf_file *file, unsigned number) {
    dwarf_section *const sections[] = {&file->info, &file->abbrev, &file->line, &file->str, &file->line_str,
                                       &file->ranges, &file->rnglists, &file->addr, &file->str_offsets};
    return sections[number % (sizeof sections / sizeof *sections)];
}

static bool is_text(const dwarf_index *index, uint32_t number) { return number == DWARF_NONE || number < index->text_count; }

static void check(const dwarf_index *index) {
    for (size_t i = 0; i < index->text_count; i++)
        CHECK(index->text_starts[i] < index->texts_size);
    CHECK(index->texts_size == 0 || index->texts[index->texts_size - 1] == 0);
    for (size_t i = 0; i < index->row_count; i++) {
        CHECK(i == 0 || index->rows[i - 1].address < index->rows[i].address);
        CHECK(is_text(index, index->rows[i].file));
    }
    for (size_t i = 0; i < index->scope_count; i++) {
        const dwarf_scope *scope = &index->scopes[i];
        CHECK(scope->parent == DWARF_NONE || scope->parent < i);
        CHECK(is_text(index, scope->name) && is_text(index, scope->file));
    }
    for (size_t i = 0; i < index->piece_count; i++) {
        CHECK(i == 0 || index->pieces[i - 1].start < index->pieces[i].start);
        CHECK(index->pieces[i].scope == DWARF_NONE || index->pieces[i].scope < index->scope_count);
    }
    for (size_t i = 0; i < index->skeleton_count; i++)
        CHECK(is_text(index, index->skeletons[i].name) && is_text(index, index->skeletons[i].directory));
    for (size_t i = 0; i < index->unit_count; i++)
        CHECK(is_text(index, index->units[i].name) && is_text(index, index->units[i].producer));
}

static void check_layout(const dwarf_layout *layout) {
    for (size_t i = 0; i < layout->text_count; i++)
        CHECK(layout->text_starts[i] < layout->texts_size);
    for (size_t i = 0; i < layout->structure_count; i++)
        CHECK(layout->structures[i].align > 0);
    for (size_t i = 0; i < layout->member_count; i++)
        CHECK(layout->members[i].structure < layout->structure_count);
    for (size_t i = 0; i < layout->variable_count; i++) {
        uint32_t structure = layout->variables[i].structure;
        CHECK(structure == DWARF_NONE || structure < layout->structure_count);
    }
}

/* Each record is a section: of the file, of the alternate one, or of one of two split units. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const dwarf_span code[] = {{0x1000, 0x2000}, {0x3000, 0x4000}};
    enum { MOST = 32, ALTERNATE = 0x80, SPLIT = 0x40, SECOND = 0x20 };
    dwarf_split splits[2] = {{.id = 7}, {.id = 8}}; /* 7: that of the seed */
    dwarf_files files = {.splits = splits, .split_count = 2};
    fuzz_input input = {data, size};
    fuzz_record record;
    uint8_t *copies[MOST];
    size_t count = 0;
    while (count < MOST && fuzz_take(&input, &record)) {
        copies[count] = fuzz_copy(record.bytes, record.size, 0);
        dwarf_file *to = record.kind & SPLIT ? &splits[(record.kind & SECOND) != 0].file
                         : record.kind & ALTERNATE ? &files.alternate
                                                   : &files.main;
        *section(to, record.kind & 0x1fu) = (dwarf_section){copies[count++], record.size};
    }
    dwarf_index *index = dwarf_index_make(&files, code, sizeof code / sizeof *code);
    CHECK(index != NULL);
    check(index);
    dwarf_index_free(index);
    dwarf_layout *layout = dwarf_layout_make(&files);
    CHECK(layout != NULL);
    check_layout(layout);
    dwarf_layout_free(layout);
    while (count > 0)
        free(copies[--count]);
    return 0;
}
