#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "armprof.h"
#include "calls.h"

#define DEVICES "/sys/bus/event_source/devices"

/* ---- How many counters ------------------------------------------------------------------------------------------ */

enum { MOST_COUNTERS = 31 }; /* PMUv3 has at most 31 event counters */

static struct perf_event_attr attr_of(const armprof_event *event) {
    struct perf_event_attr attr;
    memset(&attr, 0, sizeof attr);
    attr.size = sizeof attr;
    attr.type = event->type;
    attr.config = event->config;
    attr.exclude_kernel = 1;
    attr.exclude_hv = 1;
    attr.read_format = PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING;
    return attr;
}

static int open_in_group(const armprof_event *event, int group_fd) {
    struct perf_event_attr attr = attr_of(event);
    attr.disabled = group_fd == -1;
    return armprof_perf_event_open(&attr, 0, -1, group_fd, 0);
}

enum { NOT_ALL_THE_TIME = -1 };

/* 0 where the group counts all the time, NOT_ALL_THE_TIME, or the errno for which that cannot be seen. An open that succeeds
 * proves little: a group whose counters somebody else holds opens too and never runs. */
static int try_group(int leader) {
    struct {
        uint64_t value, enabled, running;
    } before, after;
    if (ioctl(leader, PERF_EVENT_IOC_ENABLE, PERF_IOC_FLAG_GROUP) != 0) {
        return errno;
    }
    int error = armprof_read_counter(leader, &before, sizeof before);
    for (volatile int i = 0; i < 20000; i++) {
    }
    error = error ? error : armprof_read_counter(leader, &after, sizeof after);
    if (ioctl(leader, PERF_EVENT_IOC_DISABLE, PERF_IOC_FLAG_GROUP) != 0 || error) {
        return error ? error : errno;
    }
    uint64_t enabled = after.enabled - before.enabled;
    return enabled > 0 && after.running - before.running == enabled ? 0 : NOT_ALL_THE_TIME;
}

armprof_budget armprof_probe_budget(const armprof_event *event, const armprof_event *cycles) {
    int fd[MOST_COUNTERS], opened = 0, error = 0;
    /* EINVAL is how the kernel says that a group is full; whatever else it refuses for tells nothing of the counters. */
    while (opened < MOST_COUNTERS && (fd[opened] = open_in_group(event, opened > 0 ? fd[0] : -1)) >= 0) {
        opened++;
    }
    if (opened == 0 || (opened < MOST_COUNTERS && errno != EINVAL)) {
        error = errno;
    }
    while (opened > 0 && !error && (error = try_group(fd[0])) == NOT_ALL_THE_TIME) {
        close(fd[--opened]);
        error = opened > 0 ? 0 : EBUSY;
    }
    armprof_budget budget = {.counters = error ? 0 : opened, .error = error};
    int cycle_fd = error ? -1 : open_in_group(cycles, fd[0]);
    if (cycle_fd >= 0) {
        budget.cycles_besides = try_group(fd[0]) == 0;
        close(cycle_fd);
    }
    while (opened > 0) {
        close(fd[--opened]);
    }
    return budget;
}

/* ---- Whether it interrupts ---------------------------------------------------------------------------------------- */

/* How many happen until the interrupt, and whether it came: then the kernel has stopped the event. One that is only noticed
 * at the next tick of the clock may come in time by chance, but not so often. */
enum { UNTIL_INTERRUPT = 20000, IN_TIME = 5 * UNTIL_INTERRUPT, EVENTS = 4 * IN_TIME, TRIALS = 3 };

static int stops(int fd) {
    uint64_t values[3] = {0, 0, 0};
    if (ioctl(fd, PERF_EVENT_IOC_RESET, 0) != 0 || ioctl(fd, PERF_EVENT_IOC_REFRESH, 1) != 0) {
        return errno;
    }
    for (volatile int i = 0; i < EVENTS; i++) {
    }
    int error = ioctl(fd, PERF_EVENT_IOC_DISABLE, 0) != 0 ? errno : armprof_read_counter(fd, values, sizeof values);
    return error ? error : values[0] < IN_TIME ? 0 : EOPNOTSUPP;
}

int armprof_probe_interrupts(const armprof_event *event) {
    struct perf_event_attr attr = attr_of(event);
    attr.disabled = 1;
    attr.sample_period = UNTIL_INTERRUPT;
    int fd = armprof_perf_event_open(&attr, 0, -1, -1, 0);
    if (fd < 0) {
        return errno;
    }
    int error = 0;
    for (int trial = 0; trial < TRIALS && error == 0; trial++) {
        error = stops(fd);
    }
    close(fd);
    return error;
}

