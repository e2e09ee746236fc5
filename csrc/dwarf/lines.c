/* Line programs: which line of source each instruction was made from. */
#include "forms.h"

#include <stdlib.h>

enum { LONGEST_PATH = 4096 };

/* ---- The header ---------------------------------------------------------------------------------------------------- */

typedef struct format {
    uint64_t kind;
    attribute form;
} format;

static size_t read_formats(cursor *c, format *formats) {
    size_t count = cursor_u8(c);
    for (size_t i = 0; i < count; i++) {
        formats[i] = (format){cursor_uleb(c), {.form = (uint16_t)cursor_uleb(c)}};
        if (form_size(formats[i].form.form) == 0 || formats[i].form.form == DW_FORM_indirect)
            cursor_fail(c); /* entries without a size could be any number */
    }
    return c->failed ? 0 : count;
}

/* A table of directories or files of DWARF 5. */
static void read_table(builder *b, cursor *c, const unit *u, program *p, bool files) {
    format formats[UINT8_MAX];
    size_t format_count = read_formats(c, formats), unused;
    uint64_t count = cursor_uleb(c);
    for (uint64_t i = 0; format_count > 0 && i < count && !c->failed && burn(b, format_count); i++) {
        name_of_file entry = {.name = "", .text = DWARF_NONE};
        for (size_t n = 0; n < format_count; n++) {
            value v = form_read(c, u, &formats[n].form);
            if (formats[n].kind == DW_LNCT_path) {
                const char *text = value_text(b, u, v, &unused);
                entry.name = text == NULL ? "" : text;
            } else if (formats[n].kind == DW_LNCT_directory_index) {
                entry.directory = v.number;
            }
        }
        if (c->failed || !ARRAY_RESERVE(&p->files, 1) || !ARRAY_RESERVE(&p->directories, 1))
            return;
        if (files)
            p->files.items[p->files.count++] = entry;
        else
            p->directories.items[p->directories.count++] = entry.name;
    }
}

/* The tables before DWARF 5, where 0 is the directory of the unit, and no file. */
static void read_old_tables(cursor *c, program *p) {
    if (!ARRAY_RESERVE(&p->directories, 1) || !ARRAY_RESERVE(&p->files, 1))
        return;
    p->directories.items[p->directories.count++] = "";
    p->files.items[p->files.count++] = (name_of_file){.name = "", .text = DWARF_NONE};
    for (const char *name = cursor_text(c); *name != 0; name = cursor_text(c)) {
        if (!ARRAY_RESERVE(&p->directories, 1))
            return;
        p->directories.items[p->directories.count++] = name;
    }
    for (const char *name = cursor_text(c); *name != 0; name = cursor_text(c)) {
        name_of_file entry = {.name = name, .directory = cursor_uleb(c), .text = DWARF_NONE};
        cursor_uleb(c); /* when it was changed */
        cursor_uleb(c); /* its size */
        if (!ARRAY_RESERVE(&p->files, 1))
            return;
        p->files.items[p->files.count++] = entry;
    }
}

static bool read_header(builder *b, const unit *u, uint64_t offset, program *p) {
    unit own = *u; /* with the sizes of this header */
    cursor c = cursor_of(u->source->sections.line, offset);
    uint64_t length = cursor_value(&c, 4);
    own.offset_size = 4;
    if (length == 0xffffffff) {
        length = cursor_u64(&c);
        own.offset_size = 8;
    }
    cursor body = cursor_part(&c, length);
    uint16_t version = cursor_u16(&body);
    if (body.failed || version < 2 || version > 5)
        return false;
    p->version = (uint8_t)version;
    p->address_size = u->address_size;
    if (version == 5) {
        p->address_size = cursor_u8(&body);
        cursor_u8(&body); /* size of a segment selector */
    }
    uint64_t header = cursor_value(&body, own.offset_size);
    p->opcodes = body;
    cursor_skip(&p->opcodes, header);
    body.end = p->opcodes.at;
    p->least_instruction = cursor_u8(&body);
    if (version >= 4)
        cursor_u8(&body); /* operations in one instruction: of VLIW machines */
    cursor_u8(&body);     /* whether rows begin as statements */
    p->line_base = (int8_t)cursor_u8(&body);
    p->line_range = cursor_u8(&body);
    p->first_special = cursor_u8(&body);
    p->lengths = body.at;
    cursor_skip(&body, p->first_special == 0 ? 0 : p->first_special - 1u);
    if (body.failed || p->opcodes.failed || p->line_range == 0 || p->first_special == 0 || p->address_size != 8)
        return false;
    const uint8_t *tables = body.at;
    if (version == 5) {
        read_table(b, &body, &own, p, false);
        read_table(b, &body, &own, p, true);
    } else {
        read_old_tables(&body, p);
    }
    return burn(b, (uint64_t)(body.at - tables));
}

/* ---- Paths --------------------------------------------------------------------------------------------------------- */

static size_t append(char *path, size_t size, const char *part) {
    size_t more = strlen(part);
    if (size > 0 && more > 0 && path[size - 1] != '/' && size < LONGEST_PATH)
        path[size++] = '/';
    if (more > LONGEST_PATH - size)
        more = LONGEST_PATH - size;
    memcpy(path + size, part, more);
    return size + more;
}

