#define _GNU_SOURCE
#include "sampler.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "calls.h"

struct opened {
    int fd;
    uint16_t event;
};

struct ring {
    struct perf_event_mmap_page *page; /* the data follow it */
    int fd;
    uint64_t lost; /* samples that found it full */
};

struct armprof_sampler {
    struct armprof_records records;
    struct opened *opened;
    size_t opened_count;
    int *watches; /* by thread; -1 where it could not be opened */
    size_t watch_count;
    int error; /* of a watch that could not be opened, or of what could not be switched on or off: no count holds then */
    struct ring *rings;
    struct pollfd *polled; /* by ring */
    size_t ring_count;
    size_t ring_bytes, page_bytes;
    uint64_t *ids;
    uint16_t *event_of;
    char *unwrapped; /* a record that goes over the end of its ring, in one piece */
};

enum { LARGEST_RECORD = 1 << 16 }; /* its size has 16 bits */

static struct perf_event_attr attr_of(const armprof_sampler *sampler, const armprof_sampled *event, bool first, bool on_exec) {
    struct perf_event_attr attr;
    memset(&attr, 0, sizeof attr);
    attr.size = sizeof attr;
    attr.type = event->type;
    attr.config = event->config;
    attr.sample_type = ARMPROF_SAMPLE_TYPE;
    attr.read_format = PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING;
    attr.precise_ip = event->precision & 3;
    attr.freq = event->by_frequency;
    attr.sample_period = event->rate; /* and sample_freq, which is the same field */
    const bool in_group = sampler->records.reading != ARMPROF_ALONE, leads = first || !in_group;
    if (in_group && event->rate > 0) {
        attr.sample_type |= PERF_SAMPLE_READ;
        attr.read_format = ARMPROF_GROUP_FORMAT;
    }
    attr.read_format |= sampler->records.with_losses ? ARMPROF_LOSSES_FORMAT : 0;
    attr.disabled = leads; /* the others of a group count when its first does */
    attr.enable_on_exec = leads && on_exec;
    attr.inherit = sampler->records.reading != ARMPROF_OF_CPU; /* a CPU has no children */
    attr.exclude_kernel = !event->kernel;
    attr.exclude_hv = 1;
    attr.exclude_callchain_kernel = 1;
    attr.sample_id_all = 1;
    /* What changes where addresses lead is told by the first event for all of them. */
    attr.mmap = attr.mmap2 = attr.comm = attr.comm_exec = attr.task = first;
    attr.watermark = 1;
    attr.wakeup_watermark = (uint32_t)(sampler->ring_bytes / 4);
    attr.use_clockid = 1;
    attr.clockid = CLOCK_MONOTONIC;
    return attr;
}

static int open_event(struct perf_event_attr *attr, pid_t thread, int cpu, int group) {
    return armprof_perf_event_open(attr, thread, cpu, group, 0);
}

static size_t mapped_bytes(const struct armprof_sampler *sampler) { return sampler->page_bytes + sampler->ring_bytes; }

/* A ring as large as the kernel lets us lock (kernel.perf_event_mlock_kb for each CPU, and RLIMIT_MEMLOCK): EPERM beyond. All
 * rings are as large as the first that could be had. */
