#define _GNU_SOURCE
#include "set.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "calls.h"

/* config1 of the ARM PMU driver, as in sysfs format/: bit 0 asks for a 64-bit counter, bit 1 for user reads. */
static const struct {
    uint64_t config1;
    armprof_access access;
} ladder[] = {{3, ARMPROF_USER64}, {2, ARMPROF_USER32}, {0, ARMPROF_SYSCALL}};
enum { LADDER_LAST = 2 };

static pthread_mutex_t sets_lock = PTHREAD_MUTEX_INITIALIZER;
static struct armprof_set *sets;
static ARMPROF_THREAD_LOCAL char this_thread; /* its address is the thread's name */

static void before_fork(void) {
    pthread_mutex_lock(&sets_lock);
    armprof_trap_before_fork();
}

static void after_fork_in_parent(void) {
    armprof_trap_after_fork();
    pthread_mutex_unlock(&sets_lock);
}

/* In the child the descriptors would go on reading the parent's counters, and the pages are not mapped at all (the kernel
 * marks them VM_DONTCOPY): touching one is a segmentation fault. */
static void after_fork_in_child(void) {
    for (struct armprof_set *set = sets; set; set = set->next) {
        set->stale = true;
        set->how |= ARMPROF_BY_SYSCALL;
        for (uint32_t slot = 0; slot < set->slots; slot++) {
            close(set->fd[slot]);
            set->fd[slot] = -1;
            set->page[slot] = NULL; /* not ours to unmap: something else may live there by now */
        }
    }
    after_fork_in_parent();
}

static void watch_forks(void) { pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child); }

void armprof_sets_watch_forks(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, watch_forks);
}

static int perf_event_open(struct perf_event_attr *attr, const armprof_options *on, int group_fd) {
    return armprof_perf_event_open(attr, on->pid, on->cpu, group_fd, on->cgroup ? PERF_FLAG_PID_CGROUP : 0);
}

static bool sigill_is_blocked(void) {
    sigset_t mask;
    return pthread_sigmask(SIG_BLOCK, NULL, &mask) == 0 && sigismember(&mask, SIGILL) == 1;
}

/* User reads exist for the core PMUs of ARM64, of the calling thread and without inherit (mmap gives EINVAL). A thread
 * that blocks SIGILL would die of a withdrawn permission instead of noticing it. */
static bool may_read_in_user_space(const armprof_event *event, const armprof_options *options) {
#if defined(__aarch64__)
    bool core_pmu = event->type == PERF_TYPE_RAW || event->type >= PERF_TYPE_MAX;
    return core_pmu && options->user_reads && options->pid == 0 && options->cpu == -1 && !options->inherit &&
           !sigill_is_blocked();
#else
    (void)event;
    (void)options;
    (void)sigill_is_blocked;
    return false;
#endif
}

/* Before PMUv3.5 the cycle counter alone has 64 bits, and the driver answers EOPNOTSUPP for other events. Nothing should
 * insist on 64 bits there: not even cycles, which could then be counted nowhere else, so that two sets would take turns
 * (each counted half of the time, though four counters were free). Asked once for a PMU. */
static bool has_long_counters(uint32_t type) {
    static uint64_t known; /* (type << 2) + 2 + the answer */
    uint64_t last = __atomic_load_n(&known, __ATOMIC_RELAXED);
    if (last >> 2 == type && last & 2) {
        return last & 1;
    }
    enum { INST_RETIRED = 0x08 };
    struct perf_event_attr attr = {.size = sizeof attr, .type = type, .config = INST_RETIRED, .config1 = 3,
                                   .disabled = 1, .exclude_kernel = 1, .exclude_hv = 1};
    int fd = perf_event_open(&attr, &(armprof_options){.cpu = -1}, -1);
    if (fd < 0 && errno != EOPNOTSUPP) {
        return true; /* it does not tell; the ladder will */
    }
    __atomic_store_n(&known, (uint64_t)type << 2 | 2 | (fd >= 0), __ATOMIC_RELAXED);
    if (fd >= 0) {
        close(fd);
    }
    return fd >= 0;
}

static int first_rung(const armprof_event *event, const armprof_options *options) {
    if (!may_read_in_user_space(event, options)) {
        return LADDER_LAST;
    }
    return has_long_counters(event->type) ? 0 : 1;
}

static armprof_page *map_page(int fd) {
    void *page = mmap(NULL, (size_t)sysconf(_SC_PAGESIZE), PROT_READ, MAP_SHARED, fd, 0);
    return page == MAP_FAILED ? NULL : (armprof_page *)page;
}