uint32_t program_file(builder *b, uint32_t number, uint64_t file) {
    if (number == DWARF_NONE || file >= b->programs.items[number].files.count)
        return DWARF_NONE;
    program *p = &b->programs.items[number];
    name_of_file *found = &p->files.items[file];
    if (found->text != DWARF_NONE || *found->name == 0)
        return found->text;
    const char *parts[3] = {found->name, "", p->unit_directory};
    if (p->version == 5 && p->directories.count > 0)
        parts[2] = p->directories.items[0];
    if (found->directory > 0 && found->directory < p->directories.count) /* 0: the unit's */
        parts[1] = p->directories.items[found->directory];
    /* each part is within the one after it, up to the first that begins at the root */
    size_t part = 0, size = 0;
    while (part < 2 && *parts[part] != '/')
        part++;
    char path[LONGEST_PATH];
    for (;; part--) {
        size = append(path, size, parts[part]);
        if (part == 0)
            break;
    }
    found->text = text_number(b, path, size);
    return found->text;
}

/* ---- The program --------------------------------------------------------------------------------------------------- */

typedef struct machine {
    uint64_t address, line, file;
    size_t first; /* row of the sequence */
} machine;

static void add_row(builder *b, uint32_t number, const machine *m) {
    if (!burn(b, sizeof(dwarf_row)))
        return;
    dwarf_row row = {m->address, program_file(b, number, m->file), m->line > UINT32_MAX ? 0 : (uint32_t)m->line};
    if (b->rows.count > m->first) {
        dwarf_row *last = &b->rows.items[b->rows.count - 1];
        if (row.address < last->address) /* addresses only grow within a sequence */
            return;
        if (row.address == last->address) { /* the rows before the last of an address are of no instruction */
            b->rows.count--;
            last--;
        }
        if (b->rows.count > m->first && last->file == row.file && last->line == row.line)
            return;
    }
    if (!ARRAY_RESERVE(&b->rows, 1)) {
        b->short_of_memory = true;
        return;
    }
    b->rows.items[b->rows.count++] = row;
}

static void end_sequence(builder *b, machine *m) {
    size_t count = b->rows.count - m->first;
    uint64_t start = count > 0 ? b->rows.items[m->first].address : 0;
    if (count > 0 && start < m->address && is_code(b, start) && ARRAY_RESERVE(&b->sequences, 1))
        b->sequences.items[b->sequences.count++] = (sequence){start, m->address, m->first, count};
    else
        b->rows.count = m->first;
    *m = (machine){.line = 1, .file = 1, .first = b->rows.count};
}

static void extended(builder *b, program *p, machine *m) {
    uint64_t size = cursor_uleb(&p->opcodes);
    cursor body = cursor_part(&p->opcodes, size);
    switch (cursor_u8(&body)) {
    case DW_LNE_end_sequence:
        end_sequence(b, m);
        break;
    case DW_LNE_set_address:
        if (cursor_left(&body) == 8)
            m->address = cursor_u64(&body);
        else
            cursor_fail(&p->opcodes);
        break;
    default: /* files defined on the way, discriminators, a vendor's own */
        break;
    }
}

static void standard(builder *b, uint32_t number, program *p, machine *m, uint8_t opcode) {
    cursor *c = &p->opcodes;
    switch (opcode) {
    case DW_LNS_copy:
        add_row(b, number, m);
        break;
    case DW_LNS_advance_pc:
        m->address += cursor_uleb(c) * p->least_instruction;
        break;
    case DW_LNS_advance_line:
        m->line += (uint64_t)cursor_sleb(c);
        break;
    case DW_LNS_set_file:
        m->file = cursor_uleb(c);
        break;
    case DW_LNS_const_add_pc:
        m->address += (uint64_t)((255 - p->first_special) / p->line_range) * p->least_instruction;
        break;
    case DW_LNS_fixed_advance_pc:
        m->address += cursor_u16(c);
        break;
    default: /* columns, statements, blocks, prologues, and what later versions add */
        for (uint8_t i = 0; i < p->lengths[opcode - 1]; i++)
            cursor_uleb(c);
    }
}

static void run(builder *b, uint32_t number) {
    program p = b->programs.items[number]; /* a copy: program_file() makes paths in the kept one */
    machine m = {.line = 1, .file = 1, .first = b->rows.count};
    while (cursor_left(&p.opcodes) > 0 && burn(b, 1) && !b->short_of_memory) {
        uint8_t opcode = cursor_u8(&p.opcodes);
        if (opcode >= p.first_special) {
            unsigned step = opcode - p.first_special;
            m.address += (uint64_t)(step / p.line_range) * p.least_instruction;
            m.line += (uint64_t)(int64_t)(p.line_base + (int)(step % p.line_range));
            add_row(b, number, &m);
        } else if (opcode == 0) {
            extended(b, &p, &m);
        } else {
            standard(b, number, &p, &m, opcode);
        }
    }
    b->rows.count = m.first; /* a sequence without an end is none */
}

uint32_t program_at(builder *b, const unit *u, uint64_t offset, const char *unit_directory) {
    uint32_t number = map_get(&b->program_at, offset);
    if (number != DWARF_NONE || offset >= u->source->sections.line.size)
        return number;
    program made = {.unit_directory = unit_directory};
    bool good = read_header(b, u, offset, &made);
    number = (uint32_t)b->programs.count;
    if (!good || !ARRAY_RESERVE(&b->programs, 1) || !map_put(&b->program_at, offset, number)) {
        free(made.directories.items);
        free(made.files.items);
        return DWARF_NONE;
    }
    b->programs.items[b->programs.count++] = made;
    run(b, number);
    return number;
}
