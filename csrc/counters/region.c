#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "output.h"
#include "thread.h"

static ARMPROF_THREAD_LOCAL struct thread *self;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t at_thread_end;
static struct thread *threads;
static struct sums *ended; /* of threads that are gone */
static armprof_latencies *ended_latencies;
static bool keeps_latencies;
static armprof_regions_health of_ended;
static char *names[ARMPROF_MAX_REGIONS]; /* by region; 0 is the region that calibration enters */
static uint32_t regions = 1;
static armprof_event events[ARMPROF_MAX_EVENTS];
static uint32_t event_count;
static armprof_options options;
static bool was_setup; /* or the events are those of a program that names none */
static struct armprof_shape shape; /* of the first thread's set: sums of others would not be comparable */

static struct sums *new_sums(void) {
    struct sums *sums = calloc(ARMPROF_MAX_REGIONS, sizeof *sums); /* pages of regions that nobody defines stay untouched */
    for (uint32_t region = 0; sums && region < regions; region++) {
        clear(&sums[region]);
    }
    return sums;
}

static armprof_latencies *new_latencies(void) {
    return keeps_latencies ? calloc(ARMPROF_MAX_REGIONS, sizeof(armprof_latencies)) : NULL; /* touched where calls are */
}

static void add_latencies(uint64_t *into, armprof_latencies *from, armprof_region region) {
    for (uint32_t bucket = 0; from && bucket < ARMPROF_LATENCY_BUCKETS; bucket++) {
        into[bucket] += LOAD(from[region][bucket]);
    }
}

static void add_health(armprof_regions_health *into, const struct thread *thread) {
    into->threads++;
    into->failed += thread->failed;
    into->dropped += LOAD(thread->dropped);
    into->mismatched += LOAD(thread->mismatched);
    into->withdrawn += LOAD(thread->set->withdrawn);
    const struct frame *top = LOAD(thread->top);
    into->inside += top == BEYOND(thread) ? ARMPROF_MAX_DEPTH : (uint64_t)(top - BOTTOM(thread));
    into->by_syscall += LOAD(thread->set->samples_by_syscall);
}

static void unlink_thread(struct thread *thread) {
    *thread->link = thread->next;
    if (thread->next) {
        thread->next->link = thread->link;
    }
}

static void free_thread(struct thread *thread) {
    armprof_close(thread->set);
    free(thread->sums);
    free(thread->latencies);
    free(thread);
}

static void forget_ended(void) {
    free(ended);
    free(ended_latencies);
    ended = NULL;
    ended_latencies = NULL;
    memset(&of_ended, 0, sizeof of_ended);
}

/* A thread's sums outlive it. The first that ends leaves its own behind: that needs no memory. */
static void keep_sums(struct thread *thread) {
    struct sums *sums = thread->sums;
    bool is_first = !ended;
    if (is_first) {
        ended = sums;
        thread->sums = NULL;
    }
    for (armprof_region region = 1; region < regions; region++) {
        if (!is_first) {
            add_sums(&ended[region], &sums[region], thread->failed);
        } else if (thread->failed) {
            sums[region].uncounted = sums[region].outermost;
            sums[region].uncounted_ticks = sums[region].ticks;
        }
    }
}

static void keep_latencies(struct thread *thread) {
    if (!ended_latencies) {
        ended_latencies = thread->latencies;
        thread->latencies = NULL;
    }
    for (armprof_region region = 1; thread->latencies && region < regions; region++) {
        add_latencies(ended_latencies[region], thread->latencies, region);
    }
}

static void end_thread(void *argument) {
    struct thread *thread = argument;
    self = NULL;
    pthread_mutex_lock(&lock);
    unlink_thread(thread);
    keep_sums(thread);
    keep_latencies(thread);
    add_health(&of_ended, thread);
    pthread_mutex_unlock(&lock);
    free_thread(thread);
}

static void before_fork(void) { pthread_mutex_lock(&lock); }
static void after_fork_in_parent(void) { pthread_mutex_unlock(&lock); }

/* The child has one thread and counts from zero: what the parent counted is the parent's. */
static void after_fork_in_child(void) {
    while (threads) {
        struct thread *thread = threads;
        unlink_thread(thread);
        free_thread(thread);
    }
    forget_ended();
    self = NULL;
    pthread_setspecific(at_thread_end, NULL);
    pthread_mutex_unlock(&lock);
}

