"""The core PMUs of a machine, found in sysfs, and which events each can count.

Found by what they are, not by name: the same core's PMU is armv8_pmuv3_0 under ACPI and armv8_neoverse_n1
from a device tree, and a big.LITTLE machine has several. perf 6.10 once took `cycles` to one of the 64
cluster PMUs (arm_dsu_*) of an Altra, which have a cycle counter too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from armprof.cpu import names, tables
from armprof.cpu.sysfs import number, parse_cpus, text
from armprof.cpu.tables import Core, Event

PERF_TYPE_RAW = 4  # x86 registers its core PMU under this type; ARM's types are dynamic

PERF_TYPE_HARDWARE = 0
PERF_TYPE_HW_CACHE = 3
_MISS = 1 << 16  # perf's cache events: cache | operation << 8 | result << 16, operation 0 = read

# perf's generic events on x86 that mean what the canonical name says: name -> (type, config), as in
# include/uapi/linux/perf_event.h. Whether the model at hand has one, opening it tells.
X86_EVENTS: dict[str, tuple[int, int]] = {
    "cpu_cycles": (PERF_TYPE_HARDWARE, 0),
    "inst_retired": (PERF_TYPE_HARDWARE, 1),
    "br_retired": (PERF_TYPE_HARDWARE, 4),
    "br_mis_pred_retired": (PERF_TYPE_HARDWARE, 5),
    "bus_cycles": (PERF_TYPE_HARDWARE, 6),
    "stall_frontend": (PERF_TYPE_HARDWARE, 7),
    "stall_backend": (PERF_TYPE_HARDWARE, 8),
    "l1d_cache": (PERF_TYPE_HW_CACHE, 0),
    "l1d_cache_refill": (PERF_TYPE_HW_CACHE, 0 | _MISS),
    "l1i_cache": (PERF_TYPE_HW_CACHE, 1),
    "l1i_cache_refill": (PERF_TYPE_HW_CACHE, 1 | _MISS),
    "ll_cache_rd": (PERF_TYPE_HW_CACHE, 2),
    "ll_cache_miss_rd": (PERF_TYPE_HW_CACHE, 2 | _MISS),
    "l1d_tlb": (PERF_TYPE_HW_CACHE, 3),
    "l1d_tlb_refill": (PERF_TYPE_HW_CACHE, 3 | _MISS),
    "l1i_tlb": (PERF_TYPE_HW_CACHE, 4),
    "l1i_tlb_refill": (PERF_TYPE_HW_CACHE, 4 | _MISS),
}


@dataclass(frozen=True)
class Pmu:
    """One core PMU."""

    name: str  # in /sys/bus/event_source/devices
    type: int  # perf_event_attr.type
    cpus: tuple[int, ...]  # that it counts on
    core: Core
    events: Mapping[str, int] = field(default_factory=dict, repr=False)  # as sysfs lists them: name -> config
    caps_slots: int | None = None  # caps/slots: 0 in EC2 guests, absent before PMUv3.4, so never a divisor

    @property
    def slots(self) -> int | None:
        """Issue slots per cycle: the core's specification, else what the PMU says, else None."""
        return self.core.slots or self.caps_slots or None

    def event(self, name: str) -> Event | None:
        """The event, also a raw one (``r108``), as this PMU's core has it; None where it is not known."""
        code = names.raw_code(name)
        if code is not None:
            return self.core.event_of_code(code)
        return self.core.event(name) or tables.architected().get(name)

    def attr(self, name: str) -> tuple[int, int] | None:
        """perf_event_attr's type and config to count the event with; None where `why_not` objects."""
        if self.why_not(name) is not None:
            return None
        if self.core.name == "x86":
            kind, config = X86_EVENTS[name]
            # where P- and E-cores differ, the upper half of config says whose event it is
            return kind, config if self.type == PERF_TYPE_RAW else self.type << 32 | config
        listed, found = self.events.get(name), self.event(name)
        code = listed if found is None else found.code
        return None if code is None else (self.type, code)

    def name_of(self, kind: int, config: int) -> str | None:
        """The event that perf_event_attr's type and config count, a raw one (``r108``) where it has no name; None where
        another PMU counts it.
        """
        if self.core.name == "x86":
            return next((name for name, attr in X86_EVENTS.items() if attr == (kind, config & 0xFFFFFFFF)), None)
        if kind != self.type:
            return None
        found = self.core.event_of_code(config)
        return found.name if found else tables.name_of_code(config)

    def has(self, event: str) -> bool:
        """Whether the event can be counted here, as far as sysfs and the core's own list tell."""
        return self.why_not(event) is None

    def why_not(self, event: str) -> str | None:
        """What stands against counting the event, in a few words; None where nothing does.

        The kernel opens any code and then counts 0: event 0x37 is exactly 0 in every public recording of
        small EC2 guests. So an event must be announced (PMCEID, which sysfs shows), or where PMCEID is
        silent be in the core's own list while the common event that it refines is announced.
        """
        if self.core.name == "x86":
            return None if event in X86_EVENTS else "perf has no generic event for it on x86"
        if event in self.events:
            return None
        if event == "chain":
            return "CHAIN counts overflows of a neighbour and cannot be opened by itself"
        found = self.event(event)
        if found is None:
            return self._not_listed()
        if found.code in self.events.values():
            return None
        if found.announced:
            if self.core.has(found.name):
                return f"{self.core.title} has it, but the guest or the kernel hides it: not in sysfs"
            return f"{self.core.title} does not have it: not in sysfs"
        if not self.core.has(found.name):
            return self._not_listed()
        parent = refined(found)
        if parent and self.core.has(parent) and parent not in self.events:
            return f"it is a part of {parent}, which the guest or the kernel hides: not in sysfs"
        return None

    @cached_property
    def hidden(self) -> tuple[str, ...]:
        """The announced events that the core has on bare metal and this PMU does not offer, by code."""
        events = (self.core.event(name) for name in self.core.events - {"chain"})
        hidden = [e for e in events if e is not None and e.announced and not self.has(e.name)]
        return tuple(e.name for e in sorted(hidden, key=lambda e: e.code or 0))

    def doubt(self, event: str) -> str | None:
        """Why an event that `has` lets pass may stay 0 all the same; None where nothing suggests it.

        An emulator that offers a part of a core's events opens the others too, and counts none of them.
        """
        if self.core.name == "x86":
            return "perf's generic events: opening one tells whether this model has it"
        found = self.event(event)
        if not self.hidden or event in self.events or (found is not None and found.announced):
            return None
        return "sysfs is silent on these, and the PMU hides other events of the core: a 0 may mean not counted"

    def _not_listed(self) -> str:
        if self.core.known:
            return f"{self.core.title} does not have it"
        return f"{self.core.title}: no list tells whether it has the event"


