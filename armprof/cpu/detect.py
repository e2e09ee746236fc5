"""What this machine is and what stands in the way of counting on it, told by sysfs and procfs alone.

Nothing here opens an event: whether a counter really counts is for `armprof.counters` to try. Every path is
read below ``root``, so that a test can hand in the tree of another machine. A file that is missing or broken
makes a fact unknown (None), never an error.
"""

from __future__ import annotations

import platform
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from armprof.cpu import tables
from armprof.cpu.pmu import Pmu, core_pmus
from armprof.cpu.sysfs import line, number, numbers, parse_cpus, text
from armprof.cpu.tables import Core

CAP_SYS_ADMIN = 21
CAP_PERFMON = 38

# Firmware vendors (DMI sys_vendor) that only virtual machines show. Amazon EC2 shows itself on metal too.
_VIRTUAL_VENDORS = (
    "QEMU",
    "Xen",
    "VMware",
    "Google",
    "Alibaba Cloud",
    "OpenStack",
    "Parallels",
    "innotek",
    "Hetzner",
    "DigitalOcean",
)


@dataclass(frozen=True)
class Host:
    """The machine. None means that nothing told."""

    arch: str  # "aarch64", "x86_64", as `uname -m`
    kernel: str  # release, "6.8.0-1015-aws"
    cpus: int  # online
    model: str  # product, board or CPU in the firmware's words, "" where it tells none
    cores: Mapping[str, tuple[int, ...]] = field(default_factory=dict)  # title and revision -> its CPUs
    core: Core | None = None  # of the first CPU that tells; None off ARM64
    pmus: tuple[Pmu, ...] = ()
    spe: tuple[str, ...] = ()  # PMUs of the Statistical Profiling Extension
    perf_event_paranoid: int | None = None  # None: the kernel has no perf events
    perf_user_access: int | None = None  # None: this kernel knows no user reads
    virtual: bool | None = None
    virtual_because: str = ""  # how that is known
    container: str = ""  # "docker", "podman", ...; "" where nothing points to one
    seccomp: bool | None = None  # a seccomp filter stands between this process and the kernel
    perfmon: bool | None = None  # this process has CAP_PERFMON or CAP_SYS_ADMIN

    @property
    def is_arm64(self) -> bool:
        return self.arch == "aarch64"

    def describe(self) -> str:
        """One line: architecture, cores, kernel, product, PMUs."""
        cores = ", ".join(f"{len(cpus)} x {title}" for title, cpus in self.cores.items())
        facts = [
            f"{self.arch}: {cores}" if cores else f"{self.arch}: {self.cpus} CPU{'s' * (self.cpus > 1)}",
            f"Linux {self.kernel}",
        ]
        if self.model:
            facts.append(self.model)
        if self.virtual is not None:
            facts.append("virtual machine" if self.virtual else "bare metal")
        facts.append("PMU " + " + ".join(p.name for p in self.pmus) if self.pmus else "no PMU")
        return ", ".join(facts)


def host(root: Path = Path("/")) -> Host:
    """Read what the machine below ``root`` is."""
    processors = _cpuinfo(root)
    midrs = _midrs(root, processors)
    status = _status(root)
    arch = _arch(root, processors)
    virtual, because = _virtual(root, processors)
    caps = status.get("CapEff", "")
    return Host(
        arch=arch,
        kernel=line(root / "proc/sys/kernel/osrelease") or "unknown",
        cpus=len(parse_cpus(text(root / "sys/devices/system/cpu/online"))) or len(processors) or 1,
        model=_model(root, processors),
        cores=_cores(midrs),
        core=tables.core_for_midr(midrs[min(midrs)]) if midrs else None,
        pmus=core_pmus(root, arch, midrs),
        spe=tuple(f"arm_spe_{n}" for n in numbers(root / "sys/bus/event_source/devices", r"arm_spe_(\d+)")),
        perf_event_paranoid=number(root / "proc/sys/kernel/perf_event_paranoid"),
        perf_user_access=number(root / "proc/sys/kernel/perf_user_access"),
        virtual=virtual,
        virtual_because=because,
        container=_container(root),
        seccomp=None if "Seccomp" not in status else status["Seccomp"] == "2",
        perfmon=is_perfmon(caps),
    )


def is_perfmon(capabilities: str) -> bool | None:
    """Whether the effective capabilities, in hexadecimal, are those that may count everything; None where they say nothing."""
    if not re.fullmatch("[0-9a-fA-F]{1,16}", capabilities):
        return None
    return bool(int(capabilities, 16) & (1 << CAP_PERFMON | 1 << CAP_SYS_ADMIN))


