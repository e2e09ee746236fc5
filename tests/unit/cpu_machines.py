"""Machines for the tests, as the files that sysfs and procfs show of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from armprof import cpu

DEVICES = "sys/bus/event_source/devices"
NEOVERSE_N1 = 0x413FD0C1  # r3p1, as on Graviton2
CORTEX_A55, CORTEX_A76 = 0x412FD050, 0x414FD0B0  # RK3588
QEMU_MAX = 0x000F0510

# What Debian 12's kernel lists in QEMU 7.2 with -cpu neoverse-n1: no caches, no branches.
QEMU_EVENTS = {"inst_retired": 0x08, "cpu_cycles": 0x11, "stall_frontend": 0x23, "stall_backend": 0x24}


def write(root: Path, files: Mapping[str, str]) -> Path:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return root


def announced_by(core: str, hidden: Iterable[str] = ()) -> dict[str, int]:
    """What sysfs lists on bare metal for the core: its announced events but CHAIN, less what a guest
    hides."""
    found = (cpu.core(core).event(name) for name in cpu.core(core).events - {"chain", *hidden})
    return {e.name: e.code for e in found if e is not None and e.code is not None and e.announced}


def core_pmu(name: str, kind: int, cpus: str, events: Mapping[str, int], slots: str = "") -> dict[str, str]:
    """An ARM core PMU's folder."""
    folder = f"{DEVICES}/{name}"
    files = {
        f"{folder}/type": f"{kind}\n",
        f"{folder}/cpus": f"{cpus}\n",
        f"{folder}/format/event": "config:0-15\n",
        f"{folder}/format/long": "config1:0\n",
        f"{folder}/format/rdpmc": "config1:1\n",
    }
    files |= {f"{folder}/events/{event}": f"event={code:#06x}\n" for event, code in events.items()}
    return files | ({f"{folder}/caps/slots": f"{slots}\n"} if slots else {})


def uncore_pmu(name: str, kind: int) -> dict[str, str]:
    """A cluster's, mesh's or sampling PMU's folder: a cpumask in place of cpus, and events of the same
    names."""
    folder = f"{DEVICES}/{name}"
    return {
        f"{folder}/type": f"{kind}\n",
        f"{folder}/cpumask": "0\n",
        f"{folder}/format/event": "config:0-31\n",
        f"{folder}/events/cycles": "event=0x11\n",
    }


def arm64(midrs: Mapping[int, int], kernel: str = "6.8.0", paranoid: int = 2, user: int = 0) -> dict[str, str]:
    """Processors and sysctls of an ARM64 machine. ``midrs``: MIDR_EL1 by CPU."""
    files = {
        "proc/sys/kernel/arch": "aarch64\n",
        "proc/sys/kernel/osrelease": f"{kernel}\n",
        "proc/sys/kernel/perf_event_paranoid": f"{paranoid}\n",
        "proc/sys/kernel/perf_user_access": f"{user}\n",
        "proc/self/status": "Name:\tpython\nCapEff:\t0000000000000000\nSeccomp:\t0\n",
        "sys/devices/system/cpu/online": ",".join(map(str, midrs)) + "\n",
    }
    for number, midr in midrs.items():
        files[f"sys/devices/system/cpu/cpu{number}/regs/identification/midr_el1"] = f"0x{midr:016x}\n"
    return files


def ec2(instance: str) -> dict[str, str]:
    return {"sys/class/dmi/id/sys_vendor": "Amazon EC2\n", "sys/class/dmi/id/product_name": f"{instance}\n"}


def graviton2_metal(root: Path) -> Path:
    pmu = core_pmu("armv8_pmuv3_0", 8, "0-63", announced_by("neoverse-n1"))
    return write(root, arm64(dict.fromkeys(range(64), NEOVERSE_N1)) | pmu | ec2("c6g.metal"))


def ec2_small_guest(root: Path) -> Path:
    """A Graviton3 guest: LL_CACHE_RD and the L3 hidden, caps/slots 0."""
    hidden = ["ll_cache_rd", "ll_cache_miss_rd", "l3d_cache", "l3d_cache_refill", "l3d_cache_allocate"]
    pmu = core_pmu("armv8_pmuv3_0", 8, "0-3", announced_by("neoverse-v1", hidden), slots="0x00000000")
    return write(root, arm64(dict.fromkeys(range(4), 0x411FD401)) | pmu | ec2("m7g.xlarge"))


def guest_without_pmu(root: Path) -> Path:
    return write(root, arm64({0: NEOVERSE_N1, 1: NEOVERSE_N1}) | {"proc/device-tree/model": "linux,dummy-virt\0"})


def qemu_guest(root: Path, midr: int = NEOVERSE_N1) -> Path:
    pmu = core_pmu("armv8_pmuv3", 8, "0", QEMU_EVENTS)
    files = arm64({0: midr}, kernel="6.1.0-35-arm64", paranoid=3) | pmu
    return write(root, files | {"proc/device-tree/model": "linux,dummy-virt\0"})


def rk3588(root: Path) -> Path:
    midrs = dict.fromkeys(range(4), CORTEX_A55) | dict.fromkeys(range(4, 8), CORTEX_A76)
    little = core_pmu("armv8_cortex_a55", 9, "0-3", announced_by("cortex-a55"))
    big = core_pmu("armv8_cortex_a76", 8, "4-7", announced_by("cortex-a76"))
    return write(root, arm64(midrs) | little | big | {"proc/device-tree/model": "Radxa ROCK 5B\0"})


def altra(root: Path) -> Path:
    files = arm64(dict.fromkeys(range(128), NEOVERSE_N1))
    files |= core_pmu("armv8_pmuv3_0", 60, "0-127", announced_by("neoverse-n1"))
    for cluster in range(64):
        files |= uncore_pmu(f"arm_dsu_{cluster}", 61 + cluster)
    return write(root, files | uncore_pmu("arm_cmn_0", 8) | uncore_pmu("arm_spe_0", 9))


def x86(root: Path, pmus: Mapping[str, str] | None = None, flags: str = "fpu sse2 hypervisor") -> Path:
    cpuinfo = f"processor\t: 0\nvendor_id\t: GenuineIntel\nmodel name\t: Some Processor\nflags\t\t: {flags}\n"
    files = {
        "proc/sys/kernel/arch": "x86_64\n",
        "proc/sys/kernel/osrelease": "6.12.0\n",
        "proc/sys/kernel/perf_event_paranoid": "2\n",
        "proc/self/status": "CapEff:\t000001ffffffffff\nSeccomp:\t0\n",
        "proc/cpuinfo": cpuinfo,
        "sys/devices/system/cpu/online": "0\n",
        # a PMU of registers, with format/event and no cpumask, that counts no core
        f"{DEVICES}/msr/type": "7\n",
        f"{DEVICES}/msr/format/event": "config:0-63\n",
        f"{DEVICES}/msr/events/tsc": "event=0x00\n",
        f"{DEVICES}/software/type": "1\n",
    }
    return write(root, files | dict(pmus or {}))


def x86_pmu(name: str = "cpu", kind: int = 4, cpus: str = "") -> dict[str, str]:
    folder = f"{DEVICES}/{name}"
    files = {
        f"{folder}/type": f"{kind}\n",
        f"{folder}/format/event": "config:0-7\n",
        f"{folder}/format/umask": "config:8-15\n",
        f"{folder}/events/cpu-cycles": "event=0x3c\n",
        f"{folder}/events/cache-misses": "event=0x2e,umask=0x41\n",
    }
    return files | ({f"{folder}/cpus": f"{cpus}\n"} if cpus else {})
