/*
 * Loops: each drives one kernel for a number of operations, between two readings of a clock or of counters.
 *
 * Guarantees
 *   Checksum    a loop returns a checksum of everything the kernel has put out since its state was created, so that no
 *               compiler can drop the work. It depends on the input and the number of operations alone: not on how they
 *               were split into calls, nor on the machine, the compiler or the build.
 *   Complexity  O(operations). No allocation and no system call in a loop; creating a state allocates.
 *   Threads     one state belongs to one thread at a time.
 *   Errors      creating gives NULL where there is no memory or, for ITCH, no whole frame in the data. A loop does
 *               not fail.
 */
#ifndef AP_LOOPS_H
#define AP_LOOPS_H

#include <stddef.h>
#include <stdint.h>

#include "pacing.h"
#include "tick_to_trade.h"

/* What bench_clock.h times. */
typedef uint64_t (*ap_loop)(void *state, uint64_t operations);

/*
 * Object pool; one operation: get an object, write it, read and put back one of the AP_POOL_LOOP_LIVE others that are
 * out, chosen at random. Getting and putting the same object over and over would time one cache line.
 */
#define AP_POOL_LOOP_LIVE 256
void *ap_pool_loop_create(uint64_t seed);
void ap_pool_loop_destroy(void *state);
uint64_t ap_pool_loop(void *state, uint64_t operations);

/*
 * SPSC ring; one operation: push one word and pop it, in one thread. The ring is empty in between, as a queue is whose
 * consumer keeps up; so every pop has to look at the producer's index.
 */
void *ap_ring_loop_create(uint64_t seed);
void ap_ring_loop_destroy(void *state);
uint64_t ap_ring_loop(void *state, uint64_t operations);

/*
 * ITCH 5.0; one operation: take the next frame from BinaryFILE data, decode it and fold every field into the checksum,
 * or its status where it is bad. Starts anew at the end of the data, which stays the caller's and outlives the state.
 */
void *ap_itch_loop_create(const uint8_t *data, size_t size);
void ap_itch_loop_destroy(void *state);
uint64_t ap_itch_loop(void *state, uint64_t operations);

/*
 * Order book; one operation: apply the next message about an order, already decoded, and fold its outcome into the
 * checksum: the best bid and offer where it moved one of them, else the status. The data is that of the ITCH loop. At its
 * end the orders that are left are deleted, as part of the period, and it starts anew. Creating gives NULL too where no
 * order is added. A period is the number of operations from one start to the next.
 */
void *ap_book_loop_create(const uint8_t *data, size_t size);
void ap_book_loop_destroy(void *state);
uint64_t ap_book_loop(void *state, uint64_t operations);
uint64_t ap_book_loop_period(const void *state);

/*
 * Feed handler; one operation: take the next message from MoldUDP64 packets of up to 1472 bytes, decode it, apply it to
 * the book and fold its outcome as above. The packets are made of the data at creation; it starts anew as above, with a
 * new session.
 */
void *ap_feed_loop_create(const uint8_t *data, size_t size);
void ap_feed_loop_destroy(void *state);
uint64_t ap_feed_loop(void *state, uint64_t operations);
uint64_t ap_feed_loop_period(const void *state);

/*
 * Tick to trade; one operation: take the next packet, of one message, through all stages, and fold what came of it and
 * the bytes of its orders into the checksum. Every symbol is quoted as a note of ten years that stands at par where it
 * opens; now and then a quote is filled. The data is as above.
 */
void *ap_trade_loop_create(const uint8_t *data, size_t size);
void ap_trade_loop_destroy(void *state);
uint64_t ap_trade_loop(void *state, uint64_t operations);
uint64_t ap_trade_loop_period(const void *state);

/* The same loop, with somebody who looks on; and its operations one by one, those that send orders being of interest. */
uint64_t ap_trade_loop_watched(void *state, uint64_t operations, const ap_watch *watch);
ap_service ap_trade_loop_service(void *state);

/*
 * Timing; one operation: take a plain stamp. The checksum holds whether each was no earlier than the one before.
 */
void *ap_timing_loop_create(uint64_t seed);
void ap_timing_loop_destroy(void *state);
uint64_t ap_timing_loop(void *state, uint64_t operations);

/*
 * Treasury; one operation: the price of one of AP_TREASURY_LOOP_BONDS notes and bonds, chosen at random, moves by up to
 * two 256ths of a point, and its yield is found, the last one being the guess.
 */
#define AP_TREASURY_LOOP_BONDS 256
void *ap_treasury_loop_create(uint64_t seed);
void ap_treasury_loop_destroy(void *state);
uint64_t ap_treasury_loop(void *state, uint64_t operations);

/*
 * Strategy; one operation: the market of one of AP_STRATEGY_LOOP_BONDS securities, chosen at random, and the inventory in
 * it change by a little, and what to quote is decided. Every 16th operation moves a knot of the curve.
 */
#define AP_STRATEGY_LOOP_BONDS 64
void *ap_strategy_loop_create(uint64_t seed);
void ap_strategy_loop_destroy(void *state);
uint64_t ap_strategy_loop(void *state, uint64_t operations);

/*
 * Risk; one operation: an order in one of AP_RISK_LOOP_SYMBOLS symbols, chosen at random, is checked, and what became of
 * the one that passed AP_RISK_LOOP_OPEN orders before is told. One in nine is refused, for its price, size or notional,
 * the position or the rate.
 */
#define AP_RISK_LOOP_SYMBOLS 64
#define AP_RISK_LOOP_OPEN 32
void *ap_risk_loop_create(uint64_t seed);
void ap_risk_loop_destroy(void *state);
uint64_t ap_risk_loop(void *state, uint64_t operations);

#endif
