/*
 * Generator: an endless, deterministic stream of ITCH 5.0 messages.
 *
 * Guarantees
 *   Determinism  integer arithmetic only: one seed gives the same bytes on every machine, compiler and build.
 *   Content      an opening (directory, trading states, market makers) of AP_GENERATOR_SYMBOLS symbols, then trading
 *                without end, in which every message type occurs. About 44 % of messages add an order, 40 % delete one,
 *                8 % replace, 4 % execute and 1 % cancel in part, as on a day of a large equity market; the rest is
 *                seldom.
 *   Consistency  a reference is new when an order is added and alive when it is executed, cancelled, deleted or
 *                replaced; no more shares leave an order than it holds; the book of a symbol is never locked or
 *                crossed, for a price that moves through resting orders executes them first; time never goes back.
 *   Complexity   O(1) a message but for executions and price moves, which look through one symbol's orders.
 *                No allocation, no system call. Not a hot path: it feeds them.
 *   Threads      one generator belongs to one thread at a time.
 *   Errors       none.
 */
#ifndef AP_GENERATOR_H
#define AP_GENERATOR_H

#include <stddef.h>
#include <stdint.h>

#include "itch50.h"

#define AP_GENERATOR_SYMBOLS 64
#define AP_GENERATOR_ORDERS 128 /* most live orders of one symbol */

typedef struct {
    uint64_t reference;
    uint32_t price; /* 10^-4 dollars */
    uint32_t shares;
    char side; /* 'B' or 'S' */
} ap_generator_order;

typedef struct {
    uint32_t base;   /* where the price starts and is drawn back to */
    uint32_t middle; /* every bid is below it, every offer above */
    uint32_t target; /* where the middle is moving to; equal to it while it rests */
    uint32_t live;
    ap_generator_order orders[AP_GENERATOR_ORDERS]; /* the first `live` of them */
} ap_generator_symbol;

/* About 200 KiB, the caller's. */
typedef struct ap_generator {
    uint64_t random[4];
    uint64_t sent;
    uint64_t timestamp;
    uint64_t reference;
    uint64_t match_number;
    ap_generator_symbol symbols[AP_GENERATOR_SYMBOLS];
} ap_generator;

void ap_generator_init(ap_generator *generator, uint64_t seed);

/* The next message of the stream. */
void ap_generator_next(ap_generator *generator, ap_itch_message *message);

/*
 * Writes up to `messages` next messages as BinaryFILE frames into out[0..room) and returns the bytes written. It stops
 * early where less than a longest frame (AP_ITCH_FRAME_HEADER + AP_ITCH_MAX_LENGTH) of room is left; generator->sent
 * tells how many messages went out since the start.
 */
size_t ap_generator_fill(ap_generator *generator, uint8_t *out, size_t room, uint64_t messages);

/* The next number of splitmix64 (Steele, Lea and Flood 2014), for whoever needs cheap reproducible randomness. */
static inline uint64_t ap_splitmix64(uint64_t *state) {
    uint64_t z = *state += 0x9e3779b97f4a7c15U;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9U;
    z = (z ^ z >> 27) * 0x94d049bb133111ebU;
    return z ^ z >> 31;
}

#endif
