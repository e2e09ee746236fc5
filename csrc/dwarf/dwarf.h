/*
 * Lines, functions and inlined calls of a program, from its DWARF (versions 2 to 5), as tables sorted by address.
 *
 * The sections may say anything: every read is bounded, and the work is bounded by their size. What is broken is left out,
 * and the rest is told.
 */
#ifndef ARMPROF_DWARF_H
#define ARMPROF_DWARF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* In place of a number of a text or a scope: there is none. */
#define DWARF_NONE UINT32_MAX

typedef struct dwarf_section {
    const uint8_t *bytes;
    size_t size;
} dwarf_section;

/* One file's sections. Those that it has not are empty. */
typedef struct dwarf_file {
    dwarf_section info, abbrev, line, str, line_str, ranges, rnglists, addr, str_offsets;
} dwarf_file;

/* What a unit keeps elsewhere (-gsplit-dwarf): the sections of a .dwo file, or those of one unit in a .dwp, and the unit's id. */
typedef struct dwarf_split {
    dwarf_file file;
    uint64_t id;
} dwarf_split;

/* `alternate` has what several files share (.gnu_debugaltlink), or is empty. */
typedef struct dwarf_files {
    dwarf_file main, alternate;
    const dwarf_split *splits;
    size_t split_count;
} dwarf_files;

/* Addresses from start up to, not including, end. */
typedef struct dwarf_span {
    uint64_t start, end;
} dwarf_span;

/* From this address up to that of the next row. file is a text, or DWARF_NONE where no line is told; line 0: the compiler's own. */
typedef struct dwarf_row {
    uint64_t address;
    uint32_t file, line;
} dwarf_row;

/* A function (parent DWARF_NONE), or a call of one that was inlined, made in scope `parent` at that file and line. */
typedef struct dwarf_scope {
    uint32_t parent, name, file, line;
} dwarf_scope;

/* From this address up to that of the next piece the code is of this scope, the innermost one. */
typedef struct dwarf_piece {
    uint64_t start;
    uint32_t scope, padding;
} dwarf_piece;

/* What was compiled at once. Texts; the language is a DW_LANG. */
typedef struct dwarf_unit {
    uint32_t name, producer, language, version;
} dwarf_unit;

/* A unit that keeps its entries in a file of that name, as seen from that directory. found: they were among the splits. */
typedef struct dwarf_skeleton {
    uint64_t id;
    uint32_t name, directory, found, padding;
} dwarf_skeleton;

typedef struct dwarf_index {
    dwarf_row *rows;
    dwarf_scope *scopes;
    dwarf_piece *pieces;
    dwarf_unit *units;
    dwarf_skeleton *skeletons;
    char *texts;           /* one after the other, each with a NUL */
    uint64_t *text_starts; /* where in texts each begins */
    size_t row_count, scope_count, piece_count, unit_count, skeleton_count, texts_size, text_count;
    bool complete; /* false: the sections ask for more work than honest ones of their size */
} dwarf_index;

/*
 * Reads it all. What lies outside the spans of `code`, sorted and apart, was discarded by the linker. NULL where memory is
 * short.
 */
dwarf_index *dwarf_index_make(const dwarf_files *files, const dwarf_span *code, size_t code_count);
void dwarf_index_free(dwarf_index *index);

/* A structure or class. irregular: it has bit fields or virtual bases. */
typedef struct dwarf_structure {
    uint64_t size, align;
    uint32_t name, file, line, irregular;
} dwarf_structure;

/* A member of a structure, by number. align is that of its type, 1 where not known. A base class has its type's name. */
typedef struct dwarf_member {
    uint64_t offset, size, align;
    uint32_t structure, name;
} dwarf_member;

/* A variable at a fixed address, and the structure that it is, or is an array of; DWARF_NONE where it is none. */
typedef struct dwarf_variable {
    uint64_t address;
    uint32_t name, structure;
} dwarf_variable;

typedef struct dwarf_layout {
    dwarf_structure *structures;
    dwarf_member *members;
    dwarf_variable *variables;
    char *texts;
    uint64_t *text_starts;
    size_t structure_count, member_count, variable_count, texts_size, text_count;
    bool complete;
} dwarf_layout;

/* The layout of structures and of variables that are. NULL where memory is short. */
dwarf_layout *dwarf_layout_make(const dwarf_files *files);
void dwarf_layout_free(dwarf_layout *layout);

#endif