def _cpuinfo(root: Path) -> dict[int, dict[str, str]]:
    """/proc/cpuinfo by CPU number."""
    processors: dict[int, dict[str, str]] = {}
    current: dict[str, str] = {}
    for row in text(root / "proc/cpuinfo").splitlines():
        key, colon, value = (part.strip() for part in row.partition(":"))
        if key == "processor" and value.isdecimal():
            current = processors.setdefault(int(value), {})
        elif colon:
            current.setdefault(key, value)
    return processors


def _midrs(root: Path, processors: Mapping[int, Mapping[str, str]]) -> dict[int, int]:
    """MIDR_EL1 by CPU: sysfs has the register, /proc/cpuinfo its fields (all a container may show)."""
    found: dict[int, int] = {}
    cpus = root / "sys/devices/system/cpu"
    for cpu in sorted({*processors, *numbers(cpus, r"cpu(\d+)")}):
        midr = number(cpus / f"cpu{cpu}/regs/identification/midr_el1")
        if midr is None:
            midr = _midr_of_fields(processors.get(cpu, {}))
        if midr is not None:
            found[cpu] = midr
    return found


def _midr_of_fields(fields: Mapping[str, str]) -> int | None:
    try:
        implementer, variant, part, revision = (
            int(fields[f"CPU {key}"], 0) for key in ("implementer", "variant", "part", "revision")
        )
    except (KeyError, ValueError):
        return None
    # bits 19-16 are 0xf on every core that has ID registers, all of ARM64
    return implementer << 24 | variant << 20 | 0xF << 16 | part << 4 | revision


def _cores(midrs: Mapping[int, int]) -> dict[str, tuple[int, ...]]:
    by_title: dict[str, list[int]] = {}
    for cpu, midr in midrs.items():
        core = tables.core_for_midr(midr)
        by_title.setdefault(f"{core.title} {core.revision}", []).append(cpu)
    return {title: tuple(cpus) for title, cpus in by_title.items()}


def _arch(root: Path, processors: Mapping[int, Mapping[str, str]]) -> str:
    told = line(root / "proc/sys/kernel/arch")  # since Linux 6.1
    if told:
        return told
    first = next(iter(processors.values()), {})
    if "CPU implementer" in first:
        return "aarch64"
    return "x86_64" if "vendor_id" in first else platform.machine()


def _dmi(root: Path, name: str) -> str:
    return line(root / "sys/class/dmi/id" / name)


def _board(root: Path) -> str:
    """The device tree's model; ACPI machines have none."""
    return line(root / "proc/device-tree/model") or line(root / "sys/firmware/devicetree/base/model")


def _model(root: Path, processors: Mapping[int, Mapping[str, str]]) -> str:
    vendor, product = _dmi(root, "sys_vendor"), _dmi(root, "product_name")
    if product:
        return product if not vendor or product.startswith(vendor) else f"{vendor} {product}"
    return _board(root) or next((p["model name"] for p in processors.values() if "model name" in p), "")


def _virtual(root: Path, processors: Mapping[int, Mapping[str, str]]) -> tuple[bool | None, str]:
    """Whether this is a virtual machine, and what told so."""
    vendor, product = _dmi(root, "sys_vendor"), _dmi(root, "product_name")
    if vendor == "Amazon EC2" and product:
        metal = ".metal" in product  # c7g.metal, c8g.metal-24xl
        return not metal, f"EC2 instance type {product}"
    if vendor.startswith(_VIRTUAL_VENDORS) or (vendor, product) == (
        "Microsoft Corporation",
        "Virtual Machine",
    ):
        return True, f"firmware vendor {vendor}"
    hypervisor = line(root / "sys/hypervisor/type")
    if hypervisor:
        return True, f"hypervisor {hypervisor}"
    if _board(root) == "linux,dummy-virt":
        return True, "device tree of QEMU's virt machine"
    if any("hypervisor" in p.get("flags", "").split() for p in processors.values()):
        return True, "CPU flag hypervisor"
    return None, ""  # a firmware that names a machine proves nothing: clouds write there what they like


def _container(root: Path) -> str:
    # The image of a container may have become the disk of a virtual machine, with the marks still in it;
    # but the root of a container is no block device.
    mounts = (row.split() for row in text(root / "proc/self/mounts").splitlines())
    if any(len(m) > 1 and m[1] == "/" and m[0].startswith("/dev/") for m in mounts):
        return ""
    if (root / ".dockerenv").exists():
        return "docker"
    if (root / "run/.containerenv").exists():
        return "podman"
    if (root / "var/run/secrets/kubernetes.io").exists():
        return "kubernetes"
    return ""


def _status(root: Path) -> dict[str, str]:
    rows = (row.partition(":") for row in text(root / "proc/self/status").splitlines())
    return {key: value.strip() for key, _, value in rows}
