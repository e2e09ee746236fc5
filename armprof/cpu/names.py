"""One name for every event, whatever the source called it.

perf prints the same event as ``cache-references``, ``l1d_cache``, ``armv8_pmuv3_0/l1d_cache/u`` or
``r4:u``. The canonical name is Arm's in lower case (`l1d_cache`); for software events it is perf's with
underscores (`page_faults`).

What perf's generic names stand for on ARM64 is the kernel's choice (drivers/perf/arm_pmuv3.c,
armv8_pmuv3_perf_map and armv8_pmuv3_perf_cache_map), and three of them surprise. ``cache-references`` and
``cache-misses`` are the L1 data cache, never the last level. ``branch-misses`` is BR_MIS_PRED, which counts
speculative branches too. ``branches`` is BR_RETIRED from Linux 6.12; before, and on cores without that event,
it was PC_WRITE_RETIRED, the taken branches alone, which Neoverse N1 to V2 lack (``<not supported>``). It is
called `br_retired` here, for that is what its user means.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

# perf's generic names in lower case. perf on x86 has the same ones; the canonical names stay Arm's there.
ALIASES: dict[str, str] = {
    "cycles": "cpu_cycles",
    "cpu-cycles": "cpu_cycles",
    "instructions": "inst_retired",
    "cache-references": "l1d_cache",
    "cache-misses": "l1d_cache_refill",
    "branches": "br_retired",
    "branch-instructions": "br_retired",
    "branch-misses": "br_mis_pred",
    "bus-cycles": "bus_cycles",
    "stalled-cycles-frontend": "stall_frontend",
    "idle-cycles-frontend": "stall_frontend",
    "stalled-cycles-backend": "stall_backend",
    "idle-cycles-backend": "stall_backend",
    "branch-loads": "br_pred",
    "branch-load-misses": "br_mis_pred",
}

# Where a label names a PMU of x86, these are something else: the last level, and retired branches.
_ALIASES_ON_X86 = {
    "cache-references": "ll_cache",
    "cache-misses": "ll_cache_miss",
    "branch-misses": "br_mis_pred_retired",
}

# perf's cache events are CACHE-OPERATION[-misses], each part in many spellings (tools/perf/util/evsel.c).
_CACHES = {
    "l1-dcache": "l1d",
    "l1-d": "l1d",
    "l1d": "l1d",
    "l1-data": "l1d",
    "l1-icache": "l1i",
    "l1-i": "l1i",
    "l1i": "l1i",
    "l1-instruction": "l1i",
    "llc": "ll",
    "l2": "ll",
    "dtlb": "dtlb",
    "d-tlb": "dtlb",
    "data-tlb": "dtlb",
    "itlb": "itlb",
    "i-tlb": "itlb",
    "instruction-tlb": "itlb",
}
_CACHE_LABEL = re.compile(
    rf"(?P<cache>{'|'.join(sorted(_CACHES, key=len, reverse=True))})"
    r"(?:-(?P<op>loads?|read|stores?|write))?(?:-(?P<result>misses|miss|refs|reference|ops|access))?$"
)
_CACHE_EVENTS = {
    ("l1d", "load"): ("l1d_cache", "l1d_cache_refill"),
    ("l1d", "store"): ("l1d_cache_wr", "l1d_cache_refill_wr"),
    ("l1i", "load"): ("l1i_cache", "l1i_cache_refill"),
    ("ll", "load"): ("ll_cache_rd", "ll_cache_miss_rd"),
    ("dtlb", "load"): ("l1d_tlb", "l1d_tlb_refill"),
    ("dtlb", "store"): ("l1d_tlb_wr", "l1d_tlb_refill_wr"),
    ("itlb", "load"): ("l1i_tlb", "l1i_tlb_refill"),
}

# perf's software and tool events: canonical name -> (what it is, unit).
SOFTWARE: dict[str, tuple[str, str]] = {
    "task_clock": ("time the task ran on a CPU", "ns"),
    "cpu_clock": ("time on the CPU's clock while the event was on", "ns"),
    "page_faults": ("page faults, minor and major", ""),
    "minor_faults": ("page faults served without reading from a disk", ""),
    "major_faults": ("page faults that had to read from a disk", ""),
    "context_switches": ("times the task was switched off a CPU", ""),
    "cpu_migrations": ("times the task moved to another CPU", ""),
    "cgroup_switches": ("switches to a task of another control group", ""),
    "alignment_faults": ("unaligned accesses that the kernel had to handle", ""),
    "emulation_faults": ("instructions that the kernel had to emulate", ""),
    "duration_time": ("wall time", "ns"),
    "user_time": ("time spent in user mode", "ns"),
    "system_time": ("time spent in the kernel", "ns"),
}
# These perf measures by itself: they stand in its output, but no counter can be opened for them.
MEASURED_BY_PERF = frozenset({"duration_time", "user_time", "system_time"})
_SOFTWARE_ALIASES = {"cs": "context_switches", "migrations": "cpu_migrations", "faults": "page_faults"}

# A label names a PMU when a slash follows. These PMUs count what one core does; every other counts something
# else: arm_dsu_0/cycles/ is the cluster's clock, not the core's.
_CORE_PMU = re.compile(r"(armv[789]\w*|apple_\w+_pmu|cpu|cpu_core|cpu_atom|cpu_lowpower|software|tool)$")
# Raw codes are PMUv3's only where the PMU is Arm's, or not named at all.
_X86_PMU = re.compile(r"cpu(_core|_atom|_lowpower)?$")

_LABEL = re.compile(
    r"(?:(?P<pmu>[A-Za-z_][\w.-]*)/(?P<terms>[^/]*)/(?P<tail>[A-Za-z]*)"  # armv8_pmuv3_0/l1d_cache,long=1/u
    r"|(?P<event>[^\s/:]+)(?::(?P<modifiers>[A-Za-z]+))?)$"  # cycles:u
)
_MODIFIERS = frozenset("ukhGHIpPSDWebR")
_RAW = re.compile(r"(?:r|0x)([0-9a-f]{1,16})$")  # always hexadecimal, as in perf
_TERM = re.compile(r"(?:event|config)=(0x[0-9a-f]{1,16}|\d{1,19})$")  # decimal without 0x, as in perf


@dataclass(frozen=True, slots=True)
class Label:
    """A label as perf prints it, taken apart; ``pmu`` and ``modifiers`` are "" where the label has none."""

    event: str  # the event part as written: "l1d_cache", "cycles", "event=0x11"
    pmu: str = ""
    modifiers: str = ""  # perf's: "u", "k", "ukhH", "pp"

    @property
    def is_of_a_core(self) -> bool:
        return not self.pmu or _CORE_PMU.match(self.pmu) is not None

    @property
    def is_of_x86(self) -> bool:
        return _X86_PMU.match(self.pmu) is not None


def split_label(label: str) -> Label | None:
    """Take ``armv8_pmuv3_0/l1d_cache/u`` or ``cycles:u`` apart; None where it is not an event's label."""
    match = _LABEL.match(label.strip().removeprefix("raw "))  # perf prints an unnamed raw event as "raw 0x1b"
    if match is None:
        return None
    if match["pmu"]:
        terms = match["terms"].split(",")
        # perf also takes event and config terms behind others: armv8_pmuv3_0/long=1,event=0x8/
        event = next((t for t in terms if re.match(r"(event|config)=", t)), terms[0]).strip()
        return Label(event, match["pmu"], match["tail"])
    modifiers = match["modifiers"] or ""
    if not _MODIFIERS.issuperset(modifiers):  # a tracepoint: sched:sched_switch
        return None
    return Label(match["event"], "", modifiers)


def raw_code(event: str) -> int | None:
    """The code of a raw event (``r1b``, ``0x1b``, ``event=0x1b``, ``config=0x1b``), None for a name."""
    text = event.lower()
    term = _TERM.match(text)
    if term:
        return int(term[1], 0) if term[1].startswith("0x") else int(term[1])
    match = _RAW.match(text)
    return int(match[1], 16) if match else None


def generic(label: Label) -> str | None:
    """The canonical name of one of perf's generic or software names, None where it is neither."""
    name = label.event.lower()
    if label.is_of_x86 and name in _ALIASES_ON_X86:
        return _ALIASES_ON_X86[name]
    if name in ALIASES:
        return ALIASES[name]
    software = name.replace("-", "_")
    software = _SOFTWARE_ALIASES.get(software, software)
    if software in SOFTWARE:
        return software
    match = _CACHE_LABEL.match(name)
    if match is None or not (match["op"] or match["result"]):
        return None
    operation = "store" if match["op"] in ("store", "stores", "write") else "load"
    events = _CACHE_EVENTS.get((_CACHES[match["cache"]], operation))
    return events[(match["result"] or "").startswith("miss")] if events else None
