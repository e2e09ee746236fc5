/* Calls of the counter core into the kernel and the C library that fail on demand: the linker sends them here (--wrap). */
#ifndef FAULTS_H
#define FAULTS_H

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

enum call { PERF_EVENT_OPEN, IOCTL, MMAP, MUNMAP, READ, CLOSE, POLL, OPEN, WRITE, RENAME, REALPATH, FOPEN, MEMORY, CALLS };

static const char *const call_names[CALLS] = {"perf_event_open", "ioctl", "mmap",     "munmap", "read", "close", "poll",
                                              "open",            "write", "rename", "realpath", "fopen",  "memory"};

/* What fails: the calls from number `first` to number `last`, counted from 1. */
static struct {
    enum call call;
    unsigned first, last;
    int error; /* 0: a read gives less than was asked for */
} fault = {CALLS, 0, 0, 0};

static bool armed;           /* nothing is counted, and nothing fails, outside the counter core */
static unsigned made[CALLS]; /* since armed */
static unsigned failures;

static inline bool fails(enum call call) {
    if (!__atomic_load_n(&armed, __ATOMIC_RELAXED)) {
        return false;
    }
    unsigned number = __atomic_add_fetch(&made[call], 1, __ATOMIC_RELAXED);
    bool failed = fault.call == call && fault.first <= number && number <= fault.last;
    if (failed) {
        __atomic_fetch_add(&failures, 1, __ATOMIC_RELAXED);
        errno = fault.error;
    }
    return failed;
}

#define WRAP(call, result, name, parameters, arguments, failed) \
    result __real_##name parameters;                            \
    result __wrap_##name parameters;                            \
    result __wrap_##name parameters { return fails(call) ? (failed) : __real_##name arguments; }

WRAP(MMAP, void *, mmap, (void *at, size_t size, int access, int flags, int fd, off_t offset),
     (at, size, access, flags, fd, offset), MAP_FAILED)
WRAP(POLL, int, poll, (struct pollfd *polled, nfds_t count, int wait), (polled, count, wait), -1)
WRAP(POLL, int, ppoll, (struct pollfd *polled, nfds_t count, const struct timespec *wait, const sigset_t *mask),
     (polled, count, wait, mask), -1)
WRAP(WRITE, ssize_t, write, (int fd, const void *from, size_t size), (fd, from, size), -1)
WRAP(RENAME, int, rename, (const char *from, const char *to), (from, to), -1)
WRAP(REALPATH, char *, realpath, (const char *path, char *to), (path, to), NULL)
WRAP(FOPEN, FILE *, fopen, (const char *path, const char *mode), (path, mode), NULL)
WRAP(MEMORY, void *, malloc, (size_t size), (size), NULL)
WRAP(MEMORY, void *, calloc, (size_t count, size_t size), (count, size), NULL)
WRAP(MEMORY, void *, realloc, (void *old, size_t size), (old, size), NULL)
WRAP(MEMORY, char *, strdup, (const char *text), (text), NULL)
WRAP(MEMORY, char *, strndup, (const char *text, size_t size), (text, size), NULL)
WRAP(MEMORY, FILE *, open_memstream, (char **text, size_t *size), (text, size), NULL)

/* These are done all the same, as the kernel does: a descriptor is gone even where close(2) fails. */
#define WRAP_AND_DO(call, name, parameters, arguments) \
    int __real_##name parameters;                      \
    int __wrap_##name parameters;                      \
    int __wrap_##name parameters {                     \
        int done = __real_##name arguments;            \
        return fails(call) ? -1 : done;                \
    }

WRAP_AND_DO(CLOSE, close, (int fd), (fd))
WRAP_AND_DO(MUNMAP, munmap, (void *at, size_t size), (at, size))

ssize_t __real_read(int fd, void *to, size_t size);
ssize_t __wrap_read(int fd, void *to, size_t size);
ssize_t __wrap_read(int fd, void *to, size_t size) {
    if (!fails(READ)) {
        return __real_read(fd, to, size);
    }
    return fault.error ? -1 : __real_read(fd, to, size) / 2;
}

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...) {
    va_list more;
    va_start(more, flags);
    int mode = flags & O_CREAT ? va_arg(more, int) : 0;
    va_end(more);
    return fails(OPEN) ? -1 : __real_open(path, flags, mode);
}

int __real_ioctl(int fd, unsigned long request, ...);
int __wrap_ioctl(int fd, unsigned long request, ...);
int __wrap_ioctl(int fd, unsigned long request, ...) {
    va_list more;
    va_start(more, request);
    void *argument = va_arg(more, void *);
    va_end(more);
    return fails(IOCTL) ? -1 : __real_ioctl(fd, request, argument);
}

/* What the core says to people where it has no other way: a line, which is not shown here. */
int __wrap_dprintf(int fd, const char *format, ...);
int __wrap_dprintf(int fd, const char *format, ...) {
    char text[8192];
    va_list more;
    va_start(more, format);
    int size = vsnprintf(text, sizeof text, format, more);
    va_end(more);
    if (fd != STDERR_FILENO || strncmp(text, "armprof: ", 9) != 0 || strchr(text, '\n') != text + size - 1) {
        abort();
    }
    return size;
}

long __real_syscall(long number, ...);
long __wrap_syscall(long number, ...);
long __wrap_syscall(long number, ...) {
    long given[6];
    va_list more;
    va_start(more, number);
    for (int i = 0; i < 6; i++) { /* registers and stack hold something, given or not, as in the C library itself */
        given[i] = va_arg(more, long);
    }
    va_end(more);
    if (number == SYS_perf_event_open && fails(PERF_EVENT_OPEN)) {
        return -1;
    }
    return __real_syscall(number, given[0], given[1], given[2], given[3], given[4], given[5]);
}

#endif
