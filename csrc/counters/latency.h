/* Latencies as counts in buckets: sixteen for each power of two of ticks, so that a bucket is at most a sixteenth of its
 * bound wide. */
#ifndef ARMPROF_LATENCY_H
#define ARMPROF_LATENCY_H

#include "armprof.h"

enum { ARMPROF_PER_OCTAVE = 16 };

typedef uint64_t armprof_latencies[ARMPROF_LATENCY_BUCKETS];

static inline uint32_t armprof_latency_bucket(uint64_t ticks) {
    uint32_t octave = ticks < 2 * ARMPROF_PER_OCTAVE ? 0 : 59 - (uint32_t)__builtin_clzll(ticks);
    uint64_t bucket = octave * ARMPROF_PER_OCTAVE + (ticks >> octave);
    return bucket < ARMPROF_LATENCY_BUCKETS ? (uint32_t)bucket : ARMPROF_LATENCY_BUCKETS - 1;
}

/* The least number of ticks that falls into the bucket. */
static inline uint64_t armprof_latency_bound(uint32_t bucket) {
    if (bucket < 2 * ARMPROF_PER_OCTAVE) {
        return bucket;
    }
    uint32_t octave = bucket / ARMPROF_PER_OCTAVE - 1;
    return (uint64_t)(ARMPROF_PER_OCTAVE + bucket % ARMPROF_PER_OCTAVE) << octave;
}

#endif
