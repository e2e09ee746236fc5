/* What the pull requests of this repository must not make slower: looking up the symbols of a day's messages. */
#include "symbols.h"
#include <stdio.h>

int main(void) {
    static struct symbols symbols;
    symbols_init(&symbols, 1024);
    for (uint32_t name = 1; name <= 600; name++) {
        symbols_add(&symbols, name * 2654435761u, name);
    }
    uint64_t sum = 0;
    for (uint32_t message = 0; message < 100000; message++) {
        sum += symbols_find(&symbols, (1 + message * 7 % 600) * 2654435761u);
    }
    printf("%llu\n", (unsigned long long)sum);
    return 0;
}
