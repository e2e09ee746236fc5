/* Counters that stay open and are asked again and again: what they counted since the last time.
 *
 * What is sampled ten times a second for months is not worth waking an interpreter each time: armprof_batch_take() waits for
 * several samples and takes them, and allocates nothing.
 *
 * Not for use by several threads at once. Makes system calls.
 */
#ifndef ARMPROF_STANDING_H
#define ARMPROF_STANDING_H

#include <stddef.h>
#include <stdint.h>

#include "armprof.h"

/* What one event counted in one interval. `value` is raw, of each place scaled where the counter did not run all the time there;
 * NAN where it did not run at all. */
typedef struct armprof_interval {
    double value;
    uint64_t raw, enabled_ns, running_ns;
} armprof_interval;

/* Sets of the same events on several places, as on each thread of a process, counted together. All memory is the caller's. */
typedef struct armprof_standing {
    armprof_set **sets;
    size_t places, events;
    armprof_count *before, *now; /* [places][events]; before: as of the last time, 0 at first */
    double whole;                /* the share of its time from which on a counter that ran is taken to have run all of it */
} armprof_standing;

/* Adds up what the events counted in all places since the last time, into since[events]. 0, or the errno of a place that cannot
 * be read: then nothing was taken, and the next difference has this time too. */
int armprof_standing_difference(armprof_standing *standing, armprof_interval *since);

/* When a sample was taken, by the clocks of POSIX and Linux of these names. */
typedef struct armprof_moment {
    int64_t wall_ns, monotonic_ns, boot_ns;
} armprof_moment;

typedef struct armprof_batch {
    armprof_standing **standing;
    size_t count;
    int64_t due_ns, interval_ns; /* of the next sample, by the monotonic clock, and from one to the next */
    int64_t until_ns;            /* but for the first, none that is due later */
    int ends[2];                 /* descriptors of which one that is readable ends the batch; -1: none */
    int listing;                 /* that of a file that reads otherwise when places come or go, which ends it too; -1: none */
    const char *listed;
    size_t listed_size;
} armprof_batch;

/* Waits for the next samples, at most so many, and takes each at its time: moments[sample], and since[sample] with the
 * differences of all standing, one after the other. Returns how many were taken: fewer where something ended the batch, a signal
 * too, and after one in which errors[standing], all 0 else, has the errno of one that could not be read. A sample that comes an
 * interval late or more covers those that it missed. */
size_t armprof_batch_take(armprof_batch *batch, size_t most, armprof_moment *moments, armprof_interval *since, int *errors);

#endif
