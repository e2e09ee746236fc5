#include "frames.h"

volatile int input = 3;
volatile int zeroed[100];
static volatile int hidden = 4;

__attribute__((noinline)) int outer(void) {
    int sum = 0;
    for (int i = 0; i < input; i++)
        sum += twice_squared(&input); /* line: call of twice_squared */
    return sum;
}

static __attribute__((noinline)) int local(int n) {
    return n + hidden; /* line: local */
}

int exported(int n) { return local(n) + zeroed[n]; }

#ifndef LIBRARY
int main(void) { return outer() + exported(input) == 0; }
#endif
