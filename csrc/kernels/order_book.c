#include "order_book.h"

#include <stdlib.h>
#include <string.h>

enum { HALF = AP_BOOK_BLOCK / 2 };

/* ---- Set-up -------------------------------------------------------------------------------------------------- */

/*
 * Blocks beyond the first of each side. Two neighbours hold more than HALF levels together (see drop_level), so that
 * m blocks of one side hold 9 / 2 (m - 1) levels or more, and a level holds an order at least.
 */
static uint32_t spare_blocks(uint32_t orders) {
    return orders / 4 + 1;
}

/* The power of two that leaves the table at most a quarter full: half full, other orders in the way took an operation 1.3 ns
 * of 20. */
static unsigned slot_bits(uint32_t orders) {
    unsigned bits = 1;
    while (UINT64_C(1) << bits < (uint64_t)4 * orders)
        bits++;
    return bits;
}

/* Offsets of the parts from the start of the memory, each on a line of its own; the last is the size of it all. */
typedef struct {
    size_t slots, blocks, next_block, totals, end;
} layout;

static size_t line_up(size_t bytes) {
    return (bytes + AP_BOOK_ALIGNMENT - 1) / AP_BOOK_ALIGNMENT * AP_BOOK_ALIGNMENT;
}

static layout lay_out(uint32_t symbols, uint32_t orders) {
    size_t blocks = (size_t)2 * symbols + spare_blocks(orders);
    layout at;
    at.slots = line_up(sizeof(ap_book));
    at.blocks = at.slots + line_up(sizeof(ap_book_slot) << slot_bits(orders));
    at.next_block = at.blocks + line_up(sizeof(ap_book_block) * blocks);
    at.totals = at.next_block + line_up(sizeof(uint32_t) * blocks);
    at.end = at.totals + line_up(sizeof(ap_book_total) * ((size_t)orders + 1));
    return at;
}

size_t ap_book_bytes(uint32_t symbols, uint32_t orders) {
    if (symbols == 0 || orders == 0 || symbols > AP_BOOK_MOST_SYMBOLS || orders > AP_BOOK_MOST_ORDERS)
        return 0;
    return lay_out(symbols, orders).end;
}

ap_book *ap_book_init(void *memory, size_t bytes, uint32_t symbols, uint32_t orders) {
    size_t needed = ap_book_bytes(symbols, orders);
    if (memory == NULL || needed == 0 || bytes < needed || (uintptr_t)memory % AP_BOOK_ALIGNMENT != 0)
        return NULL;
    unsigned char *start = memory;
    layout at = lay_out(symbols, orders);
    ap_book *book = memory;
    book->slots = (ap_book_slot *)(start + at.slots);
    book->blocks = (ap_book_block *)(start + at.blocks);
    book->next_block = (uint32_t *)(start + at.next_block);
    book->totals = (ap_book_total *)(start + at.totals);
    book->slot_mask = (UINT64_C(1) << slot_bits(orders)) - 1;
    book->slot_shift = 64 - slot_bits(orders);
    book->symbols = symbols;
    book->capacity = orders;
    ap_book_clear(book);
    return book;
}

void ap_book_clear(ap_book *book) {
    uint32_t sides = 2 * book->symbols, blocks = sides + spare_blocks(book->capacity);
    memset(book->slots, 0, sizeof *book->slots * (book->slot_mask + 1));
    memset(book->blocks, 0, sizeof *book->blocks * blocks);
    memset(book->totals, 0, sizeof *book->totals * ((size_t)book->capacity + 1));
    memset(book->counts, 0, sizeof book->counts);
    for (uint32_t i = 0; i < blocks; i++)
        book->next_block[i] = i < sides || i + 1 == blocks ? 0 : i + 1;
    for (uint32_t i = 1; i < book->capacity; i++)
        book->totals[i].side = i + 1;
    book->free_block = sides;
    book->free_level = 1;
    book->orders = 0;
}

ap_book *ap_book_create(uint32_t symbols, uint32_t orders) {
    size_t bytes = ap_book_bytes(symbols, orders);
    if (bytes == 0)
        return NULL;
    void *memory = aligned_alloc(AP_BOOK_ALIGNMENT, bytes);
    return memory == NULL ? NULL : ap_book_init(memory, bytes, symbols, orders);
}

void ap_book_destroy(ap_book *book) {
    free(book);
}

/* ---- The table of orders: open addressing, linear probing ----------------------------------------------------- */

