/* Loops whose chains, strides and kinds of addresses are known, each a function of its own.
 *
 *     loops NAME N ROUNDS
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ALONE __attribute__((noinline, noclone))

struct node {
    struct node *next;
    int64_t value;
    int64_t unused[6];
};

static int64_t n;
static struct node *nodes;
static int64_t *numbers, *others;
static int32_t *places;
static uint64_t seed = 88172645463325252u;

static uint64_t any(void) {
    seed ^= seed << 13;
    seed ^= seed >> 7;
    return seed ^= seed << 17;
}

/* ---- Chains, written by hand ---- */

ALONE int64_t adds(void) {
    int64_t left = n;
    __asm__ volatile("1: fadd d0, d0, d1\n subs %0, %0, #1\n b.ne 1b" : "+r"(left)::"d0", "d1", "cc");
    return left;
}

ALONE int64_t four_adds(void) {
    int64_t left = n;
    __asm__ volatile("1: fadd d0, d0, d1\n fadd d2, d2, d1\n fadd d3, d3, d1\n fadd d4, d4, d1\n"
                     "subs %0, %0, #1\n b.ne 1b"
                     : "+r"(left)::"d0", "d1", "d2", "d3", "d4", "cc");
    return left;
}

ALONE int64_t divides(void) {
    int64_t left = n, one = 1;
    __asm__ volatile("1: udiv %w1, %w1, %w2\n subs %0, %0, #1\n b.ne 1b" : "+r"(left), "+r"(one) : "r"(3) : "cc");
    return left + one;
}

ALONE int64_t through_memory(void) {
    volatile int64_t sum = 0;
    for (int64_t i = 0; i < n; i++) {
        sum += i;
    }
    return sum;
}

/* Every other iteration two multiplications, else an addition. */
ALONE int64_t either(void) {
    int64_t left = n, value = 1;
    __asm__ volatile("1: tbz %0, #0, 2f\n umulh %1, %1, %1\n umulh %1, %1, %1\n b 3f\n 2: add %1, %1, #1\n"
                     "3: subs %0, %0, #1\n b.ne 1b"
                     : "+r"(left), "+r"(value)::"cc");
    return value;
}

/* ---- Addresses ---- */

ALONE int64_t chase(void) {
    struct node *node = nodes;
    int64_t sum = 0;
    for (int64_t i = 0; i < n; i++) {
        sum += node->value;
        node = node->next;
    }
    return sum;
}

ALONE int64_t gather(void) {
    int64_t sum = 0;
    for (int64_t i = 0; i < n; i++) {
        sum += numbers[places[i]];
    }
    return sum;
}

ALONE int64_t stream(void) {
    int64_t sum = 0;
    for (int64_t i = 0; i < n; i++) {
        sum += numbers[i];
    }
    return sum;
}

ALONE int64_t one_field(void) {
    int64_t sum = 0;
    for (int64_t i = 0; i < n; i++) {
        sum += nodes[i].value;
    }
    return sum;
}

ALONE int64_t rows(void) {
    int64_t sum = 0;
    for (int64_t row = 0; row < n; row++) {
        for (int64_t column = 0; column < n; column++) {
            sum += numbers[row * n + column];
        }
    }
    return sum;
}

ALONE int64_t columns(void) {
    int64_t sum = 0;
    for (int64_t column = 0; column < n; column++) {
        for (int64_t row = 0; row < n; row++) {
            sum += numbers[row * n + column];
        }
    }
    return sum;
}

ALONE int64_t length(void) { /* its end is found by loading */
    int64_t i = 0;
    while (numbers[i] != -1) {
        i++;
    }
    return i;
}

ALONE int64_t running(void) { /* each sum is needed */
    int64_t sum = 0;
    for (int64_t i = 0; i < n; i++) {
        sum += numbers[i];
        others[i] = sum;
    }
    return sum;
}

ALONE int64_t barriers(void) {
    for (int64_t i = 0; i < n; i++) {
        __asm__ volatile("dmb ish" ::: "memory");
    }
    return 0;
}

ALONE int64_t atomics(void) {
    for (int64_t i = 0; i < n; i++) {
        __asm__ volatile(".arch armv8.1-a\n stadd %0, [%1]" ::"r"(i), "r"(numbers + 8 * (i & 7)) : "memory");
    }
    return 0;
}

ALONE static int64_t more(int64_t value) { return value + 1; }
ALONE static int64_t less(int64_t value) { return value - 1; }

ALONE int64_t calls(void) {
    int64_t (*volatile functions[2])(int64_t) = {more, less};
    int64_t value = 0;
    for (int64_t i = 0; i < n; i++) {
        value = functions[i & 1](value);
    }
    return value;
}

#define EACH(X)                                                                                                        \
    X(adds) X(four_adds) X(divides) X(through_memory) X(either) X(chase) X(gather) X(stream) X(one_field) X(rows)      \
    X(columns) X(length) X(running) X(barriers) X(atomics) X(calls)

static const struct {
    const char *name;
    int64_t (*run)(void);
} loops[] = {
#define ONE(name) {#name, name},
    EACH(ONE)
};

/* One circle through all nodes, in no order (Sattolo). */
static void tie(void) {
    int64_t *order = malloc((size_t)n * sizeof *order);
    for (int64_t i = 0; i < n; i++) {
        order[i] = i;
        nodes[i].value = i;
    }
    for (int64_t i = n - 1; i > 0; i--) {
        int64_t j = (int64_t)(any() % (uint64_t)i), was = order[i];
        order[i] = order[j];
        order[j] = was;
    }
    for (int64_t i = 0; i < n; i++) {
        nodes[order[i]].next = &nodes[order[(i + 1) % n]];
    }
    free(order);
}

int main(int argc, char **argv) {
    if (argc < 4) {
        return 2;
    }
    n = strtol(argv[2], NULL, 10);
    int64_t square = strcmp(argv[1], "rows") == 0 || strcmp(argv[1], "columns") == 0 ? n * n : n + 64;
    if (strcmp(argv[1], "chase") == 0 || strcmp(argv[1], "one_field") == 0) {
        nodes = aligned_alloc(64, (size_t)n * sizeof *nodes);
        tie();
    } else {
        numbers = calloc((size_t)square + 1, sizeof *numbers);
        others = calloc((size_t)square + 1, sizeof *others);
        places = malloc((size_t)n * sizeof *places);
        for (int64_t i = 0; i < n && argv[1][0] == 'g'; i++) {
            places[i] = (int32_t)(any() % (uint64_t)n);
        }
        numbers[n] = -1;
    }
    int64_t sum = 0;
    for (size_t i = 0; i < sizeof loops / sizeof *loops; i++) {
        for (long round = strtol(argv[3], NULL, 10); round > 0 && strcmp(argv[1], loops[i].name) == 0; round--) {
            sum += loops[i].run();
        }
    }
    printf("%ld\n", (long)sum);
    return 0;
}
