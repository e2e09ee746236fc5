#include "symbols.h"

void symbols_init(struct symbols *symbols, uint32_t slots) {
    symbols->slots = slots; /* a power of two */
}

static uint32_t slot_of(const struct symbols *symbols, uint32_t name) {
    return (name ^ name >> 15) & (symbols->slots - 1);
}

void symbols_add(struct symbols *symbols, uint32_t name, uint32_t number) {
    uint32_t slot = slot_of(symbols, name);
    while (symbols->names[slot]) {
        slot = (slot + 1) & (symbols->slots - 1);
    }
    symbols->names[slot] = name;
    symbols->numbers[slot] = number;
}

uint32_t symbols_find(const struct symbols *symbols, uint32_t name) {
    uint32_t slot = slot_of(symbols, name);
    while (symbols->names[slot] && symbols->names[slot] != name) {
        slot = (slot + 1) & (symbols->slots - 1);
    }
    return symbols->names[slot] ? symbols->numbers[slot] : 0;
}