/* The slot of the reference, or the free one where it would go. */
static inline ap_book_slot *find(const ap_book *book, uint64_t reference) {
    uint64_t at = ap_book_home(book, reference);
    while (book->slots[at].shares != 0 && book->slots[at].reference != reference)
        at = (at + 1) & book->slot_mask;
    return &book->slots[at];
}

/* Frees a slot and moves up those that probed past it: no tombstones, so that the table does not wear out in a day. */
static inline void free_slot(ap_book *book, ap_book_slot *slot) {
    uint64_t mask = book->slot_mask, hole = (uint64_t)(slot - book->slots), at = hole;
    for (;;) {
        at = (at + 1) & mask;
        if (book->slots[at].shares == 0)
            break;
        uint64_t wanted = ap_book_home(book, book->slots[at].reference);
        if (((at - wanted) & mask) >= ((at - hole) & mask)) {
            book->slots[hole] = book->slots[at];
            hole = at;
        }
    }
    book->slots[hole].shares = 0;
}

/* ---- The levels of a side ------------------------------------------------------------------------------------- */

/* All loops over a block run over the whole of it, without a branch on the data: compilers make vectors of them, and
 * where a price falls is what a branch predictor cannot know. */

/* How many keys of a block are better, which is where the key is or would go. */
static inline uint32_t rank(const ap_book_block *block, uint32_t key) {
    uint32_t better = 0;
    for (int i = 0; i < AP_BOOK_BLOCK; i++)
        better += block->keys[i] > key;
    return better;
}

static inline uint32_t size_of(const ap_book_block *block) {
    uint32_t size = 0;
    for (int i = 0; i < AP_BOOK_BLOCK; i++)
        size += block->levels[i] != 0;
    return size;
}

/* Four words of a block at a time, all loaded before the first is stored. Compilers make vectors of a loop over a copy too,
 * but keep the copy on the stack, where each load waits for the two stores beneath it: that took an operation 1 ns of 20. */
typedef uint32_t lanes __attribute__((vector_size(16)));
typedef int32_t places __attribute__((vector_size(16)));
enum { LANES = AP_BOOK_BLOCK / 4 };
_Static_assert(LANES == 4, "the first and the last lanes below are written out");

static inline lanes load(const uint32_t *from) {
    lanes four;
    memcpy(&four, from, sizeof four);
    return four;
}

static inline void store(uint32_t *to, lanes four) {
    memcpy(to, &four, sizeof four);
}

static inline lanes choose(places condition, lanes yes, lanes no) {
    return (yes & (lanes)condition) | (no & ~(lanes)condition);
}

static inline places places_of(int i) {
    return (places){4 * i, 4 * i + 1, 4 * i + 2, 4 * i + 3};
}

static inline void insert_word(uint32_t words[AP_BOOK_BLOCK], int32_t at, uint32_t word) {
    const places place = {at, at, at, at};
    const lanes new = {word, word, word, word};
    const lanes old[LANES] = {load(words), load(words + 4), load(words + 8), load(words + 12)};
    const lanes moved[LANES] = {{0, words[0], words[1], words[2]}, load(words + 3), load(words + 7), load(words + 11)};
    for (int i = 0; i < LANES; i++)
        store(words + 4 * i, choose(places_of(i) < place, old[i], choose(places_of(i) == place, new, moved[i])));
}

static inline void take_out_word(uint32_t words[AP_BOOK_BLOCK], int32_t at) {
    const places place = {at, at, at, at};
    const lanes old[LANES] = {load(words), load(words + 4), load(words + 8), load(words + 12)};
    const lanes moved[LANES] = {load(words + 1), load(words + 5), load(words + 9), {words[13], words[14], words[15], 0}};
    for (int i = 0; i < LANES; i++)
        store(words + 4 * i, choose(places_of(i) < place, old[i], moved[i]));
}

static inline void insert(ap_book_block *block, uint32_t at, uint32_t key, uint32_t level) {
    insert_word(block->keys, (int32_t)at, key);
    insert_word(block->levels, (int32_t)at, level);
}

static inline void take_out(ap_book_block *block, uint32_t at) {
    take_out_word(block->keys, (int32_t)at);
    take_out_word(block->levels, (int32_t)at);
}

/* Moves `count` levels from one block to a place in another, and leaves none behind them. */
static void move(ap_book_block *to, uint32_t to_at, ap_book_block *from, uint32_t from_at, uint32_t count) {
    memcpy(to->keys + to_at, from->keys + from_at, sizeof *to->keys * count);
    memcpy(to->levels + to_at, from->levels + from_at, sizeof *to->levels * count);
    memset(from->keys + from_at, 0, sizeof *from->keys * count);
    memset(from->levels + from_at, 0, sizeof *from->levels * count);
}

