
/* standing.h */
typedef struct armprof_interval { double value; uint64_t raw; uint64_t enabled_ns; uint64_t running_ns; ...; } armprof_interval;
typedef struct armprof_standing {
    armprof_set **sets; size_t places; size_t events; armprof_count *before; armprof_count *now; double whole; ...;
} armprof_standing;
int armprof_standing_difference(armprof_standing *standing, armprof_interval *since);
typedef struct armprof_moment { int64_t wall_ns; int64_t monotonic_ns; int64_t boot_ns; ...; } armprof_moment;
typedef struct armprof_batch {
    armprof_standing **standing; size_t count; int64_t due_ns; int64_t interval_ns; int64_t until_ns; int ends[2]; int listing;
    const char *listed; size_t listed_size; ...;
} armprof_batch;
size_t armprof_batch_take(armprof_batch *batch, size_t most, armprof_moment *moments, armprof_interval *since, int *errors);
