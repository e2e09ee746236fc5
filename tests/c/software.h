/* Events that the kernel counts itself: they are there on every Linux, with a PMU or without. */
#ifndef SOFTWARE_H
#define SOFTWARE_H

#include <dirent.h>
#include <limits.h>
#include <linux/perf_event.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "armprof.h"
#include "harness.h"

static const armprof_options plain = {.cpu = -1};

static inline armprof_event software(uint64_t config, uint32_t group) {
    return (armprof_event){.type = PERF_TYPE_SOFTWARE, .config = config, .group = group};
}

static inline armprof_event task_clock(uint32_t group) { return software(PERF_COUNT_SW_TASK_CLOCK, group); }
static inline armprof_event page_faults(uint32_t group) { return software(PERF_COUNT_SW_PAGE_FAULTS, group); }

/* No kernel has it. */
static inline armprof_event unknown_event(uint32_t group) { return software(0xbad, group); }

/* A fault for each page, and none before the first. Past the sanitizers, which would touch pages of their shadow too: the
 * thread sanitizer several for each. */
__attribute__((noinline, unused, no_sanitize_address, no_sanitize_thread)) static void touch_pages(size_t pages) {
    if (pages == 0) {
        return;
    }
    size_t size = (size_t)sysconf(_SC_PAGESIZE);
    long memory = syscall(SYS_mmap, NULL, pages * size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(memory != -1);
    madvise((void *)memory, pages * size, MADV_NOHUGEPAGE);
    for (size_t i = 0; i < pages; i++) {
        ((volatile char *)memory)[i * size] = 1;
    }
    syscall(SYS_munmap, memory, pages * size);
}

/* Faults of others than the pages that a test touches itself: stacks, the C library, what a sanitizer keeps of them. */
enum { OTHER_FAULTS = 600 };

static inline void check_faults(uint64_t faults, uint64_t pages) {
    CHECK(faults >= pages);
    CHECK(faults <= pages + OTHER_FAULTS);
}

/* How many descriptors this process has open; with `perf_only`, how many of them are counters. *one becomes one of
 * those. */
static inline unsigned descriptors(bool perf_only, int *one) {
    DIR *folder = opendir("/proc/self/fd");
    CHECK(folder != NULL);
    unsigned count = 0;
    const struct dirent *entry;
    while ((entry = readdir(folder))) {
        int fd = atoi(entry->d_name);
        if (entry->d_name[0] == '.' || fd == dirfd(folder)) {
            continue;
        }
        char target[PATH_MAX];
        ssize_t length = readlinkat(dirfd(folder), entry->d_name, target, sizeof target - 1);
        CHECK(length > 0);
        target[length] = 0;
        bool perf = strstr(target, "perf_event") != NULL;
        if (perf && one) {
            *one = fd;
        }
        count += !perf_only || perf;
    }
    closedir(folder);
    return count;
}

static inline unsigned open_descriptors(void) { return descriptors(false, NULL); }
static inline unsigned open_counters(void) { return descriptors(true, NULL); }

static inline void exit_with_errno_of_open(void) {
    armprof_event event = task_clock(0);
    armprof_set *set = armprof_open(&event, 1, &plain);
    CHECK(set != NULL);
    _exit(armprof_event_error(set, 0));
}

/* Containers and hardened kernels may refuse perf_event_open altogether. Tried in a child, so that tests begin with a
 * process that has never opened a set. */
static inline void need_counters(void) {
    int status = in_child(exit_with_errno_of_open);
    CHECK(WIFEXITED(status));
    if (WEXITSTATUS(status) != 0) {
        char why[200];
        snprintf(why, sizeof why, "this machine refuses even software events: %s", strerror(WEXITSTATUS(status)));
        skip(why);
    }
}

#endif
