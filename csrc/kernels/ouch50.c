#include "ouch50.h"

#include "big_endian.h"

#include <string.h>

/* How each kind of field is loaded and stored. */

#define INTEGER_KIND(kind, bits)                                                                             \
    static inline void load_##kind(ap_ouch_##kind *to, const uint8_t *from) {                                \
        *to = ap_load_be##bits(from);                                                                        \
    }                                                                                                        \
    static inline void store_##kind(uint8_t *to, const ap_ouch_##kind *from) {                               \
        ap_store_be##bits(to, *from);                                                                        \
    }
INTEGER_KIND(u32, 32)
INTEGER_KIND(price, 64)

#define TEXT_KIND(kind)                                                                                      \
    static inline void load_##kind(ap_ouch_##kind *to, const uint8_t *from) {                                \
        memcpy(to, from, sizeof *to);                                                                        \
    }                                                                                                        \
    static inline void store_##kind(uint8_t *to, const ap_ouch_##kind *from) {                               \
        memcpy(to, from, sizeof *from);                                                                      \
    }
TEXT_KIND(letter)
TEXT_KIND(text8)
TEXT_KIND(text14)

/* The fields of a message lie side by side, as itch50.c's do: a forgotten one stops the build. */
enum { bytes_letter = 1, bytes_text8 = 8, bytes_text14 = 14, bytes_u32 = 4, bytes_price = 8 };
#define BYTES(kind, name, offset) +bytes_##kind
#define CHECK_LENGTH(type, name, fields, length, appendage)                                                  \
    _Static_assert(1 fields(BYTES) + (appendage) == (length), #name ": fields and length disagree");         \
    _Static_assert((length) <= AP_OUCH_MAX_LENGTH, #name " is longer than AP_OUCH_MAX_LENGTH");
AP_OUCH_MESSAGES(CHECK_LENGTH)

#define LENGTH_OF_TYPE(type, name, fields, length, appendage) [type] = (length),
static const uint8_t lengths[256] = {AP_OUCH_MESSAGES(LENGTH_OF_TYPE)};

size_t ap_ouch_length(char type) {
    return lengths[(uint8_t)type];
}

size_t ap_ouch_encode(const ap_ouch_message *message, uint8_t *out) {
    size_t length = ap_ouch_length(message->type);
    if (length == 0)
        return 0;
    out[0] = (uint8_t)message->type;

#define STORE(kind, name, offset) store_##kind(out + (offset), &body->name);
#define ENCODE(letter, member, fields, length, appendage)                                                    \
    case letter: {                                                                                           \
        const ap_ouch_##member *body = &message->member;                                                     \
        fields(STORE) memset(out + (length) - (appendage), 0, (appendage));                                  \
        break;                                                                                               \
    }
    switch (message->type) { AP_OUCH_MESSAGES(ENCODE) }
    return length;
}

ap_ouch_status ap_ouch_decode(const uint8_t *data, size_t length, ap_ouch_message *message) {
    if (length == 0)
        return AP_OUCH_BAD_LENGTH;
    if (lengths[data[0]] != length)
        return lengths[data[0]] == 0 ? AP_OUCH_UNKNOWN_TYPE : AP_OUCH_BAD_LENGTH;

#define LOAD(kind, name, offset) load_##kind(&body->name, data + (offset));
#define DECODE(letter, member, fields, length, appendage)                                                    \
    case letter: {                                                                                           \
        if ((appendage) != 0 && ap_load_be16(data + (length) - (appendage)) != 0)                            \
            return AP_OUCH_OPTIONS;                                                                          \
        ap_ouch_##member *body = &message->member;                                                           \
        fields(LOAD) break;                                                                                  \
    }
    switch (data[0]) { AP_OUCH_MESSAGES(DECODE) }
    message->type = (char)data[0];
    return AP_OUCH_OK;
}
