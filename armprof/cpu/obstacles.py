"""What stands between a machine and its counters, as its files tell, and the command that changes it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from armprof.cpu.detect import Host
from armprof.cpu.sysfs import format_cpus

# The smallest EC2 sizes with the whole PMU, by Graviton generation (AWS Graviton guide, debug_hw_perf.md).
_WHOLE_PMU = {
    "6": ("16xlarge",),
    "7": ("16xlarge",),
    "8": ("24xlarge", "48xlarge"),
    "9": ("12xlarge", "24xlarge", "48xlarge"),
}
# How a program gets through the seccomp filter before it.
IN_A_FILTER = "allow perf_event_open in the filter, or run outside of it"
IN_CONTAINER = {
    "docker": "docker run --cap-add PERFMON ... (before Docker 23: --security-opt seccomp=unconfined)",
    "podman": "podman run --cap-add PERFMON --cap-add SYS_ADMIN ...",
    "kubernetes": 'in the pod: securityContext: {capabilities: {add: ["PERFMON"]}}',
}


@dataclass(frozen=True, slots=True)
class Obstacle:
    """``why`` is a sentence; ``remedy`` the command or change that removes it, "" where there is none."""

    why: str
    remedy: str = ""


def obstacles(host: Host, opens: bool | None = None) -> list[Obstacle]:
    """What limits counting on this machine, the gravest first.

    ``opens`` tells whether some event could be opened (None: not tried). Where one could, neither
    perf_event_paranoid nor seccomp forbids counting altogether, whatever their values suggest.
    """
    found = [] if opens else [o for o in (forbidden(host), _filtered(host)) if o is not None]
    if host.pmus:
        found += [*_access(host), *_hidden(host), *_several(host)]
    elif host.perf_event_paranoid is not None:
        found.append(_no_pmu(host))
    return found


def _sysctl(host: Host, setting: str) -> str:
    return f"sudo sysctl {setting}" + (" (on the container's host)" if host.container else "")


def forbidden(host: Host) -> Obstacle | None:
    """What keeps this user from counting anything at all; None where the settings allow it."""
    paranoid = host.perf_event_paranoid
    if paranoid is None:
        return Obstacle(
            "This kernel has no perf events: /proc/sys/kernel/perf_event_paranoid does not exist.",
            "a kernel with CONFIG_PERF_EVENTS; sandboxes such as gVisor have none",
        )
    if paranoid > 2 and not host.perfmon:
        # Not in the mainline kernel: Debian and Android take 3 for "nothing at all", Ubuntu 4.
        return Obstacle(
            f"kernel.perf_event_paranoid is {paranoid}: without CAP_PERFMON nothing may be counted, "
            "not even the own process in user mode.",
            _sysctl(host, "kernel.perf_event_paranoid=2"),
        )
    return None


def _filtered(host: Host) -> Obstacle | None:
    if not host.seccomp or host.perfmon:
        return None
    return Obstacle(
        "A seccomp filter stands before the kernel; those of containers refuse perf_event_open.",
        IN_CONTAINER.get(host.container, IN_A_FILTER),
    )


def _no_pmu(host: Host) -> Obstacle:
    still = "Software events, times and the output of perf from elsewhere still work."
    if host.virtual:
        return Obstacle(
            f"This virtual machine ({host.virtual_because}) has no PMU: its hypervisor passes none on, "
            f"so no hardware event can be counted. {still}",
            "QEMU: -cpu host,pmu=on; libvirt: <features><pmu state='on'/></features>; "
            "in a cloud: a larger size, or bare metal",
        )
    if host.is_arm64:
        return Obstacle(
            f"The kernel drives no core PMU: no folder in /sys/bus/event_source/devices has cpus and "
            f"format/event. {still}",
            "dmesg | grep -i pmu; it takes CONFIG_ARM_PMUV3 and a pmu node in the device tree or ACPI tables",
        )
    return Obstacle(f"The kernel drives no core PMU. {still}", "dmesg | grep -i 'performance events'")


def _access(host: Host) -> Iterator[Obstacle]:
    if host.is_arm64 and host.perf_user_access is None:
        yield Obstacle(
            "This kernel knows no reading of counters in user space: each sample is a system call.",
            "Linux 5.17 or newer has kernel.perf_user_access",
        )
    elif host.is_arm64 and host.perf_user_access == 0:
        yield Obstacle(
            "kernel.perf_user_access is 0: each sample of the counters is a system call, which costs a "
            "short region more than its work.",
            _sysctl(host, "kernel.perf_user_access=1"),
        )
    if host.perf_event_paranoid == 2 and not host.perfmon:
        yield Obstacle(
            "kernel.perf_event_paranoid is 2: user mode alone is counted, not the kernel's work.",
            _sysctl(host, "kernel.perf_event_paranoid=1"),
        )
    basic = _basic_ec2(host)
    if basic:
        yield basic


def _basic_ec2(host: Host) -> Obstacle | None:
    match = re.search(r"\b([a-z]+)([6-9])(g[a-z]*)\.(\w+)$", host.model)
    if not host.virtual or match is None or match[4] in _WHOLE_PMU[match[2]]:
        return None
    family = f"{match[1]}{match[2]}{match[3]}"
    sizes = [f"{family}.{size}" for size in (*_WHOLE_PMU[match[2]], "metal")]
    return Obstacle(
        f"EC2 gives {family}.{match[4]} a part of the PMU: few counters, no last-level cache events.",
        f"the whole PMU comes with {', '.join(sizes)}",
    )


def _hidden(host: Host) -> Iterator[Obstacle]:
    for pmu in host.pmus:
        if not host.is_arm64:
            continue
        if not pmu.core.known:
            yield Obstacle(f"armprof has no table of {pmu.core.title}: it counts what sysfs lists, and nothing beyond.")
            continue
        hidden = pmu.hidden
        if hidden:
            rest = f" and {len(hidden) - 8} more (armprof events lists them)" if len(hidden) > 8 else ""
            yield Obstacle(
                f"{pmu.name} does not offer {len(hidden)} events that {pmu.core.title} has: "
                f"{', '.join(hidden[:8])}{rest}."
            )


def _several(host: Host) -> Iterator[Obstacle]:
    if len(host.pmus) > 1:
        kinds = "; ".join(f"{p.core.title} on CPUs {format_cpus(p.cpus)}" for p in host.pmus)
        yield Obstacle(
            f"The cores differ, and each kind has a PMU of its own ({kinds}): a thread that moves between "
            "them is counted in part, and cannot read its counters in user space.",
            f"taskset -c {format_cpus(host.pmus[-1].cpus)} COMMAND",
        )
