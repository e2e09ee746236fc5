/* The debug information of one unit, written by hand, in DWARF 4 or 5: function `o` at 0x1000, 0x40 bytes, into which `inner`
 * is inlined at 0x1010 by line 7 of a.c; rows of a.c and b.h. */
#ifndef DWARF_SAMPLE_H
#define DWARF_SAMPLE_H

#include <string.h>

#include "dwarf.h"

typedef struct dwarf_sample {
    dwarf_file file;
    uint8_t info[104], line[128], skeleton[48];
} dwarf_sample;

static inline size_t sample_put(uint8_t *to, size_t at, const void *bytes, size_t size) {
    memcpy(to + at, bytes, size);
    return at + size;
}

static inline void dwarf_sample_make(dwarf_sample *sample, uint8_t version) {
    static const uint8_t abbreviations[] = {
        1, 0x11, 1, 0x03, 0x08, 0x1b, 0x08, 0x10, 0x17, 0x11, 0x01, 0x13, 0x0b, 0, 0, /* compile_unit */
        2, 0x2e, 0, 0x03, 0x0e, 0, 0,                                                 /* subprogram, of the name alone */
        3, 0x2e, 1, 0x6e, 0x08, 0x11, 0x01, 0x12, 0x06, 0, 0,                         /* subprogram */
        4, 0x1d, 0, 0x31, 0x13, 0x55, 0x17, 0x58, 0x0b, 0x59, 0x0b, 0, 0,             /* inlined_subroutine */
        0};
    static const uint8_t new_ranges[] = {20, 0, 0, 0, 5, 0, 8, 0, 0, 0, 0, 0, 4, 0x10, 0x20, 4, 0x30, 0x38, 0};
    static const uint8_t old_ranges[48] = {[0] = 0x10, [8] = 0x20, [16] = 0x30, [24] = 0x38};
    static const uint8_t names[] = "inner";
    static const uint8_t machine[] = {4, 1, 1, 0xfb, 14, 13, 0, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 1};
    static const uint8_t old_files[] = {'i', 0, 0, 'a', '.', 'c', 0, 0, 0, 0, 'b', '.', 'h', 0, 1, 0, 0, 0};
    static const uint8_t new_files[] = {1, 1,    0x08, 2,   '/', 'd', 0, 'i', 0,   2,   1, 0x08,
                                        2, 0x0b, 2,    'a', '.', 'c', 0, 0,   'b', '.', 'h', 0, 1};
    const bool new = version == 5;
    /* at 0x1000 line 1 of the file that is number 1; 4 instructions and 2 lines on; 4 on, in the other file; to 0x1040 */
    const uint8_t opcodes[] = {0, 9, 2, 0, 0x10, 0, 0, 0, 0, 0, 0, 1, 2, 4, 3, 2, 1, 4, (uint8_t)(new ? 0 : 2), 2, 4, 1, 2, 8, 0, 1, 1};
    const uint8_t entries[] = {
        1, 'a', '.', 'c', 0, '/', 'd', 0, 0, 0, 0, 0, 0, 0x10, 0, 0, 0, 0, 0, 0, 12,  /* compile_unit */
        2, 0, 0, 0, 0,                                                                /* subprogram inner */
        3, 'o', 0, 0, 0x10, 0, 0, 0, 0, 0, 0, 0x40, 0, 0, 0,                          /* subprogram o */
        4, (uint8_t)(new ? 33 : 32), 0, 0, 0, (uint8_t)(new ? 12 : 0), 0, 0, 0, (uint8_t)(new ? 0 : 1), 7, /* inlined */
        0, 0};
    const uint8_t unit_header[] = {0, 0, 0, 0, version, 0};
    size_t size = sample_put(sample->info, 0, unit_header, sizeof unit_header);
    size = new ? sample_put(sample->info, size, (const uint8_t[]){1, 8, 0, 0, 0, 0}, 6)
               : sample_put(sample->info, size, (const uint8_t[]){0, 0, 0, 0, 8}, 5);
    size = sample_put(sample->info, size, entries, sizeof entries);
    sample->info[0] = (uint8_t)(size - 4);
    sample->file = (dwarf_file){.info = {sample->info, size},
                                .abbrev = {abbreviations, sizeof abbreviations},
                                .str = {names, sizeof names},
                                .ranges = {old_ranges, sizeof old_ranges},
                                .rnglists = {new_ranges, sizeof new_ranges}};

    size = sample_put(sample->line, 0, unit_header, sizeof unit_header);
    if (new)
        size = sample_put(sample->line, size, (const uint8_t[]){8, 0}, 2);
    size_t header = sample_put(sample->line, size, (const uint8_t[]){0, 0, 0, 0}, 4);
    size = sample_put(sample->line, header, machine, sizeof machine);
    size = new ? sample_put(sample->line, size, new_files, sizeof new_files)
               : sample_put(sample->line, size, old_files, sizeof old_files);
    sample->line[header - 4] = (uint8_t)(size - header);
    size = sample_put(sample->line, size, opcodes, sizeof opcodes);
    sample->line[0] = (uint8_t)(size - 4);
    sample->file.line = (dwarf_section){sample->line, size};
}

/* The same in DWARF 5, the unit in two parts: what is left in the file, its lines, and what is kept elsewhere. */
static inline void dwarf_sample_split(dwarf_sample *sample, dwarf_file *main, dwarf_split *split) {
    enum { SPLIT_COMPILE = 5, ID_AT = 12, ID_SIZE = 8, ORIGIN_AT = 62 };
    static const uint8_t abbreviations[] = {1, 0x4a, 0, 0x76, 0x08, 0x1b, 0x08, 0x10, 0x17, 0x11, 0x01, 0, 0, 0};
    static const uint8_t skeleton[] = {37, 0,   0,   0, 5,   0, 4, 8, 0, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0,
                                       1,  's', 'p', 0, '/', 'd', 0, 0, 0, 0, 0, 0, 0x10, 0, 0, 0, 0, 0, 0, 0, 0};
    dwarf_sample_make(sample, 5);
    memmove(sample->info + ID_AT + ID_SIZE, sample->info + ID_AT, sample->file.info.size - ID_AT);
    memcpy(sample->info + ID_AT, skeleton + ID_AT, ID_SIZE);
    sample->info[0] += ID_SIZE;
    sample->info[6] = SPLIT_COMPILE;
    sample->info[ORIGIN_AT] += ID_SIZE; /* where the name of the inlined function is */
    sample->file.info.size += ID_SIZE;
    memcpy(sample->skeleton, skeleton, sizeof skeleton);
    *split = (dwarf_split){.file = sample->file, .id = 7};
    split->file.line = (dwarf_section){NULL, 0};
    *main = (dwarf_file){.info = {sample->skeleton, sizeof skeleton},
                         .abbrev = {abbreviations, sizeof abbreviations},
                         .line = sample->file.line};
}

#endif
