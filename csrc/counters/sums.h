/* What a thread adds up for a region, and how sums of threads become one. */
#ifndef ARMPROF_SUMS_H
#define ARMPROF_SUMS_H

#include <string.h>

#include "armprof.h"
#include "page.h"

#if defined(__aarch64__)
#include <arm_neon.h>
#endif

#if defined(__SANITIZE_THREAD__)
#define THREAD_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define THREAD_SANITIZER 1
#endif
#endif

/* Each thread adds to sums of its own; others only read them, and what they must get is whole words. Aligned 64-bit loads
 * and stores give that on every 64-bit machine, those of vector registers too, one by one for each half. The atomics that
 * say so in C cost a third of a region, since compilers neither pair nor vectorise them; the thread sanitizer gets them. */
#if defined(THREAD_SANITIZER)
#define LOAD(field) __atomic_load_n(&(field), __ATOMIC_RELAXED)
#define STORE(field, value) __atomic_store_n(&(field), (value), __ATOMIC_RELAXED)
#else
#define LOAD(field) (field)
#define STORE(field, value) ((field) = (value))
#endif
#define ADD(field, amount) STORE(field, LOAD(field) + (amount))

struct sums {
    uint64_t outermost;     /* calls that the sums are made of */
    uint64_t nested;        /* calls inside a call of the same region */
    uint64_t enabled_extra; /* ns: enabled = ticks in ns + this */
    uint64_t ticks, fewest_ticks, most_ticks;
    uint64_t lost[ARMPROF_MAX_GROUPS]; /* ns */
    struct pair {
        _Alignas(16) uint64_t total[2];
        uint64_t smallest[2], largest[2];
    } pair[ARMPROF_MAX_EVENTS / 2]; /* slots 0 and 1, 2 and 3, ... */
    uint64_t uncounted, uncounted_ticks; /* of the outermost calls, those whose counters could not be read */
};

static inline void clear(struct sums *sums) {
    memset(sums, 0, sizeof *sums);
    sums->fewest_ticks = UINT64_MAX;
    for (uint32_t i = 0; i < ARMPROF_MAX_EVENTS; i++) {
        sums->pair[i / 2].smallest[i % 2] = UINT64_MAX;
    }
}

static inline void add_spread(uint64_t *total, uint64_t *smallest, uint64_t *largest, uint64_t more, uint64_t small,
                              uint64_t large) {
    ADD(*total, more);
    if (small < LOAD(*smallest)) {
        STORE(*smallest, small);
    }
    if (large > LOAD(*largest)) {
        STORE(*largest, large);
    }
}

static inline void add_sums(struct sums *into, const struct sums *from, bool failed) {
    into->uncounted += failed ? LOAD(from->outermost) : LOAD(from->uncounted);
    into->uncounted_ticks += failed ? LOAD(from->ticks) : LOAD(from->uncounted_ticks);
    into->outermost += LOAD(from->outermost);
    into->nested += LOAD(from->nested);
    into->enabled_extra += LOAD(from->enabled_extra);
    add_spread(&into->ticks, &into->fewest_ticks, &into->most_ticks, LOAD(from->ticks), LOAD(from->fewest_ticks),
               LOAD(from->most_ticks));
    for (uint32_t g = 0; g < ARMPROF_MAX_GROUPS; g++) {
        into->lost[g] += LOAD(from->lost[g]);
    }
    for (uint32_t slot = 0; slot < ARMPROF_MAX_EVENTS; slot++) {
        add_spread(&into->pair[slot / 2].total[slot % 2], &into->pair[slot / 2].smallest[slot % 2],
                   &into->pair[slot / 2].largest[slot % 2], LOAD(from->pair[slot / 2].total[slot % 2]),
                   LOAD(from->pair[slot / 2].smallest[slot % 2]), LOAD(from->pair[slot / 2].largest[slot % 2]));
    }
}

/* Sums, smallest and largest of the differences. Two slots at a time where the core can: this loop was a third of the
 * cost of a region. The odd slot beyond the last holds nothing that is ever read. */
static inline void add_differences(struct sums *sums, const uint64_t *now, const uint64_t *start, uint32_t slots) {
#if defined(__aarch64__) && !defined(THREAD_SANITIZER)
    struct pair *pair = sums->pair;
    for (const uint64_t *end = now + slots; now < end; now += 2, start += 2, pair++) {
        uint64x2_t difference = vsubq_u64(vld1q_u64(now), vld1q_u64(start));
        uint64x2_t smallest = vld1q_u64(pair->smallest);
        uint64x2_t largest = vld1q_u64(pair->largest);
        vst1q_u64(pair->total, vaddq_u64(vld1q_u64(pair->total), difference));
        vst1q_u64(pair->smallest, vbslq_u64(vcgtq_u64(smallest, difference), difference, smallest));
        vst1q_u64(pair->largest, vbslq_u64(vcgtq_u64(difference, largest), difference, largest));
    }
#else
    for (uint32_t slot = 0; slot < slots; slot++) {
        uint64_t difference = now[slot] - start[slot];
        add_spread(&sums->pair[slot / 2].total[slot % 2], &sums->pair[slot / 2].smallest[slot % 2],
                   &sums->pair[slot / 2].largest[slot % 2], difference, difference, difference);
    }
#endif
}

static void add_time(struct sums *sums, uint32_t group, const struct armprof_times *now,
                     const struct armprof_times *start) {
    ADD(sums->lost[group], now[group].lost - start[group].lost);
    if (group == 0) {
        ADD(sums->enabled_extra, now->enabled_base - start->enabled_base);
    }
}

/* While the kernel has not touched a group's page since the start, the group has counted without a break. */
static inline void add_times(struct sums *sums, const struct armprof_times *now, const struct armprof_times *start,
                             uint32_t groups) {
    if (__builtin_expect(now->enabled_base != start->enabled_base || now->lost != start->lost, 0)) {
        add_time(sums, 0, now, start);
    }
    if (__builtin_expect(groups > 1, 0)) {
        for (uint32_t group = 1; group < groups; group++) {
            add_time(sums, group, now, start);
        }
    }
}

#endif
