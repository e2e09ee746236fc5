#include "forms.h"

unsigned form_size(unsigned form) {
    switch (form) {
    case DW_FORM_flag_present:
    case DW_FORM_implicit_const:
        return 0;
    case DW_FORM_data1:
    case DW_FORM_flag:
    case DW_FORM_ref1:
    case DW_FORM_strx1:
    case DW_FORM_addrx1:
        return 1;
    case DW_FORM_data2:
    case DW_FORM_ref2:
    case DW_FORM_strx2:
    case DW_FORM_addrx2:
        return 2;
    case DW_FORM_strx3:
    case DW_FORM_addrx3:
        return 3;
    case DW_FORM_data4:
    case DW_FORM_ref4:
    case DW_FORM_ref_sup4:
    case DW_FORM_strx4:
    case DW_FORM_addrx4:
        return 4;
    case DW_FORM_data8:
    case DW_FORM_ref8:
    case DW_FORM_ref_sig8:
    case DW_FORM_ref_sup8:
        return 8;
    case DW_FORM_data16:
        return 16;
    case DW_FORM_addr:
        return SIZE_ADDRESS;
    case DW_FORM_strp:
    case DW_FORM_line_strp:
    case DW_FORM_strp_sup:
    case DW_FORM_sec_offset:
    case DW_FORM_ref_addr: /* in DWARF 2 of the size of an address */
    case DW_FORM_GNU_ref_alt:
    case DW_FORM_GNU_strp_alt:
        return SIZE_OFFSET;
    case DW_FORM_string:
    case DW_FORM_block:
    case DW_FORM_block1:
    case DW_FORM_block2:
    case DW_FORM_block4:
    case DW_FORM_exprloc:
    case DW_FORM_sdata:
    case DW_FORM_udata:
    case DW_FORM_ref_udata:
    case DW_FORM_indirect:
    case DW_FORM_strx:
    case DW_FORM_addrx:
    case DW_FORM_loclistx:
    case DW_FORM_rnglistx:
    case DW_FORM_GNU_addr_index:
    case DW_FORM_GNU_str_index:
        return SIZE_VARIES;
    default:
        return SIZE_UNKNOWN;
    }
}

static unsigned size_in(const unit *u, unsigned form) {
    unsigned size = form_size(form);
    if (size == SIZE_ADDRESS || (form == DW_FORM_ref_addr && u->version == 2))
        return u->address_size;
    return size == SIZE_OFFSET ? u->offset_size : size;
}

static value block(cursor *c, uint64_t size) {
    cursor part = cursor_part(c, size);
    return (value){.form = DW_FORM_exprloc, .text = (const char *)part.at, .number = cursor_left(&part)};
}

value form_read(cursor *c, const unit *u, const attribute *a) {
    value v = {.form = a->form};
    if (a->form == DW_FORM_indirect) {
        v.form = (uint16_t)cursor_uleb(c);
        if (v.form == DW_FORM_indirect || v.form == DW_FORM_implicit_const) {
            cursor_fail(c);
            return (value){0};
        }
    }
    unsigned size = size_in(u, v.form);
    if (size <= 8) {
        v.number = size == 0 ? (uint64_t)a->constant : cursor_value(c, size);
        return v;
    }
    switch (v.form) {
    case DW_FORM_string:
        v.text = cursor_text(c);
        return v;
    case DW_FORM_sdata:
        v.number = (uint64_t)cursor_sleb(c);
        return v;
    case DW_FORM_udata:
    case DW_FORM_ref_udata:
    case DW_FORM_strx:
    case DW_FORM_addrx:
    case DW_FORM_loclistx:
    case DW_FORM_rnglistx:
    case DW_FORM_GNU_addr_index:
    case DW_FORM_GNU_str_index:
        v.number = cursor_uleb(c);
        return v;
    case DW_FORM_data16:
        cursor_skip(c, 16);
        break;
    case DW_FORM_block1:
        return block(c, cursor_u8(c));
    case DW_FORM_block2:
        return block(c, cursor_value(c, 2));
    case DW_FORM_block4:
        return block(c, cursor_value(c, 4));
    case DW_FORM_block:
    case DW_FORM_exprloc:
        return block(c, cursor_uleb(c));
    default: /* of unknown size: nothing behind it can be read */
        cursor_fail(c);
    }
    return (value){0};
}

