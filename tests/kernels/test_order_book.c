/* The order book's inside: what its header and its comments promise of memory, blocks and capacity, on random orders.
 * That it is the right book is what test_order_book.py checks against a plain one. */
#include "order_book.h"

#include <string.h>

#include "check.h"
#include "generator.h"
#include "sound_book.h"

enum { SYMBOLS = 3, MOST = 3000 };

/* The book in memory of exactly the size it asks for, so that AddressSanitizer sees the first byte beyond it. */
static ap_book *exact_book(uint32_t symbols, uint32_t orders) {
    size_t bytes = ap_book_bytes(symbols, orders);
    void *memory = aligned_alloc(AP_BOOK_ALIGNMENT, bytes);
    CHECK(memory != NULL);
    memset(memory, 0x5a, bytes);
    CHECK(ap_book_init(memory, bytes - 1, symbols, orders) == NULL);
    CHECK(ap_book_init((char *)memory + 8, bytes, symbols, orders) == NULL);
    ap_book *book = ap_book_init(memory, bytes, symbols, orders);
    CHECK(book != NULL);
    return book;
}

/* Orders come and go at prices within `width` of each other, the book now filled up, now thinned out. */
static void stays_sound(uint32_t capacity, uint32_t width, uint64_t operations) {
    ap_book *book = exact_book(SYMBOLS, capacity);
    uint64_t random = capacity + width, references[MOST], next = 0;
    uint32_t live = 0, symbols[MOST];
    for (uint64_t i = 0; i < operations; i++) {
        uint64_t r = ap_splitmix64(&random);
        uint32_t price = UINT32_MAX - (uint32_t)(r >> 32) % width;
        bool grows = i / (4 * capacity) % 2 == 0;
        if (live == 0 || (live < capacity && r % 8 < (grows ? 6 : 2))) {
            symbols[live] = (uint32_t)(r >> 8) % SYMBOLS;
            references[live] = next++;
            CHECK(ap_book_add(book, symbols[live], references[live], r & 64 ? 'B' : 'S', 100, price) <= AP_BOOK_MOVED);
            live++;
        } else {
            uint32_t at = (uint32_t)(r >> 8) % live;
            CHECK(ap_book_add(book, 0, references[at], 'B', 1, 1) >= AP_BOOK_KNOWN_REFERENCE);
            if (r & 64) {
                CHECK(ap_book_replace(book, symbols[at], references[at], next, 50, price) <= AP_BOOK_MOVED);
                references[at] = next++;
            } else {
                CHECK(ap_book_delete(book, symbols[at], references[at]) <= AP_BOOK_MOVED);
                references[at] = references[--live];
                symbols[at] = symbols[live];
            }
        }
        CHECK_EQUAL(book->orders, live);
        if (i % 256 == 0)
            expect_sound(book);
    }
    expect_sound(book);
    while (live > 0) {
        live--;
        CHECK(ap_book_delete(book, symbols[live], references[live]) <= AP_BOOK_MOVED);
    }
    expect_sound(book);
    ap_book_destroy(book);
}

/* Each order is a level, and all are on one side: as many blocks as there can be. */
static void a_full_book_refuses_the_next_order_and_goes_on(void) {
    ap_book *book = exact_book(1, MOST);
    for (uint32_t i = 0; i < MOST; i++)
        CHECK(ap_book_add(book, 0, i, 'S', 1, i * 7919 % MOST) <= AP_BOOK_MOVED);
    expect_sound(book);
    CHECK_EQUAL(ap_book_add(book, 0, MOST, 'S', 1, 5), AP_BOOK_FULL);
    CHECK_EQUAL(book->counts[AP_BOOK_FULL], 1);
    CHECK(ap_book_replace(book, 0, 0, MOST, 1, MOST) <= AP_BOOK_MOVED); /* one leaves, one comes */
    expect_sound(book);
    CHECK(ap_book_delete(book, 0, MOST) <= AP_BOOK_MOVED);
    CHECK(ap_book_add(book, 0, MOST, 'S', 1, 5) <= AP_BOOK_MOVED);

    ap_book_clear(book);
    expect_sound(book);
    CHECK_EQUAL(book->orders, 0);
    CHECK_EQUAL(book->counts[AP_BOOK_FULL], 0);
    CHECK_EQUAL(ap_book_top(book, 0).offer.orders, 0);
    ap_book_destroy(book);
}

static void sizes_that_cannot_be_are_refused(void) {
    CHECK_EQUAL(ap_book_bytes(0, 1), 0);
    CHECK_EQUAL(ap_book_bytes(1, 0), 0);
    CHECK_EQUAL(ap_book_bytes(AP_BOOK_MOST_SYMBOLS + 1, 1), 0);
    CHECK_EQUAL(ap_book_bytes(1, AP_BOOK_MOST_ORDERS + 1), 0);
    CHECK(ap_book_bytes(AP_BOOK_MOST_SYMBOLS, AP_BOOK_MOST_ORDERS) > UINT32_MAX);
    CHECK(ap_book_create(0, 1) == NULL);
    CHECK(ap_book_init(NULL, SIZE_MAX, 1, 1) == NULL);
    ap_book_destroy(NULL);
}

int main(void) {
    sizes_that_cannot_be_are_refused();
    a_full_book_refuses_the_next_order_and_goes_on();
    stays_sound(1, 1, 1000);
    stays_sound(2, 2, 5000);
    stays_sound(40, 20, 100000);
    stays_sound(1000, 10, 50000);
    stays_sound(1000, 4000, 150000);
    stays_sound(MOST, UINT32_MAX, 150000);
    return 0;
}
