/* The feed handler on packets that are lost, doubled, out of order, cut and wrong. Every packet is of exactly its size on
 * the heap, so that AddressSanitizer sees the first byte read beyond it. */
#include "feed_handler.h"

#include <string.h>

#include "check.h"
#include "generator.h"

enum { MUTANTS = 150000, PACKETS = 5, ROOM = AP_FEED_HEADER + 6 * (AP_ITCH_FRAME_HEADER + AP_ITCH_MAX_LENGTH) };

static const char session[AP_FEED_SESSION + 1] = "SESSION  1";

typedef struct {
    uint8_t bytes[ROOM];
    size_t size;
} packet;

/* Whatever came, these hold: each number is handed on once or missed, and what was handed on was looked at. */
static void expect_sound(const ap_feed *feed) {
    const uint64_t *counts = feed->counts, *read = feed->reader.counts;
    CHECK_EQUAL(feed->next - 1, counts[AP_FEED_MESSAGES] + counts[AP_FEED_MISSED]);
    CHECK_EQUAL(read[AP_ITCH_OK] + read[AP_ITCH_UNKNOWN_TYPE] + read[AP_ITCH_BAD_LENGTH], counts[AP_FEED_MESSAGES]);
    CHECK((counts[AP_FEED_GAPS] > 0) == (counts[AP_FEED_MISSED] > 0));
    CHECK(counts[AP_FEED_GAPS] <= counts[AP_FEED_PACKETS] && counts[AP_FEED_GAPS] <= counts[AP_FEED_MISSED]);
    CHECK(counts[AP_FEED_GAPS] == 0 || (feed->gap_first > 0 && feed->gap_first + feed->gap_count <= feed->next));
}

static void send(ap_feed *feed, const packet *packet) {
    uint8_t *bytes = malloc(packet->size == 0 ? 1 : packet->size);
    CHECK(bytes != NULL);
    memcpy(bytes, packet->bytes, packet->size);
    uint64_t bad = feed->counts[AP_FEED_BAD_HEADERS], gaps = feed->counts[AP_FEED_GAPS], next = feed->next;
    ap_feed_status status = ap_feed_packet(feed, bytes, packet->size);
    CHECK_EQUAL(feed->counts[AP_FEED_BAD_HEADERS] - bad, status >= AP_FEED_SHORT);
    CHECK_EQUAL(feed->counts[AP_FEED_GAPS] - gaps, status == AP_FEED_GAP);
    CHECK(feed->next >= next && (feed->next == next || status <= AP_FEED_GAP));
    free(bytes);
    ap_itch_message message;
    CHECK_EQUAL(ap_feed_next(feed, &message), AP_ITCH_END);
    expect_sound(feed);
}

/* The next messages of the generator in packets of one to six. Returns how many messages they are. */
static uint64_t make_packets(ap_generator *generator, uint64_t *random, packet packets[PACKETS]) {
    uint64_t sequence = 1;
    for (int i = 0; i < PACKETS; i++) {
        uint8_t frames[ROOM];
        uint64_t messages = 1 + ap_splitmix64(random) % 6;
        size_t size = ap_generator_fill(generator, frames, sizeof frames, messages);
        CHECK_EQUAL(ap_feed_pack(session, sequence, frames, size, packets[i].bytes, ROOM, &packets[i].size), size);
        sequence += messages;
    }
    return sequence - 1;
}

static void change(packet packets[PACKETS], uint64_t *random) {
    uint64_t r = ap_splitmix64(random);
    packet *one = &packets[(r >> 8) % PACKETS], *other = &packets[(r >> 16) % PACKETS], held;
    size_t at = one->size == 0 ? 0 : (r >> 24) % one->size;
    switch (r % 8) {
    case 0: /* out of order */
        held = *one;
        *one = *other;
        *other = held;
        break;
    case 1: /* one lost, another doubled */
        *one = *other;
        break;
    case 2: /* cut off, to the header or within it too */
        one->size = r & 256 ? at : at % (AP_FEED_HEADER + 1);
        break;
    case 3: /* a piece lost in the middle */
        memmove(one->bytes + at, one->bytes + at + (one->size - at) / 2, one->size - at - (one->size - at) / 2);
        one->size -= (one->size - at) / 2;
        break;
    case 4: /* the header */
        one->bytes[at % AP_FEED_HEADER] ^= (uint8_t)(1 << (r >> 4) % 8);
        break;
    case 5: /* the count */
        one->bytes[AP_FEED_HEADER - 1] = (uint8_t)(r >> 56) % 16;
        break;
    case 6: /* a bit */
        one->bytes[at] ^= (uint8_t)(1 << (r >> 4) % 8);
        break;
    default: /* a byte */
        one->bytes[at] = (uint8_t)(r >> 56);
    }
}

