/* A set of events: what armprof_open() makes, and the one way to sample it. */
#ifndef ARMPROF_SET_H
#define ARMPROF_SET_H

#include "armprof.h"
#include "clock.h"
#include "page.h"

/* The open events of a set stand in slots, group after group, each group's leader first: the order in which they were
 * opened and in which read(2) gives them. */
struct armprof_group {
    int leader_fd;
    uint32_t begin, end; /* slots */
    uint32_t wanted;     /* armprof_event.group of its events */
};

/* What keeps a set off the fast path, which reads one group in user space between fences. */
enum armprof_how {
    ARMPROF_BY_SYSCALL = 1, /* not every slot can be read in user space */
    ARMPROF_UNFENCED = 2,
    ARMPROF_MANY_GROUPS = 4,
};

struct armprof_set {
    uint32_t events; /* asked for */
    uint32_t slots;  /* of those, open */
    uint32_t groups;
    uint8_t how;       /* enum armprof_how; 0 is the fast path */
    bool withdrawn;    /* a user read trapped */
    bool stale;        /* inherited over fork: the counters are the parent's */
    bool holds_trap;   /* keeps the SIGILL handler in place */
    bool kernel_clock; /* mult and shift come from a mapped page */
    bool apart;        /* its regions are left the long way: nothing is open, or latencies are kept */
    uint16_t shift;
    uint32_t mult;
    uint64_t samples_by_syscall;
    const char *owner; /* names the thread that opened the set: the registers are those of its core */
    struct armprof_times times[ARMPROF_MAX_GROUPS];   /* as of the leader's last refresh */
    uint32_t sequences;                               /* the sum of all pages' locks then */
    const struct armprof_source *sources_end;         /* the slots made even by one that reads as 0 */
    struct armprof_source source[ARMPROF_MAX_EVENTS]; /* by slot, as are: */
    armprof_page *page[ARMPROF_MAX_EVENTS];           /* ours to unmap; NULL where there is none */
    int fd[ARMPROF_MAX_EVENTS];
    struct armprof_group group[ARMPROF_MAX_GROUPS];
    int slot_of[ARMPROF_MAX_EVENTS]; /* by event, as are: -1 for a closed one */
    int error[ARMPROF_MAX_EVENTS];
    armprof_access access[ARMPROF_MAX_EVENTS];
    uint32_t group_of[ARMPROF_MAX_EVENTS];
    struct armprof_set *next, **link; /* list of all sets, for fork */
};

/* The state of all counters at one moment. Only differences of two mean anything. The arrays are even and aligned, for a
 * loop that takes two slots at a time. */
struct armprof_snapshot {
    uint64_t ticks;
    struct armprof_times times[ARMPROF_MAX_GROUPS];
    _Alignas(16) uint64_t value[ARMPROF_MAX_EVENTS]; /* by slot */
};

/* armprof_open() that also makes a set of no events, which samples the clock alone. */
struct armprof_set *armprof_set_new(const armprof_event *events, size_t count, const armprof_options *options);

/* Makes sets survive forks, once for the process. Handlers that are registered later run in the child after those of the
 * sets, when sets may be closed again. */
void armprof_sets_watch_forks(void);

int armprof_snapshot_otherwise(struct armprof_set *set, struct armprof_snapshot *now);
uint64_t armprof_set_ns(const struct armprof_set *set, uint64_t ticks);

void armprof_set_refresh(struct armprof_set *set);

/* The bits of all reads that were refused; 0: the snapshot holds. Two slots at a time, which is a fifth cheaper, and one
 * look at the sum of the locks: they only grow, so that it stands still where none has moved. */
static inline uint64_t armprof_snapshot_in_user_space(struct armprof_set *set, struct armprof_snapshot *now,
                                                      uint32_t groups) {
    uint64_t refused;
    uint32_t sequences;
    for (;;) {
        const struct armprof_source *source = set->source;
        const struct armprof_source *end = set->sources_end;
        uint64_t *value = now->value;
        refused = 0;
        sequences = 0;
        do {
            struct armprof_source first = source[0], second = source[1];
            uint64_t first_value = armprof_source_read(&first, &refused);
            uint64_t second_value = armprof_source_read(&second, &refused);
            __asm__("" : "+r"(first_value), "+r"(second_value)); /* both are there: one store for the two */
            value[0] = first_value;
            value[1] = second_value;
            ARMPROF_COMPILER_BARRIER();
            sequences += armprof_page_sequence(first.page);
            sequences += armprof_page_sequence(second.page);
            source += 2;
            value += 2;
        } while (source != end);
        if (__builtin_expect(sequences == set->sequences, 1)) {
            break;
        }
        armprof_set_refresh(set); /* the kernel wrote a page: an interrupt, or we were scheduled out and in */
        now->ticks = armprof_ticks(); /* the page's times are to be added to a later clock than its own */
    }
    for (uint32_t group = 0; group < groups; group++) {
        now->times[group] = set->times[group];
    }
    return refused;
}

/* Takes a snapshot, in user space where every counter allows it at this very moment, else by read(2): both give the same
 * totals, so a stretch may begin with one and end with the other. 0 or an errno. */
__attribute__((always_inline)) static inline int armprof_snapshot_take(struct armprof_set *set,
                                                                       struct armprof_snapshot *now) {
    if (__builtin_expect(set->how == 0, 1)) {
        armprof_fence();
        now->ticks = armprof_ticks();
        if (__builtin_expect(armprof_snapshot_in_user_space(set, now, 1) == 0, 1)) {
            return 0;
        }
    }
    return armprof_snapshot_otherwise(set, now);
}

#endif
