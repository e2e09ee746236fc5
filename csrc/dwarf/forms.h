/* Values of attributes, by their form. */
#ifndef ARMPROF_DWARF_FORMS_H
#define ARMPROF_DWARF_FORMS_H

#include "build.h"
#include "constants.h"

typedef struct value {
    uint64_t number; /* what stands there: a constant, an address, an offset, an index */
    const char *text; /* of DW_FORM_string; of DW_FORM_exprloc its bytes, `number` of them */
    uint16_t form;    /* what it stands for; 0: nothing of use */
} value;

/* The size of a form's value in a unit. Of these, some are told by the form alone. */
enum { SIZE_ADDRESS = 100, SIZE_OFFSET, SIZE_VARIES, SIZE_UNKNOWN };
unsigned form_size(unsigned form);

void form_skip(cursor *c, const unit *u, const attribute *a);
value form_read(cursor *c, const unit *u, const attribute *a);

/* What a value means. NULL, or false, where it means no such thing. */
const char *value_text(builder *b, const unit *u, value v, size_t *size);
bool value_address(const unit *u, value v, uint64_t *address);
bool value_is_constant(value v);

/* Where the entry is that a value refers to; NULL: to none. */
const source *value_entry(const builder *b, const unit *u, value v, uint64_t *offset);

#endif
