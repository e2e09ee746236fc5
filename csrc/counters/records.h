/* What a sampling event wrote into its ring, taken apart: hits, and what is needed to tell where they were.
 *
 * A record comes from the kernel, yet nothing in it is trusted: whoever reads a ring of his own process could be handed one
 * that was written over. Sizes are checked before anything is read, and what does not fit its record is counted as malformed.
 */
#ifndef ARMPROF_RECORDS_H
#define ARMPROF_RECORDS_H

#include <linux/perf_event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "streams.h"

/* The layout that armprof_records_take() expects, and what a sample of a group has besides. */
#define ARMPROF_SAMPLE_TYPE                                                                                            \
    (PERF_SAMPLE_IDENTIFIER | PERF_SAMPLE_IP | PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_CPU |                  \
     PERF_SAMPLE_PERIOD | PERF_SAMPLE_CALLCHAIN)
#define ARMPROF_LOSSES_FORMAT (1u << 4) /* PERF_FORMAT_LOST, which headers before Linux 6.0 have not */
#define ARMPROF_GROUP_FORMAT                                                                                           \
    (PERF_FORMAT_GROUP | PERF_FORMAT_ID | PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING)

/* The place of what was counted over a sample that was lost, while the kernel slowed the sampling down, or when a thread had no
 * code any more: there is none. */
#define ARMPROF_NOWHERE UINT64_MAX

/* How samples tell events. */
enum armprof_reading {
    ARMPROF_ALONE,     /* each is of the event that interrupted, and stands for its period */
    ARMPROF_OF_THREAD, /* each brings the counts of a group, and stands for what they grew by since this thread's last one */
    ARMPROF_OF_CPU,    /* the same, since this CPU's last one */
};

/* One sample. */
typedef struct armprof_hit {
    uint64_t time;   /* CLOCK_MONOTONIC, ns */
    uint64_t period; /* events that it stands for */
    uint32_t pid, tid;
    uint32_t stack; /* number of its stack */
    uint16_t cpu;
    uint16_t event;
} armprof_hit;

/* Return addresses, the place of the sample first: a stretch of armprof_records.frames. */
typedef struct armprof_stack {
    uint32_t first, depth;
} armprof_stack;

enum armprof_move_kind {
    ARMPROF_MAPPED, /* code was mapped: start, length, offset, and the file as text */
    ARMPROF_NAMED,  /* a thread took a name: text */
    ARMPROF_BECAME, /* a process became another program by exec: text is its name. What was mapped is not any more */
    ARMPROF_FORKED, /* pid, tid were started by parent */
    ARMPROF_ENDED,
};

/* What changes where addresses lead. */
typedef struct armprof_move {
    uint64_t time;
    uint64_t start, length, offset;
    uint32_t pid, tid;
    uint32_t parent; /* process */
    uint32_t text;   /* where in armprof_records.text, with a NUL behind it */
    uint32_t kind;   /* enum armprof_move_kind */
    uint32_t padding;
} armprof_move;

/* An array that grows. */
struct armprof_growing {
    void *data;
    size_t used, room; /* elements */
};

struct armprof_records {
    struct armprof_growing hits;   /* armprof_hit */
    struct armprof_growing moves;  /* armprof_move */
    struct armprof_growing text;   /* char */
    struct armprof_growing stacks; /* armprof_stack */
    struct armprof_growing frames; /* uint64_t */
    uint32_t *table;               /* open addressing: number of a stack + 1, 0 is free */
    size_t table_size;             /* a power of 2 */
    const uint64_t *ids;           /* the kernel's numbers of the events, sorted */
    const uint16_t *event_of;      /* whose they are */
    size_t events;
    enum armprof_reading reading;
    bool with_losses; /* the counts of a group have ARMPROF_LOSSES_FORMAT */
    struct armprof_streams streams; /* of a group */
    uint64_t lost_of_ring; /* what is missing in the ring that is being read: its reader sets it and keeps it */
    uint64_t lost;      /* samples that found the ring full */
    uint64_t throttled; /* times that the kernel slowed an event down */
    uint64_t malformed;
    uint64_t no_memory; /* records that there was no memory for */
};

/* Takes one record of `size` bytes, header included. */
void armprof_records_take(struct armprof_records *records, const void *record, size_t size);

void armprof_records_free(struct armprof_records *records);

#endif
