#include <errno.h>
#include <string.h>

#include "output.h"

#define REASON(error, reason) {error, #error, reason}

static const struct {
    int error;
    const char *name;
    const char *reason;
} reasons[] = {
    REASON(EACCES, "not permitted: lower kernel.perf_event_paranoid (2 suffices for user mode, 1 for kernel mode) or give CAP_PERFMON"),
    REASON(EPERM, "not permitted: a seccomp filter, a security module or kernel.perf_event_paranoid; give CAP_PERFMON"),
    REASON(ENOENT, "no such event on this core or in this guest"),
    REASON(ENODEV, "no PMU here counts it; virtual machines often have none"),
    REASON(EOPNOTSUPP, "the PMU cannot count it in the way asked for"),
    REASON(EINVAL, "the kernel refuses its settings on this core"),
    REASON(EMFILE, "no file descriptor left in this process; raise `ulimit -n`"),
    REASON(ENFILE, "no file descriptor left on this machine; raise fs.file-max"),
    REASON(ENOSYS, "perf_event_open does not exist here: no CONFIG_PERF_EVENTS, a sandbox or a seccomp filter"),
    REASON(EBUSY, "another user of the PMU holds it exclusively"),
    REASON(ESRCH, "the process is gone"),
    REASON(E2BIG, "too many groups at once"),
    REASON(ESTALE, "opened before a fork: the counters are the parent's"),
    /* strerror() says as much of these: */
    REASON(ENOMEM, NULL),
    REASON(ENOSPC, NULL),
    REASON(EINTR, NULL),
};
enum { COUNT = sizeof reasons / sizeof *reasons };

static size_t find(int error) {
    size_t i = 0;
    while (i < COUNT && reasons[i].error != error) {
        i++;
    }
    return i;
}

const char *armprof_reason(int error) {
    size_t i = find(error);
    return i < COUNT && reasons[i].reason ? reasons[i].reason : strerror(error);
}

const char *armprof_error_name(int error) {
    size_t i = find(error);
    return i < COUNT ? reasons[i].name : NULL;
}
