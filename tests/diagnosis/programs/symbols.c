/* Healthy: 500 symbols of eight characters in a hash table that fits into L1, found at once or in the next place. */
#include "suite.h"

enum { SYMBOLS = 500, PLACES = 2048, LOOKUPS = 20000 };

static struct {
    uint64_t symbol;
    uint32_t number, lookups;
} table[PLACES];
static uint64_t wanted[LOOKUPS];

static inline uint32_t place(uint64_t symbol) { return (uint32_t)(symbol * 0x9e3779b97f4a7c15u >> 53); }

static void prepare(void) {
    static uint64_t symbols[SYMBOLS];
    for (uint32_t i = 0; i < SYMBOLS; i++) {
        symbols[i] = draw(UINT64_MAX) | 1;
        uint32_t at = place(symbols[i]);
        while (table[at].symbol) {
            at = (at + 1) % PLACES;
        }
        table[at].symbol = symbols[i];
        table[at].number = i;
    }
    for (int i = 0; i < LOOKUPS; i++) {
        do { /* the ones that lie where they belong: most */
            wanted[i] = symbols[draw(SYMBOLS)];
        } while (table[place(wanted[i])].symbol != wanted[i]);
    }
}

static uint64_t work(unsigned thread) {
    (void)thread;
    uint64_t sum = 0;
    for (int i = 0; i < LOOKUPS; i++) {
        uint32_t at = place(wanted[i]);
        while (table[at].symbol != wanted[i]) {
            at = (at + 1) % PLACES;
        }
        sum += table[at].number + ++table[at].lookups;
    }
    return sum;
}
