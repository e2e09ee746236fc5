/*
 * Order book: the limit order books of many symbols, built order by order as an ITCH feed tells them.
 *
 * Guarantees
 *   Complexity  an operation looks an order up by hash, O(1), and its price level by the order. Only a price that is
 *               new to its side, or leaves it, is searched for from the best price on, AP_BOOK_BLOCK levels at a time.
 *               No allocation and no system call after set-up.
 *   Content     per symbol and side the levels from the best price to the worst, each with its shares and orders;
 *               whatever the prices, from 0 to 2^32 - 1, and wherever they lie.
 *   Capacity    `symbols` symbols and `orders` live orders in all, fixed at set-up. Nothing else can run out: there is
 *               room for every order to be a level of its own.
 *   Memory      one block, the caller's (ap_book_init) or allocated once (ap_book_create), every page of it touched at
 *               set-up. Some 120 to 190 bytes an order and 264 a symbol.
 *   Layout      an order is 16 bytes in a table at most a quarter full, four to a line. The first AP_BOOK_BLOCK levels of a
 *               side are a line of prices and a line of level numbers at a fixed place; the best is the first.
 *   Threads     one book belongs to one thread at a time.
 *   Errors      an operation that does not fit the book (ap_book_status) is refused, counted by its kind and changes
 *               nothing else.
 */
#ifndef AP_ORDER_BOOK_H
#define AP_ORDER_BOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum ap_book_status {
    AP_BOOK_OK = 0,            /* applied; the best bid and offer of the symbol are as they were */
    AP_BOOK_MOVED,             /* applied; the price, shares or orders of its best bid or offer are others */
    AP_BOOK_UNKNOWN_SYMBOL,    /* an order is added to a symbol that the book has no room for */
    AP_BOOK_UNKNOWN_REFERENCE, /* no live order of this symbol bears the reference */
    AP_BOOK_KNOWN_REFERENCE,   /* an order is added under the reference of a live one */
    AP_BOOK_OVER_EXECUTION,    /* more shares are to leave the order than it has */
    AP_BOOK_NO_SHARES,         /* an order of no shares, or none to leave it */
    AP_BOOK_BAD_SIDE,          /* neither 'B' nor 'S' */
    AP_BOOK_FULL,              /* as many orders live as there is room for */
    AP_BOOK_STATUSES,
} ap_book_status;

typedef struct ap_book_level {
    uint32_t price;
    uint32_t orders; /* 0 where there is no such level */
    uint64_t shares;
} ap_book_level;

typedef struct ap_book_bbo {
    ap_book_level bid, offer;
} ap_book_bbo;

typedef struct ap_book_order {
    uint32_t symbol;
    uint32_t price;
    uint32_t shares;
    char side; /* 'B' or 'S' */
} ap_book_order;

/* Within the book the better price is the larger key on either side: a bid's price, an offer's price inverted. */
static inline uint32_t ap_book_key(uint32_t price, bool is_offer) {
    return is_offer ? ~price : price;
}

/* One order in the table; no shares mark a free place. */
typedef struct {
    uint64_t reference;
    uint32_t shares;
    uint32_t level;
} ap_book_slot;

typedef struct {
    uint64_t shares;
    uint32_t orders;
    uint32_t key;
    uint32_t side; /* 2 * symbol, + 1 for offers; of a free level, the next free one */
} ap_book_total;

#define AP_BOOK_BLOCK 16

/* Levels of one side in order, the best first; behind the last key and level are 0. Level 0 is none. */
typedef struct {
    uint32_t keys[AP_BOOK_BLOCK];
    uint32_t levels[AP_BOOK_BLOCK];
} ap_book_block;

typedef struct ap_book {
    ap_book_slot *slots;
    ap_book_block *blocks; /* the first of each side, by number of the side, then those that go on with worse prices */
    uint32_t *next_block;  /* the block that goes on, 0 for none; of a free block, the next free one */
    ap_book_total *totals; /* of each level, by its number */
    uint64_t slot_mask;
    unsigned slot_shift;
    uint32_t symbols;
    uint32_t capacity;
    uint32_t orders; /* live now */
    uint32_t free_block;
    uint32_t free_level;
    uint64_t counts[AP_BOOK_STATUSES]; /* operations that ended in each status */
} ap_book;

