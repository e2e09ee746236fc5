/* The feed handler into the order book: packets and files, lost, doubled, damaged. All is counted and the book stays sound. */
#include "feed_handler.h"
#include "input.h"
#include "sound_book.h"

enum { SYMBOLS = 4, ORDERS = 48, A_FILE = 0 };

static uint64_t sum(const uint64_t *counts, size_t count) {
    uint64_t total = 0;
    for (size_t i = 0; i < count; i++)
        total += counts[i];
    return total;
}

/* Hands all new messages on, and counts those that were to the book. */
static uint64_t apply_all(ap_feed *feed) {
    ap_itch_message message;
    ap_itch_status status;
    uint64_t applied = 0, next = feed->next;
    while ((status = ap_feed_next(feed, &message)) != AP_ITCH_END) {
        CHECK_EQUAL(feed->next, status == AP_ITCH_TRUNCATED ? next : next + 1);
        next = feed->next;
        applied += status == AP_ITCH_OK && strchr("AFECXDU", message.type) != NULL;
        if (status == AP_ITCH_OK)
            ap_feed_apply(feed->book, &message);
    }
    return applied;
}

static void check(const ap_feed *feed, uint64_t applied) {
    const uint64_t *counts = feed->counts, *frames = feed->reader.counts;
    CHECK_EQUAL(counts[AP_FEED_MESSAGES] + counts[AP_FEED_MISSED], feed->next - 1);
    CHECK_EQUAL(frames[AP_ITCH_OK] + frames[AP_ITCH_UNKNOWN_TYPE] + frames[AP_ITCH_BAD_LENGTH], counts[AP_FEED_MESSAGES]);
    CHECK_EQUAL(sum(feed->book->counts, AP_BOOK_STATUSES), applied);
    expect_sound(feed->book);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_input input = {data, size};
    fuzz_record record;
    ap_book *book = ap_book_create(SYMBOLS, ORDERS);
    ap_feed feed;
    uint64_t applied = 0;
    CHECK(book != NULL);
    ap_feed_init(&feed, book);
    while (fuzz_take(&input, &record)) {
        if (record.kind == A_FILE) {
            record.bytes = fuzz_copy(record.bytes, record.size, 0);
            ap_feed_open_file(&feed, record.bytes, record.size);
        } else {
            fuzz_packet(&record, feed.next);
            uint64_t bad = feed.counts[AP_FEED_BAD_HEADERS], gaps = feed.counts[AP_FEED_GAPS];
            ap_feed_status status = ap_feed_open(&feed, record.bytes, record.size);
            CHECK_EQUAL(feed.counts[AP_FEED_BAD_HEADERS] - bad, status >= AP_FEED_SHORT);
            CHECK_EQUAL(feed.counts[AP_FEED_GAPS] - gaps, status == AP_FEED_GAP);
        }
        applied += apply_all(&feed);
        check(&feed, applied);
        free(record.bytes);
    }
    ap_book_destroy(book);
    return 0;
}
