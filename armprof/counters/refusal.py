"""What the kernel's refusals mean: each errno of perf_event_open as a status, a reason and a remedy."""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass

from armprof.counters.reading import Status
from armprof.cpu import Host
from armprof.cpu.obstacles import IN_A_FILTER, IN_CONTAINER


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an event could not be opened, in the product's words."""

    status: Status
    reason: str
    remedy: str = ""

    def __str__(self) -> str:
        return f"{self.reason}; {self.remedy}" if self.remedy else self.reason


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


def explain(error: int, host: Host, kernel: bool = False, everyone: bool = False) -> Refusal:
    """The refusal that ``error`` stands for on this host. ``kernel``: the event happens in kernel mode; ``everyone``: it is
    counted on a CPU, whoever runs there.
    """
    if error in (errno.EACCES, errno.EPERM):
        return _forbidden(host, *_LEVELS[everyone, kernel])
    known = _TABLE.get(error)
    return known or Refusal(Status.NOT_COUNTED, f"the kernel refused it: {os.strerror(error)}")


# What is counted (of everyone, in kernel mode) -> the level of kernel.perf_event_paranoid up to which it is allowed, and
# what it forbids above (perf_allow_cpu and perf_allow_kernel, kernel/events/core.c).
_LEVELS = {
    (False, False): (2, "all counting"),
    (False, True): (1, "counting in kernel mode"),
    (True, False): (0, "counting all that runs on a CPU"),
    (True, True): (0, "counting all that runs on a CPU"),
}


def _forbidden(host: Host, level: int, what: str) -> Refusal:
    paranoid = host.perf_event_paranoid
    if paranoid is not None and paranoid > level and not host.perfmon:
        where = " (on the container's host)" if host.container else ""
        return Refusal(
            Status.NOT_PERMITTED,
            f"kernel.perf_event_paranoid is {paranoid}, which forbids unprivileged users {what}",
            f"`sudo sysctl kernel.perf_event_paranoid={level}`{where}, or give the program CAP_PERFMON",
        )
    # The kernel itself would allow it, so something in between does not.
    if host.container:
        return Refusal(
            Status.NOT_PERMITTED,
            f"this {host.container} container does not let its programs call perf_event_open",
            IN_CONTAINER.get(host.container, IN_A_FILTER),
        )
    if host.seccomp:
        return Refusal(Status.NOT_PERMITTED, "a seccomp filter refuses perf_event_open", IN_A_FILTER)
    return Refusal(
        Status.NOT_PERMITTED,
        "a security module (SELinux, AppArmor, lockdown) refuses perf_event_open",
        "`sudo dmesg | grep -iE 'denied|lockdown'` tells which",
    )
