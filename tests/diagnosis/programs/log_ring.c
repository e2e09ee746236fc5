/* A ring that log lines are put into and taken from, eight at a time. A full barrier at each step orders more than it needs:
 * a release when a place is published and an acquire when it is read are enough. */
#include "suite.h"

enum { SLOTS = 256, LINES = 16384, BATCH = 8 };

struct line {
    uint64_t time, event, value, check;
};

static struct {
    struct line lines[SLOTS];
    uint64_t head __attribute__((aligned(64))), tail __attribute__((aligned(64)));
} ring;

static inline uint64_t seen(const uint64_t *place) {
#ifdef FIXED
    return __atomic_load_n(place, __ATOMIC_ACQUIRE);
#else
    uint64_t value = __atomic_load_n(place, __ATOMIC_RELAXED);
    __atomic_thread_fence(__ATOMIC_SEQ_CST); /* here: barriers */
    return value;
#endif
}

static inline void publish(uint64_t *place, uint64_t value) {
#ifdef FIXED
    __atomic_store_n(place, value, __ATOMIC_RELEASE);
#else
    __atomic_thread_fence(__ATOMIC_SEQ_CST); /* here: barriers */
    __atomic_store_n(place, value, __ATOMIC_RELAXED);
#endif
}

static void prepare(void) {}

static inline uint64_t check(const struct line *line) {
    uint64_t sum = (line->time ^ line->time >> 7) + (line->event << 3 ^ line->value);
    return (sum ^ sum >> 11) + (line->value << 5 | line->event);
}

static __attribute__((noinline)) int put(uint64_t time, uint64_t event, uint64_t value) {
    uint64_t at = ring.head;
    if (at - seen(&ring.tail) == SLOTS) {
        return 0;
    }
    struct line line = {time, event, value, 0};
    line.check = check(&line);
    ring.lines[at % SLOTS] = line;
    publish(&ring.head, at + 1);
    return 1;
}

static __attribute__((noinline)) uint64_t take(void) {
    uint64_t at = ring.tail, sum = 0;
    if (at != seen(&ring.head)) {
        const struct line *line = &ring.lines[at % SLOTS];
        sum = line->time * 31 + line->event * 7 + line->value + (line->check == check(line));
        publish(&ring.tail, at + 1);
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