static void mutants_are_counted_and_never_read_beyond(void) {
    static ap_generator generator;
    static packet packets[PACKETS];
    uint64_t random = 70, with_errors = 0;
    ap_book *book = ap_book_create(AP_GENERATOR_SYMBOLS + 1, 64);
    CHECK(book != NULL);
    ap_generator_init(&generator, 70);
    for (int i = 0; i < MUTANTS; i++) {
        uint64_t messages = make_packets(&generator, &random, packets);
        for (uint64_t changes = 1 + ap_splitmix64(&random) % 4; changes > 0; changes--)
            change(packets, &random);
        if (i % 64 == 0)
            ap_book_clear(book);
        ap_feed feed;
        ap_feed_init(&feed, book);
        for (int j = 0; j < PACKETS; j++)
            send(&feed, &packets[j]);
        CHECK_EQUAL(feed.counts[AP_FEED_PACKETS], PACKETS);
        with_errors += feed.counts[AP_FEED_MESSAGES] != messages || feed.reader.counts[AP_ITCH_OK] != messages;
    }
    /* Many changes touch a field's value only; but not most. */
    CHECK(with_errors > MUTANTS / 2);
    ap_book_destroy(book);
}

/* Random packets whose every length is small enough to be walked over. */
static void noise_is_counted_and_never_read_beyond(void) {
    uint64_t random = 71;
    ap_book *book = ap_book_create(4, 64);
    CHECK(book != NULL);
    for (int i = 0; i < 20000; i++) {
        ap_feed feed;
        ap_feed_init(&feed, book);
        for (int j = 0; j < 3; j++) {
            packet noise = {.size = ap_splitmix64(&random) % 200};
            for (size_t at = 0; at < noise.size; at++)
                noise.bytes[at] = ap_splitmix64(&random) % 4 == 0 ? (uint8_t)(ap_splitmix64(&random) % 50) : 0;
            memset(noise.bytes, 0, noise.size < AP_FEED_SESSION + 6 ? noise.size : AP_FEED_SESSION + 6);
            send(&feed, &noise);
        }
    }
    ap_book_destroy(book);
}

/* BinaryFILE data cut off anywhere: the messages before the cut are applied, the cut is counted. */
static void a_file_may_end_anywhere(void) {
    static ap_generator generator;
    uint8_t frames[ROOM];
    ap_generator_init(&generator, 72);
    size_t size = ap_generator_fill(&generator, frames, sizeof frames, 6), whole = 0;
    uint64_t messages = 0;
    ap_book *book = ap_book_create(65, 64);
    CHECK(book != NULL);
    for (size_t end = 0; end <= size; end++) {
        if (end >= whole + 2 && end == whole + 2 + ((size_t)frames[whole] << 8 | frames[whole + 1])) {
            whole = end;
            messages++;
        }
        uint8_t *data = malloc(end == 0 ? 1 : end);
        CHECK(data != NULL);
        memcpy(data, frames, end);
        ap_feed feed;
        ap_feed_init(&feed, book);
        ap_feed_file(&feed, data, end);
        CHECK_EQUAL(feed.counts[AP_FEED_MESSAGES], messages);
        CHECK_EQUAL(feed.counts[AP_FEED_CUT_PACKETS], end > whole);
        CHECK_EQUAL(feed.next, messages + 1);
        free(data);
    }
    ap_book_destroy(book);
}

static void a_packet_takes_what_there_is_room_for(void) {
    static ap_generator generator;
    uint8_t frames[ROOM], bytes[ROOM];
    ap_generator_init(&generator, 73);
    size_t size = ap_generator_fill(&generator, frames, sizeof frames, 6), packet_size = 1;
    CHECK_EQUAL(ap_feed_pack(session, 1, frames, size, bytes, AP_FEED_HEADER - 1, &packet_size), 0);
    CHECK_EQUAL(packet_size, 0);
    size_t first = 2 + frames[1];
    for (size_t room = AP_FEED_HEADER; room < sizeof bytes; room++) {
        uint8_t *exact = malloc(room);
        CHECK(exact != NULL);
        size_t taken = ap_feed_pack(session, 1, frames, size, exact, room, &packet_size);
        CHECK(packet_size == AP_FEED_HEADER + taken && packet_size <= room);
        CHECK((taken > 0) == (room >= AP_FEED_HEADER + first));
        CHECK(memcmp(exact + AP_FEED_HEADER, frames, taken) == 0);
        free(exact);
    }
    CHECK_EQUAL(ap_feed_pack(session, 1, NULL, 0, bytes, ROOM, &packet_size), 0);
    CHECK_EQUAL(packet_size, AP_FEED_HEADER);
}

int main(void) {
    a_packet_takes_what_there_is_room_for();
    a_file_may_end_anywhere();
    noise_is_counted_and_never_read_beyond();
    mutants_are_counted_and_never_read_beyond();
    return 0;
}