static void unmap_page(armprof_page *page) { munmap((void *)(uintptr_t)page, (size_t)sysconf(_SC_PAGESIZE)); }

/* Opens one event down the ladder, as a leader (group_fd -1) or a member, in the next slot. 0 or the errno of the last
 * rung. */
static int open_event(struct armprof_set *set, uint32_t index, const armprof_event *event,
                      const armprof_options *options, int group_fd) {
    int error = 0;
    for (int rung = first_rung(event, options); rung <= LADDER_LAST; rung++) {
        struct perf_event_attr attr;
        memset(&attr, 0, sizeof attr);
        attr.size = sizeof attr;
        attr.type = event->type;
        attr.config = event->config;
        attr.config1 = ladder[rung].config1;
        attr.read_format = PERF_FORMAT_GROUP | PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING;
        attr.exclude_kernel = !event->kernel;
        attr.exclude_hv = !event->kernel;
        attr.inherit = options->inherit;
        attr.disabled = group_fd == -1; /* members follow their leader */
        attr.enable_on_exec = group_fd == -1 && options->enable_on_exec;
        int fd = perf_event_open(&attr, options, group_fd);
        if (fd < 0) {
            error = errno;
            continue;
        }
        armprof_page *page = rung < LADDER_LAST ? map_page(fd) : NULL;
        if (page && !(page->cap_user_rdpmc && page->cap_user_time)) {
            unmap_page(page);
            page = NULL;
        }
        uint32_t slot = set->slots++;
        set->slot_of[index] = (int)slot;
        set->fd[slot] = fd;
        set->page[slot] = page;
        set->source[slot].page = page;
        set->access[index] = page ? ladder[rung].access : ARMPROF_SYSCALL;
        return 0;
    }
    return error;
}

/* Puts the event into the open group, or makes it the leader of a new one. */
static int place_event(struct armprof_set *set, uint32_t index, const armprof_event *event,
                       const armprof_options *options) {
    int error = 0;
    struct armprof_group *group = set->groups > 0 ? &set->group[set->groups - 1] : NULL;
    if (group && group->wanted == event->group) {
        error = open_event(set, index, event, options, group->leader_fd);
        if (error == 0) {
            group->end = set->slots;
            set->group_of[index] = set->groups - 1;
            return 0;
        }
        if (error != EINVAL) {
            return error; /* the event, not the group, is what the kernel refuses */
        }
    }
    if (set->groups == ARMPROF_MAX_GROUPS) {
        return E2BIG;
    }
    /* EINVAL as a member: the ARM driver checks that a group fits the counters when it is opened. Alone it may do. */
    error = open_event(set, index, event, options, -1);
    if (error == 0) {
        set->group[set->groups] = (struct armprof_group){
            .leader_fd = set->fd[set->slots - 1], .begin = set->slots - 1, .end = set->slots, .wanted = event->group};
        set->group_of[index] = set->groups++;
    }
    return error;
}

/* Group after group, in the order of their first events: those of one group may stand anywhere in the list. */
static void place_events(struct armprof_set *set, const armprof_event *events, const armprof_options *options) {
    bool placed[ARMPROF_MAX_EVENTS] = {false};
    for (uint32_t first = 0; first < set->events; first++) {
        if (placed[first]) {
            continue;
        }
        for (uint32_t i = first; i < set->events; i++) {
            if (events[i].group == events[first].group) {
                placed[i] = true;
                set->slot_of[i] = -1;
                set->error[i] = place_event(set, i, &events[i], options);
            }
        }
    }
}

static void settle_access(struct armprof_set *set) {
    uint32_t mapped = 0;
    set->owner = &this_thread;
    for (uint32_t slot = 0; slot < set->slots; slot++) {
        const armprof_page *page = set->page[slot];
        if (page) {
            mapped++;
            set->kernel_clock = true;
            set->mult = page->time_mult;
            set->shift = page->time_shift;
        }
    }
    set->holds_trap = mapped > 0;
    if (set->groups > 1) {
        set->how |= ARMPROF_MANY_GROUPS;
    }
    if (set->holds_trap) {
        armprof_trap_acquire();
    }
    if (mapped == 0 || mapped < set->slots) {
        set->how |= ARMPROF_BY_SYSCALL;
    } else {
        static const armprof_page nothing;
        if (set->slots % 2) {
            set->source[set->slots] =
                (struct armprof_source){.page = &nothing, .routine = ARMPROF_REGISTER_ROUTINE(ARMPROF_INDEX_ZERO)};
        }
        set->sources_end = set->source + (set->slots + 1) / 2 * 2;
        armprof_set_refresh(set);
    }
}

