/* What Python may call of armprof.h, as cffi takes it. The C compiler checks each against the header. */

typedef int... pid_t;

#define ARMPROF_MAX_EVENTS ...
#define ARMPROF_MAX_GROUPS ...
#define ARMPROF_MAX_REGIONS ...

typedef struct armprof_event { uint32_t type; uint32_t group; uint64_t config; bool kernel; ...; } armprof_event;
typedef struct armprof_options {
    pid_t pid; int cpu; bool cgroup; bool inherit; bool enable_on_exec; bool user_reads; bool unfenced; ...;
} armprof_options;
typedef enum armprof_access { ARMPROF_CLOSED, ARMPROF_USER64, ARMPROF_USER32, ARMPROF_SYSCALL } armprof_access;
typedef struct armprof_count { uint64_t value; uint64_t enabled_ns; uint64_t running_ns; ...; } armprof_count;
typedef struct armprof_set armprof_set;

armprof_set *armprof_open(const armprof_event *events, size_t count, const armprof_options *options);
void armprof_close(armprof_set *set);
int armprof_event_error(const armprof_set *set, size_t event);
armprof_access armprof_event_access(const armprof_set *set, size_t event);
uint32_t armprof_event_group(const armprof_set *set, size_t event);
int armprof_sample(armprof_set *set, armprof_count *counts);
uint64_t armprof_samples_by_syscall(const armprof_set *set);
bool armprof_user_reads_withdrawn(const armprof_set *set);

typedef uint32_t armprof_region;
int armprof_regions_setup(const armprof_event *events, size_t count, const armprof_options *options);
armprof_region armprof_region_define(const char *name);
int armprof_thread_start(void);
void armprof_enter(armprof_region region);
void armprof_leave(armprof_region region);
typedef struct armprof_spread { uint64_t total; uint64_t smallest; uint64_t largest; ...; } armprof_spread;
typedef struct armprof_region_totals {
    uint64_t calls; uint64_t outermost; uint64_t counted; armprof_spread ns; uint64_t enabled_ns; uint64_t lost_ns[...];
    armprof_spread events[...]; ...;
} armprof_region_totals;
int armprof_region_read(armprof_region region, armprof_region_totals *totals);
#define ARMPROF_LATENCY_BUCKETS ...
int armprof_regions_keep_latencies(void);
int armprof_region_read_latencies(armprof_region region, uint64_t *buckets);
uint64_t armprof_latency_ns(uint32_t bucket);
typedef struct armprof_regions_health {
    uint64_t threads; uint64_t failed; uint64_t dropped; uint64_t mismatched; uint64_t by_syscall; uint64_t inside;
    uint64_t withdrawn; ...;
} armprof_regions_health;
void armprof_regions_read_health(armprof_regions_health *health);
const armprof_set *armprof_thread_set(void);
int armprof_regions_calibrate(unsigned rounds, uint64_t *ns, uint64_t *smallest);

typedef struct armprof_budget { int counters; bool cycles_besides; int error; ...; } armprof_budget;
armprof_budget armprof_probe_budget(const armprof_event *event, const armprof_event *cycles);
int armprof_probe_interrupts(const armprof_event *event);
