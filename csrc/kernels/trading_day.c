#include "trading_day.h"

#include <stdlib.h>

#include "big_endian.h"
#include "feed_handler.h"
#include "itch50.h"
#include "order_book.h"

/* The reference that a message makes live, if it does. */
static bool makes_live(const ap_itch_message *message, uint64_t *reference) {
    switch (message->type) {
    case 'A':
        *reference = message->add_order.reference;
        return true;
    case 'F':
        *reference = message->add_order_attributed.reference;
        return true;
    case 'U':
        *reference = message->order_replace.new_reference;
        return true;
    default:
        return false;
    }
}

bool ap_day_is_about_orders(char type) {
    return type != 0 && strchr("AFECXDU", type) != NULL;
}

/* Room for all symbols that orders are added to, and as many orders as are added. */
static ap_book *widest_book(const uint8_t *data, size_t size) {
    ap_itch_reader reader;
    ap_itch_message message;
    ap_itch_status status;
    uint32_t symbols = 1, adds = 1;
    ap_itch_reader_init(&reader, data, size, AP_ITCH_BINARYFILE);
    while ((status = ap_itch_next(&reader, &message)) != AP_ITCH_END) {
        if (status != AP_ITCH_OK || (message.type != 'A' && message.type != 'F'))
            continue;
        adds++;
        if (symbols <= message.stock_locate)
            symbols = message.stock_locate + 1U;
    }
    return ap_book_create(symbols, adds);
}

/* Appends deletes of the orders that are left in the book. */
static void close_day(ap_day *day, ap_book *book) {
    ap_itch_reader reader;
    ap_itch_message message;
    ap_itch_status status;
    ap_itch_reader_init(&reader, day->frames, day->size, AP_ITCH_BINARYFILE);
    while ((status = ap_itch_next(&reader, &message)) != AP_ITCH_END) {
        uint64_t reference;
        ap_book_order order;
        if (status != AP_ITCH_OK || !makes_live(&message, &reference) || !ap_book_find(book, reference, &order))
            continue;
        ap_book_delete(book, order.symbol, reference);
        ap_itch_message closing = {
            .type = 'D',
            .stock_locate = (uint16_t)order.symbol,
            .timestamp = message.timestamp,
            .order_delete = {.reference = reference},
        };
        size_t length = ap_itch_encode(&closing, day->frames + day->size + AP_ITCH_FRAME_HEADER);
        ap_store_be16(day->frames + day->size, (uint16_t)length);
        day->size += AP_ITCH_FRAME_HEADER + length;
        day->messages++;
        day->order_messages++;
    }
}

bool ap_day_init(ap_day *day, const uint8_t *data, size_t size) {
    *day = (ap_day){0};
    ap_book *book = widest_book(data, size);
    if (book == NULL)
        return false;
    ap_itch_reader reader;
    ap_itch_message message;
    ap_itch_status status;
    ap_itch_reader_init(&reader, data, size, AP_ITCH_BINARYFILE);
    while ((status = ap_itch_next(&reader, &message)) != AP_ITCH_END && status != AP_ITCH_TRUNCATED) {
        day->messages++;
        if (status != AP_ITCH_OK)
            continue;
        day->order_messages += ap_day_is_about_orders(message.type);
        ap_feed_apply(book, &message);
        if (day->orders < book->orders)
            day->orders = book->orders;
    }
    day->symbols = book->symbols;
    day->size = reader.position;
    day->frames = malloc(day->size + book->orders * (AP_ITCH_FRAME_HEADER + AP_ITCH_MAX_LENGTH) + 1);
    bool is_made = day->frames != NULL && day->messages > 0;
    if (is_made) {
        memcpy(day->frames, data, day->size);
        close_day(day, book);
    } else {
        free(day->frames);
    }
    ap_book_destroy(book);
    return is_made;
}

void ap_day_free(ap_day *day) {
    free(day->frames);
    day->frames = NULL;
}

static const char session[AP_FEED_SESSION + 1] = "ARMPROF001";

bool ap_packets_init(ap_packets *packets, const ap_day *day, size_t room) {
    *packets = (ap_packets){.bytes = malloc(day->size + day->messages * (sizeof(ap_packet_size) + AP_FEED_HEADER))};
    if (packets->bytes == NULL)
        return false;
    uint64_t sequence = 1;
    const uint8_t *frames = day->frames;
    size_t left = day->size;
    while (left > 0) {
        uint8_t *packet = packets->bytes + packets->size + sizeof(ap_packet_size);
        size_t first = AP_FEED_HEADER + AP_ITCH_FRAME_HEADER + ap_load_be16(frames), size;
        size_t taken = ap_feed_pack(session, sequence, frames, left, packet, first > room ? first : room, &size);
        sequence += ap_load_be16(packet + AP_FEED_HEADER - 2);
        ap_packet_size packet_size = (ap_packet_size)size;
        memcpy(packet - sizeof packet_size, &packet_size, sizeof packet_size);
        packets->size += sizeof packet_size + size;
        frames += taken;
        left -= taken;
    }
    return true;
}

void ap_packets_free(ap_packets *packets) {
    free(packets->bytes);
    packets->bytes = NULL;
}
