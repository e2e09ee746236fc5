/* OUCH messages that are not what they should be. Every buffer is of exactly its size on the heap, so that
 * AddressSanitizer sees the first byte read or written beyond it. */
#include "ouch50.h"

#include <stdbool.h>
#include <string.h>

#include "check.h"
#include "generator.h"

static size_t spec_length(int type) {
    return type == 'O' ? 47 : type == 'U' ? 40 : type == 'X' ? 9 : 0;
}

/* Every type at every length from 0 to 60: only its own is taken, and not a byte of the others is read. */
static void each_type_has_one_length(void) {
    for (int type = 0; type < 256; type++) {
        size_t own = spec_length(type);
        CHECK_EQUAL(ap_ouch_length((char)type), own);
        for (size_t length = 0; length <= 60; length++) {
            uint8_t *data = calloc(1, length == 0 ? 1 : length);
            CHECK(data != NULL);
            data[0] = (uint8_t)type;
            ap_ouch_message message;
            memset(&message, 0x5a, sizeof message);
            ap_ouch_message before = message;
            ap_ouch_status status = ap_ouch_decode(data, length, &message);
            if (length == 0)
                CHECK_EQUAL(status, AP_OUCH_BAD_LENGTH);
            else if (own == 0)
                CHECK_EQUAL(status, AP_OUCH_UNKNOWN_TYPE);
            else
                CHECK_EQUAL(status, length == own ? AP_OUCH_OK : AP_OUCH_BAD_LENGTH);
            if (status != AP_OUCH_OK)
                CHECK(memcmp(&before, &message, sizeof message) == 0);
            free(data);
        }
    }
}

/* Random bytes of each type decode and encode back to the same bytes: no field is lost, none overlaps another. */
static void decoding_and_encoding_agree(void) {
    uint64_t random = 80, refused = 0;
    for (const char *type = "OUX"; *type != '\0'; type++) {
        size_t length = spec_length(*type);
        for (int i = 0; i < 50000; i++) {
            uint8_t *bytes = malloc(length), *back = malloc(AP_OUCH_MAX_LENGTH);
            CHECK(bytes != NULL && back != NULL);
            for (size_t at = 0; at < length; at++)
                bytes[at] = (uint8_t)ap_splitmix64(&random);
            bytes[0] = (uint8_t)*type;
            bool has_options = i % 8 == 0 && *type != 'X';
            if (!has_options && *type != 'X')
                bytes[length - 2] = bytes[length - 1] = 0;
            has_options = *type != 'X' && (bytes[length - 2] | bytes[length - 1]) != 0;
            ap_ouch_message message;
            ap_ouch_status status = ap_ouch_decode(bytes, length, &message);
            CHECK_EQUAL(status, has_options ? AP_OUCH_OPTIONS : AP_OUCH_OK);
            if (has_options) {
                refused++;
            } else {
                CHECK_EQUAL(ap_ouch_encode(&message, back), length);
                CHECK(memcmp(bytes, back, length) == 0);
            }
            free(bytes);
            free(back);
        }
    }
    CHECK(refused > 1000);
    ap_ouch_message unknown = {.type = '?'};
    uint8_t nothing[1] = {7};
    CHECK_EQUAL(ap_ouch_encode(&unknown, nothing), 0);
    CHECK_EQUAL(nothing[0], 7);
}

int main(void) {
    each_type_has_one_length();
    decoding_and_encoding_agree();
    return 0;
}
