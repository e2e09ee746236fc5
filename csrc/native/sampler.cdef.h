/* sampler.h and records.h */
typedef struct armprof_sampled { uint32_t type; bool by_frequency; uint8_t precision; uint64_t config; uint64_t rate; bool kernel; ...; } armprof_sampled;
typedef struct armprof_sampled_count { uint64_t value; uint64_t enabled_ns; uint64_t running_ns; ...; } armprof_sampled_count;
typedef struct armprof_hit { uint64_t time; ...; } armprof_hit;
typedef struct armprof_stack { uint32_t first; ...; } armprof_stack;
typedef struct armprof_move { uint64_t time; ...; } armprof_move;
typedef struct armprof_sampler armprof_sampler;
struct armprof_growing { void *data; size_t used; ...; };
struct armprof_records {
    struct armprof_growing hits; struct armprof_growing moves; struct armprof_growing text; struct armprof_growing stacks;
    struct armprof_growing frames; uint64_t lost; uint64_t throttled; uint64_t malformed; uint64_t no_memory; ...;
};
enum armprof_reading { ARMPROF_ALONE, ARMPROF_OF_THREAD, ARMPROF_OF_CPU, ... };
#define ARMPROF_MAX_SAMPLED ...
armprof_sampler *armprof_sampler_open(const armprof_sampled *events, size_t count, const pid_t *threads,
    size_t thread_count, const int *cpus, size_t cpu_count, size_t ring_bytes, bool on_exec, enum armprof_reading reading, int *errors);
void armprof_sampler_start(armprof_sampler *sampler);
void armprof_sampler_stop(armprof_sampler *sampler);
void armprof_sampler_drain(armprof_sampler *sampler);
void armprof_sampler_wait(armprof_sampler *sampler, int milliseconds);
const struct armprof_records *armprof_sampler_records(const armprof_sampler *sampler);
void armprof_sampler_forget_hits(armprof_sampler *sampler);
int armprof_sampler_count(const armprof_sampler *sampler, size_t event, armprof_sampled_count *count);
uint64_t armprof_sampler_lost(const armprof_sampler *sampler);
void armprof_sampler_close(armprof_sampler *sampler);
