/* The two system calls that every counter needs, as often as a signal interrupts them. */
#ifndef ARMPROF_CALLS_H
#define ARMPROF_CALLS_H

#include <errno.h>
#include <linux/perf_event.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

/* A descriptor, or -1 with errno. The kernel waits for an exec of the process that is to be counted, and a signal ends that:
 * EINTR; who gives that without end means something else by it. */
static inline int armprof_perf_event_open(struct perf_event_attr *attr, pid_t pid, int cpu, int group_fd,
                                          unsigned long flags) {
    enum { MOST_TRIES = 100 };
    int fd;
    for (int tries = 0; (fd = (int)syscall(SYS_perf_event_open, attr, pid, cpu, group_fd, flags | PERF_FLAG_FD_CLOEXEC)) < 0 &&
                        errno == EINTR && tries < MOST_TRIES; tries++) {
    }
    return fd;
}

/* Reads so many bytes of a counter. 0 or an errno: EIO where it gives less, as a group in error state does. */
static inline int armprof_read_counter(int fd, void *to, size_t size) {
    ssize_t got;
    do {
        got = read(fd, to, size);
    } while (got < 0 && errno == EINTR);
    return got == (ssize_t)size ? 0 : got < 0 ? errno : EIO;
}

#endif
