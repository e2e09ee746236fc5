/* Ten programs of different kinds, to be counted by two models: golden NAME [TIMES]. Each prints a
 * number that depends on its work. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t state = 88172645463325252u;

static uint64_t draw(void) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

/* Memory that was touched, so that the work meets no page for the first time. */
static void *room(size_t bytes) {
    void *memory = aligned_alloc(4096, (bytes + 4095) / 4096 * 4096);
    if (!memory) {
        exit(1);
    }
    memset(memory, 1, bytes);
    return memory;
}

static uint64_t sieve(void) {
    enum { SIZE = 400000 };
    uint8_t *composite = room(SIZE);
    uint64_t primes = 0;
    for (int round = 0; round < 8; round++) {
        memset(composite, 0, SIZE);
        for (uint64_t i = 2; i < SIZE; i++) {
            primes += !composite[i];
            for (uint64_t j = i * i; j < SIZE && !composite[i]; j += i) {
                composite[j] = 1;
            }
        }
    }
    return primes;
}

static int ascending(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static uint64_t sort(void) {
    enum { SIZE = 40000 };
    uint64_t *numbers = room(SIZE * sizeof *numbers), middle = 0;
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < SIZE; i++) {
            numbers[i] = draw();
        }
        qsort(numbers, SIZE, sizeof *numbers, ascending);
        middle += numbers[SIZE / 2];
    }
    return middle;
}

static uint64_t matrix(void) {
    enum { SIZE = 160 };
    double *a = room(SIZE * SIZE * sizeof *a), *b = room(SIZE * SIZE * sizeof *b), sum = 0;
    for (int i = 0; i < SIZE * SIZE; i++) {
        a[i] = (i % 7) / 7.0; /* not exact: emulators compute what is exact more slowly */
        b[i] = i % 5;
    }
    for (int i = 0; i < SIZE; i++) {
        for (int j = 0; j < SIZE; j++) {
            double cell = 0;
            for (int k = 0; k < SIZE; k++) {
                cell += a[i * SIZE + k] * b[k * SIZE + j];
            }
            sum += cell;
        }
    }
    return (uint64_t)sum;
}

static uint64_t hash(void) {
    enum { SLOTS = 1 << 15 };
    uint64_t *slots = room(SLOTS * sizeof *slots), found = 0;
    memset(slots, 0, SLOTS * sizeof *slots);
    for (int i = 0; i < SLOTS / 2; i++) {
        uint64_t key = draw() | 1, at = key % SLOTS;
        while (slots[at]) {
            at = (at + 1) % SLOTS;
        }
        slots[at] = key;
    }
    for (int i = 0; i < 600000; i++) {
        uint64_t key = slots[draw() % SLOTS] ^ (draw() & 2), at = key % SLOTS;
        while (slots[at] && slots[at] != key) {
            at = (at + 1) % SLOTS;
        }
        found += slots[at] == key;
    }
    return found;
}

static uint64_t chase(void) {
    enum { NODES = 6000 };
    struct node {
        struct node *next;
        uint64_t value[7];
    } *nodes = room(NODES * sizeof *nodes), *at = nodes;
    for (uint64_t i = 0; i < NODES; i++) {
        nodes[i].next = &nodes[(i * 3571 + 1201) % NODES];
        nodes[i].value[0] = i;
    }
    uint64_t sum = 0;
    for (int i = 0; i < 3000000; i++) {
        sum += at->value[0];
        at = at->next;
    }
    return sum;
}

struct tree {
    struct tree *child[2];
    uint64_t key;
};

static uint64_t tree(void) {
    enum { NODES = 20000 };
    struct tree *nodes = room(NODES * sizeof *nodes), *root = NULL;
    memset(nodes, 0, NODES * sizeof *nodes);
    uint64_t steps = 0;
    for (int i = 0; i < NODES; i++) {
        struct tree **at = &root;
        nodes[i].key = draw();
        while (*at) {
            at = &(*at)->child[nodes[i].key > (*at)->key];
        }
        *at = &nodes[i];
    }
    for (int i = 0; i < 200000; i++) {
        uint64_t key = draw();
        for (struct tree *at = root; at; at = at->child[key > at->key]) {
            steps++;
        }
    }
    return steps;
}

