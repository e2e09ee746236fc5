/* armprof: counting hardware events around stretches of C and C++ code, on Linux.
 *
 * Three layers, each usable without the next and all without Python:
 *
 *   sets      a set of events on a thread, a process tree or a CPU, opened as groups, sampled in user space where the
 *             kernel lets us and by read(2) elsewhere;
 *   regions   named places that a program enters and leaves; one set of counters per thread, sums per region;
 *   probes    what this machine can count at all.
 *
 * Counters are never stopped and reset around a measurement: they stay on and two samples are subtracted. On the machines
 * measured, enable/disable costs 2.5 times two reads.
 *
 * SPDX-License-Identifier: BSD-3-Clause
 */
#ifndef ARMPROF_H
#define ARMPROF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#define ARMPROF_MAX_EVENTS 32  /* per set */
#define ARMPROF_MAX_GROUPS 16  /* per set */
#define ARMPROF_MAX_REGIONS 256 /* per process */
#define ARMPROF_MAX_DEPTH 64   /* nested regions per thread; deeper ones are counted as dropped */

/* ---- Sets ------------------------------------------------------------------------------------------------------- */

typedef struct armprof_event {
    uint32_t type;   /* perf_event_attr.type: the PMU's number in sysfs, or PERF_TYPE_SOFTWARE, ... */
    uint32_t group;  /* events that bear the same number are counted at the same moments, as far as they fit */
    uint64_t config; /* perf_event_attr.config */
    bool kernel;     /* count kernel mode too; needed for events that happen there (context switches), refused to
                        unprivileged users where perf_event_paranoid is 2 or more */
} armprof_event;

typedef struct armprof_options {
    pid_t pid;           /* 0: the calling thread; -1: whatever runs on the CPU */
    int cpu;             /* -1: wherever the thread runs */
    bool cgroup;         /* pid is a descriptor of a cgroup's folder: its tasks, while they are on the CPU */
    bool inherit;        /* follow threads and children started from now on; excludes user reads */
    bool enable_on_exec; /* start counting when pid calls exec; otherwise when the set is opened */
    bool user_reads;     /* try reads without a system call (ARM64; kernel.perf_user_access = 1) */
    bool unfenced;       /* no ISB around user reads: cheaper, and the edges of the stretch blur by the depth of the
                            pipeline. For long stretches. */
} armprof_options;

/* How an event is read. The kernel can withdraw user reads at any moment, so a sample may still fall back to read(2). */
typedef enum armprof_access {
    ARMPROF_CLOSED = 0, /* it could not be opened; armprof_event_error() has the errno */
    ARMPROF_USER64,     /* in user space, 64-bit counter (config1 = 3) */
    ARMPROF_USER32,     /* in user space, 32-bit counter extended by the kernel's offset (config1 = 2) */
    ARMPROF_SYSCALL,    /* by read(2) */
} armprof_access;

typedef struct armprof_count {
    uint64_t value;      /* since the set was opened; meaningful as a difference of two samples */
    uint64_t enabled_ns; /* how long the event wanted to count */
    uint64_t running_ns; /* how long it had a counter; less than enabled_ns: multiplexed */
} armprof_count;

typedef struct armprof_set armprof_set;

/* Opens the events. An event that the kernel refuses stays closed with its errno and does not hinder the others; a group
 * that is larger than the machine's counters is split where it stops to fit. NULL with errno ENOMEM or EINVAL (no events,
 * or more than ARMPROF_MAX_EVENTS) only. Allocates; makes system calls. */
armprof_set *armprof_open(const armprof_event *events, size_t count, const armprof_options *options);

/* Closes every descriptor and mapping and frees the set. NULL is allowed. */
void armprof_close(armprof_set *set);

size_t armprof_event_count(const armprof_set *set);
int armprof_event_error(const armprof_set *set, size_t event); /* 0, or the errno with which the open failed */
armprof_access armprof_event_access(const armprof_set *set, size_t event);
uint32_t armprof_event_group(const armprof_set *set, size_t event); /* the group it was really put into */

/* What an errno of this library means, in a sentence with its remedy; strerror() for what it does not know. */
const char *armprof_reason(int error);

/* Samples every open event of the set into counts[0 .. count). Events of one group are sampled together. Closed events
 * give zeros. A thread that did not open the set samples by read(2). Returns 0, or an errno: ESTALE in a child after fork, whose parent owns the counters; EIO where a group in
 * error state gives nothing (a pinned group that lost its counter). No allocation; no system call while every counter can
 * be read in user space. */
int armprof_sample(armprof_set *set, armprof_count *counts);

/* How many of the set's samples needed read(2) so far. */
uint64_t armprof_samples_by_syscall(const armprof_set *set);

/* True once kernel.perf_user_access was seen to be set back to 0 under us; read(2) from then on. */
bool armprof_user_reads_withdrawn(const armprof_set *set);

/* The smallest difference of two samples with nothing between them, per event, over `rounds` pairs: the cost of the
 * measurement itself, which a caller may subtract. 0 or an errno: EINVAL for no rounds, else that of the samples. */
int armprof_calibrate(armprof_set *set, unsigned rounds, uint64_t *smallest);

/* ---- Regions ----------------------------------------------------------------------------------------------------
 *
 * Where the environment variable ARMPROF_OUTPUT names a file when the program starts, the regions are written into it when
 * the program exits, for `armprof report` and its other verbs; %p in the name is the number of the process. A program that
 * does not call armprof_regions_setup() then counts what one group can hold of the most wanted events, or the events that
 * ARMPROF_EVENTS names. docs/c.md tells the rest. */

/* Names what regions count, in every thread of the process. Once, before the first armprof_enter(): EBUSY afterwards. */
int armprof_regions_setup(const armprof_event *events, size_t count, const armprof_options *options);

