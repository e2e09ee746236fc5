/* One of each thing that inspect looks for, each in a function of its name, beside one that is sound. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

volatile unsigned long seed = 1;

void atomic_add(unsigned *counter) { __atomic_fetch_add(counter, 1, __ATOMIC_SEQ_CST); }

void fenced_loop(volatile int *at, int n) {
    for (int i = 0; i < n; i++) {
        at[i] = i;
        __sync_synchronize();
    }
}

unsigned long divided_by_the_same(unsigned long *at, int n, unsigned long by) {
    unsigned long sum = 0;
    for (int i = 0; i < n; i++)
        sum += at[i] / by;
    return sum;
}

unsigned long divided_by_each(unsigned long *at, int n) {
    unsigned long sum = 1000000;
    for (int i = 0; i < n; i++)
        sum += sum / (at[i] | 1);
    return sum;
}

unsigned long divided_once(unsigned long a, unsigned long b) { return a / b; }

double summed_one_by_one(const double *at, int n) {
    double sum = 0;
    for (int i = 0; i < n; i++)
        sum += at[i];
    return sum;
}

void added_as_vectors(double *restrict to, const double *restrict from, int n) {
    for (int i = 0; i < n; i++)
        to[i] += from[i];
}

void library_in_a_loop(char **at, int n) {
    for (int i = 0; i < n; i++)
        seed += strlen(at[i]);
}

void library_once(char *at) { seed += strlen(at); }

void ends_in_a_loop(int *at, int n) {
    for (int i = 0; i < n; i++)
        if (at[i] < 0)
            abort(); /* after this nothing goes round */
}

__attribute__((noinline)) unsigned long tiny(unsigned long n) { return n * 3 + seed; }

void tiny_in_a_loop(unsigned long *at, int n) {
    for (int i = 0; i < n; i++)
        at[i] = tiny(at[i]);
}

struct holed {
    char a;
    uint64_t b;
    char c;
    uint64_t d;
    char e;
    uint64_t f;
} holed;

struct tight {
    uint64_t b, d, f;
    char a, c, e;
} tight;

struct reserved {
    uint64_t a;
    char b;
    char : 8;
    long : 64;
    long : 64;
    uint64_t c;
} reserved; /* what is kept free on purpose is no hole */

struct aligned {
    char head[56];
    struct {
        uint64_t from, to;
    } across; /* at 56, 16 bytes */
} __attribute__((aligned(64))) aligned;

struct counters {
    uint64_t left, right;
} counters __attribute__((aligned(64)));

struct padded {
    uint64_t left __attribute__((aligned(64)));
    uint64_t right __attribute__((aligned(64)));
} padded;

__attribute__((noinline)) void count_left(void) { counters.left++; padded.left++; }
__attribute__((noinline)) void count_right(void) { counters.right++; padded.right++; }

int main(void) { return (int)(holed.b + reserved.c + tight.b + aligned.across.from); }