static void initialise(void) {
    armprof_sets_watch_forks(); /* before us: what we do in the child closes sets */
    pthread_key_create(&at_thread_end, end_thread);
    pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
}

int armprof_regions_setup(const armprof_event *wanted, size_t count, const armprof_options *how) {
    if (count > ARMPROF_MAX_EVENTS || how->pid != 0 || how->inherit || how->enable_on_exec) {
        return EINVAL;
    }
    pthread_once(&once, initialise);
    pthread_mutex_lock(&lock);
    int error = threads || ended ? EBUSY : 0;
    if (!error) {
        if (count > 0) {
            memcpy(events, wanted, count * sizeof *wanted);
        }
        event_count = (uint32_t)count;
        options = *how;
        was_setup = true;
        shape.known = false;
        armprof_output_change();
    }
    pthread_mutex_unlock(&lock);
    return error;
}

armprof_region armprof_region_define(const char *name) {
    pthread_mutex_lock(&lock);
    armprof_region region = 1;
    while (region < regions && strcmp(names[region], name) != 0) {
        region++;
    }
    if (region == regions) {
        char *copy = regions < ARMPROF_MAX_REGIONS ? strdup(name) : NULL;
        if (copy) {
            names[regions++] = copy;
            for (struct thread *thread = threads; thread; thread = thread->next) {
                clear(&thread->sums[region]);
            }
            if (ended) {
                clear(&ended[region]);
            }
        } else {
            region = 0;
        }
    }
    pthread_mutex_unlock(&lock);
    return region;
}

/* Whether this set put other events into its slots than the first thread's. */
static bool is_odd(const struct armprof_set *set) {
    pthread_mutex_lock(&lock);
    if (!shape.known) {
        shape.known = true;
        memcpy(shape.slot_of, set->slot_of, sizeof shape.slot_of);
        memcpy(shape.group_of, set->group_of, sizeof shape.group_of);
        memcpy(shape.error, set->error, sizeof shape.error);
        memcpy(shape.access, set->access, sizeof shape.access);
    }
    bool odd = memcmp(shape.slot_of, set->slot_of, event_count * sizeof *shape.slot_of) != 0 ||
               memcmp(shape.group_of, set->group_of, event_count * sizeof *shape.group_of) != 0;
    pthread_mutex_unlock(&lock);
    return odd;
}

static void choose_events(void) {
    if (!was_setup && armprof_output_is_wanted()) {
        event_count = armprof_choose_events(events);
        options = (armprof_options){.cpu = -1, .user_reads = true};
    }
}

int armprof_thread_start(void) {
    static pthread_once_t chosen = PTHREAD_ONCE_INIT;
    if (self) {
        return 0;
    }
    pthread_once(&once, initialise);
    pthread_once(&chosen, choose_events);
    struct thread *thread = calloc(1, sizeof *thread);
    if (!thread) {
        return ENOMEM;
    }
    thread->set = armprof_set_new(events, event_count, &options);
    thread->failed = thread->set && is_odd(thread->set);
    if (thread->failed) { /* its sums could not be added to those of the others: it counts nothing but time */
        armprof_close(thread->set);
        thread->set = armprof_set_new(NULL, 0, &options);
    }
    thread->top = BOTTOM(thread);
    BOTTOM(thread)->region = BEYOND(thread)->region = NO_REGION;

    pthread_mutex_lock(&lock);
    thread->sums = thread->set ? new_sums() : NULL;
    thread->latencies = new_latencies();
    bool ready = thread->sums && (thread->latencies || !keeps_latencies);
    if (ready) {
        thread->set->apart = thread->set->slots == 0 || thread->latencies;
        thread->next = threads;
        thread->link = &threads;
        if (threads) {
            threads->link = &thread->next;
        }
        threads = thread;
    }
    pthread_mutex_unlock(&lock);
    if (!ready) {
        free_thread(thread);
        return ENOMEM;
    }
    pthread_setspecific(at_thread_end, thread);
    self = thread;
    armprof_output_begin();
    return 0;
}

