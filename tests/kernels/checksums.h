/*
 * The checksum of each loop, the same on every machine, in every build, by every compiler: test_loops.c and
 * test_checksums.py, which also runs in the ARM64 guests, read them here.
 *
 * CHECKSUM_name: after the first 100,000 operations with seed 1, of a generated stream of 100,000 messages where the loop
 * takes one.
 */
#ifndef CHECKSUMS_H
#define CHECKSUMS_H

#define CHECKSUM_object_pool 0x87694cb6f0af49c4
#define CHECKSUM_spsc_ring 0xc0e0e04203088475
#define CHECKSUM_timing 0x8817b42593cd0bfa
#define CHECKSUM_treasury 0x5bf0607fec5d7d0e
#define CHECKSUM_strategy 0xec7ce829d438b6a8
#define CHECKSUM_risk 0x7dad612b0d86fbea
#define CHECKSUM_itch50 0x6097839ffb38092f
#define CHECKSUM_order_book 0xd22cc0665bd2a331
#define CHECKSUM_feed_handler 0x1ed41a1f64ec68ed
#define CHECKSUM_tick_to_trade 0xe9108bdf46e6ff1a

/* FNV-1a of that stream's bytes. */
#define CHECKSUM_OF_THE_STREAM 0x7d913e6328d1e5d3

/* FIELD_CHECKSUM_name: after one period of itch/ex20101224.itch50 of the field data. */
#define FIELD_CHECKSUM_itch50 0xcaf68aae7a56387b
#define FIELD_CHECKSUM_feed_handler 0x71dc032dacee36b3
#define FIELD_CHECKSUM_order_book 0x2ac54a8744249089
#define FIELD_CHECKSUM_tick_to_trade 0x4e34f29cf8bb5697

#endif
