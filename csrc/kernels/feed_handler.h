/*
 * Feed handler: MoldUDP64 packets or a BinaryFILE in, each ITCH 5.0 message once and in order, the order books updated.
 *
 * Guarantees
 *   Complexity  O(1) a message and a packet: a packet of nothing new is dropped by its header alone. No allocation, no
 *               system call.
 *   Order       messages are handed on by rising sequence number, each once. Numbers that are passed over are reported
 *               as a gap and not waited for; a message whose number was passed already is dropped. So two copies of a
 *               feed can be read side by side, whichever packet comes first.
 *   Bounds      no byte outside the packet is read, whatever its bytes are: a message block is checked against the
 *               packet before it is believed, and its length against the message's type (itch50.h).
 *   Threads     one handler and its book belong to one thread at a time.
 *   Errors      all are counted by kind and the handler goes on: with the packet at the next message where the packet
 *               says where that is, else with the next packet. What a packet promised and did not hold is missed, and
 *               the next packet's gap says so. What a message asks of the book in vain the book counts.
 *
 * MoldUDP64 1.00: a packet is the session (10 characters), the sequence number of its first message (8 bytes) and their
 * count (2), then each message behind its length (2), all big-endian. The first message of a session is number 1. Count 0
 * is a heartbeat, 0xffff the end of the session; the number of both is that of the next message to come.
 */
#ifndef AP_FEED_HANDLER_H
#define AP_FEED_HANDLER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "itch50.h"
#include "order_book.h"

#define AP_FEED_SESSION 10
#define AP_FEED_HEADER 20
#define AP_FEED_END_OF_SESSION 0xffff

typedef enum ap_feed_status {
    AP_FEED_OK = 0,    /* the packet goes on where the one before ended */
    AP_FEED_GAP,       /* so it does, but for messages that are missed: feed->gap */
    AP_FEED_OLD,       /* it holds nothing new */
    AP_FEED_SHORT,     /* shorter than its header */
    AP_FEED_FOREIGN,   /* of another session than the first packet */
    AP_FEED_IMPOSSIBLE /* its sequence numbers start at 0 or run past 2^64 - 1 */
} ap_feed_status;

/* What is counted. */
typedef enum ap_feed_count {
    AP_FEED_PACKETS = 0,  /* packets, whatever they hold */
    AP_FEED_MESSAGES,     /* messages handed on, those that are no ITCH included */
    AP_FEED_DUPLICATES,   /* messages dropped, as their number was passed */
    AP_FEED_GAPS,         /* rows of missed messages */
    AP_FEED_MISSED,       /* messages in them */
    AP_FEED_BAD_HEADERS,  /* packets dropped: short, foreign, impossible */
    AP_FEED_CUT_PACKETS,  /* packets, or files, that end inside a message */
    AP_FEED_LONG_PACKETS, /* packets that go on behind their last message */
    AP_FEED_COUNTS,
} ap_feed_count;

typedef struct ap_feed {
    ap_book *book;
    uint64_t next;       /* sequence number of the next new message */
    uint64_t gap_first;  /* the last gap: its first message and their number */
    uint64_t gap_count;
    uint64_t counts[AP_FEED_COUNTS];
    ap_itch_reader reader; /* over the messages of the packet; its counts are of all messages by what they were */
    uint64_t sequence;     /* of the reader's next message */
    uint64_t left;         /* messages that the packet still promises */
    bool has_session;
    bool has_ended; /* the session */
    bool is_file;
    char session[AP_FEED_SESSION];
} ap_feed;

/* A handler before its first packet, whose session it takes. The book outlives it. */
void ap_feed_init(ap_feed *feed, ap_book *book);

/* Begins with a packet. The bytes must stay until ap_feed_next() has handed on the last of its messages. */
ap_feed_status ap_feed_open(ap_feed *feed, const uint8_t *packet, size_t size);

/* Begins with BinaryFILE data, whose messages are numbered from the next one on, as many as there are. */
void ap_feed_open_file(ap_feed *feed, const uint8_t *data, size_t size);

/*
 * The next new message: AP_ITCH_OK where *message is it, another status for one that cannot be read, AP_ITCH_END behind
 * the last. AP_ITCH_TRUNCATED is the last before AP_ITCH_END.
 */
ap_itch_status ap_feed_next(ap_feed *feed, ap_itch_message *message);

/* What the message does to the book, in which a symbol is its stock locate. AP_BOOK_OK where it is about no order. */
ap_book_status ap_feed_apply(ap_book *book, const ap_itch_message *message);

/* Opens a packet and applies all its new messages to the book. */
ap_feed_status ap_feed_packet(ap_feed *feed, const uint8_t *packet, size_t size);

/* Applies all messages of BinaryFILE data. */
void ap_feed_file(ap_feed *feed, const uint8_t *data, size_t size);

/*
 * Packs BinaryFILE frames into the next packet, as many as fit into `room` bytes, and stores its size: that of a
 * heartbeat where none does, 0 where there is no room for a header. Returns the bytes of frames that went into it.
 */
size_t ap_feed_pack(const char session[AP_FEED_SESSION], uint64_t sequence, const uint8_t *frames, size_t size,
                    uint8_t *packet, size_t room, size_t *packet_size);

#endif
