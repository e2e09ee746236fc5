/* An entry, and what is read of it. */
#ifndef ARMPROF_DWARF_ENTRY_H
#define ARMPROF_DWARF_ENTRY_H

#include "forms.h"

typedef struct entry {
    value low, high, ranges, name, linkage_name, origin, call_file, call_line;
    value lines, directory, producer, language, split_name;
    value type, bytes, offset, bits, bit_offset, alignment, file, line, declaration, external, count, upper, location;
} entry;

entry entry_read(const builder *b, const unit *u, const abbreviation *a, cursor *c);
void entry_skip(const builder *b, const unit *u, const abbreviation *a, cursor *c);

/* The number of a text that is an attribute's value, DWARF_NONE where it is none. */
uint32_t entry_text(builder *b, const unit *u, value v);

/* From a place within a unit to the unit's end. */
cursor entry_at(const unit *u, uint64_t offset);

/* The place of an entry among those of all files, as one number; of the entry that a value refers to, 0 where it is none. */
static inline uint64_t place_of(const source *from, uint64_t offset) { return from->first_place + offset; }
uint64_t entry_place(const builder *b, const unit *u, value v);

/* The entry at such a place, with its unit and a cursor behind its code. NULL where there is none. */
const abbreviation *entry_find(const builder *b, uint64_t place, const unit **u, cursor *c);

/* Finds, and once runs, the line program that a unit's first entry names. */
void entry_program(builder *b, unit *u, const entry *first);

/* The bases that a unit's indexes count from, and its id: of its first entry. */
void entry_bases(const builder *b, unit *u);

/* The unit that has the entries of this one, whose first entry was read: itself, or the split unit of a skeleton. */
unit *entry_owner(builder *b, unit *u);

#endif
