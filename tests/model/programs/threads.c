/* Starts so many threads one after another, each of which loops a thousand times. */
#include <pthread.h>
#include <stdlib.h>

static void *loop(void *unused) {
    for (int i = 0; i < 1000; i++) {
        __asm__ volatile("nop");
    }
    return unused;
}

int main(int argc, char **argv) {
    for (long left = argc > 1 ? strtol(argv[1], NULL, 10) : 0; left > 0; left--) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, loop, NULL) != 0) {
            return 1;
        }
        pthread_join(thread, NULL);
    }
    return 0;
}