static bool map_ring(struct armprof_sampler *sampler, int fd) {
    void *page = MAP_FAILED;
    for (;;) {
        page = mmap(NULL, mapped_bytes(sampler), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        if (page != MAP_FAILED || errno != EPERM || sampler->ring_count > 0 || sampler->ring_bytes == sampler->page_bytes) {
            break;
        }
        sampler->ring_bytes /= 2;
    }
    if (page == MAP_FAILED) {
        return false;
    }
    sampler->polled[sampler->ring_count] = (struct pollfd){.fd = fd, .events = POLLIN};
    sampler->rings[sampler->ring_count++] = (struct ring){.page = page, .fd = fd};
    return true;
}

/* Keeps what was opened: its number, and the ring of its CPU, which the first event of a CPU brings. */
static bool keep(struct armprof_sampler *sampler, int fd, uint16_t event, int *output) {
    uint64_t id;
    if (ioctl(fd, PERF_EVENT_IOC_ID, &id) != 0) {
        return false;
    }
    if (*output >= 0) {
        if (ioctl(fd, PERF_EVENT_IOC_SET_OUTPUT, *output) != 0) {
            return false;
        }
    } else if (map_ring(sampler, fd)) {
        *output = fd;
    } else {
        return false;
    }
    size_t at = sampler->opened_count++;
    sampler->opened[at] = (struct opened){fd, event};
    for (; at > 0 && sampler->ids[at - 1] > id; at--) { /* sorted; the kernel's numbers grow, so there is little to move */
        sampler->ids[at] = sampler->ids[at - 1];
        sampler->event_of[at] = sampler->event_of[at - 1];
    }
    sampler->ids[at] = id;
    sampler->event_of[at] = event;
    return true;
}

static size_t ring_size(size_t wanted, size_t page) {
    size_t bytes = page;
    while (bytes * 2 <= wanted) {
        bytes *= 2;
    }
    return bytes;
}

static struct perf_event_attr dummy(void) {
    struct perf_event_attr attr;
    memset(&attr, 0, sizeof attr);
    attr.size = sizeof attr;
    attr.type = PERF_TYPE_SOFTWARE;
    attr.config = PERF_COUNT_SW_DUMMY;
    attr.read_format = PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING;
    attr.disabled = attr.inherit = attr.exclude_kernel = attr.exclude_hv = 1;
    return attr;
}

/* Whether the kernel tells of an event how many of its samples were lost: since Linux 6.0. */
static bool tells_losses(void) {
    struct perf_event_attr attr = dummy();
    attr.read_format |= ARMPROF_LOSSES_FORMAT;
    int fd = open_event(&attr, 0, -1, -1);
    if (fd >= 0) {
        close(fd);
    }
    return fd >= 0;
}

/* An event of a thread that is bound to a CPU is enabled while that thread runs on any of them, so that its own times do not
 * tell how much of the run it missed. A watch counts nothing, is bound to no CPU, and is enabled exactly while its thread and
 * what that starts run. */
static void watch(armprof_sampler *sampler, const pid_t *threads, size_t count, bool on_exec) {
    for (size_t i = 0; i < count; i++) {
        struct perf_event_attr attr = dummy();
        attr.enable_on_exec = on_exec;
        int fd = open_event(&attr, threads[i], -1, -1);
        sampler->watches[sampler->watch_count++] = fd;
        if (fd < 0 && errno != ESRCH) { /* a thread that has ended is none to be missed */
            sampler->error = errno;
        }
    }
}

static armprof_sampler *sampler_for(size_t descriptors, size_t threads, size_t cpus, size_t ring_bytes) {
    armprof_sampler *sampler = calloc(1, sizeof *sampler);
    if (!sampler) {
        return NULL;
    }
    sampler->page_bytes = (size_t)sysconf(_SC_PAGESIZE);
    sampler->ring_bytes = ring_size(ring_bytes, sampler->page_bytes);
    sampler->opened = calloc(descriptors, sizeof *sampler->opened);
    sampler->watches = calloc(threads, sizeof *sampler->watches);
    sampler->ids = calloc(descriptors, sizeof *sampler->ids);
    sampler->event_of = calloc(descriptors, sizeof *sampler->event_of);
    sampler->rings = calloc(cpus, sizeof *sampler->rings);
    sampler->polled = calloc(cpus, sizeof *sampler->polled);
    sampler->unwrapped = malloc(LARGEST_RECORD);
    if (!sampler->opened || !sampler->watches || !sampler->ids || !sampler->event_of || !sampler->rings || !sampler->polled ||
        !sampler->unwrapped) {
        armprof_sampler_close(sampler);
        return NULL;
    }
    return sampler;
}

armprof_sampler *armprof_sampler_open(const armprof_sampled *events, size_t count, const pid_t *threads,
                                      size_t thread_count, const int *cpus, size_t cpu_count, size_t ring_bytes,
                                      bool on_exec, enum armprof_reading reading, int *errors) {
    if (count == 0 || count > ARMPROF_MAX_SAMPLED || thread_count == 0 || cpu_count == 0) {
        errno = EINVAL;
        return NULL;
    }
    armprof_sampler *sampler = sampler_for(count * thread_count * cpu_count, thread_count, cpu_count, ring_bytes);
    if (!sampler) {
        errno = ENOMEM;
        return NULL;
    }
    memset(errors, 0, count * sizeof *errors);
    sampler->records.reading = reading;
    sampler->records.with_losses = tells_losses();
    int failed = 0;
    for (size_t cpu = 0; cpu < cpu_count; cpu++) {
        int output = -1;
        for (size_t thread = 0; thread < thread_count; thread++) {
            int leader = -1;
            for (uint16_t event = 0; event < count; event++) {
                struct perf_event_attr attr = attr_of(sampler, &events[event], event == 0, on_exec);
                int fd = open_event(&attr, threads[thread], cpus[cpu], leader);
                if (fd >= 0 && keep(sampler, fd, event, &output)) {
                    leader = reading == ARMPROF_ALONE ? -1 : leader < 0 ? fd : leader;
                    continue;
                }
                int error = errno;
                if (fd >= 0) {
                    close(fd);
                }
                if (error != ESRCH || fd >= 0) { /* a thread that has ended is none to be missed */
                    errors[event] = failed = error;
                }
                if (event == 0 && reading != ARMPROF_ALONE) { /* without its first event there is no group: a part of the sum */
                    for (size_t other = 1; errors[0] && other < count; other++) { /* of each of the others would be missing */
                        errors[other] = errors[0];
                    }
                    break;
                }
            }
        }
    }
    if (sampler->opened_count == 0) {
        armprof_sampler_close(sampler);
        errno = failed ? failed : ESRCH;
        return NULL;
    }
    if (reading != ARMPROF_OF_CPU) {
        watch(sampler, threads, thread_count, on_exec);
    }
    sampler->records.ids = sampler->ids;
    sampler->records.event_of = sampler->event_of;
    sampler->records.events = sampler->opened_count;
    return sampler;
}

static void switch_all(armprof_sampler *sampler, unsigned long request) {
    for (size_t i = 0; i < sampler->watch_count + sampler->opened_count; i++) {
        int fd = i < sampler->watch_count ? sampler->watches[i] : sampler->opened[i - sampler->watch_count].fd;
        if (fd >= 0 && ioctl(fd, request, 0) != 0) {
            sampler->error = errno;
        }
    }
}

void armprof_sampler_start(armprof_sampler *sampler) { switch_all(sampler, PERF_EVENT_IOC_ENABLE); }
void armprof_sampler_stop(armprof_sampler *sampler) { switch_all(sampler, PERF_EVENT_IOC_DISABLE); }

static void drain_ring(armprof_sampler *sampler, struct ring *ring) {
    const char *data = (const char *)ring->page + sampler->page_bytes;
    const uint64_t mask = sampler->ring_bytes - 1;
    uint64_t head = __atomic_load_n(&ring->page->data_head, __ATOMIC_ACQUIRE);
    uint64_t tail = ring->page->data_tail;
    sampler->records.lost_of_ring = ring->lost;
    while (head - tail >= sizeof(struct perf_event_header)) {
        struct perf_event_header header; /* 8 bytes at a multiple of 8: never over the end */
        memcpy(&header, data + (tail & mask), sizeof header);
        size_t size = header.size;
        if (size < sizeof header || size > head - tail) {
            sampler->records.malformed++;
            tail = head; /* nothing tells where the next one begins */
            break;
        }
        const char *record = data + (tail & mask);
        size_t before_the_end = sampler->ring_bytes - (size_t)(tail & mask);
        if (size > before_the_end) {
            memcpy(sampler->unwrapped, record, before_the_end);
            memcpy(sampler->unwrapped + before_the_end, data, size - before_the_end);
            record = sampler->unwrapped;
        }
        armprof_records_take(&sampler->records, record, size);
        tail += size;
    }
    ring->lost = sampler->records.lost_of_ring;
    __atomic_store_n(&ring->page->data_tail, tail, __ATOMIC_RELEASE);
}

void armprof_sampler_drain(armprof_sampler *sampler) {
    for (size_t i = 0; i < sampler->ring_count; i++) {
        drain_ring(sampler, &sampler->rings[i]);
    }
}

void armprof_sampler_wait(armprof_sampler *sampler, int milliseconds) {
    int ready = poll(sampler->polled, sampler->ring_count, milliseconds);
    if (ready < 0 && errno != EINTR) { /* else whoever waits in a loop would not wait at all */
        nanosleep(&(struct timespec){milliseconds / 1000, milliseconds % 1000 * 1000000L}, NULL);
    }
    for (size_t i = 0; ready > 0 && i < sampler->ring_count; i++) {
        if (sampler->polled[i].revents & (POLLHUP | POLLERR)) {
            sampler->polled[i].fd = -1; /* whom it sampled has ended: it would wake us without end */
        }
    }
}

const struct armprof_records *armprof_sampler_records(const armprof_sampler *sampler) { return &sampler->records; }
void armprof_sampler_forget_hits(armprof_sampler *sampler) { sampler->records.hits.used = 0; }

/* What an event tells of itself; of its group, its first event first. */
struct told {
    uint64_t words[3 + 3 * (ARMPROF_MAX_SAMPLED + 1)];
    size_t count;
};

static int ask(int fd, size_t least, struct told *told) {
    ssize_t got = armprof_read(fd, told->words, sizeof told->words);
    told->count = got < 0 ? 0 : (size_t)got / sizeof *told->words;
    return got < 0 ? errno : told->count < least ? EIO : 0;
}

static int add(int fd, bool as_group, armprof_sampled_count *sum) {
    struct told told;
    int error = ask(fd, as_group ? 5 : 3, &told);
    if (!error) {
        sum->value += as_group ? told.words[3] : told.words[0];
        sum->enabled_ns += told.words[1];
        sum->running_ns += told.words[2];
    }
    return error;
}

int armprof_sampler_count(const armprof_sampler *sampler, size_t event, armprof_sampled_count *count) {
    armprof_sampled_count watched = {0, 0, 0};
    int error = sampler->error;
    *count = (armprof_sampled_count){0, 0, 0};
    for (size_t i = 0; i < sampler->opened_count && !error; i++) {
        const bool as_group = event == 0 && sampler->records.reading != ARMPROF_ALONE;
        error = sampler->opened[i].event == event ? add(sampler->opened[i].fd, as_group, count) : 0;
    }
    for (size_t i = 0; i < sampler->watch_count && !error; i++) {
        error = sampler->watches[i] >= 0 ? add(sampler->watches[i], false, &watched) : 0;
    }
    if (sampler->watch_count > 0) {
        count->enabled_ns = watched.enabled_ns;
    }
    return error;
}

/* A ring tells what was lost before its next record: nothing of what was lost at the end. */
uint64_t armprof_sampler_lost(const armprof_sampler *sampler) {
    const bool as_group = sampler->records.reading != ARMPROF_ALONE;
    uint64_t lost = 0;
    for (size_t i = 0; i < sampler->opened_count && sampler->records.with_losses; i++) {
        struct told told;
        if ((as_group && sampler->opened[i].event != 0) || ask(sampler->opened[i].fd, as_group ? 6 : 4, &told)) {
            continue; /* its group tells of it */
        }
        for (size_t word = as_group ? 5 : 3; word < told.count; word += 3) {
            lost += told.words[word];
        }
    }
    return lost > sampler->records.lost ? lost : sampler->records.lost;
}

void armprof_sampler_close(armprof_sampler *sampler) {
    if (!sampler) {
        return;
    }
    for (size_t i = 0; i < sampler->ring_count; i++) {
        munmap(sampler->rings[i].page, mapped_bytes(sampler));
    }
    for (size_t i = 0; i < sampler->opened_count; i++) {
        close(sampler->opened[i].fd);
    }
    for (size_t i = 0; i < sampler->watch_count; i++) {
        if (sampler->watches[i] >= 0) {
            close(sampler->watches[i]);
        }
    }
    armprof_records_free(&sampler->records);
    free(sampler->opened);
    free(sampler->watches);
    free(sampler->ids);
    free(sampler->event_of);
    free(sampler->rings);
    free(sampler->polled);
    free(sampler->unwrapped);
    free(sampler);
}
