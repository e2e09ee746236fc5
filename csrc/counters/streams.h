/* Counts that only grow, read now and then: how much came since the last time. */
#ifndef ARMPROF_STREAMS_H
#define ARMPROF_STREAMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One of them: of an event, and of one thread where each thread has its own. */
struct armprof_stream {
    uint64_t id;    /* the kernel's number of the event */
    uint64_t value; /* when it was read last */
    uint64_t lost;  /* how many readings had been lost by then */
    uint32_t thread;
    bool is_there;
};

struct armprof_streams {
    struct armprof_stream *table; /* open addressing */
    size_t size;                  /* a power of 2 */
    size_t used;
};

struct armprof_step {
    uint64_t count;
    bool over_a_loss; /* a reading in between was lost: the count is of two stretches or more */
};

/* Takes `value` as what the event has counted so far, from 0 at first. `lost` tells how many readings have been lost.
 * False: no memory. */
bool armprof_streams_step(struct armprof_streams *streams, uint64_t id, uint32_t thread, uint64_t value, uint64_t lost,
                          struct armprof_step *step);

void armprof_streams_free(struct armprof_streams *streams);

#endif
