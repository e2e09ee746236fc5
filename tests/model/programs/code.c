/* Much code: a function on each of 1500 pages, called in turn. */
#include <stdio.h>

enum { PAGES = 1500, PAGE = 4096, ROUNDS = 40 };

__asm__(".text\n.balign 4096\npages:\n.rept 1500\nadd x0, x0, #1\nret\n.balign 4096\n.endr");
extern char pages[];

int main(void) {
    long sum = 0;
    for (long i = 0; i < ROUNDS * PAGES; i++) {
        sum = ((long (*)(long))(pages + i % PAGES * PAGE))(sum);
    }
    printf("%ld\n", sum);
    return 0;
}
