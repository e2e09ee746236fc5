#include "stage_counts.h"

static void add_tick(stage_counts *counts) {
    for (int stage = 0; stage < AP_STAGES; stage++) {
        const armprof_count *from = counts->points[stage], *to = counts->points[stage + 1];
        armprof_count *sum = counts->sums[stage];
        for (size_t i = 0; i < counts->events; i++) {
            sum[i].value += to[i].value - from[i].value;
            sum[i].enabled_ns += to[i].enabled_ns - from[i].enabled_ns;
            sum[i].running_ns += to[i].running_ns - from[i].running_ns;
        }
    }
    counts->ticks++;
}

static void sample(void *context, int point) {
    stage_counts *counts = context;
    if (point == 0)
        counts->spoilt = 0;
    int error = armprof_sample(counts->set, counts->points[point]);
    if (error != 0)
        counts->spoilt = counts->error = error;
    if (point != AP_STAGES)
        return;
    if (counts->spoilt == 0)
        add_tick(counts);
    else
        counts->failed++;
}

void stage_counts_init(stage_counts *counts, armprof_set *set) {
    *counts = (stage_counts){.watch = {sample, counts}, .set = set, .events = armprof_event_count(set)};
}

void stage_counts_of_nothing(stage_counts *counts, uint64_t ticks) {
    const volatile ap_watch *watch = &counts->watch; /* called as the trader calls it, not inlined */
    while (ticks-- > 0)
        for (int point = 0; point <= AP_STAGES; point++)
            watch->at(watch->context, point);
}
