/* Two workers take orders as they come, and count them and their shares for a monitor that looks at any time. */
#include <pthread.h>
#include <sched.h>
#include <stdio.h>

enum { ORDERS = 30000, AT_ONCE = 10 };

struct statistics {
    volatile long orders, shares;
#ifdef APART
    char rest_of_the_line[64 - 2 * sizeof(long)];
#endif
};

static _Alignas(64) struct statistics statistics[2];

static void *take_orders(void *worker) {
    struct statistics *own = &statistics[(long)worker];
    for (long order = 0; order < ORDERS; order++) {
        own->orders++;
        own->shares += 100 * (1 + order % 4);
        if (order % AT_ONCE == 0) {
            sched_yield(); /* the queue is empty: wait for more */
        }
    }
    return NULL;
}

int main(void) {
    pthread_t threads[2];
    for (long worker = 0; worker < 2; worker++) {
        pthread_create(&threads[worker], NULL, take_orders, (void *)worker);
    }
    for (int worker = 0; worker < 2; worker++) {
        pthread_join(threads[worker], NULL);
    }
    printf("%ld orders of %ld shares\n", statistics[0].orders + statistics[1].orders,
           statistics[0].shares + statistics[1].shares);
    return 0;
}