/* Where the search for a reference begins. Fibonacci hashing (Knuth, vol. 3, 6.4): references that follow one another,
 * as an exchange gives them, fall far apart and evenly. */
static inline uint64_t ap_book_home(const ap_book *book, uint64_t reference) {
    return reference * 0x9e3779b97f4a7c15U >> book->slot_shift;
}

/* Asks the memory for what an operation on this order is to look at first. Any symbol and reference will do. A call that
 * is not inlined at once is lost: gcc 12 takes a function that only prefetches for one without effect. */
__attribute__((always_inline)) static inline void ap_book_prefetch(const ap_book *book, uint32_t symbol, uint64_t reference) {
    __builtin_prefetch(&book->slots[ap_book_home(book, reference)]);
    __builtin_prefetch(&book->blocks[symbol < book->symbols ? 2 * symbol : 0]);
}

#define AP_BOOK_ALIGNMENT 64
#define AP_BOOK_MOST_SYMBOLS (1U << 24)
#define AP_BOOK_MOST_ORDERS (1U << 28)

/* Bytes a book takes; 0 where a number is 0 or beyond its limit above. */
size_t ap_book_bytes(uint32_t symbols, uint32_t orders);

/* Makes an empty book for the symbols 0 to symbols - 1 in the caller's memory, which is aligned to AP_BOOK_ALIGNMENT
 * and bears ap_book_bytes() bytes. NULL where it does not. */
ap_book *ap_book_init(void *memory, size_t bytes, uint32_t symbols, uint32_t orders);

/* The same in memory of its own; NULL where there is none. Give it back by ap_book_destroy(). */
ap_book *ap_book_create(uint32_t symbols, uint32_t orders);
void ap_book_destroy(ap_book *book);

/* Takes all orders out and sets the counts to 0. As slow as set-up. */
void ap_book_clear(ap_book *book);

/* A new order of `shares` at `price`. */
ap_book_status ap_book_add(ap_book *book, uint32_t symbol, uint64_t reference, char side, uint32_t shares,
                           uint32_t price);

/* Shares leave an order: ITCH's order executed, order executed with price (the book is left at the order's own price,
 * whatever the trade's) and order cancel. An order without shares is gone. */
ap_book_status ap_book_reduce(ap_book *book, uint32_t symbol, uint64_t reference, uint32_t shares);

/* An order leaves with all its shares. */
ap_book_status ap_book_delete(ap_book *book, uint32_t symbol, uint64_t reference);

/* An order leaves and another takes its place on the same side, as one operation. */
ap_book_status ap_book_replace(ap_book *book, uint32_t symbol, uint64_t reference, uint64_t new_reference,
                               uint32_t shares, uint32_t price);

/* The live order of this reference; false where there is none, and *order is as it was. */
bool ap_book_find(const ap_book *book, uint64_t reference, ap_book_order *order);

/* Stores the best levels of a side, `most` of them at most, and says how many: none of an unknown symbol. */
size_t ap_book_depth(const ap_book *book, uint32_t symbol, char side, ap_book_level *levels, size_t most);

static inline ap_book_level ap_book_best(const ap_book *book, uint32_t symbol, bool is_offer) {
    const ap_book_block *first = &book->blocks[2 * symbol + is_offer];
    const ap_book_total *total = &book->totals[first->levels[0]];
    ap_book_level best = {ap_book_key(first->keys[0], is_offer), total->orders, total->shares};
    return total->orders == 0 ? (ap_book_level){0} : best;
}

/* The best bid and offer of a symbol, which is below book->symbols. */
static inline ap_book_bbo ap_book_top(const ap_book *book, uint32_t symbol) {
    return (ap_book_bbo){ap_book_best(book, symbol, false), ap_book_best(book, symbol, true)};
}

#endif
