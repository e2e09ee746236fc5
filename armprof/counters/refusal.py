"""What the kernel's refusals mean: each errno of perf_event_open as a status, a reason and a remedy."""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass

from armprof.counters.reading import Status
from armprof.cpu import Host


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an event could not be opened, in the product's words."""

    status: Status
    reason: str
    remedy: str = ""

    def __str__(self) -> str:
        return f"{self.reason}; {self.remedy}" if self.remedy else self.reason


_PARANOID = "`sudo sysctl kernel.perf_event_paranoid={level}`, or give the program CAP_PERFMON"

# EPERM beside a kernel that would allow it, and EACCES in a container, come from a filter in between.
_TABLE: dict[int, Refusal] = {
    errno.ENOENT: Refusal(Status.UNSUPPORTED, "this core or guest has no such event"),
    errno.ENODEV: Refusal(Status.UNSUPPORTED, "no PMU here counts it"),
    errno.EOPNOTSUPP: Refusal(Status.UNSUPPORTED, "the PMU cannot count it in the way asked for"),
    errno.EINVAL: Refusal(
        Status.UNSUPPORTED, "the kernel refuses its settings (not on this core, or not in user mode alone)"
    ),
    errno.E2BIG: Refusal(Status.NOT_COUNTED, "too many groups at once", "ask for fewer events"),
    errno.EBUSY: Refusal(
        Status.NOT_COUNTED,
        "another user of the PMU holds it exclusively",
        "look for a running `perf` and for kernel.nmi_watchdog=1",
    ),
    errno.ESRCH: Refusal(Status.NOT_COUNTED, "the process is gone"),
    errno.EMFILE: Refusal(Status.NOT_COUNTED, "no file descriptor left in this process", "raise `ulimit -n`"),
    errno.ENFILE: Refusal(
        Status.NOT_COUNTED, "no file descriptor left on this machine", "raise the sysctl fs.file-max"
    ),
    errno.ENOMEM: Refusal(Status.NOT_COUNTED, "the kernel has no memory for it"),
    errno.ENOSPC: Refusal(Status.NOT_COUNTED, "the PMU has no counter left for it"),
    errno.EINTR: Refusal(Status.NOT_COUNTED, "a signal interrupted the open"),
    errno.ENOSYS: Refusal(
        Status.NOT_PERMITTED,
        "perf_event_open does not exist here: a kernel without CONFIG_PERF_EVENTS, a sandbox (gVisor) or a seccomp filter",
        "in a container: --security-opt seccomp=PROFILE that allows perf_event_open",
    ),
}


def explain(error: int, host: Host, kernel: bool = False) -> Refusal:
    """The refusal that ``error`` stands for on this host. ``kernel``: the event happens in kernel mode."""
    if error in (errno.EACCES, errno.EPERM):
        return _forbidden(host, kernel)
    known = _TABLE.get(error)
    return known or Refusal(Status.NOT_COUNTED, f"the kernel refused it: {os.strerror(error)}")


def _forbidden(host: Host, kernel: bool) -> Refusal:
    paranoid = host.perf_event_paranoid
    level = 1 if kernel else 2
    if paranoid is not None and paranoid > level and not host.perfmon:
        what = "what happens in kernel mode" if kernel else "any counting"
        return Refusal(
            Status.NOT_PERMITTED,
            f"kernel.perf_event_paranoid is {paranoid}, which forbids {what} to unprivileged users",
            _PARANOID.format(level=level),
        )
    where = f"a {host.container} container" if host.container else "a seccomp filter or a security module"
    return Refusal(
        Status.NOT_PERMITTED,
        f"{where} stands between this process and perf_event_open",
        "in a container: --cap-add PERFMON and a seccomp profile that allows perf_event_open",
    )
