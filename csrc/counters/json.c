#include "output.h"

/* The length of the UTF-8 character that begins here, 0 where none does: no byte of it is a surrogate's, of a longer form
 * than need be, or beyond U+10FFFF. */
static size_t character(const unsigned char *at) {
    static const struct {
        unsigned char first, last, least, most; /* of the first byte, and of the second */
        size_t length;
    } forms[] = {
        {0x01, 0x7f, 0x00, 0x00, 1}, {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
        {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
        {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
    };
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        if (at[0] < forms[i].first || at[0] > forms[i].last) {
            continue;
        }
        for (size_t more = 1; more < forms[i].length; more++) {
            unsigned char least = more == 1 ? forms[i].least : 0x80, most = more == 1 ? forms[i].most : 0xbf;
            if (at[more] < least || at[more] > most) { /* the NUL at the end, too */
                return 0;
            }
        }
        return forms[i].length;
    }
    return 0;
}

void armprof_write_string(FILE *out, const char *text) {
    fputc('"', out);
    for (const unsigned char *at = (const unsigned char *)text; *at;) {
        size_t length = character(at);
        if (length == 0) {
            fprintf(out, "\\udc%02x", *at++);
            continue;
        }
        if (*at < 0x20 || *at == 0x7f || *at == '"' || *at == '\\') {
            fprintf(out, "\\u%04x", *at);
        } else {
            fwrite(at, 1, length, out);
        }
        at += length;
    }
    fputc('"', out);
}
