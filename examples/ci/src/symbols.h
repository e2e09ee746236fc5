/* A table from names to numbers. */
#ifndef SYMBOLS_H
#define SYMBOLS_H

#include <stdint.h>

struct symbols {
    uint32_t slots, names[2048], numbers[2048];
};

void symbols_init(struct symbols *symbols, uint32_t slots);
void symbols_add(struct symbols *symbols, uint32_t name, uint32_t number);
uint32_t symbols_find(const struct symbols *symbols, uint32_t name); /* 0: not there */

#endif
