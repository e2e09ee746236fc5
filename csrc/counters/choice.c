/* What regions count in a program that does not say. */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>

#include "output.h"

enum { HARDWARE, SOFTWARE }; /* groups: the kernel's own events never wait for a counter */

/* What is compared with each other stands in one row, the most wanted rows first. Of each event there is a second choice,
 * for cores that lack the first. */
static const struct {
    const char *event, *otherwise;
} wanted[][2] = {
    {{"cpu_cycles", NULL}, {"inst_retired", NULL}},
    {{"l1d_cache", NULL}, {"l1d_cache_refill", NULL}},
    {{"br_retired", "br_pred"}, {"br_mis_pred_retired", "br_mis_pred"}},
    {{"l2d_cache", NULL}, {"l2d_cache_refill", NULL}},
    {{"l1d_tlb", NULL}, {"dtlb_walk", "l1d_tlb_refill"}},
    {{"l1i_cache", NULL}, {"l1i_cache_refill", NULL}},
    {{"stall_frontend", NULL}, {"stall_backend", NULL}},
    {{"ll_cache_miss_rd", "l3d_cache_refill"}, {NULL, NULL}},
};
enum { ROWS = sizeof wanted / sizeof *wanted };

static struct armprof_missing missing[2 * ARMPROF_MAX_EVENTS];
static size_t missing_count;
static char named[4096]; /* ARMPROF_EVENTS, taken apart */

static void miss(const char *name, int error) {
    if (missing_count < sizeof missing / sizeof *missing) {
        missing[missing_count++] = (struct armprof_missing){name, error};
    }
}

static uint32_t choose_named(const char *list, armprof_event *events) {
    uint32_t count = 0;
    char *rest = named;
    strncpy(named, list, sizeof named - 1);
    for (const char *name; (name = strsep(&rest, ", "));) {
        armprof_event event;
        int error = armprof_event_named(name, &event);
        if (*name && error == 0 && count < ARMPROF_MAX_EVENTS) {
            event.group = event.type == PERF_TYPE_SOFTWARE ? SOFTWARE : HARDWARE;
            events[count++] = event;
        } else if (*name) {
            miss(name, error ? error : E2BIG);
        }
    }
    return count;
}

static armprof_budget budget(void) {
    armprof_event event, cycles;
    if (armprof_event_named("inst_retired", &event) != 0 || armprof_event_named("cpu_cycles", &cycles) != 0) {
        return (armprof_budget){.error = ENOENT};
    }
    return armprof_probe_budget(&event, &cycles);
}

uint32_t armprof_choose_events(armprof_event *events) {
    const char *list = secure_getenv("ARMPROF_EVENTS");
    if (list && *list) {
        return choose_named(list, events);
    }
    armprof_budget room = budget();
    int left = room.counters;
    uint32_t count = 0;
    bool full = false;
    for (size_t row = 0; row < ROWS; row++) {
        armprof_event found[2];
        uint32_t size = 0;
        for (size_t i = 0; i < 2 && wanted[row][i].event; i++) {
            const char *name = wanted[row][i].event, *otherwise = wanted[row][i].otherwise;
            int error = armprof_event_named(name, &found[size]);
            if (error && otherwise) {
                error = armprof_event_named(otherwise, &found[size]);
            }
            if (room.counters == 0) {
                error = room.error;
            }
            if (error) {
                miss(name, error);
            } else {
                size++;
            }
        }
        int needs = (int)size - (row == 0 && room.cycles_besides);
        full = full || needs > left;
        if (!full) {
            memcpy(events + count, found, size * sizeof *found);
            count += size;
            left -= needs;
        }
    }
    return count > 0 ? count : choose_named("task_clock,page_faults", events);
}

size_t armprof_missing_events(const struct armprof_missing **found) {
    *found = missing;
    return missing_count;
}
