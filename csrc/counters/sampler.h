/* Sampling: events that interrupt what they count, each time that so many of them have happened, and note where.
 *
 * A ring for each CPU, shared by all events of it: so threads and children can be followed (the kernel gives no ring to an
 * inherited event that is not bound to a CPU). What the rings hold is taken over by armprof_sampler_drain(), which is to be
 * called often enough; what did not fit is lost and counted. User mode alone, with the stack by frame pointers.
 *
 * Not for use by several threads at once. Allocates; makes system calls.
 */
#ifndef ARMPROF_SAMPLER_H
#define ARMPROF_SAMPLER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "records.h"

enum { ARMPROF_MAX_SAMPLED = 16 }; /* events of one sampler */

typedef struct armprof_sampled {
    uint32_t type;
    bool by_frequency; /* rate is samples a second of running time, else events from sample to sample */
    uint8_t precision; /* perf_event_attr.precise_ip. ARM's driver accepts any and heeds none: 0 there */
    uint64_t config;
    uint64_t rate; /* 0 in a group: it does not interrupt */
    bool kernel;   /* happens in the kernel: to be sampled there too */
} armprof_sampled;

typedef struct armprof_sampled_count {
    uint64_t value, enabled_ns, running_ns;
} armprof_sampled_count;

typedef struct armprof_sampler armprof_sampler;

/* Opens the events on each of the threads and each of the CPUs, with rings of `ring_bytes` (a power of 2 pages, or as much of
 * it as the kernel lets a user lock). `on_exec`: to begin when the thread calls exec; else with armprof_sampler_start().
 * `reading`: whether they are a group. Since Linux 6.12 the kernel reads one of threads that it follows (EINVAL before); one
 * of a CPU it reads wherever thread -1, which is all of them, may be sampled.
 * NULL with errno where there is no memory, or no event at all could be opened; errors[event] has the errno of each. */
armprof_sampler *armprof_sampler_open(const armprof_sampled *events, size_t count, const pid_t *threads,
                                      size_t thread_count, const int *cpus, size_t cpu_count, size_t ring_bytes,
                                      bool on_exec, enum armprof_reading reading, int *errors);
void armprof_sampler_start(armprof_sampler *sampler);
void armprof_sampler_stop(armprof_sampler *sampler);

/* Takes over what is in the rings. */
void armprof_sampler_drain(armprof_sampler *sampler);

/* Waits until a ring is a quarter full, or for so long. */
void armprof_sampler_wait(armprof_sampler *sampler, int milliseconds);

/* What was taken over since the last armprof_sampler_forget_hits(); the others are kept. */
const struct armprof_records *armprof_sampler_records(const armprof_sampler *sampler);
void armprof_sampler_forget_hits(armprof_sampler *sampler);

/* What the event counted in all, of all threads and CPUs; enabled is how long those ran meanwhile. 0 or an errno. */
int armprof_sampler_count(const armprof_sampler *sampler, size_t event, armprof_sampled_count *count);

/* How many samples were lost, as far as the kernel tells: those at the very end since Linux 6.0. */
uint64_t armprof_sampler_lost(const armprof_sampler *sampler);

void armprof_sampler_close(armprof_sampler *sampler);

#endif
