/* Loops of what makes books of a feed. Their input is a day: frames that leave the book as they found it, empty, so that
 * they can be read over and over. */
#include "loops.h"

#include <stdlib.h>
#include <string.h>

#include "big_endian.h"
#include "checksum.h"
#include "feed_handler.h"
#include "itch50.h"
#include "order_book.h"

/* ---- The day ------------------------------------------------------------------------------------------------- */

typedef struct {
    uint8_t *frames; /* BinaryFILE */
    size_t size;
    uint64_t messages;       /* frames, bad ones included */
    uint64_t order_messages; /* of them those that the book is about */
    uint32_t symbols;
    uint32_t orders; /* most that live at once */
} trading_day;

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

static bool is_about_orders(char type) {
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
static void close_day(trading_day *day, ap_book *book) {
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

/* The whole frames of the data and what closes them. False where there is no memory or no frame. */
static bool make_day(trading_day *day, const uint8_t *data, size_t size) {
    *day = (trading_day){0};
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
        day->order_messages += is_about_orders(message.type);
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

/* The best bid and offer as a number; a sum of products, as they do not wait for one another. */
static uint64_t digest(const ap_book *book, uint32_t symbol) {
    ap_book_bbo top = ap_book_top(book, symbol);
    return AP_ODD * top.bid.price + AP_ODD * 3 * top.bid.shares + AP_ODD * 5 * top.bid.orders +
           AP_ODD * 7 * top.offer.price + AP_ODD * 9 * top.offer.shares + AP_ODD * 11 * top.offer.orders;
}

/* What an operation did to the book. */
static uint64_t fold_outcome(uint64_t checksum, const ap_book *book, uint32_t symbol, ap_book_status status) {
    return ap_fold(checksum, status == AP_BOOK_MOVED ? digest(book, symbol) : (uint64_t)status);
}

/* ---- Order book ---------------------------------------------------------------------------------------------- */

typedef struct {
    uint64_t reference, new_reference;
    uint32_t shares, price;
    uint16_t symbol;
    char type; /* of the message */
    char side;
} order_operation;

typedef struct {
    ap_book *book;
    uint64_t count, next;
    uint64_t checksum;
    order_operation operations[];
} book_loop;

static order_operation as_operation(const ap_itch_message *message) {
    order_operation operation = {.symbol = message->stock_locate, .type = message->type};
    switch (message->type) {
    case 'A':
    case 'F': { /* F's fields begin as A's do */
        const ap_itch_add_order *add = &message->add_order;
        operation.reference = add->reference;
        operation.side = add->side;
        operation.shares = add->shares;
        operation.price = add->price;
        break;
    }
    case 'U':
        operation.reference = message->order_replace.reference;
        operation.new_reference = message->order_replace.new_reference;
        operation.shares = message->order_replace.shares;
        operation.price = message->order_replace.price;
        break;
    case 'D':
        operation.reference = message->order_delete.reference;
        break;
    default: /* E, C and X begin alike */
        operation.reference = message->order_executed.reference;
        operation.shares = message->order_executed.shares;
    }
    return operation;
}

void *ap_book_loop_create(const uint8_t *data, size_t size) {
    trading_day day;
    if (!make_day(&day, data, size))
        return NULL;
    book_loop *loop = day.orders == 0 ? NULL : calloc(1, sizeof *loop + sizeof *loop->operations * day.order_messages);
    if (loop != NULL)
        loop->book = ap_book_create(day.symbols, day.orders);
    if (loop == NULL || loop->book == NULL) {
        free(loop);
        free(day.frames);
        return NULL;
    }
    ap_itch_reader reader;
    ap_itch_message message;
    ap_itch_status status;
    ap_itch_reader_init(&reader, day.frames, day.size, AP_ITCH_BINARYFILE);
    while ((status = ap_itch_next(&reader, &message)) != AP_ITCH_END)
        if (status == AP_ITCH_OK && is_about_orders(message.type))
            loop->operations[loop->count++] = as_operation(&message);
    free(day.frames);
    return loop;
}

void ap_book_loop_destroy(void *state) {
    book_loop *loop = state;
    ap_book_destroy(loop->book);
    free(loop);
}

uint64_t ap_book_loop_period(const void *state) {
    return ((const book_loop *)state)->count;
}

static inline ap_book_status operate(ap_book *book, const order_operation *o) {
    switch (o->type) {
    case 'A':
    case 'F':
        return ap_book_add(book, o->symbol, o->reference, o->side, o->shares, o->price);
    case 'D':
        return ap_book_delete(book, o->symbol, o->reference);
    case 'U':
        return ap_book_replace(book, o->symbol, o->reference, o->new_reference, o->shares, o->price);
    default:
        return ap_book_reduce(book, o->symbol, o->reference, o->shares);
    }
}

uint64_t ap_book_loop(void *state, uint64_t operations) {
    book_loop *loop = state;
    uint64_t checksum = loop->checksum, next = loop->next;
    while (operations-- > 0) {
        const order_operation *operation = &loop->operations[next];
        ap_book_status status = operate(loop->book, operation);
        checksum = fold_outcome(checksum, loop->book, operation->symbol, status);
        next = next + 1 == loop->count ? 0 : next + 1;
    }
    loop->next = next;
    return loop->checksum = checksum;
}

/* ---- Feed handler -------------------------------------------------------------------------------------------- */

/* What a datagram on Ethernet bears: 1500 bytes less the headers of IP and UDP. */
#define DATAGRAM 1472

static const char session[AP_FEED_SESSION + 1] = "ARMPROF001";

typedef uint32_t size_before; /* a bad frame of a file may be larger than a datagram can be */

typedef struct {
    ap_book *book;
    uint8_t *packets; /* each behind its size, a size_before */
    size_t size;
    size_t position; /* of the next packet */
    uint64_t messages;
    ap_feed feed;
    uint64_t checksum;
} feed_loop;

/* Packs frames into datagrams; a frame beyond the size of one goes alone. False where there is no memory. */
static bool pack(feed_loop *loop, const uint8_t *frames, size_t size, uint64_t messages) {
    loop->packets = malloc(size + messages * (sizeof(size_before) + AP_FEED_HEADER));
    if (loop->packets == NULL)
        return false;
    uint64_t sequence = 1;
    while (size > 0) {
        uint8_t *packet = loop->packets + loop->size + sizeof(size_before);
        size_t first = AP_FEED_HEADER + AP_ITCH_FRAME_HEADER + ap_load_be16(frames), packet_size;
        size_t taken = ap_feed_pack(session, sequence, frames, size, packet, first > DATAGRAM ? first : DATAGRAM,
                                    &packet_size);
        sequence += ap_load_be16(packet + AP_FEED_HEADER - 2);
        memcpy(packet - sizeof(size_before), &(size_before){(size_before)packet_size}, sizeof(size_before));
        loop->size += sizeof(size_before) + packet_size;
        frames += taken;
        size -= taken;
    }
    return true;
}

static void start_session(feed_loop *loop) {
    ap_feed_init(&loop->feed, loop->book);
    loop->position = 0;
}

void *ap_feed_loop_create(const uint8_t *data, size_t size) {
    trading_day day;
    if (!make_day(&day, data, size))
        return NULL;
    feed_loop *loop = calloc(1, sizeof *loop);
    if (loop != NULL) {
        loop->messages = day.messages;
        loop->book = ap_book_create(day.symbols, day.orders == 0 ? 1 : day.orders);
        if (loop->book == NULL || !pack(loop, day.frames, day.size, day.messages)) {
            ap_feed_loop_destroy(loop);
            loop = NULL;
        }
    }
    free(day.frames);
    if (loop != NULL)
        start_session(loop);
    return loop;
}

void ap_feed_loop_destroy(void *state) {
    feed_loop *loop = state;
    ap_book_destroy(loop->book);
    free(loop->packets);
    free(loop);
}

uint64_t ap_feed_loop_period(const void *state) {
    return ((const feed_loop *)state)->messages;
}

static void open_next(feed_loop *loop) {
    if (loop->position == loop->size)
        start_session(loop);
    size_before size;
    memcpy(&size, loop->packets + loop->position, sizeof size);
    ap_feed_open(&loop->feed, loop->packets + loop->position + sizeof size, size);
    loop->position += sizeof size + size;
}

uint64_t ap_feed_loop(void *state, uint64_t operations) {
    feed_loop *loop = state;
    uint64_t checksum = loop->checksum;
    while (operations > 0) {
        ap_itch_message message;
        ap_itch_status status = ap_feed_next(&loop->feed, &message);
        if (status == AP_ITCH_END) {
            open_next(loop);
            continue;
        }
        operations--;
        if (status == AP_ITCH_OK)
            checksum = fold_outcome(checksum, loop->book, message.stock_locate, ap_feed_apply(loop->book, &message));
        else
            checksum = ap_fold(checksum, AP_BOOK_STATUSES + (uint64_t)status);
    }
    return loop->checksum = checksum;
}
