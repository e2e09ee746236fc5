/*
 * NASDAQ TotalView-ITCH 5.0: every message type of the specification, decoded and encoded.
 *
 * Guarantees
 *   Complexity  O(1) a message: one table look-up for the length, one jump, one load per field. No allocation, no
 *               system call, no state but the caller's.
 *   Bounds      the length is checked against the type before a field is read, and the frame against the buffer before
 *               its length is believed: no byte outside [data, data + size) is read, whatever the bytes are.
 *   Values      integers in the machine's byte order. Timestamps are nanoseconds since midnight. Prices are integers
 *               in units of 10^-4 (ap_itch_price4) or 10^-8 dollars (ap_itch_price8). Text keeps its padding of spaces.
 *   Threads     functions share nothing; one reader belongs to one thread at a time.
 *   Errors      a bad frame is counted by its kind and the reader goes on at the next one. See ap_itch_status.
 *
 * The tables below are the specification: one line per field with its offset from the first byte of the message. The
 * structures, the decoder and the encoder are made from them.
 */
#ifndef AP_ITCH50_H
#define AP_ITCH50_H

#include <stddef.h>
#include <stdint.h>

/* Kinds of field. */
typedef char ap_itch_letter;
typedef char ap_itch_text2[2];
typedef char ap_itch_text4[4];
typedef char ap_itch_text8[8];
typedef uint16_t ap_itch_u16;
typedef uint32_t ap_itch_u32;
typedef uint64_t ap_itch_u48; /* six bytes on the wire */
typedef uint64_t ap_itch_u64;
typedef uint32_t ap_itch_price4;
typedef uint64_t ap_itch_price8;

/* Every message starts with these, after its type at offset 0. */
#define AP_ITCH_HEADER(F) F(u16, stock_locate, 1) F(u16, tracking_number, 3) F(u48, timestamp, 5)

#define AP_ITCH_SYSTEM_EVENT(F) F(letter, event_code, 11)

#define AP_ITCH_STOCK_DIRECTORY(F)                                                                           \
    F(text8, stock, 11)                                                                                      \
    F(letter, market_category, 19)                                                                           \
    F(letter, financial_status, 20)                                                                          \
    F(u32, round_lot_size, 21)                                                                               \
    F(letter, round_lots_only, 25)                                                                           \
    F(letter, issue_classification, 26)                                                                      \
    F(text2, issue_subtype, 27)                                                                              \
    F(letter, authenticity, 29)                                                                              \
    F(letter, short_sale_threshold, 30)                                                                      \
    F(letter, ipo_flag, 31)                                                                                  \
    F(letter, luld_price_tier, 32)                                                                           \
    F(letter, etp_flag, 33)                                                                                  \
    F(u32, etp_leverage, 34)                                                                                 \
    F(letter, inverse, 38)

#define AP_ITCH_TRADING_ACTION(F)                                                                            \
    F(text8, stock, 11) F(letter, trading_state, 19) F(letter, reserved, 20) F(text4, reason, 21)

#define AP_ITCH_REG_SHO(F) F(text8, stock, 11) F(letter, action, 19)

#define AP_ITCH_PARTICIPANT_POSITION(F)                                                                      \
    F(text4, participant, 11)                                                                                \
    F(text8, stock, 15)                                                                                      \
    F(letter, primary_market_maker, 23)                                                                      \
    F(letter, market_maker_mode, 24)                                                                         \
    F(letter, participant_state, 25)

#define AP_ITCH_MWCB_DECLINE_LEVELS(F) F(price8, level1, 11) F(price8, level2, 19) F(price8, level3, 27)

#define AP_ITCH_MWCB_STATUS(F) F(letter, breached_level, 11)

#define AP_ITCH_QUOTING_PERIOD(F)                                                                            \
    F(text8, stock, 11) F(u32, release_time_s, 19) F(letter, release_qualifier, 23) F(price4, price, 24)

#define AP_ITCH_LULD_COLLAR(F)                                                                               \
    F(text8, stock, 11)                                                                                      \
    F(price4, reference_price, 19)                                                                           \
    F(price4, upper_price, 23)                                                                               \
    F(price4, lower_price, 27)                                                                               \
    F(u32, extension, 31)

#define AP_ITCH_OPERATIONAL_HALT(F) F(text8, stock, 11) F(letter, market_code, 19) F(letter, action, 20)

