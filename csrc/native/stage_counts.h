/*
 * Stage counts: the watch that samples counters where a tick passes from stage to stage.
 *
 * Guarantees
 *   Sums        of the ticks that send orders alone, stage by stage, as armprof_count: what the events did there, and how
 *               long they wanted to count and did.
 *   Cost        every stage holds the cost of one sample and of the call for it; stage_counts_of_nothing() shows it.
 *   Complexity  O(events) a point. No allocation; no system call while the set is read in user space.
 *   Errors      a sample that fails spoils its tick, which is left out and counted in `failed`; `error` has its errno.
 */
#ifndef ARMPROF_STAGE_COUNTS_H
#define ARMPROF_STAGE_COUNTS_H

#include "armprof.h"
#include "tick_to_trade.h"

typedef struct stage_counts {
    ap_watch watch; /* to be given to the trader */
    armprof_set *set;
    size_t events;
    uint64_t ticks, failed;
    int error;                                               /* of the last sample that failed */
    int spoilt;                                              /* errno of a sample of this tick, 0: none failed */
    armprof_count sums[AP_STAGES][ARMPROF_MAX_EVENTS];       /* over the ticks */
    armprof_count points[AP_STAGES + 1][ARMPROF_MAX_EVENTS]; /* of this tick */
} stage_counts;

/* Starts from 0. Stays where it is: its watch points to it. The set is the calling thread's, and outlives it. */
void stage_counts_init(stage_counts *counts, armprof_set *set);

/* Takes so many ticks in which nothing is done. */
void stage_counts_of_nothing(stage_counts *counts, uint64_t ticks);

#endif
