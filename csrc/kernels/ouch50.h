/*
 * NASDAQ OUCH 5.0: the messages that a trader sends, encoded and decoded.
 *
 * Guarantees
 *   Complexity  O(1) a message: one jump, one store per field. No allocation, no system call, no state.
 *   Bytes       exactly those of the specification: integers big-endian, text as given, which the caller pads with
 *               spaces on the right. Prices are integers in units of 10^-4 dollars.
 *   Content     enter order, replace order and cancel order without optional fields: the appendage is empty, so that
 *               its length is 0 in the first two, and left out of the third.
 *   Bounds      the length is checked against the type before a field is read: no byte outside [data, data + size) is.
 *   Threads     functions share nothing.
 *   Errors      see ap_ouch_status. What an exchange thinks of a value is not checked here.
 *
 * The tables below are the specification, as itch50.h's are: one line per field with its offset. A session's framing,
 * SoupBinTCP, is the transport's.
 */
#ifndef AP_OUCH50_H
#define AP_OUCH50_H

#include <stddef.h>
#include <stdint.h>

/* Kinds of field. */
typedef char ap_ouch_letter;
typedef char ap_ouch_text8[8];
typedef char ap_ouch_text14[14];
typedef uint32_t ap_ouch_u32;
typedef uint64_t ap_ouch_price;

/* side: B buy, S sell, T sell short, E sell short exempt. time_in_force: 0 day, 3 immediate or cancel, 5 to the day's end
 * with extended hours, 6 until a time, E after hours. display: Y visible, N hidden, A attributed. capacity: A agency,
 * P principal, R riskless principal, O other. sweep: Y where it is an intermarket sweep, else N. cross_type: N continuous
 * market, O opening, C closing, H halt, S supplemental, R retail, E extended life, A after hours close. */
#define AP_OUCH_ENTER_ORDER(F)                                                                               \
    F(u32, user_reference, 1)                                                                                \
    F(letter, side, 5)                                                                                       \
    F(u32, quantity, 6)                                                                                      \
    F(text8, symbol, 10)                                                                                     \
    F(price, price, 18)                                                                                      \
    F(letter, time_in_force, 26)                                                                             \
    F(letter, display, 27)                                                                                   \
    F(letter, capacity, 28)                                                                                  \
    F(letter, sweep, 29)                                                                                     \
    F(letter, cross_type, 30)                                                                                \
    F(text14, client_order_id, 31)

/* quantity: what may be executed in all, with what was of the order, and of those that it replaced in turn. */
#define AP_OUCH_REPLACE_ORDER(F)                                                                             \
    F(u32, original_user_reference, 1)                                                                       \
    F(u32, user_reference, 5)                                                                                \
    F(u32, quantity, 9)                                                                                      \
    F(price, price, 13)                                                                                      \
    F(letter, time_in_force, 21)                                                                             \
    F(letter, display, 22)                                                                                   \
    F(letter, sweep, 23)                                                                                     \
    F(text14, client_order_id, 24)

/* quantity: what may be executed of the order in all; 0 to cancel it. */
#define AP_OUCH_CANCEL_ORDER(F) F(u32, user_reference, 1) F(u32, quantity, 5)

/* M(type, name, fields, length in bytes with the type, bytes of the appendage's length at its end) */
#define AP_OUCH_MESSAGES(M)                                                                                  \
    M('O', enter_order, AP_OUCH_ENTER_ORDER, 47, 2)                                                          \
    M('U', replace_order, AP_OUCH_REPLACE_ORDER, 40, 2)                                                      \
    M('X', cancel_order, AP_OUCH_CANCEL_ORDER, 9, 0)

#define AP_OUCH_MAX_LENGTH 47
#define AP_OUCH_MOST_QUANTITY 999999 /* the exchange takes no more */

#define AP_OUCH_FIELD(kind, name, offset) ap_ouch_##kind name;
#define AP_OUCH_STRUCT(type, name, fields, length, appendage)                                                \
    typedef struct {                                                                                         \
        fields(AP_OUCH_FIELD)                                                                                \
    } ap_ouch_##name;
AP_OUCH_MESSAGES(AP_OUCH_STRUCT)

/* One message: `type` says which member of the union it is. */
#define AP_OUCH_MEMBER(type, name, fields, length, appendage) ap_ouch_##name name;
typedef struct ap_ouch_message {
    char type;
    union {
        AP_OUCH_MESSAGES(AP_OUCH_MEMBER)
    };
} ap_ouch_message;
#undef AP_OUCH_MEMBER
#undef AP_OUCH_STRUCT
#undef AP_OUCH_FIELD

typedef enum ap_ouch_status {
    AP_OUCH_OK = 0,
    AP_OUCH_UNKNOWN_TYPE, /* the first byte is none of the types above */
    AP_OUCH_BAD_LENGTH,   /* the length is not the one of the type, or is 0 */
    AP_OUCH_OPTIONS,      /* an appendage is announced, for which there is no room in the length */
} ap_ouch_status;

/* Length of a message of this type in bytes; 0 for an unknown type. */
size_t ap_ouch_length(char type);

/* Writes the message to out, which has room for AP_OUCH_MAX_LENGTH bytes. Returns its length; 0 and nothing written for
 * an unknown type. */
size_t ap_ouch_encode(const ap_ouch_message *message, uint8_t *out);

/* Decodes one message of exactly `length` bytes. Where the status is not AP_OUCH_OK, *message is as it was. */
ap_ouch_status ap_ouch_decode(const uint8_t *data, size_t length, ap_ouch_message *message);

#endif