/* ---- Which event ------------------------------------------------------------------------------------------------ */

static const struct {
    const char *name;
    uint64_t config;
    bool kernel; /* happens in the kernel: counting user mode alone would give a true-looking 0 */
} software[] = {
    {"task_clock", PERF_COUNT_SW_TASK_CLOCK, false},
    {"page_faults", PERF_COUNT_SW_PAGE_FAULTS, false},
    {"minor_faults", PERF_COUNT_SW_PAGE_FAULTS_MIN, false},
    {"major_faults", PERF_COUNT_SW_PAGE_FAULTS_MAJ, false},
    {"context_switches", PERF_COUNT_SW_CONTEXT_SWITCHES, true},
    {"cpu_migrations", PERF_COUNT_SW_CPU_MIGRATIONS, true},
};

/* What the architecture calls these, on cores of another one. */
static const struct {
    const char *name;
    uint64_t config;
} generic[] = {
    {"cpu_cycles", PERF_COUNT_HW_CPU_CYCLES},
    {"inst_retired", PERF_COUNT_HW_INSTRUCTIONS},
    {"br_retired", PERF_COUNT_HW_BRANCH_INSTRUCTIONS},
    {"br_mis_pred_retired", PERF_COUNT_HW_BRANCH_MISSES},
};

static bool read_text(const char *pmu, const char *file, char *text, size_t size) {
    char path[512];
    if (snprintf(path, sizeof path, DEVICES "/%s/%s", pmu, file) >= (int)sizeof path) {
        return false;
    }
    FILE *stream = fopen(path, "re");
    if (!stream) {
        return false;
    }
    bool ok = fgets(text, (int)size, stream) != NULL;
    fclose(stream);
    return ok;
}

/* Whether a list as sysfs prints it ("0-3,8") names the CPU. */
static bool lists_cpu(const char *list, int cpu) {
    while (*list) {
        char *end;
        long first = strtol(list, &end, 10);
        if (end == list) {
            return false;
        }
        long last = *end == '-' ? strtol(end + 1, &end, 10) : first;
        if (first <= cpu && cpu <= last) {
            return true;
        }
        list = *end == ',' ? end + 1 : end + strlen(end);
    }
    return false;
}

/* A core PMU has a `cpus` file and a `format/event`; its name differs by firmware and kernel (armv8_pmuv3, armv8_pmuv3_0,
 * armv8_neoverse_n1, armv8_cortex_a76). DSU, CMN and SPE devices have a cpumask instead. */
static bool find_event(const char *name, int cpu, armprof_event *event) {
    DIR *directory = opendir(DEVICES);
    if (!directory) {
        return false;
    }
    char file[300], text[4096];
    bool found = false;
    const struct dirent *entry;
    snprintf(file, sizeof file, "events/%s", name);
    while (!found && (entry = readdir(directory))) {
        unsigned type;
        unsigned long long config;
        if (entry->d_name[0] != '.' && read_text(entry->d_name, "cpus", text, sizeof text) && lists_cpu(text, cpu) &&
            read_text(entry->d_name, "format/event", text, sizeof text) &&
            read_text(entry->d_name, "type", text, sizeof text) && sscanf(text, "%u", &type) == 1 &&
            read_text(entry->d_name, file, text, sizeof text) && sscanf(text, "event=%llx", &config) == 1) {
            *event = (armprof_event){.type = type, .config = config};
            found = true;
        }
    }
    closedir(directory);
    return found;
}

int armprof_event_named(const char *name, armprof_event *event) {
    for (size_t i = 0; i < sizeof software / sizeof *software; i++) {
        if (strcmp(name, software[i].name) == 0) {
            *event = (armprof_event){
                .type = PERF_TYPE_SOFTWARE, .config = software[i].config, .kernel = software[i].kernel};
            return 0;
        }
    }
    int cpu = sched_getcpu();
    if (strchr(name, '/') == NULL && find_event(name, cpu < 0 ? 0 : cpu, event)) {
        return 0;
    }
#if !defined(__aarch64__)
    for (size_t i = 0; i < sizeof generic / sizeof *generic; i++) {
        if (strcmp(name, generic[i].name) == 0) {
            *event = (armprof_event){.type = PERF_TYPE_HARDWARE, .config = generic[i].config};
            return 0;
        }
    }
#else
    (void)generic;
#endif
    return ENOENT;
}
