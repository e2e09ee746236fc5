/* Loops of what makes books of a feed. Their input is a day: see trading_day.h. */
#include "loops.h"

#include <stdlib.h>

#include "checksum.h"
#include "feed_handler.h"
#include "itch50.h"
#include "order_book.h"
#include "trading_day.h"

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
    ap_day day;
    if (!ap_day_init(&day, data, size))
        return NULL;
    book_loop *loop = day.orders == 0 ? NULL : calloc(1, sizeof *loop + sizeof *loop->operations * day.order_messages);
    if (loop != NULL)
        loop->book = ap_book_create(day.symbols, day.orders);
    if (loop == NULL || loop->book == NULL) {
        free(loop);
        ap_day_free(&day);
        return NULL;
    }
    ap_itch_reader reader;
    ap_itch_message message;
    ap_itch_status status;
    ap_itch_reader_init(&reader, day.frames, day.size, AP_ITCH_BINARYFILE);
    while ((status = ap_itch_next(&reader, &message)) != AP_ITCH_END)
        if (status == AP_ITCH_OK && ap_day_is_about_orders(message.type))
            loop->operations[loop->count++] = as_operation(&message);
    ap_day_free(&day);
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

typedef struct {
    ap_book *book;
    ap_packets packets;
    uint64_t messages;
    ap_feed feed;
    uint64_t checksum;
} feed_loop;

void *ap_feed_loop_create(const uint8_t *data, size_t size) {
    ap_day day;
    if (!ap_day_init(&day, data, size))
        return NULL;
    feed_loop *loop = calloc(1, sizeof *loop);
    if (loop != NULL) {
        loop->messages = day.messages;
        loop->book = ap_book_create(day.symbols, day.orders == 0 ? 1 : day.orders);
        if (loop->book == NULL || !ap_packets_init(&loop->packets, &day, AP_DATAGRAM)) {
            ap_feed_loop_destroy(loop);
            loop = NULL;
        }
    }
    ap_day_free(&day);
    if (loop != NULL)
        ap_feed_init(&loop->feed, loop->book);
    return loop;
}

void ap_feed_loop_destroy(void *state) {
    feed_loop *loop = state;
    ap_book_destroy(loop->book);
    ap_packets_free(&loop->packets);
    free(loop);
}

uint64_t ap_feed_loop_period(const void *state) {
    return ((const feed_loop *)state)->messages;
}

static void open_next(feed_loop *loop) {
    size_t size;
    const uint8_t *packet = ap_packets_next(&loop->packets, &size);
    if (packet == NULL)
        ap_feed_init(&loop->feed, loop->book);
    else
        ap_feed_open(&loop->feed, packet, size);
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