static uint64_t search(void) {
    enum { SIZE = 300000 };
    char *text = room(SIZE + 1);
    for (int i = 0; i < SIZE; i++) {
        text[i] = "etaoin shrdlu"[draw() % 13];
    }
    text[SIZE] = '\0';
    uint64_t found = 0;
    const char *words[] = {"ten", "note", "stone", "in the", "lust"};
    for (int round = 0; round < 4; round++) {
        for (size_t w = 0; w < sizeof words / sizeof *words; w++) {
            size_t length = strlen(words[w]);
            for (int i = 0; i + (int)length <= SIZE; i++) {
                found += text[i] == words[w][0] && memcmp(text + i, words[w], length) == 0;
            }
        }
    }
    return found;
}

static uint64_t stencil(void) {
    enum { SIDE = 300 };
    float *from = room(SIDE * SIDE * sizeof *from), *to = room(SIDE * SIDE * sizeof *to);
    for (int i = 0; i < SIDE * SIDE; i++) {
        from[i] = to[i] = (float)(i % 17);
    }
    for (int round = 0; round < 30; round++) {
        for (int y = 1; y < SIDE - 1; y++) {
            for (int x = 1; x < SIDE - 1; x++) {
                int i = y * SIDE + x;
                to[i] = (from[i] * 4 + from[i - 1] + from[i + 1] + from[i - SIDE] + from[i + SIDE]) / 8;
            }
        }
        float *swap = from;
        from = to;
        to = swap;
    }
    return (uint64_t)(from[SIDE * 7 + 7] * 1000);
}

static uint64_t machine(void) {
    enum { SIZE = 4096 };
    uint8_t *program = room(SIZE);
    for (int i = 0; i < SIZE; i++) {
        program[i] = (uint8_t)(draw() % 8);
    }
    uint64_t a = 1, b = 2, *stack = room(1024 * sizeof *stack);
    for (int round = 0; round < 400; round++) {
        for (int i = 0; i < SIZE; i++) {
            switch (program[i]) {
            case 0: a += b; break;
            case 1: b ^= a; break;
            case 2: a = a * 3 + 1; break;
            case 3: b = b >> 3 | b << 61; break;
            case 4: stack[a % 1024] = b; break;
            case 5: b += stack[b % 1024]; break;
            case 6: a -= b; break;
            default: a ^= a >> 7;
            }
        }
    }
    return a ^ b;
}

static int solve(int size, int row, uint32_t columns, uint32_t left, uint32_t right) {
    if (row == size) {
        return 1;
    }
    int found = 0;
    for (uint32_t free_ones = ~(columns | left | right) & ((1u << size) - 1); free_ones; free_ones &= free_ones - 1) {
        uint32_t bit = free_ones & -free_ones;
        found += solve(size, row + 1, columns | bit, (left | bit) << 1, (right | bit) >> 1);
    }
    return found;
}

static uint64_t queens(void) { return (uint64_t)solve(10, 0, 0, 0, 0); }

static const struct {
    const char *name;
    uint64_t (*run)(void);
} programs[] = {{"sieve", sieve}, {"sort", sort},     {"matrix", matrix},   {"hash", hash},       {"chase", chase},
                {"tree", tree},   {"search", search}, {"stencil", stencil}, {"machine", machine}, {"queens", queens}};

int main(int argc, char **argv) {
    for (size_t i = 0; argc > 1 && i < sizeof programs / sizeof *programs; i++) {
        if (strcmp(argv[1], programs[i].name) == 0) {
            uint64_t sum = 0;
            for (long times = argc > 2 ? strtol(argv[2], NULL, 10) : 1; times > 0; times--) {
                sum += programs[i].run();
            }
            printf("%llu\n", (unsigned long long)sum);
            return 0;
        }
    }
    return 2;
}
