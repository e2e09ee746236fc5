/* expect_sound: what order_book.h and the comments of order_book.c promise of a book's inside. */
#ifndef SOUND_BOOK_H
#define SOUND_BOOK_H

#include "order_book.h"

#include "check.h"

/* Every side from its best level to its worst: in order, no gap within a block, no two neighbours that could be one. */
static inline void expect_sound(const ap_book *book) {
    uint32_t levels = 0, spare = 0, orders = 0;
    for (uint32_t side = 0; side < 2 * book->symbols; side++) {
        uint64_t last = UINT64_MAX;
        uint32_t size_before = AP_BOOK_BLOCK;
        for (uint32_t number = side;; number = book->next_block[number]) {
            const ap_book_block *block = &book->blocks[number];
            uint32_t size = 0;
            for (uint32_t i = 0; i < AP_BOOK_BLOCK; i++) {
                if (block->levels[i] == 0) {
                    CHECK_EQUAL(block->keys[i], 0);
                    continue;
                }
                const ap_book_total *total = &book->totals[block->levels[i]];
                CHECK_EQUAL(i, size);
                CHECK(block->keys[i] < last);
                CHECK_EQUAL(total->key, block->keys[i]);
                CHECK_EQUAL(total->side, side);
                CHECK(total->orders > 0 && total->shares >= total->orders);
                last = block->keys[i];
                orders += total->orders;
                size++;
            }
            bool is_first = number < 2 * book->symbols, is_last = book->next_block[number] == 0;
            CHECK(is_first || size + size_before > AP_BOOK_BLOCK / 2);
            CHECK(size > 0 || (is_first && is_last));
            levels += size;
            spare += number >= 2 * book->symbols;
            size_before = size;
            if (is_last)
                break;
        }
    }
    for (uint32_t number = book->free_block; number != 0; number = book->next_block[number])
        spare++;
    CHECK_EQUAL(spare, book->capacity / 4 + 1);
    for (uint32_t level = book->free_level; level != 0; level = book->totals[level].side)
        levels++;
    CHECK_EQUAL(levels, book->capacity);
    CHECK_EQUAL(orders, book->orders);

    uint32_t taken = 0;
    for (uint64_t i = 0; i <= book->slot_mask; i++)
        taken += book->slots[i].shares != 0;
    CHECK_EQUAL(taken, book->orders);
}

#endif
