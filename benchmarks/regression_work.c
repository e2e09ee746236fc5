/*
 * Work to compare builds of: a dependent chase over 256 KiB, and loops of three kernels. Each function is one sample of
 * about a hundred microseconds; WORK percent of it is done, so that 105 is a regression by 5 %.
 */
#include <stdint.h>

#include "kernels.h"

#ifndef WORK
#define WORK 100
#endif

enum { LINES = 256 * 1024 / 64, STEPS = 20000, ORDERS = 2000, YIELDS = 1000, OBJECTS = 10000 };

static struct {
    uint32_t next;
    char rest[60];
} lines[LINES];
static uint32_t at;
static volatile uint64_t sink;

/* One cycle through all lines in random order. */
static void lay_out(void) {
    uint64_t random = 88172645463325252U;
    for (uint32_t i = 0; i < LINES; i++)
        lines[i].next = i;
    for (uint32_t i = LINES - 1; i > 0; i--) {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        uint32_t j = (uint32_t)(random % i), next = lines[i].next;
        lines[i].next = lines[j].next;
        lines[j].next = next;
    }
}

void chase(void) {
    static int is_laid_out;
    if (!is_laid_out) {
        lay_out();
        is_laid_out = 1;
    }
    for (int i = 0; i < STEPS / 100 * WORK; i++)
        at = lines[at].next;
    sink = at;
}

static void run(void *(*create)(uint64_t), ap_loop loop, void **state, uint64_t operations) {
    if (!*state)
        *state = create(1);
    sink = loop(*state, operations / 100 * WORK);
}

void risk(void) {
    static void *state;
    run(ap_risk_loop_create, ap_risk_loop, &state, ORDERS);
}

void treasury(void) {
    static void *state;
    run(ap_treasury_loop_create, ap_treasury_loop, &state, YIELDS);
}

void object_pool(void) {
    static void *state;
    run(ap_pool_loop_create, ap_pool_loop, &state, OBJECTS);
}
