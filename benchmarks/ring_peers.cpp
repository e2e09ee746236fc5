/*
 * The SPSC ring beside queues of others, in turns: lines of queue, way and nanoseconds an element, for ring_vs_peers.py.
 *
 * Elements are 64-bit words, every queue has room for 1024 at least. A side that cannot go on pauses, and gives the CPU up
 * now and then. The consumer adds up what it pops: every way of every queue must come to the same sum.
 */
#include <boost/lockfree/spsc_queue.hpp>
#include <readerwriterqueue/readerwritercircularbuffer.h>
#include <readerwriterqueue/readerwriterqueue.h>

#include <atomic>
#include <chrono>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <sched.h>
#include <thread>


/* The ring is inline functions of C, whose atomics C++17 does not have; ring_peers.c has them in loops of its own. */
extern "C" {
void *ours_create(uint64_t capacity);
void ours_destroy(void *ring);
uint64_t ours_alone(void *ring, uint64_t count);
void ours_produce(void *ring, uint64_t count);
uint64_t ours_consume(void *ring, uint64_t count);
void ours_produce_batches(void *ring, uint64_t count);
uint64_t ours_consume_batches(void *ring, uint64_t count);
void wait_a_little(unsigned *waited);
}

enum : uint64_t { CAPACITY = 1024, BATCH = 64 };

struct Ours {
    static constexpr const char *name = "armprof";
    static constexpr bool has_batches = true;
    void *ring = ours_create(CAPACITY);
    ~Ours() { ours_destroy(ring); }
    uint64_t alone(uint64_t count) { return ours_alone(ring, count); }
    void produce(uint64_t count) { ours_produce(ring, count); }
    uint64_t consume(uint64_t count) { return ours_consume(ring, count); }
    void produce_batches(uint64_t count) { ours_produce_batches(ring, count); }
    uint64_t consume_batches(uint64_t count) { return ours_consume_batches(ring, count); }
};

/* The same loops over what others call push and pop. */
template <class Queue> struct Theirs {
    static constexpr bool has_batches = false;
    Queue queue;
    uint64_t alone(uint64_t count) {
        uint64_t sum = 0, word = 0;
        for (uint64_t i = 0; i < count; i++) {
            queue.push(i);
            queue.pop(word);
            sum += word;
        }
        return sum;
    }
    void produce(uint64_t count) {
        unsigned waited = 0;
        for (uint64_t i = 0; i < count; i++)
            while (!queue.push(i))
                wait_a_little(&waited);
    }
    uint64_t consume(uint64_t count) {
        unsigned waited = 0;
        uint64_t sum = 0, word = 0;
        for (uint64_t i = 0; i < count; i++) {
            while (!queue.pop(word))
                wait_a_little(&waited);
            sum += word;
        }
        return sum;
    }
    void produce_batches(uint64_t) {}
    uint64_t consume_batches(uint64_t) { return 0; }
};

struct Boost {
    boost::lockfree::spsc_queue<uint64_t, boost::lockfree::capacity<CAPACITY>> queue;
    bool push(uint64_t word) { return queue.push(word); }
    bool pop(uint64_t &word) { return queue.pop(word); }
};

struct BoostQueue : Theirs<Boost> {
    static constexpr const char *name = "boost::lockfree::spsc_queue";
    static constexpr bool has_batches = true;
    void produce_batches(uint64_t count) {
        unsigned waited = 0;
        uint64_t batch[BATCH];
        for (uint64_t at = 0; at < count;) {
            uint64_t size = count - at < BATCH ? count - at : BATCH;
            for (uint64_t i = 0; i < size; i++)
                batch[i] = at + i;
            uint64_t moved = queue.queue.push(batch, size);
            at += moved;
            if (moved == 0)
                wait_a_little(&waited);
        }
    }
    uint64_t consume_batches(uint64_t count) {
        unsigned waited = 0;
        uint64_t sum = 0, batch[BATCH];
        for (uint64_t at = 0; at < count;) {
            uint64_t moved = queue.queue.pop(batch, BATCH);
            for (uint64_t i = 0; i < moved; i++)
                sum += batch[i];
            at += moved;
            if (moved == 0)
                wait_a_little(&waited);
        }
        return sum;
    }
};

struct Moodycamel {
    moodycamel::ReaderWriterQueue<uint64_t> queue{CAPACITY};
    bool push(uint64_t word) { return queue.try_enqueue(word); }
    bool pop(uint64_t &word) { return queue.try_dequeue(word); }
};

struct MoodycamelQueue : Theirs<Moodycamel> {
    static constexpr const char *name = "moodycamel::ReaderWriterQueue";
};

/* ---- Rounds --------------------------------------------------------------------------------------------------- */

static int producer_cpu, consumer_cpu;

static void stay_on(int cpu) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    sched_setaffinity(0, sizeof set, &set);
}

static double now_ns() {
    return std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

template <class Queue> static void report(const char *way, uint64_t count, double took_ns, uint64_t sum) {
    if (sum != count * (count - 1) / 2) {
        std::fprintf(stderr, "%s, %s: what was popped is not what was pushed\n", Queue::name, way);
        std::exit(1);
    }
    std::printf("%s\t%s\t%.4f\n", Queue::name, way, took_ns / (double)count);
}

template <class Queue> static void one_round(uint64_t count) {
    static Queue queue;
    double start = now_ns();
    uint64_t sum = queue.alone(count);
    report<Queue>("one thread", count, now_ns() - start, sum);
    for (int batches = 0; batches <= Queue::has_batches; batches++) {
        std::atomic<bool> is_ready{false};
        std::thread producer([count, batches, &is_ready] {
            stay_on(producer_cpu);
            is_ready = true;
            batches ? queue.produce_batches(count) : queue.produce(count);
        });
        while (!is_ready)
            sched_yield();
        start = now_ns();
        sum = batches ? queue.consume_batches(count) : queue.consume(count);
        report<Queue>(batches ? "two threads, batches of 64" : "two threads", count, now_ns() - start, sum);
        producer.join();
    }
}

int main(int, char **arguments) {
    uint64_t rounds = std::strtoull(arguments[1], nullptr, 10), count = std::strtoull(arguments[2], nullptr, 10);
    producer_cpu = std::atoi(arguments[3]);
    consumer_cpu = std::atoi(arguments[4]);
    stay_on(consumer_cpu);
    for (uint64_t i = 0; i < rounds; i++) {
        one_round<Ours>(count);
        one_round<MoodycamelQueue>(count);
        one_round<BoostQueue>(count);
    }
}