/* Moves the worse half of a full block to a new one behind it. */
static void split(ap_book *book, uint32_t number) {
    uint32_t spare = book->free_block;
    book->free_block = book->next_block[spare];
    book->next_block[spare] = book->next_block[number];
    book->next_block[number] = spare;
    move(&book->blocks[spare], 0, &book->blocks[number], HALF, HALF);
}

/* Takes in the block that follows, whose levels have room here. */
static void join_next(ap_book *book, uint32_t number, uint32_t size) {
    uint32_t next = book->next_block[number];
    move(&book->blocks[number], size, &book->blocks[next], 0, size_of(&book->blocks[next]));
    book->next_block[number] = book->next_block[next];
    book->next_block[next] = book->free_block;
    book->free_block = next;
}

/* A block and the one before it, itself where it is the first of its side. */
typedef struct {
    uint32_t number, previous;
} place;

/* The block that holds the key or would: the last one that begins with it or a better one. */
static inline place seek(const ap_book *book, uint32_t side, uint32_t key) {
    place found = {side, side};
    uint32_t next = book->next_block[side];
    while (next != 0 && book->blocks[next].keys[0] >= key) {
        found = (place){next, found.number};
        next = book->next_block[next];
    }
    return found;
}

/* The level of a key on a side, which is made where there is none. */
static inline uint32_t obtain_level(ap_book *book, uint32_t side, uint32_t key) {
    uint32_t number = seek(book, side, key).number;
    ap_book_block *block = &book->blocks[number];
    uint32_t at = rank(block, key);
    if (at < AP_BOOK_BLOCK && block->keys[at] == key && block->levels[at] != 0)
        return block->levels[at];

    if (block->levels[AP_BOOK_BLOCK - 1] != 0) {
        split(book, number);
        if (at > HALF) {
            at -= HALF;
            block = &book->blocks[book->next_block[number]];
        }
    }
    uint32_t level = book->free_level;
    book->free_level = book->totals[level].side;
    book->totals[level] = (ap_book_total){.key = key, .side = side};
    insert(block, at, key, level);
    return level;
}

/*
 * Takes an empty level out of its side, and keeps it true of any two neighbouring blocks that they hold more than HALF
 * levels together. It was true before, so one join is enough: it makes a block of HALF levels, or of those of a
 * neighbour that held more. Without it, levels that come and go at random would leave a trail of blocks of one level,
 * and the spare ones would run out.
 */
static void drop_level(ap_book *book, uint32_t level) {
    ap_book_total *total = &book->totals[level];
    place found = seek(book, total->side, total->key);
    ap_book_block *block = &book->blocks[found.number];
    take_out(block, rank(block, total->key));
    total->side = book->free_level;
    book->free_level = level;

    uint32_t next = book->next_block[found.number];
    bool is_alone = next == 0 && found.number == found.previous;
    if (is_alone || block->levels[HALF - 1] != 0)
        return;
    uint32_t size = size_of(block);
    if (next != 0 && (size == 0 || size + size_of(&book->blocks[next]) <= HALF)) {
        join_next(book, found.number, size);
    } else if (found.number != found.previous) {
        uint32_t size_before = size_of(&book->blocks[found.previous]);
        if (size == 0 || size_before + size <= HALF)
            join_next(book, found.previous, size_before);
    }
}

/* ---- Operations ------------------------------------------------------------------------------------------------ */

static inline ap_book_status count(ap_book *book, ap_book_status status) {
    book->counts[status]++;
    return status;
}

/* A resting order's key is never beyond its side's best: at the best or better, and the best is another. */
static inline ap_book_status moved_if(bool is_at_best) {
    return is_at_best ? AP_BOOK_MOVED : AP_BOOK_OK;
}

/* Puts an order into the free slot and its shares into its level. */
static inline ap_book_status enter(ap_book *book, ap_book_slot *slot, uint64_t reference, uint32_t side,
                                   uint32_t shares, uint32_t key) {
    ap_book_block *first = &book->blocks[side];
    bool is_at_best = key >= first->keys[0];
    uint32_t level = obtain_level(book, side, key);
    *slot = (ap_book_slot){reference, shares, level};
    book->totals[level].shares += shares;
    book->totals[level].orders++;
    book->orders++;
    return moved_if(is_at_best);
}

/* Takes shares out of an order, and the order out of the book where none are left. */
static inline ap_book_status leave(ap_book *book, ap_book_slot *slot, uint32_t shares) {
    uint32_t level = slot->level;
    ap_book_total *total = &book->totals[level];
    bool is_at_best = book->blocks[total->side].keys[0] == total->key;
    total->shares -= shares;
    if (shares < slot->shares) {
        slot->shares -= shares;
    } else {
        free_slot(book, slot);
        book->orders--;
        if (--total->orders == 0)
            drop_level(book, level);
    }
    return moved_if(is_at_best);
}