#define AP_ITCH_ADD_ORDER(F)                                                                                 \
    F(u64, reference, 11) F(letter, side, 19) F(u32, shares, 20) F(text8, stock, 24) F(price4, price, 32)

#define AP_ITCH_ADD_ORDER_ATTRIBUTED(F) AP_ITCH_ADD_ORDER(F) F(text4, attribution, 36)

#define AP_ITCH_ORDER_EXECUTED(F) F(u64, reference, 11) F(u32, shares, 19) F(u64, match_number, 23)

#define AP_ITCH_ORDER_EXECUTED_AT_PRICE(F) AP_ITCH_ORDER_EXECUTED(F) F(letter, printable, 31) F(price4, price, 32)

#define AP_ITCH_ORDER_CANCEL(F) F(u64, reference, 11) F(u32, shares, 19)

#define AP_ITCH_ORDER_DELETE(F) F(u64, reference, 11)

#define AP_ITCH_ORDER_REPLACE(F)                                                                             \
    F(u64, reference, 11) F(u64, new_reference, 19) F(u32, shares, 27) F(price4, price, 31)

#define AP_ITCH_TRADE(F) AP_ITCH_ADD_ORDER(F) F(u64, match_number, 36)

#define AP_ITCH_CROSS_TRADE(F)                                                                               \
    F(u64, shares, 11)                                                                                       \
    F(text8, stock, 19)                                                                                      \
    F(price4, price, 27)                                                                                     \
    F(u64, match_number, 31)                                                                                 \
    F(letter, cross_type, 39)

#define AP_ITCH_BROKEN_TRADE(F) F(u64, match_number, 11)

#define AP_ITCH_ORDER_IMBALANCE(F)                                                                           \
    F(u64, paired_shares, 11)                                                                                \
    F(u64, imbalance_shares, 19)                                                                             \
    F(letter, direction, 27)                                                                                 \
    F(text8, stock, 28)                                                                                      \
    F(price4, far_price, 36)                                                                                 \
    F(price4, near_price, 40)                                                                                \
    F(price4, reference_price, 44)                                                                           \
    F(letter, cross_type, 48)                                                                                \
    F(letter, price_variation, 49)

#define AP_ITCH_RETAIL_INTEREST(F) F(text8, stock, 11) F(letter, interest, 19)

#define AP_ITCH_DIRECT_LISTING(F)                                                                            \
    F(text8, stock, 11)                                                                                      \
    F(letter, open_eligibility, 19)                                                                          \
    F(price4, minimum_price, 20)                                                                             \
    F(price4, maximum_price, 24)                                                                             \
    F(price4, near_execution_price, 28)                                                                      \
    F(u64, near_execution_time, 32)                                                                          \
    F(price4, lower_collar, 40)                                                                              \
    F(price4, upper_collar, 44)

/* M(type, name, fields, length in bytes with the type) */
#define AP_ITCH_MESSAGES(M)                                                                                  \
    M('S', system_event, AP_ITCH_SYSTEM_EVENT, 12)                                                           \
    M('R', stock_directory, AP_ITCH_STOCK_DIRECTORY, 39)                                                     \
    M('H', trading_action, AP_ITCH_TRADING_ACTION, 25)                                                       \
    M('Y', reg_sho, AP_ITCH_REG_SHO, 20)                                                                     \
    M('L', participant_position, AP_ITCH_PARTICIPANT_POSITION, 26)                                           \
    M('V', mwcb_decline_levels, AP_ITCH_MWCB_DECLINE_LEVELS, 35)                                             \
    M('W', mwcb_status, AP_ITCH_MWCB_STATUS, 12)                                                             \
    M('K', quoting_period, AP_ITCH_QUOTING_PERIOD, 28)                                                       \
    M('J', luld_collar, AP_ITCH_LULD_COLLAR, 35)                                                             \
    M('h', operational_halt, AP_ITCH_OPERATIONAL_HALT, 21)                                                   \
    M('A', add_order, AP_ITCH_ADD_ORDER, 36)                                                                 \
    M('F', add_order_attributed, AP_ITCH_ADD_ORDER_ATTRIBUTED, 40)                                           \
    M('E', order_executed, AP_ITCH_ORDER_EXECUTED, 31)                                                       \
    M('C', order_executed_at_price, AP_ITCH_ORDER_EXECUTED_AT_PRICE, 36)                                     \
    M('X', order_cancel, AP_ITCH_ORDER_CANCEL, 23)                                                           \
    M('D', order_delete, AP_ITCH_ORDER_DELETE, 19)                                                           \
    M('U', order_replace, AP_ITCH_ORDER_REPLACE, 35)                                                         \
    M('P', trade, AP_ITCH_TRADE, 44)                                                                         \
    M('Q', cross_trade, AP_ITCH_CROSS_TRADE, 40)                                                             \
    M('B', broken_trade, AP_ITCH_BROKEN_TRADE, 19)                                                           \
    M('I', order_imbalance, AP_ITCH_ORDER_IMBALANCE, 50)                                                     \
    M('N', retail_interest, AP_ITCH_RETAIL_INTEREST, 20)                                                     \
    M('O', direct_listing, AP_ITCH_DIRECT_LISTING, 48)

