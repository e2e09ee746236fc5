#include <errno.h>
#include <string.h>

#include "armprof.h"

static const struct {
    int error;
    const char *reason;
} reasons[] = {
    {EACCES, "not permitted: lower kernel.perf_event_paranoid (2 suffices for user mode, 1 for kernel mode) or give CAP_PERFMON"},
    {EPERM, "not permitted: a seccomp filter, a security module or kernel.perf_event_paranoid; give CAP_PERFMON"},
    {ENOENT, "no such event on this core or in this guest"},
    {ENODEV, "no PMU here counts it; virtual machines often have none"},
    {EOPNOTSUPP, "the PMU cannot count it in the way asked for"},
    {EINVAL, "the kernel refuses its settings on this core"},
    {EMFILE, "no file descriptor left in this process; raise `ulimit -n`"},
    {ENFILE, "no file descriptor left on this machine; raise fs.file-max"},
    {ENOSYS, "perf_event_open does not exist here: no CONFIG_PERF_EVENTS, a sandbox or a seccomp filter"},
    {EBUSY, "another user of the PMU holds it exclusively"},
    {ESRCH, "the process is gone"},
    {E2BIG, "too many groups at once"},
    {ESTALE, "opened before a fork: the counters are the parent's"},
};

const char *armprof_reason(int error) {
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++) {
        if (reasons[i].error == error) {
            return reasons[i].reason;
        }
    }
    return strerror(error);
}
