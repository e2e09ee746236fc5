/* What regions keep of a thread: its counters, the regions that it is inside, and the sums of those that it left. */
#ifndef ARMPROF_THREAD_H
#define ARMPROF_THREAD_H

#include "latency.h"
#include "set.h"
#include "sums.h"

struct frame {
    uint64_t region; /* wider than an armprof_region, so that these match none: */
    struct armprof_snapshot start;
};

#define NO_REGION UINT64_MAX
#define UNREADABLE ((uint64_t)1 << 32) /* beside the region: its counters could not be read when it was entered */

struct thread {
    struct armprof_set *set;
    struct frame *top;  /* of the innermost region */
    struct sums *sums;  /* by region */
    armprof_latencies *latencies; /* by region; NULL where they are not kept */
    uint64_t beyond;    /* enters beyond the last frame that are not yet left */
    uint64_t dropped, mismatched;
    bool failed; /* to open what the first thread opened: its calls are uncounted, whatever their sums say */
    struct thread *next, **link;
    struct frame frames[ARMPROF_MAX_DEPTH + 2]; /* the first and the last bear NO_REGION, so that no leave matches them */
};

#define BOTTOM(thread) ((thread)->frames)
#define BEYOND(thread) ((thread)->frames + ARMPROF_MAX_DEPTH + 1)

#endif