void armprof_set_refresh(struct armprof_set *set) {
    set->sequences = 0;
    for (uint32_t g = 0; g < set->groups; g++) {
        const struct armprof_group *group = &set->group[g];
        for (uint32_t slot = group->begin; slot < group->end; slot++) {
            armprof_source_refresh(&set->source[slot], slot == group->begin ? &set->times[g] : NULL);
            set->sequences += (uint32_t)(set->source[slot].sequence_and_shift >> 32);
        }
    }
}

armprof_set *armprof_open(const armprof_event *events, size_t count, const armprof_options *options) {
    if (count == 0 || count > ARMPROF_MAX_EVENTS) {
        errno = EINVAL;
        return NULL;
    }
    return armprof_set_new(events, count, options);
}

/* Sees whether user reads really come, now that the events count: with kernel.perf_user_access at 0 the kernel maps pages all
 * the same. */
static void try_user_reads(struct armprof_set *set) {
    struct armprof_snapshot now;
    armprof_snapshot_otherwise(set, &now);
    set->samples_by_syscall = 0;
    if (!set->withdrawn) {
        return;
    }
    set->withdrawn = false;
    for (uint32_t i = 0; i < set->events; i++) {
        if (set->slot_of[i] >= 0) {
            set->access[i] = ARMPROF_SYSCALL;
        }
    }
}

/* The events of a group that cannot be enabled count nothing: they are closed ones with that errno. */
static void enable(struct armprof_set *set) {
    for (uint32_t g = 0; g < set->groups; g++) {
        if (ioctl(set->group[g].leader_fd, PERF_EVENT_IOC_ENABLE, PERF_IOC_FLAG_GROUP) == 0) {
            continue;
        }
        int error = errno;
        set->how |= ARMPROF_BY_SYSCALL; /* in user space it would look as if reads had been withdrawn */
        for (uint32_t i = 0; i < set->events; i++) {
            if (set->slot_of[i] >= 0 && set->group_of[i] == g) {
                set->slot_of[i] = -1;
                set->error[i] = error;
                set->access[i] = ARMPROF_CLOSED;
            }
        }
    }
}

struct armprof_set *armprof_set_new(const armprof_event *events, size_t count, const armprof_options *options) {
    struct armprof_set *set = calloc(1, sizeof *set);
    if (!set) {
        return NULL;
    }
    armprof_sets_watch_forks();
    set->events = (uint32_t)count;
    set->how = options->unfenced ? ARMPROF_UNFENCED : 0;
    place_events(set, events, options);
    settle_access(set);
    if (!options->enable_on_exec) {
        enable(set);
    }
    if (!(set->how & ARMPROF_BY_SYSCALL)) {
        try_user_reads(set);
    }
    pthread_mutex_lock(&sets_lock);
    set->next = sets;
    set->link = &sets;
    if (sets) {
        sets->link = &set->next;
    }
    sets = set;
    pthread_mutex_unlock(&sets_lock);
    return set;
}

void armprof_close(armprof_set *set) {
    if (!set) {
        return;
    }
    pthread_mutex_lock(&sets_lock);
    *set->link = set->next;
    if (set->next) {
        set->next->link = set->link;
    }
    pthread_mutex_unlock(&sets_lock);
    for (uint32_t slot = set->slots; slot-- > 0;) { /* members before their leader */
        if (set->page[slot]) {
            unmap_page(set->page[slot]);
        }
        if (set->fd[slot] >= 0) {
            close(set->fd[slot]);
        }
    }
    if (set->holds_trap) {
        armprof_trap_release();
    }
    free(set);
}

size_t armprof_event_count(const armprof_set *set) { return set->events; }
int armprof_event_error(const armprof_set *set, size_t event) { return set->error[event]; }
armprof_access armprof_event_access(const armprof_set *set, size_t event) { return set->access[event]; }
uint32_t armprof_event_group(const armprof_set *set, size_t event) { return set->group_of[event]; }
uint64_t armprof_samples_by_syscall(const armprof_set *set) { return set->samples_by_syscall; }
bool armprof_user_reads_withdrawn(const armprof_set *set) { return set->withdrawn; }

/* One conversion per set: the kernel's where a page gives it, since two conversions of an absolute time since boot differ
 * by more than the stretches that are measured. */
uint64_t armprof_set_ns(const struct armprof_set *set, uint64_t ticks) {
    return set->kernel_clock ? armprof_ticks_to_ns(ticks, set->mult, set->shift) : armprof_elapsed_ns(ticks);
}

