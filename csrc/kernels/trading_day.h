/*
 * Trading day: feed data made into a stream that can be read over and over, for the loops.
 *
 * Guarantees
 *   Content     the whole frames of the data as they are, then a delete of each order that is still live: it leaves the
 *               book as it found it, empty.
 *   Determinism depends on the data alone.
 *   Complexity  O(data). Allocates; not for a hot path.
 *   Errors      false where there is no memory or no whole frame in the data; then there is nothing to free.
 */
#ifndef AP_TRADING_DAY_H
#define AP_TRADING_DAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct ap_day {
    uint8_t *frames; /* BinaryFILE */
    size_t size;
    uint64_t messages;       /* frames, bad ones included */
    uint64_t order_messages; /* of them those that the book is about */
    uint32_t symbols;        /* above every stock locate that an order is added to */
    uint32_t orders;         /* most that live at once */
} ap_day;

/* Makes a day of BinaryFILE data, which is not needed any more then. */
bool ap_day_init(ap_day *day, const uint8_t *data, size_t size);
void ap_day_free(ap_day *day);

/* Whether a message of this type adds, changes or removes an order. */
bool ap_day_is_about_orders(char type);

/* The frames in MoldUDP64 packets of one session, one after the other, each behind its size. */
typedef struct ap_packets {
    uint8_t *bytes;
    size_t size;
    size_t position; /* of the next */
} ap_packets;

typedef uint32_t ap_packet_size; /* a bad frame of a file may be larger than a datagram can be */

/* What a datagram on Ethernet bears: 1500 bytes less the headers of IP and UDP. */
#define AP_DATAGRAM 1472

/* Fills packets of up to `room` bytes; a frame that does not fit goes alone, as each does where room is 0. */
bool ap_packets_init(ap_packets *packets, const ap_day *day, size_t room);
void ap_packets_free(ap_packets *packets);

/* The next packet; NULL at the end, and then the first again. */
static inline const uint8_t *ap_packets_next(ap_packets *packets, size_t *size) {
    if (packets->position == packets->size) {
        packets->position = 0;
        return NULL;
    }
    ap_packet_size packet_size;
    const uint8_t *packet = packets->bytes + packets->position + sizeof packet_size;
    memcpy(&packet_size, packet - sizeof packet_size, sizeof packet_size);
    packets->position += sizeof packet_size + packet_size;
    *size = packet_size;
    return packet;
}

#endif
