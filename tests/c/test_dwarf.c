/* The reader of DWARF on a unit written by hand: every row, scope and name; and every beginning of its sections. */
#include "dwarf_sample.h"

#include <stdio.h>
#include <stdlib.h>

#include "../kernels/check.h"

static const dwarf_span CODE[] = {{0x1000, 0x2000}};

static const char *text(const dwarf_index *index, uint32_t number) {
    return number < index->text_count ? index->texts + index->text_starts[number] : "";
}

static void check_row(const dwarf_index *index, size_t at, uint64_t address, const char *file, uint32_t line) {
    CHECK(at < index->row_count);
    CHECK(index->rows[at].address == address && index->rows[at].line == line);
    CHECK(strcmp(text(index, index->rows[at].file), file) == 0);
}

static void check_piece(const dwarf_index *index, size_t at, uint64_t start, uint32_t scope) {
    CHECK(at < index->piece_count && index->pieces[at].start == start && index->pieces[at].scope == scope);
}

static void check_index(dwarf_index *index, uint8_t version) {
    CHECK(index != NULL && index->complete);
    CHECK(index->row_count == 4);
    const char *first = version == 5 ? "/d/i/b.h" : "/d/a.c"; /* DWARF 5 counts files from 0 */
    check_row(index, 0, 0x1000, first, 1);
    check_row(index, 1, 0x1010, first, 3);
    check_row(index, 2, 0x1020, version == 5 ? "/d/a.c" : "/d/i/b.h", 3);
    CHECK(index->rows[3].address == 0x1040 && index->rows[3].file == DWARF_NONE);
    CHECK(index->scope_count == 2);
    CHECK(strcmp(text(index, index->scopes[0].name), "o") == 0 && index->scopes[0].parent == DWARF_NONE);
    CHECK(strcmp(text(index, index->scopes[1].name), "inner") == 0 && index->scopes[1].parent == 0);
    CHECK(strcmp(text(index, index->scopes[1].file), "/d/a.c") == 0 && index->scopes[1].line == 7);
    CHECK(index->piece_count == 6);
    check_piece(index, 0, 0x1000, 0);
    check_piece(index, 1, 0x1010, 1);
    check_piece(index, 2, 0x1020, 0);
    check_piece(index, 3, 0x1030, 1);
    check_piece(index, 4, 0x1038, 0);
    check_piece(index, 5, 0x1040, DWARF_NONE);
    CHECK(index->unit_count == 1 && strcmp(text(index, index->units[0].name), "a.c") == 0);
    dwarf_index_free(index);
}

static void whole(uint8_t version) {
    dwarf_sample sample;
    dwarf_sample_make(&sample, version);
    check_index(dwarf_index_make(&(dwarf_files){.main = sample.file}, CODE, 1), version);
}

/* A unit in two parts says the same as one that is whole, and without its other part what it lacks. */
static void split(void) {
    dwarf_sample sample;
    dwarf_split other = {.id = 6}, own;
    dwarf_file file;
    dwarf_sample_split(&sample, &file, &own);
    dwarf_index *index = dwarf_index_make(&(dwarf_files){.main = file, .splits = &own, .split_count = 1}, CODE, 1);
    CHECK(index->skeleton_count == 1 && index->skeletons[0].id == 7 && index->skeletons[0].found);
    CHECK(strcmp(text(index, index->skeletons[0].name), "sp") == 0);
    CHECK(strcmp(text(index, index->skeletons[0].directory), "/d") == 0);
    check_index(index, 5);

    other.file = own.file; /* under the id of another */
    index = dwarf_index_make(&(dwarf_files){.main = file, .splits = &other, .split_count = 1}, CODE, 1);
    CHECK(index->skeleton_count == 1 && !index->skeletons[0].found);
    CHECK(index->row_count == 4 && index->scope_count == 0 && index->unit_count == 0);
    dwarf_index_free(index);
}

static void elsewhere(void) {
    const dwarf_span other[] = {{0x5000, 0x6000}};
    dwarf_sample sample;
    dwarf_sample_make(&sample, 5);
    dwarf_index *index = dwarf_index_make(&(dwarf_files){.main = sample.file}, other, 1);
    CHECK(index != NULL && index->row_count == 0 && index->piece_count == 0 && index->scope_count == 0);
    dwarf_index_free(index);
}

/* Each section ends at each of its bytes, in memory of exactly that size. */
static void beginnings(uint8_t version) {
    dwarf_sample sample;
    dwarf_sample_make(&sample, version);
    dwarf_section *const sections[] = {&sample.file.info, &sample.file.abbrev, &sample.file.line, &sample.file.str,
                                       &sample.file.ranges, &sample.file.rnglists};
    for (size_t i = 0; i < sizeof sections / sizeof *sections; i++) {
        const dwarf_section all = *sections[i];
        for (size_t size = 0; size < all.size; size++) {
            uint8_t *part = malloc(size > 0 ? size : 1);
            CHECK(part != NULL);
            memcpy(part, all.bytes, size);
            *sections[i] = (dwarf_section){part, size};
            dwarf_index *index = dwarf_index_make(&(dwarf_files){.main = sample.file}, CODE, 1);
            dwarf_layout *layout = dwarf_layout_make(&(dwarf_files){.main = sample.file});
            CHECK(index != NULL && layout != NULL);
            dwarf_index_free(index);
            dwarf_layout_free(layout);
            free(part);
        }
        *sections[i] = all;
    }
}

int main(void) {
    for (uint8_t version = 4; version <= 5; version++) {
        whole(version);
        beginnings(version);
    }
    split();
    elsewhere();
    return 0;
}
