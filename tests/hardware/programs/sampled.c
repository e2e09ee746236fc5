/* Known shares of the work: in this program, in a thread, in a child, and in a shared library (walk.c). Each function is one
 * that a profiler must name. Usage: sampled ROUNDS LIBRARY WALKS */
#include <dlfcn.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define APART __attribute__((noinline))

static volatile uint64_t sink;
static char memory[1 << 20];

APART void spin_much(uint64_t rounds) {
    for (uint64_t i = 0; i < rounds * 60000; i++) {
        sink += i;
    }
}

APART void spin_little(uint64_t rounds) {
    for (uint64_t i = 0; i < rounds * 20000; i++) {
        sink ^= i;
    }
}

APART void *in_a_thread(void *rounds) {
    spin_little(*(uint64_t *)rounds);
    spin_little(*(uint64_t *)rounds);
    return NULL;
}

typedef uint64_t walker(const char *base, size_t bytes, size_t step);

/* Each load misses L1D: most of the refills are in the library. */
APART void miss_much(walker *walk, uint64_t walks) {
    for (uint64_t i = 0; i < walks; i++) {
        sink += walk(memory, sizeof memory, 64);
    }
}

APART void in_a_child(uint64_t rounds) { spin_much(rounds); }

int main(int count, char **arguments) {
    if (count != 4) {
        return 2;
    }
    uint64_t rounds = strtoull(arguments[1], NULL, 10);
    void *library = dlopen(arguments[2], RTLD_NOW);
    walker *walk = library ? (walker *)dlsym(library, "walk") : NULL;
    if (!walk) {
        return 3;
    }
    for (size_t i = 0; i < sizeof memory; i += 4096) {
        memory[i] = 1;
    }
    pthread_t thread;
    pthread_create(&thread, NULL, in_a_thread, &rounds);
    pid_t child = fork();
    if (child == 0) {
        in_a_child(rounds);
        _exit(0);
    }
    spin_much(rounds);
    miss_much(walk, strtoull(arguments[3], NULL, 10));
    pthread_join(thread, NULL);
    waitpid(child, NULL, 0);
    return 0;
}