def refined(event: Event) -> str | None:
    """The announced event that this one is a part of: l1d_cache_refill of l1d_cache_refill_rd, and such.

    A PMU that hides the whole does not count the part either: QEMU's Neoverse N1 has no caches to count.
    """
    if event.announced or event.kind != "architected":
        return None
    words = event.name.split("_")
    for end in range(len(words) - 1, 0, -1):
        whole = tables.architected().get("_".join(words[:end]))
        if whole is not None and whole.announced:
            return whole.name
    if words[0] == "exc":
        return "exc_taken"
    if words[0] == "br" and words[-1] == "retired":
        return "br_retired"
    return "inst_spec" if words[-1] == "spec" else None


def core_pmus(root: Path, arch: str, midrs: Mapping[int, int]) -> tuple[Pmu, ...]:
    """The core PMUs below ``root``, by their first CPU. ``midrs``: MIDR_EL1 by CPU."""
    folder = root / "sys/bus/event_source/devices"
    try:
        entries = sorted(folder.iterdir())
    except OSError:
        return ()
    found = []
    for entry in entries:
        kind = number(entry / "type")
        has_cpus = (entry / "cpus").exists()  # cluster, mesh and sampling PMUs have a cpumask instead
        if kind is None or not (entry / "format/event").exists() or not (has_cpus or kind == PERF_TYPE_RAW):
            continue
        cpus = parse_cpus(text(entry / "cpus") if has_cpus else text(root / "sys/devices/system/cpu/online"))
        found.append(
            Pmu(
                name=entry.name,
                type=kind,
                cpus=cpus,
                core=core_of(entry.name, arch, cpus, midrs),
                events=_events(entry),
                caps_slots=number(entry / "caps/slots"),
            )
        )
    return tuple(sorted(found, key=lambda pmu: (pmu.cpus[:1], pmu.name)))


def core_of(pmu: str, arch: str, cpus: tuple[int, ...], midrs: Mapping[int, int]) -> Core:
    """The core that a PMU of this name on these CPUs counts. ``midrs``: MIDR_EL1 by CPU."""
    if arch != "aarch64":
        return Core(name="x86", title=f"{arch} core", midrs=(), events=frozenset(X86_EVENTS), known=False)
    midr = next((midrs[cpu] for cpu in cpus if cpu in midrs), None)
    if midr is not None:
        return tables.core_for_midr(midr)
    named = re.sub(r"^armv\d+_", "", pmu).replace("_", "-")  # armv8_cortex_a76, from a device tree
    return tables.core(named) if named in tables.core_names() else tables.core_for_midr(0)


def _events(entry: Path) -> dict[str, int]:
    """The events that sysfs lists, with the config that each stands for."""
    try:
        files = sorted((entry / "events").iterdir())
    except OSError:
        return {}
    found = {}
    for file in files:
        config = None if "." in file.name else _config(entry, text(file))  # NAME.scale and NAME.unit are no events
        if config is not None:
            found[file.name.lower()] = config
    return found


def _config(entry: Path, listed: str) -> int | None:
    """perf_event_attr.config of ``event=0x3c,umask=0x1``: format/TERM names the bits of each value."""
    config = 0
    for term in listed.split(",") if listed else ():
        key, _, value = term.strip().partition("=")
        bits = "config:0-63" if key == "config" else text(entry / "format" / key)
        match = re.match(r"config:(\d+)", bits)
        try:
            config |= int(value or "1", 0) << int(match[1]) if match else 0
        except ValueError:
            return None
    return config if listed else None
