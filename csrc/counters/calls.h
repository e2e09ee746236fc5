/* The two system calls that every counter needs, as often as something passing stands in their way. */
#ifndef ARMPROF_CALLS_H
#define ARMPROF_CALLS_H

#include <errno.h>
#include <linux/perf_event.h>
#include <sched.h>
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

/* What read(2) gives of a counter, once it can be had. ECHILD: a thread that inherited the group is ending and has left it half,
 * which is over as soon as that thread has run on (Linux 6.6, and what has its fixes; 1 of 1,000 reads beside threads that
 * come and go). */
static inline ssize_t armprof_read(int fd, void *to, size_t size) {
    enum { MOST_TRIES = 1000 };
    ssize_t got;
    for (int tries = 0; (got = read(fd, to, size)) < 0 && (errno == EINTR || (errno == ECHILD && tries < MOST_TRIES));) {
        if (errno == ECHILD) {
            tries++;
            sched_yield();
        }
    }
    return got;
}

/* Reads so many bytes of a counter. 0 or an errno: EIO where it gives less, as a group in error state does. */
static inline int armprof_read_counter(int fd, void *to, size_t size) {
    ssize_t got = armprof_read(fd, to, size);
    return got == (ssize_t)size ? 0 : got < 0 ? errno : EIO;
}

#endif