typedef uint32_t armprof_region; /* 0 is no region: entering it does nothing */

/* The region of that name, defined now if it is new. 0 when the table is full or memory is short. */
armprof_region armprof_region_define(const char *name);

/* Opens the calling thread's counters now, so that the first armprof_enter() need not. 0 or an errno. */
int armprof_thread_start(void);

/* Enter and leave. No allocation, no lock; no system call where the counters are read in user space, except in a
 * thread's first armprof_enter(), which opens the counters unless armprof_thread_start() did. Regions nest; a region
 * that is entered again inside itself counts a call, and its sums grow when the outermost one is left. They may be left
 * in another order than they were entered in, as coroutines do. Leaving a region that the thread is not inside is counted
 * as mismatched and changes nothing else. */
void armprof_enter(armprof_region region);
void armprof_leave(armprof_region region);

typedef struct armprof_spread {
    uint64_t total;
    uint64_t smallest; /* of one call; 0 while there is none */
    uint64_t largest;
} armprof_spread;

typedef struct armprof_region_totals {
    uint64_t calls;       /* how often it was left, recursion included */
    uint64_t outermost;   /* how often it was left for good: the calls that the times are made of */
    uint64_t counted;     /* of those, the calls that the events are made of: not those of a thread that failed to open
                             them, nor one whose counters could not be read */
    armprof_spread ns;    /* wall time */
    uint64_t enabled_ns;  /* how long the counters wanted to count within it */
    uint64_t lost_ns[ARMPROF_MAX_GROUPS]; /* of that, how long the group did not count: 0 = counted in full */
    armprof_spread events[ARMPROF_MAX_EVENTS];
} armprof_region_totals;

/* Sums over all threads, living and ended. Safe while other threads enter and leave: what they have not left is not in it. */
int armprof_region_read(armprof_region region, armprof_region_totals *totals);

/* How many of the outermost calls took how long, in buckets: sixteen for each power of two of ticks. Kept from the moment they
 * are asked for, in every thread; that is once for the process and costs an addition a call. 0 or ENOMEM. */
#define ARMPROF_LATENCY_BUCKETS 640
int armprof_regions_keep_latencies(void);

/* The counts of all threads in buckets[0 .. ARMPROF_LATENCY_BUCKETS). 0, EINVAL for no region, ENODATA where they are not
 * kept. */
int armprof_region_read_latencies(armprof_region region, uint64_t *buckets);

/* The shortest time that falls into the bucket, in ns. */
uint64_t armprof_latency_ns(uint32_t bucket);

typedef struct armprof_regions_health {
    uint64_t threads;    /* that had counters since the last reset, or have them */
    uint64_t failed;     /* threads that could not open the events that the first one could; only times there */
    uint64_t dropped;    /* enters beyond ARMPROF_MAX_DEPTH */
    uint64_t mismatched; /* leaves of a region that the thread was not inside */
    uint64_t by_syscall; /* samples that needed read(2) */
    uint64_t inside;     /* enters that are not left yet, or were not when their thread ended */
    uint64_t withdrawn;  /* threads that saw kernel.perf_user_access set back to 0, and used read(2) from then on */
} armprof_regions_health;

void armprof_regions_read_health(armprof_regions_health *health);

/* The set of the calling thread (for armprof_event_error and the like), NULL before it has one. */
const armprof_set *armprof_thread_set(void);

/* What an empty region counts at the least, over `rounds` of them in the calling thread: subtract calls times this. 0 or
 * an errno: EINVAL for no rounds, EBUSY inside ARMPROF_MAX_DEPTH regions, ENODATA in a thread that could not open the
 * events, EIO where they could not be read. */
int armprof_regions_calibrate(unsigned rounds, uint64_t *ns, uint64_t *smallest);

/* Forgets every sum. The regions and the threads' counters stay. Not while other threads are inside a region. */
void armprof_regions_reset(void);

/* Closes the counters of the calling thread and allows armprof_regions_setup() again. The file that ARMPROF_OUTPUT names gets
 * the sums before they are forgotten. EBUSY while another thread lives that has counters, or the calling thread is inside a
 * region. */
int armprof_regions_teardown(void);

/* ---- Probes ----------------------------------------------------------------------------------------------------- */

/* The event of that name ("l1d_cache_refill", "cpu_cycles", "task_clock", ...) on the core PMU of the CPU that the caller
 * runs on, found through sysfs. ENOENT where neither that PMU nor the kernel's software events bear the name. */
int armprof_event_named(const char *name, armprof_event *event);

typedef struct armprof_budget {
    int counters;         /* general counters that one group can really have now */
    bool cycles_besides;  /* the cycle counter comes on top of them */
    int error;            /* errno where none could be opened */
} armprof_budget;

/* Finds by trying how many events of a PMU one group can count all the time: adds copies of `event` until the kernel
 * refuses, then drops them until the group runs. `cycles` is the PMU's cycle event. */
armprof_budget armprof_probe_budget(const armprof_event *event, const armprof_event *cycles);

/* Finds by trying whether the PMU interrupts when so many of the event have happened, as sampling needs: emulated PMUs may do
 * so for cycles alone, and others for nothing. `event` is one that any loop has: cycles, instructions, a clock. 0, or an
 * errno: EOPNOTSUPP where it does not interrupt. */
int armprof_probe_interrupts(const armprof_event *event);

#ifdef __cplusplus
}

namespace armprof {
/* Enters in the constructor, leaves in the destructor. */
class scope {
public:
    explicit scope(armprof_region region) : region_(region) { armprof_enter(region_); }
    ~scope() { armprof_leave(region_); }
    scope(const scope &) = delete;
    scope &operator=(const scope &) = delete;

private:
    armprof_region region_;
};
}  // namespace armprof
#endif

#endif
