/* Texts of any bytes: names of events, which are found or not, and strings of the file of regions, which are JSON. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>

#include "input.h"
#include "output.h"

/* One string of JSON, in UTF-8 and without bytes that a terminal would act on. */
static void check_string(const char *text, size_t size) {
    CHECK(size >= 2 && text[0] == '"' && text[size - 1] == '"');
    for (size_t i = 1; i < size - 1; i++) {
        unsigned char c = (unsigned char)text[i];
        CHECK(c >= 0x20 && c != 0x7f && c != '"');
        if (c == '\\') {
            CHECK(i + 5 < size && text[i + 1] == 'u' && strspn(text + i + 2, "0123456789abcdef") >= 4);
            i += 5;
        } else if (c >= 0x80) {
            unsigned more = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : 1;
            CHECK(c >= 0xc2 && c <= 0xf4);
            for (; more > 0; more--)
                CHECK(((unsigned char)text[++i] & 0xc0) == 0x80);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *text = strndup((const char *)data, size);
    char *written = NULL;
    size_t length;
    CHECK(text != NULL);
    FILE *out = open_memstream(&written, &length);
    CHECK(out != NULL);
    armprof_write_string(out, text);
    CHECK(fclose(out) == 0);
    check_string(written, length);
    free(written);
    armprof_event event;
    int error = armprof_event_named(text, &event);
    CHECK(error == 0 || error == ENOENT);
    free(text);
    return 0;
}
