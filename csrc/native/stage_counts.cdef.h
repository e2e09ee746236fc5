
/* stage_counts.h */
typedef struct stage_counts {
    ap_watch watch; uint64_t ticks; uint64_t failed; int error; armprof_count sums[...][...]; ...;
} stage_counts;
void stage_counts_init(stage_counts *counts, armprof_set *set);
void stage_counts_of_nothing(stage_counts *counts, uint64_t ticks);
