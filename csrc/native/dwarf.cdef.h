/* What Python may call of dwarf.h, as cffi takes it. The C compiler checks each against the header. */

#define DWARF_NONE ...

typedef struct dwarf_section { const uint8_t *bytes; size_t size; ...; } dwarf_section;
typedef struct dwarf_file {
    dwarf_section info, abbrev, line, str, line_str, ranges, rnglists, addr, str_offsets; ...;
} dwarf_file;
typedef struct dwarf_split { dwarf_file file; uint64_t id; ...; } dwarf_split;
typedef struct dwarf_files { dwarf_file main, alternate; const dwarf_split *splits; size_t split_count; ...; } dwarf_files;
typedef struct dwarf_span { uint64_t start, end; } dwarf_span;
typedef struct dwarf_row { uint64_t address; uint32_t file, line; } dwarf_row;
typedef struct dwarf_scope { uint32_t parent, name, file, line; } dwarf_scope;
typedef struct dwarf_piece { uint64_t start; uint32_t scope, padding; } dwarf_piece;
typedef struct dwarf_unit { uint32_t name, producer, language, version; } dwarf_unit;
typedef struct dwarf_skeleton { uint64_t id; uint32_t name, directory, found, padding; } dwarf_skeleton;
typedef struct dwarf_index {
    dwarf_row *rows; dwarf_scope *scopes; dwarf_piece *pieces; dwarf_unit *units; dwarf_skeleton *skeletons; char *texts;
    uint64_t *text_starts;
    size_t row_count, scope_count, piece_count, unit_count, skeleton_count, texts_size, text_count; bool complete; ...;
} dwarf_index;

dwarf_index *dwarf_index_make(const dwarf_files *files, const dwarf_span *code, size_t count);
void dwarf_index_free(dwarf_index *index);

typedef struct dwarf_structure { uint64_t size, align; uint32_t name, file, line, irregular; } dwarf_structure;
typedef struct dwarf_member { uint64_t offset, size, align; uint32_t structure, name; } dwarf_member;
typedef struct dwarf_variable { uint64_t address; uint32_t name, structure; } dwarf_variable;
typedef struct dwarf_layout {
    dwarf_structure *structures; dwarf_member *members; dwarf_variable *variables; char *texts; uint64_t *text_starts;
    size_t structure_count, member_count, variable_count, texts_size, text_count; bool complete; ...;
} dwarf_layout;
dwarf_layout *dwarf_layout_make(const dwarf_files *files);
void dwarf_layout_free(dwarf_layout *layout);