static bool is_inside(const struct thread *thread, uint64_t region) {
    for (const struct frame *frame = thread->top; frame > BOTTOM(thread); frame--) {
        if ((frame->region & ~UNREADABLE) == region) {
            return true;
        }
    }
    return false;
}

static void enter_beyond(struct thread *thread) {
    STORE(thread->top, BEYOND(thread));
    thread->beyond++;
    ADD(thread->dropped, 1);
}

/* Tells a modelled core (csrc/model) that a region begins or ends, where no counter counts: by a load that no compiler
 * makes, of the first byte of the region's name. On a core it is a load like any other. */
#if defined(__aarch64__)
#define TELL_MODEL(region, code)                                                                                     \
    if ((region) < ARMPROF_MAX_REGIONS && names[region]) {                                                           \
        __asm__ volatile("ldrb wzr, [%0, %1]" ::"r"((uintptr_t)names[region] - (code)), "i"(code) : "memory");       \
    }
#else
#define TELL_MODEL(region, code) (void)0;
#endif
enum { MODEL_ENTER = 2017, MODEL_LEAVE = 2018 };

static inline void enter(struct thread *thread, uint64_t region) {
    struct frame *frame = thread->top + 1;
    if (__builtin_expect(frame >= BEYOND(thread), 0)) {
        enter_beyond(thread);
        return;
    }
    STORE(thread->top, frame);
    frame->region = region;
    if (__builtin_expect(armprof_snapshot_take(thread->set, &frame->start) != 0, 0)) {
        frame->region |= UNREADABLE;
    }
    armprof_fence(); /* the stretch must not begin before its counters were read */
    if (__builtin_expect(thread->set->slots == 0, 0)) {
        TELL_MODEL(region, MODEL_ENTER)
    }
}

/* Leaves the innermost region. Its sums, to which time is added already; NULL where an outer call of the same region
 * holds this stretch. */
__attribute__((always_inline)) static inline struct sums *finish(struct thread *thread, uint64_t region,
                                                                 const struct armprof_snapshot *now) {
    const struct frame *frame = thread->top;
    STORE(thread->top, thread->top - 1);
    struct sums *sums = &thread->sums[region];
    if (__builtin_expect(thread->top != BOTTOM(thread), 0) && is_inside(thread, region)) {
        ADD(sums->nested, 1);
        return NULL;
    }
    ADD(sums->outermost, 1);
    uint64_t ticks = now->ticks - frame->start.ticks;
    add_spread(&sums->ticks, &sums->fewest_ticks, &sums->most_ticks, ticks, ticks, ticks);
    return sums;
}

__attribute__((always_inline)) static inline void add_counts(struct sums *sums, const struct thread *thread,
                                                             const struct armprof_snapshot *now,
                                                             const struct armprof_snapshot *start) {
    add_times(sums, now->times, start->times, thread->set->groups);
    add_differences(sums, now->value, start->value, thread->set->slots);
}

/* Makes the region's innermost frame the innermost of all. Coroutines that wait inside regions leave them in any order. */
static bool bring_to_top(struct thread *thread, uint64_t region) {
    struct frame *frame = thread->top;
    while (frame > BOTTOM(thread) && (frame->region & ~UNREADABLE) != region) {
        frame--;
    }
    if (frame == BOTTOM(thread)) {
        return false;
    }
    if (frame < thread->top) {
        struct frame found = *frame;
        memmove(frame, frame + 1, (size_t)(thread->top - frame) * sizeof *frame);
        *thread->top = found;
    }
    return true;
}

static void keep_latency(struct thread *thread, uint64_t region, uint64_t ticks) {
    armprof_latencies *latencies = __atomic_load_n(&thread->latencies, __ATOMIC_ACQUIRE);
    if (latencies) {
        ADD(latencies[region][armprof_latency_bucket(ticks)], 1);
    }
}

