/* What the parts of the reader share: growing arrays, numbered texts, the bound on work, and what is read of units. */
#ifndef ARMPROF_DWARF_BUILD_H
#define ARMPROF_DWARF_BUILD_H

#include "cursor.h"
#include "dwarf.h"

/* ---- Arrays and maps ---------------------------------------------------------------------------------------------- */

#define ARRAY(type)                                                                                                    \
    struct {                                                                                                           \
        type *items;                                                                                                   \
        size_t count, room;                                                                                            \
    }

/* Makes room for `more` items; false where memory is short. */
#define ARRAY_RESERVE(array, more)                                                                                     \
    ((array)->room - (array)->count >= (more) ||                                                                       \
     array_grow((void **)&(array)->items, &(array)->room, (array)->count + (more), sizeof *(array)->items))

bool array_grow(void **items, size_t *room, size_t wanted, size_t item_size);

/* From numbers to numbers, by open addressing. */
typedef struct map_slot {
    uint64_t key;
    uint32_t value; /* DWARF_NONE: the slot is free */
} map_slot;

typedef struct map {
    map_slot *slots;
    size_t count, room; /* room is a power of two, or 0 */
} map;

uint32_t map_get(const map *map, uint64_t key);
bool map_put(map *map, uint64_t key, uint32_t value); /* a key that is not there yet */

/* ---- What is read -------------------------------------------------------------------------------------------------- */

typedef struct attribute {
    uint16_t name, form;
    int64_t constant; /* of DW_FORM_implicit_const */
} attribute;

typedef struct abbreviation {
    uint64_t code;
    uint32_t first; /* of the table's attributes */
    uint16_t tag, count;
    bool children;
    bool has_code;              /* a function, or a call of one, that has instructions */
    bool fixed;                 /* all of its values have sizes known beforehand: */
    uint8_t offsets, addresses; /* so many of the size of an offset, and of an address, */
    uint32_t bytes;             /* and of those of the form alone, so many bytes */
} abbreviation;

typedef struct abbreviations {
    ARRAY(abbreviation) entries; /* by code */
    ARRAY(attribute) attributes;
} abbreviations;

typedef struct name_of_file {
    const char *name;
    uint64_t directory;
    uint32_t text; /* DWARF_NONE: nobody asked for it yet */
} name_of_file;

/* The header of a line program. */
typedef struct program {
    cursor opcodes;
    const char *unit_directory;
    ARRAY(const char *) directories;
    ARRAY(name_of_file) files;
    const uint8_t *lengths; /* of the standard opcodes */
    int8_t line_base;
    uint8_t version, least_instruction, line_range, first_special, address_size;
} program;

typedef struct unit {
    const struct source *source;
    uint64_t offset, end; /* in its section */
    uint64_t first;       /* its first entry */
    uint64_t low, addr_base, str_offsets_base, ranges_base;
    uint64_t id;          /* of a unit in two parts: the skeleton, and the split unit with its entries */
    uint32_t abbreviations; /* number of its table */
    uint32_t program;       /* number of its line program, or DWARF_NONE */
    uint8_t version, address_size, offset_size;
    bool has_id;
} unit;

/* One file, main, alternate or split, and its units. */
typedef struct source {
    dwarf_file sections;
    ARRAY(unit) units;    /* by offset */
    map tables;           /* where in .debug_abbrev -> number of the table */
    uint64_t first_place; /* of all places of entries, those of this file begin here */
    bool is_split;
} source;

typedef struct piece_of_scope {
    uint64_t start, end;
    uint32_t scope, depth;
} piece_of_scope;

typedef struct open_scope {
    uint32_t scope, depth;
} open_scope;

typedef struct sequence {
    uint64_t start, end;
    size_t first, count; /* of the rows */
} sequence;

typedef struct builder {
    source main, alternate;
    source *splits;
    size_t split_count;
    map split_at; /* id -> number of the split */
    const dwarf_span *code;
    size_t code_count;

    /* Units of work that are left: about one for a byte that is read. Honest sections need a few for each of their bytes. */
    uint64_t fuel;
    bool short_of_memory;

    ARRAY(abbreviations) tables;
    ARRAY(program) programs;
    map program_at; /* where in .debug_line -> number of the program */
    map name_at;    /* where an entry is -> its name */

    ARRAY(char) texts;
    ARRAY(uint64_t) text_starts;
    uint32_t *text_slots; /* by hash */
    size_t text_room;

    ARRAY(dwarf_row) rows;
    ARRAY(sequence) sequences;
    ARRAY(dwarf_scope) scopes;
    ARRAY(uint64_t) scope_origins; /* where the entry is that has the name of the scope, plus 1; 0 where it is known */
    ARRAY(piece_of_scope) pieces;
    ARRAY(open_scope) open; /* of the entries around the one that is read */
    ARRAY(dwarf_unit) units;
    ARRAY(dwarf_skeleton) skeletons;
} builder;

/* Takes so much of the work that is left; false where there is none: then all stops. */
static inline bool burn(builder *b, uint64_t work) {
    if (work > b->fuel) {
        b->fuel = 0;
        return false;
    }
    b->fuel -= work;
    return true;
}

static inline bool is_code(const builder *b, uint64_t address) {
    size_t low = 0, high = b->code_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (b->code[middle].end <= address)
            low = middle + 1;
        else
            high = middle;
    }
    return low < b->code_count && b->code[low].start <= address;
}

/* Begins with the units of all files, and ends with all memory that was not handed over. */
void builder_begin(builder *b, const dwarf_files *files);
void builder_end(builder *b);

/* Hands an array over. */
#define GIVE(index, name, count_name, array)                                                                           \
    ((index)->name = (array)->items, (index)->count_name = (array)->count, (array)->items = NULL, (array)->count = 0)

/* The number of a text, the same for the same text. */
uint32_t text_number(builder *b, const char *text, size_t size);

/* ---- The parts ----------------------------------------------------------------------------------------------------- */

/* abbreviations.c: the number of the table at an offset of .debug_abbrev, DWARF_NONE where there is none. */
uint32_t abbreviations_at(builder *b, source *from, uint64_t offset);
const abbreviation *abbreviation_of(const builder *b, const unit *u, uint64_t code);
const attribute *attributes_of(const builder *b, const unit *u, const abbreviation *a);

/* lines.c */
uint32_t program_at(builder *b, const unit *u, uint64_t offset, const char *unit_directory);
uint32_t program_file(builder *b, uint32_t program, uint64_t file); /* the text with the path of a file */

/* units.c: the headers of all units. */
void units_find(builder *b, source *from);
const unit *unit_at(const source *from, uint64_t offset);
unit *unit_with(source *from, uint64_t id); /* the first with that id; NULL where there is none */

/* entries.c: a unit's functions and inlined calls, and, once all are read, their names. */
void entries_walk(builder *b, unit *u);
void entries_name(builder *b);

/* sort.c: from what was gathered to tables by address. */
bool tables_make(builder *b, dwarf_index *index);

#endif