#define AP_ITCH_MAX_LENGTH 50
#define AP_ITCH_FRAME_HEADER 2 /* BinaryFILE: the length, big-endian */

#define AP_ITCH_FIELD(kind, name, offset) ap_itch_##kind name;
#define AP_ITCH_STRUCT(type, name, fields, length)                                                           \
    typedef struct {                                                                                         \
        fields(AP_ITCH_FIELD)                                                                                \
    } ap_itch_##name;
AP_ITCH_MESSAGES(AP_ITCH_STRUCT)

/* One decoded message: `type` says which member of the union it is. */
#define AP_ITCH_MEMBER(type, name, fields, length) ap_itch_##name name;
typedef struct ap_itch_message {
    char type;
    AP_ITCH_HEADER(AP_ITCH_FIELD)
    union {
        AP_ITCH_MESSAGES(AP_ITCH_MEMBER)
    };
} ap_itch_message;
#undef AP_ITCH_MEMBER
#undef AP_ITCH_STRUCT
#undef AP_ITCH_FIELD

typedef enum ap_itch_status {
    AP_ITCH_OK = 0,
    AP_ITCH_UNKNOWN_TYPE, /* the first byte is no message type of the specification */
    AP_ITCH_BAD_LENGTH,   /* the length is not the one of the type, or is 0 */
    AP_ITCH_TRUNCATED,    /* the buffer ends inside the frame */
    AP_ITCH_END,          /* nothing is left */
} ap_itch_status;

typedef enum ap_itch_framing {
    AP_ITCH_BINARYFILE = 0, /* each message behind its length, as NASDAQ's files and MoldUDP64 packets have it */
    AP_ITCH_RAW,            /* message behind message; the type says the length */
} ap_itch_framing;

/* Length of a message of this type in bytes; 0 for an unknown type. */
size_t ap_itch_length(char type);

/* Decodes one message of exactly `length` bytes. Where the status is not AP_ITCH_OK, *message is as it was. */
ap_itch_status ap_itch_decode(const uint8_t *payload, size_t length, ap_itch_message *message);

/* Writes the message without a frame to out, which has room for AP_ITCH_MAX_LENGTH bytes. Returns its length; 0 and
 * nothing written for an unknown type. */
size_t ap_itch_encode(const ap_itch_message *message, uint8_t *out);

/* Walks over a buffer of frames. `counts` says how many frames ended in each status but AP_ITCH_END. */
typedef struct ap_itch_reader {
    const uint8_t *data;
    size_t size;
    size_t position; /* start of the next frame; after AP_ITCH_TRUNCATED the start of the unfinished one */
    ap_itch_framing framing;
    uint64_t counts[AP_ITCH_END];
} ap_itch_reader;

void ap_itch_reader_init(ap_itch_reader *reader, const uint8_t *data, size_t size, ap_itch_framing framing);

/*
 * Takes the next frame. *message is valid where AP_ITCH_OK is returned, and as it was otherwise.
 * AP_ITCH_TRUNCATED is the last before AP_ITCH_END. So is AP_ITCH_UNKNOWN_TYPE in raw framing, where nothing says how
 * long the unknown message is: a guess would turn the bytes of one message into others that never were sent.
 */
ap_itch_status ap_itch_next(ap_itch_reader *reader, ap_itch_message *message);

/* Takes all frames that are left; reader->counts tells what they were. */
void ap_itch_drain(ap_itch_reader *reader);

#endif