/* A leave of a region whose counters could not be read now or when it was entered, or of one that is not the innermost. */
__attribute__((noinline)) static void leave_otherwise(struct thread *thread, uint64_t region,
                                                      const struct armprof_snapshot *now, int error) {
    if (thread->beyond == 0 && bring_to_top(thread, region)) {
        const struct frame *frame = thread->top;
        struct sums *sums = finish(thread, region, now);
        if (sums) {
            keep_latency(thread, region, now->ticks - frame->start.ticks);
        }
        if (sums && !error && frame->region == region) {
            add_counts(sums, thread, now, &frame->start);
        } else if (sums) {
            ADD(sums->uncounted, 1);
            ADD(sums->uncounted_ticks, now->ticks - frame->start.ticks);
        }
    } else if (region == 0 || region >= ARMPROF_MAX_REGIONS) {
        return;
    } else if (thread->beyond == 0) {
        ADD(thread->mismatched, 1);
    } else if (--thread->beyond == 0) {
        STORE(thread->top, BEYOND(thread) - 1);
    }
}

__attribute__((always_inline)) static inline void leave_now(struct thread *thread, uint64_t region, bool apart) {
    struct armprof_snapshot now;
    int error = armprof_snapshot_take(thread->set, &now);
    const struct frame *frame = thread->top;
    if (__builtin_expect(error != 0 || frame->region != region, 0)) {
        leave_otherwise(thread, region, &now, error);
        return;
    }
    struct sums *sums = finish(thread, region, &now);
    if (sums) {
        add_counts(sums, thread, &now, &frame->start);
    }
    if (sums && apart) {
        keep_latency(thread, region, now.ticks - frame->start.ticks);
    }
}

__attribute__((noinline)) static void leave_apart(struct thread *thread, uint64_t region) {
    if (thread->set->slots == 0) {
        TELL_MODEL(region, MODEL_LEAVE)
    }
    leave_now(thread, region, true);
}

static inline void leave(struct thread *thread, uint64_t region) {
    if (__builtin_expect(LOAD(thread->set->apart), 0)) {
        leave_apart(thread, region);
    } else {
        leave_now(thread, region, false);
    }
}

void armprof_enter(armprof_region region) {
    struct thread *thread = self;
    if (__builtin_expect(region - 1 >= ARMPROF_MAX_REGIONS - 1, 0)) {
        return;
    }
    if (__builtin_expect(!thread, 0)) {
        if (armprof_thread_start() != 0) {
            return;
        }
        thread = self;
    }
    enter(thread, region);
}

void armprof_leave(armprof_region region) {
    struct thread *thread = self;
    if (__builtin_expect(thread != NULL, 1)) {
        leave(thread, region);
        return;
    }
    pthread_mutex_lock(&lock); /* left in a child of fork, or in another thread than it was entered */
    of_ended.mismatched++;
    pthread_mutex_unlock(&lock);
}

int armprof_region_read(armprof_region region, armprof_region_totals *totals) {
    memset(totals, 0, sizeof *totals);
    pthread_mutex_lock(&lock);
    if (region == 0 || region >= regions) {
        pthread_mutex_unlock(&lock);
        return EINVAL;
    }
    struct sums all;
    clear(&all);
    for (struct thread *thread = threads; thread; thread = thread->next) {
        add_sums(&all, &thread->sums[region], thread->failed);
    }
    if (ended) {
        add_sums(&all, &ended[region], false);
    }
    totals->calls = all.outermost + all.nested;
    totals->outermost = all.outermost;
    totals->counted = all.outermost - all.uncounted;
    if (all.outermost > 0) {
        totals->ns.total = armprof_elapsed_ns(all.ticks);
        totals->ns.smallest = armprof_elapsed_ns(all.fewest_ticks);
        totals->ns.largest = armprof_elapsed_ns(all.most_ticks);
        totals->enabled_ns = totals->ns.total + all.enabled_extra;
        for (uint32_t g = 0; g < ARMPROF_MAX_GROUPS; g++) {
            totals->lost_ns[g] = all.lost[g] + armprof_elapsed_ns(all.uncounted_ticks);
        }
        for (uint32_t i = 0; totals->counted > 0 && i < event_count; i++) {
            int slot = shape.slot_of[i];
            if (slot >= 0) {
                totals->events[i] = (armprof_spread){all.pair[slot / 2].total[slot % 2],
                                                     all.pair[slot / 2].smallest[slot % 2],
                                                     all.pair[slot / 2].largest[slot % 2]};
            }
        }
    }
    pthread_mutex_unlock(&lock);
    return 0;
}