void form_skip(cursor *c, const unit *u, const attribute *a) {
    unsigned size = size_in(u, a->form);
    if (size <= 16)
        cursor_skip(c, size);
    else
        form_read(c, u, a);
}

static const char *text_in(dwarf_section section, uint64_t offset, size_t *size) {
    cursor c = cursor_of(section, offset);
    const char *text = cursor_text(&c);
    *size = c.failed ? 0 : (size_t)((const char *)c.at - text - 1);
    return c.failed ? NULL : text;
}

/* The value at an index of a table of them; false where it lies outside. */
static bool indexed(dwarf_section section, uint64_t base, uint64_t index, unsigned size, uint64_t *found) {
    if (index > section.size)
        return false;
    cursor c = cursor_of(section, base);
    cursor_skip(&c, index * size);
    *found = cursor_value(&c, size);
    return !c.failed;
}

const char *value_text(builder *b, const unit *u, value v, size_t *size) {
    const dwarf_file *file = &u->source->sections;
    uint64_t offset = v.number;
    const char *text = NULL;
    switch (v.form) {
    case DW_FORM_string:
        text = v.text;
        *size = text == NULL ? 0 : strlen(text);
        break;
    case DW_FORM_strp:
        text = text_in(file->str, offset, size);
        break;
    case DW_FORM_line_strp:
        text = text_in(file->line_str, offset, size);
        break;
    case DW_FORM_strp_sup:
    case DW_FORM_GNU_strp_alt:
        text = text_in(b->alternate.sections.str, offset, size);
        break;
    case DW_FORM_strx:
    case DW_FORM_strx1:
    case DW_FORM_strx2:
    case DW_FORM_strx3:
    case DW_FORM_strx4:
    case DW_FORM_GNU_str_index:
        if (indexed(file->str_offsets, u->str_offsets_base, v.number, u->offset_size, &offset))
            text = text_in(file->str, offset, size);
        break;
    default:
        break;
    }
    return text != NULL && burn(b, *size) ? text : NULL;
}

bool value_address(const unit *u, value v, uint64_t *address) {
    switch (v.form) {
    case DW_FORM_addr:
        *address = v.number;
        return true;
    case DW_FORM_addrx:
    case DW_FORM_addrx1:
    case DW_FORM_addrx2:
    case DW_FORM_addrx3:
    case DW_FORM_addrx4:
    case DW_FORM_GNU_addr_index:
        return indexed(u->source->sections.addr, u->addr_base, v.number, u->address_size, address);
    default:
        return false;
    }
}

bool value_is_constant(value v) {
    switch (v.form) {
    case DW_FORM_data1:
    case DW_FORM_data2:
    case DW_FORM_data4:
    case DW_FORM_data8:
    case DW_FORM_sdata:
    case DW_FORM_udata:
    case DW_FORM_implicit_const:
        return true;
    default:
        return false;
    }
}

const source *value_entry(const builder *b, const unit *u, value v, uint64_t *offset) {
    switch (v.form) {
    case DW_FORM_ref1:
    case DW_FORM_ref2:
    case DW_FORM_ref4:
    case DW_FORM_ref8:
    case DW_FORM_ref_udata:
        *offset = u->offset + v.number;
        return u->source;
    case DW_FORM_ref_addr:
        *offset = v.number;
        return u->source;
    case DW_FORM_GNU_ref_alt:
    case DW_FORM_ref_sup4:
    case DW_FORM_ref_sup8:
        *offset = v.number;
        return &b->alternate;
    default:
        return NULL;
    }
}
