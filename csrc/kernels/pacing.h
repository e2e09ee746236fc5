/*
 * Pacing: times operations one by one, as fast as they go or as they arrive at a given rate.
 *
 * Where the next operation begins when the last one is done (a closed loop), one that stalls holds back those that would
 * have come meanwhile, and their waiting is never seen: coordinated omission. At a rate (an open loop) arrivals stand in a
 * schedule that waits for nobody, and the time of each is taken from its intended arrival to its end.
 *
 * Guarantees
 *   Schedule    arrival i is due i intervals after the start, computed anew for each: no error adds up. What is late is
 *               begun at once, in order; nothing is left out.
 *   Cost        a time holds the cost of one reading of the clock; ap_pace_cost_ns() measures it. At a rate it holds too
 *               how long it took to notice the arrival: less than one reading more.
 *   Complexity  O(operations), and waits by reading the clock. No allocation, no system call but for the clock's.
 *   Errors      none: times beyond the room end the run.
 */
#ifndef AP_PACING_H
#define AP_PACING_H

#include <stdbool.h>
#include <stdint.h>

#include "timing.h"

typedef struct ap_pace_clock {
    uint64_t (*now_ns)(void *context);
    void *context;
} ap_pace_clock;

/* Fenced stamps of a clock that outlives it. */
ap_pace_clock ap_pace_clock_of(ap_timing *timing);

/* What is timed. */
typedef struct ap_service {
    bool (*serve)(void *state);  /* one operation; false where its time is of no interest */
    void (*settle)(void *state); /* what is to be done between two operations, in the time of neither */
    void *state;
} ap_service;

typedef struct ap_pace {
    uint64_t operations; /* served */
    uint64_t kept;       /* of them those whose times were stored */
    uint64_t elapsed_ns; /* from the first arrival to the end of the last operation */
    /* At a rate only: */
    uint64_t on_time_ns;     /* when an operation was last begun on time, after the first arrival */
    uint64_t behind_ns;      /* how late the last operation was begun, and the latest one */
    uint64_t most_behind_ns;
} ap_pace;

/* Serves `operations`, one after the other, and stores the times of those of interest in ns[0 .. room). */
ap_pace ap_pace_closed(const ap_service *service, const ap_pace_clock *clock, uint64_t operations, uint64_t *ns,
                       uint64_t room);

/* Serves what arrives every interval_ns, above 0, within duration_ns; ends then, whatever waits. */
ap_pace ap_pace_open(const ap_service *service, const ap_pace_clock *clock, double interval_ns, uint64_t duration_ns,
                     uint64_t *ns, uint64_t room);

/* The time of an operation in which nothing is done: the best mean of many. */
double ap_pace_cost_ns(const ap_pace_clock *clock);

#endif
