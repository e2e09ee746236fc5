/* A ring that log lines are put into and taken from, eight at a time. A full barrier at each step orders more than it needs:
 * a release when the place is published and an acquire when it is read are enough. */
#include "suite.h"

enum { SLOTS = 256, LINES = 16384, BATCH = 8 };

static struct {
    uint64_t time, event, value;
} ring[SLOTS];
static uint64_t head __attribute__((aligned(64))), tail __attribute__((aligned(64)));

static inline uint64_t read_place(const uint64_t *place) {
#ifdef FIXED
    return __atomic_load_n(place, __ATOMIC_ACQUIRE);
#else
    uint64_t value = *(const volatile uint64_t *)place;
    __sync_synchronize();
    return value;
#endif
}

static inline void publish(uint64_t *place, uint64_t value) {
#ifdef FIXED
    __atomic_store_n(place, value, __ATOMIC_RELEASE);
#else
    __sync_synchronize();
    *(volatile uint64_t *)place = value;
#endif
}

static void prepare(void) {}

static __attribute__((noinline)) int put(uint64_t time, uint64_t event, uint64_t value) {
    uint64_t at = head;
    if (at - read_place(&tail) == SLOTS) {
        return 0;
    }
    ring[at % SLOTS].time = time;
    ring[at % SLOTS].event = event;
    ring[at % SLOTS].value = value;
    publish(&head, at + 1);
    return 1;
}

static __attribute__((noinline)) uint64_t take(void) {
    uint64_t at = tail, sum = 0;
    if (at != read_place(&head)) {
        sum = ring[at % SLOTS].time * 31 + ring[at % SLOTS].event * 7 + ring[at % SLOTS].value;
        publish(&tail, at + 1);
    }
    return sum;
}

static uint64_t work(unsigned thread) {
    (void)thread;
    uint64_t sum = 0;
    for (uint64_t i = 0; i < LINES; i += BATCH) {
        for (uint64_t n = i; n < i + BATCH; n++) {
            put(n, n & 15, n * 3);
        }
        for (int n = 0; n < BATCH; n++) {
            sum += take();
        }
    }
    return sum;
}
