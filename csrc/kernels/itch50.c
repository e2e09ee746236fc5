#include "itch50.h"

#include "big_endian.h"

#include <string.h>

/* How each kind of field is loaded and stored. */

#define INTEGER_KIND(kind, bits)                                                                             \
    static inline void load_##kind(ap_itch_##kind *to, const uint8_t *from) {                                \
        *to = ap_load_be##bits(from);                                                                        \
    }                                                                                                        \
    static inline void store_##kind(uint8_t *to, const ap_itch_##kind *from) {                               \
        ap_store_be##bits(to, *from);                                                                        \
    }
INTEGER_KIND(u16, 16)
INTEGER_KIND(u32, 32)
INTEGER_KIND(u48, 48)
INTEGER_KIND(u64, 64)
INTEGER_KIND(price4, 32)
INTEGER_KIND(price8, 64)

#define TEXT_KIND(kind)                                                                                      \
    static inline void load_##kind(ap_itch_##kind *to, const uint8_t *from) {                                \
        memcpy(to, from, sizeof *to);                                                                        \
    }                                                                                                        \
    static inline void store_##kind(uint8_t *to, const ap_itch_##kind *from) {                               \
        memcpy(to, from, sizeof *from);                                                                      \
    }
TEXT_KIND(letter)
TEXT_KIND(text2)
TEXT_KIND(text4)
TEXT_KIND(text8)

/* The fields of a message lie side by side, so their sizes and the header's add up to the length: a wrong length or a
 * forgotten field in a table stops the build here. Offsets are what the tests' independent decoders check. */
enum {
    bytes_letter = 1,
    bytes_text2 = 2,
    bytes_text4 = 4,
    bytes_text8 = 8,
    bytes_u16 = 2,
    bytes_u32 = 4,
    bytes_u48 = 6,
    bytes_u64 = 8,
    bytes_price4 = 4,
    bytes_price8 = 8,
};
#define BYTES(kind, name, offset) +bytes_##kind
#define CHECK_LENGTH(type, name, fields, length)                                                             \
    _Static_assert(1 AP_ITCH_HEADER(BYTES) fields(BYTES) == (length), #name ": fields and length disagree");\
    _Static_assert((length) <= AP_ITCH_MAX_LENGTH, #name " is longer than AP_ITCH_MAX_LENGTH");
AP_ITCH_MESSAGES(CHECK_LENGTH)

#define LENGTH_OF_TYPE(type, name, fields, length) [type] = (length),
static const uint8_t lengths[256] = {AP_ITCH_MESSAGES(LENGTH_OF_TYPE)};

size_t ap_itch_length(char type) {
    return lengths[(uint8_t)type];
}

ap_itch_status ap_itch_decode(const uint8_t *payload, size_t length, ap_itch_message *message) {
    if (length == 0)
        return AP_ITCH_BAD_LENGTH;
    if (lengths[payload[0]] != length)
        return lengths[payload[0]] == 0 ? AP_ITCH_UNKNOWN_TYPE : AP_ITCH_BAD_LENGTH;

#define LOAD_HEADER(kind, name, offset) load_##kind(&message->name, payload + (offset));
    AP_ITCH_HEADER(LOAD_HEADER)
    message->type = (char)payload[0];

#define LOAD(kind, name, offset) load_##kind(&body->name, payload + (offset));
#define DECODE(letter, member, fields, length)                                                               \
    case letter: {                                                                                           \
        ap_itch_##member *body = &message->member;                                                           \
        fields(LOAD) break;                                                                                  \
    }
    switch (payload[0]) { AP_ITCH_MESSAGES(DECODE) }
    return AP_ITCH_OK;
}

size_t ap_itch_encode(const ap_itch_message *message, uint8_t *out) {
    size_t length = ap_itch_length(message->type);
    if (length == 0)
        return 0;

#define STORE_HEADER(kind, name, offset) store_##kind(out + (offset), &message->name);
    AP_ITCH_HEADER(STORE_HEADER)
    out[0] = (uint8_t)message->type;

#define STORE(kind, name, offset) store_##kind(out + (offset), &body->name);
#define ENCODE(letter, member, fields, length)                                                               \
    case letter: {                                                                                           \
        const ap_itch_##member *body = &message->member;                                                     \
        fields(STORE) break;                                                                                 \
    }
    switch (message->type) { AP_ITCH_MESSAGES(ENCODE) }
    return length;
}

void ap_itch_reader_init(ap_itch_reader *reader, const uint8_t *data, size_t size, ap_itch_framing framing) {
    *reader = (ap_itch_reader){.data = data, .size = size, .framing = framing};
}

/* The last frame that can be told: counts it and leaves nothing behind it. */
static ap_itch_status stop(ap_itch_reader *reader, ap_itch_status status) {
    reader->counts[status]++;
    reader->size = reader->position;
    return status;
}

ap_itch_status ap_itch_next(ap_itch_reader *reader, ap_itch_message *message) {
    size_t left = reader->size - reader->position;
    if (left == 0)
        return AP_ITCH_END;

    const uint8_t *payload = reader->data + reader->position;
    size_t length;
    if (reader->framing == AP_ITCH_RAW) {
        length = lengths[payload[0]];
        if (length == 0)
            return stop(reader, AP_ITCH_UNKNOWN_TYPE);
    } else {
        if (left < AP_ITCH_FRAME_HEADER)
            return stop(reader, AP_ITCH_TRUNCATED);
        length = ap_load_be16(payload);
        payload += AP_ITCH_FRAME_HEADER;
        left -= AP_ITCH_FRAME_HEADER;
    }
    if (length > left)
        return stop(reader, AP_ITCH_TRUNCATED);

    reader->position = (size_t)(payload - reader->data) + length;
    ap_itch_status status = ap_itch_decode(payload, length, message);
    reader->counts[status]++;
    return status;
}

void ap_itch_drain(ap_itch_reader *reader) {
    ap_itch_message message;
    while (ap_itch_next(reader, &message) != AP_ITCH_END) {
    }
}