int armprof_regions_keep_latencies(void) {
    pthread_mutex_lock(&lock);
    keeps_latencies = true;
    int error = 0;
    for (struct thread *thread = threads; thread; thread = thread->next) {
        if (!thread->latencies) {
            armprof_latencies *made = new_latencies();
            error = made ? error : ENOMEM;
            __atomic_store_n(&thread->latencies, made, __ATOMIC_RELEASE); /* it may be leaving a region now */
            STORE(thread->set->apart, true);
        }
    }
    pthread_mutex_unlock(&lock);
    return error;
}

int armprof_region_read_latencies(armprof_region region, uint64_t *buckets) {
    memset(buckets, 0, sizeof(armprof_latencies));
    pthread_mutex_lock(&lock);
    int error = region == 0 || region >= regions ? EINVAL : keeps_latencies ? 0 : ENODATA;
    for (struct thread *thread = threads; thread && !error; thread = thread->next) {
        add_latencies(buckets, thread->latencies, region);
    }
    if (!error) {
        add_latencies(buckets, ended_latencies, region);
    }
    pthread_mutex_unlock(&lock);
    return error;
}

uint64_t armprof_latency_ns(uint32_t bucket) { return armprof_elapsed_ns(armprof_latency_bound(bucket)); }

void armprof_regions_read_health(armprof_regions_health *health) {
    pthread_mutex_lock(&lock);
    *health = of_ended;
    for (struct thread *thread = threads; thread; thread = thread->next) {
        add_health(health, thread);
    }
    pthread_mutex_unlock(&lock);
}

void armprof_regions_look(struct armprof_regions_look *look) {
    pthread_mutex_lock(&lock);
    *look = (struct armprof_regions_look){.events = events,
                                          .event_count = event_count,
                                          .chosen = !was_setup,
                                          .shape = &shape,
                                          .names = (const char *const *)names,
                                          .end = regions,
                                          .counts = threads || ended};
    pthread_mutex_unlock(&lock);
}

const armprof_set *armprof_thread_set(void) { return self ? self->set : NULL; }

int armprof_regions_calibrate(unsigned rounds, uint64_t *ns, uint64_t *smallest) {
    int error = rounds > 0 ? armprof_thread_start() : EINVAL;
    if (error) {
        return error;
    }
    struct thread *thread = self;
    if (thread->failed || thread->top + 1 >= BEYOND(thread)) {
        return thread->failed ? ENODATA : EBUSY;
    }
    struct sums *empty = &thread->sums[0];
    clear(empty);
    for (unsigned round = 0; round < rounds; round++) {
        enter(thread, 0);
        armprof_leave(0);
    }
    if (empty->uncounted > 0) {
        return EIO;
    }
    *ns = armprof_elapsed_ns(empty->fewest_ticks);
    for (uint32_t i = 0; i < event_count; i++) {
        int slot = thread->set->slot_of[i];
        smallest[i] = slot < 0 ? 0 : empty->pair[slot / 2].smallest[slot % 2];
    }
    return 0;
}

void armprof_regions_reset(void) {
    pthread_mutex_lock(&lock);
    for (struct thread *thread = threads; thread; thread = thread->next) {
        for (armprof_region region = 0; region < regions; region++) {
            clear(&thread->sums[region]);
        }
        if (thread->latencies) {
            memset(thread->latencies, 0, ARMPROF_MAX_REGIONS * sizeof *thread->latencies);
        }
        thread->dropped = thread->mismatched = 0;
        thread->set->samples_by_syscall = 0;
    }
    forget_ended();
    pthread_mutex_unlock(&lock);
}

static bool is_busy(void) {
    bool others = threads && (threads != self || threads->next);
    return others || (self && self->top != BOTTOM(self));
}

int armprof_regions_teardown(void) {
    pthread_mutex_lock(&lock);
    int error = is_busy() ? EBUSY : 0;
    pthread_mutex_unlock(&lock);
    if (!error) {
        armprof_output_write(); /* what is forgotten now */
    }
    pthread_mutex_lock(&lock);
    struct thread *mine = self;
    error = is_busy() ? EBUSY : 0;
    if (!error) {
        if (mine) {
            unlink_thread(mine);
            self = NULL;
            pthread_setspecific(at_thread_end, NULL);
        }
        forget_ended();
    }
    pthread_mutex_unlock(&lock);
    if (!error && mine) {
        free_thread(mine);
    }
    return error;
}