/* Whether the slot holds a live order of the symbol. */
static inline bool is_live(const ap_book *book, const ap_book_slot *slot, uint32_t symbol) {
    return slot->shares != 0 && book->totals[slot->level].side / 2 == symbol;
}

ap_book_status ap_book_add(ap_book *book, uint32_t symbol, uint64_t reference, char side, uint32_t shares,
                           uint32_t price) {
    if (symbol >= book->symbols)
        return count(book, AP_BOOK_UNKNOWN_SYMBOL);
    if (side != 'B' && side != 'S')
        return count(book, AP_BOOK_BAD_SIDE);
    if (shares == 0)
        return count(book, AP_BOOK_NO_SHARES);
    if (book->orders == book->capacity)
        return count(book, AP_BOOK_FULL);
    ap_book_slot *slot = find(book, reference);
    if (slot->shares != 0)
        return count(book, AP_BOOK_KNOWN_REFERENCE);
    bool is_offer = side == 'S';
    return count(book, enter(book, slot, reference, 2 * symbol + is_offer, shares, ap_book_key(price, is_offer)));
}

ap_book_status ap_book_reduce(ap_book *book, uint32_t symbol, uint64_t reference, uint32_t shares) {
    ap_book_slot *slot = find(book, reference);
    if (!is_live(book, slot, symbol))
        return count(book, AP_BOOK_UNKNOWN_REFERENCE);
    if (shares == 0)
        return count(book, AP_BOOK_NO_SHARES);
    if (shares > slot->shares)
        return count(book, AP_BOOK_OVER_EXECUTION);
    return count(book, leave(book, slot, shares));
}

ap_book_status ap_book_delete(ap_book *book, uint32_t symbol, uint64_t reference) {
    ap_book_slot *slot = find(book, reference);
    if (!is_live(book, slot, symbol))
        return count(book, AP_BOOK_UNKNOWN_REFERENCE);
    return count(book, leave(book, slot, slot->shares));
}

ap_book_status ap_book_replace(ap_book *book, uint32_t symbol, uint64_t reference, uint64_t new_reference,
                               uint32_t shares, uint32_t price) {
    ap_book_slot *slot = find(book, reference);
    if (!is_live(book, slot, symbol))
        return count(book, AP_BOOK_UNKNOWN_REFERENCE);
    if (shares == 0)
        return count(book, AP_BOOK_NO_SHARES);
    if (find(book, new_reference)->shares != 0)
        return count(book, AP_BOOK_KNOWN_REFERENCE);

    uint32_t side = book->totals[slot->level].side;
    bool is_offer = side % 2 != 0;
    ap_book_level before = ap_book_best(book, symbol, is_offer);
    leave(book, slot, slot->shares);
    enter(book, find(book, new_reference), new_reference, side, shares, ap_book_key(price, is_offer));
    ap_book_level after = ap_book_best(book, symbol, is_offer);
    return count(book, moved_if(before.price != after.price || before.shares != after.shares ||
                                before.orders != after.orders));
}

/* ---- Looking at it --------------------------------------------------------------------------------------------- */

bool ap_book_find(const ap_book *book, uint64_t reference, ap_book_order *order) {
    const ap_book_slot *slot = find(book, reference);
    if (slot->shares == 0)
        return false;
    const ap_book_total *total = &book->totals[slot->level];
    bool is_offer = total->side % 2 != 0;
    *order = (ap_book_order){total->side / 2, ap_book_key(total->key, is_offer), slot->shares, is_offer ? 'S' : 'B'};
    return true;
}

size_t ap_book_depth(const ap_book *book, uint32_t symbol, char side, ap_book_level *levels, size_t most) {
    if (symbol >= book->symbols || (side != 'B' && side != 'S'))
        return 0;
    bool is_offer = side == 'S';
    uint32_t number = 2 * symbol + is_offer;
    size_t found = 0;
    do {
        const ap_book_block *block = &book->blocks[number];
        for (int i = 0; i < AP_BOOK_BLOCK && block->levels[i] != 0 && found < most; i++) {
            const ap_book_total *total = &book->totals[block->levels[i]];
            levels[found++] = (ap_book_level){ap_book_key(total->key, is_offer), total->orders, total->shares};
        }
        number = book->next_block[number];
    } while (number != 0 && found < most);
    return found;
}
