/* The order book on operations of a few bytes each, which reach the splits and joins of its blocks sooner than messages. */
#include "order_book.h"
#include "input.h"
#include "sound_book.h"

enum { SYMBOLS = 2, ORDERS = 200, BYTES = 4 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    ap_book *book = ap_book_create(SYMBOLS, ORDERS);
    CHECK(book != NULL);
    uint64_t operations = 0;
    for (; size >= BYTES; data += BYTES, size -= BYTES) {
        /* Rarely what is refused, so that most operations reach the levels: prices from both ends, sizes of 1 to 3. */
        bool is_odd = data[3] == 0;
        uint32_t symbol = data[0] >> 7, shares = is_odd ? data[2] % 4 : 1 + data[0] / 8 % 4;
        char side = is_odd && data[2] > 128 ? 'b' : data[0] & 4 ? 'S' : 'B';
        uint32_t price = data[0] & 64 ? UINT32_MAX - data[2] : data[2];
        uint64_t reference = data[1];
        ap_book_bbo before = ap_book_top(book, symbol);
        ap_book_status status;
        switch (data[0] % 4) {
        case 0:
            status = ap_book_add(book, symbol, reference, side, shares, price);
            break;
        case 1:
            status = ap_book_reduce(book, symbol, reference, shares);
            break;
        case 2:
            status = ap_book_delete(book, symbol, reference);
            break;
        default:
            status = ap_book_replace(book, symbol, reference, data[3], shares, price);
        }
        ap_book_bbo after = ap_book_top(book, symbol);
        CHECK_EQUAL(status == AP_BOOK_MOVED, memcmp(&before, &after, sizeof before) != 0);
        if (++operations % 64 == 0)
            expect_sound(book);
    }
    expect_sound(book);
    ap_book_destroy(book);
    return 0;
}