static int snapshot_by_syscall(struct armprof_set *set, struct armprof_snapshot *now) {
    if (set->stale) {
        return ESTALE;
    }
    if (set->groups == 0) {
        now->times[0] = (struct armprof_times){0, 0}; /* nothing wants to count, and nothing is lost */
        return 0;
    }
    /* Others read it meanwhile. */
    __atomic_store_n(&set->samples_by_syscall, set->samples_by_syscall + 1, __ATOMIC_RELAXED);
    for (uint32_t g = 0; g < set->groups; g++) {
        const struct armprof_group *group = &set->group[g];
        uint32_t size = group->end - group->begin;
        struct {
            uint64_t size, enabled, running, value[ARMPROF_MAX_EVENTS];
        } data;
        int error = armprof_read_counter(group->leader_fd, &data, (3 + size) * sizeof(uint64_t));
        if (error || data.size != size) {
            return error ? error : EIO;
        }
        now->times[g].enabled_base = data.enabled - armprof_set_ns(set, now->ticks);
        now->times[g].lost = data.enabled - data.running;
        memcpy(&now->value[group->begin], data.value, size * sizeof(uint64_t));
    }
    return 0;
}

/* After a sample by read(2) for want of an index: whether a group without one counted all the same. The kernel withdraws user
 * reads so when it writes the page before we read again, as in a switch to another thread; no read traps then. A group that
 * waits for its turn has no index either, and lost what it has waited. */
static bool counts_without_index(const struct armprof_set *set, const struct armprof_snapshot *now) {
    for (uint32_t g = 0; g < set->groups; g++) {
        for (uint32_t slot = set->group[g].begin; slot < set->group[g].end; slot++) {
            if (set->page[slot]->index == 0 && now->times[g].lost == set->times[g].lost) {
                return true;
            }
        }
    }
    return false;
}

int armprof_snapshot_otherwise(struct armprof_set *set, struct armprof_snapshot *now) {
    if (!(set->how & ARMPROF_UNFENCED)) {
        armprof_fence();
    }
    now->ticks = armprof_ticks();
    if (set->how & ARMPROF_BY_SYSCALL) {
        return snapshot_by_syscall(set, now);
    }
    uint64_t refused = armprof_snapshot_in_user_space(set, now, set->groups);
    if (refused == 0) {
        return 0;
    }
    int error = snapshot_by_syscall(set, now);
    if (refused & ARMPROF_REFUSED_TRAP || (!error && counts_without_index(set, now))) {
        __atomic_store_n(&set->withdrawn, true, __ATOMIC_RELAXED); /* others read it meanwhile */
        set->how |= ARMPROF_BY_SYSCALL;
    }
    return error;
}

int armprof_sample(armprof_set *set, armprof_count *counts) {
    struct armprof_snapshot now;
    int error;
    if (set->owner == &this_thread) {
        error = armprof_snapshot_take(set, &now);
    } else {
        now.ticks = armprof_ticks();
        error = snapshot_by_syscall(set, &now);
    }
    if (!(set->how & ARMPROF_UNFENCED)) {
        armprof_fence();
    }
    if (error) {
        return error;
    }
    uint64_t ns = armprof_set_ns(set, now.ticks);
    for (uint32_t i = 0; i < set->events; i++) {
        if (set->slot_of[i] < 0) {
            counts[i] = (armprof_count){0, 0, 0};
            continue;
        }
        const struct armprof_times *times = &now.times[set->group_of[i]];
        counts[i].value = now.value[set->slot_of[i]];
        counts[i].enabled_ns = times->enabled_base + ns;
        counts[i].running_ns = counts[i].enabled_ns - times->lost;
    }
    return 0;
}

int armprof_calibrate(armprof_set *set, unsigned rounds, uint64_t *smallest) {
    if (rounds == 0) {
        return EINVAL;
    }
    armprof_count before[ARMPROF_MAX_EVENTS], after[ARMPROF_MAX_EVENTS];
    for (uint32_t i = 0; i < set->events; i++) {
        smallest[i] = UINT64_MAX;
    }
    for (unsigned round = 0; round < rounds; round++) {
        int error = armprof_sample(set, before);
        error = error ? error : armprof_sample(set, after);
        if (error) {
            return error;
        }
        for (uint32_t i = 0; i < set->events; i++) {
            uint64_t cost = after[i].value - before[i].value;
            smallest[i] = cost < smallest[i] ? cost : smallest[i];
        }
    }
    return 0;
}
