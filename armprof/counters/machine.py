"""The machine as a counter: what an event name stands for here, how much fits into a group, what to count by default."""

from __future__ import annotations

import errno
import platform
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from armprof.counters.plan import CYCLES, Capacity
from armprof.counters.reading import Status
from armprof.counters.refusal import Refusal, explain
from armprof.cpu import Core, Host, Pmu, host
from armprof.cpu import event as event_named
from armprof.cpu.nodes import memory_nodes
from armprof.errors import ArmprofError, CannotCount

PERF_TYPE_SOFTWARE = 1

# perf_event_attr.config of the software events, and whether they happen in kernel mode: counted in user mode alone
# those give a true-looking 0 (perf prints 0 context-switches:u).
SOFTWARE: dict[str, tuple[int, bool]] = {
    "cpu_clock": (0, False),
    "task_clock": (1, False),
    "page_faults": (2, False),
    "context_switches": (3, True),
    "cpu_migrations": (4, True),
    "minor_faults": (5, False),
    "major_faults": (6, False),
    "alignment_faults": (7, False),
    "emulation_faults": (8, False),
    "cgroup_switches": (11, True),
}

# What the nine metrics need, most wanted first: where the counters do not suffice for all, the first ones are counted.
# Each row is a choice: the first event of it that the core has.
WANTED: tuple[tuple[str, ...], ...] = (
    ("cpu_cycles",),
    ("inst_retired",),
    ("l1d_cache",),
    ("l1d_cache_refill",),
    ("br_retired", "br_pred"),
    ("br_mis_pred_retired", "br_mis_pred"),
    ("l2d_cache",),
    ("l2d_cache_refill",),
    ("l1d_tlb",),
    ("dtlb_walk", "l1d_tlb_refill"),
    ("l1i_cache",),
    ("l1i_cache_refill",),
    ("stall_frontend",),
    ("stall_backend",),
    ("ll_cache_miss_rd", "l3d_cache_refill", "l2d_cache_wb"),
)
WANTED_ON_NODES = ("remote_access", "ll_cache_rd")  # where memory is on more than one NUMA node
WANTED_SOFTWARE = ("task_clock", "page_faults", "context_switches", "cpu_migrations")


def native() -> Any:
    """The native module, or CannotCount where it could not be built."""
    try:
        return import_module("armprof._native")
    except ImportError as e:
        if (system := platform.system()) != "Linux":
            raise CannotCount(
                f"armprof counts on Linux, and this is {system or 'another system'}",
                "here it reads files: armprof report FILE, of a run or of what perf printed on Linux",
            ) from None
        raise CannotCount(f"the native module is missing ({e})", _how_to_have_it()) from None


def _how_to_have_it() -> str:
    package = Path(__file__).parents[1]
    if (package.parent / "meson.build").exists():
        return f"these are the sources in {package.parent}: run python -P, or in another folder, to import the installed one"
    return (
        "install armprof from a wheel for this machine (x86-64 and ARM64 have one), or with a C compiler: "
        "pip install --force-reinstall --no-binary armprof armprof"
    )


@dataclass(frozen=True, slots=True)
class EventTarget:
    """An event as the kernel takes it: one (type, config) for each core PMU, or one of the software PMU."""

    name: str
    attrs: tuple[tuple[int, int], ...]
    kernel: bool = False
    unit: str = ""

    @property
    def is_software(self) -> bool:
        return self.attrs[0][0] == PERF_TYPE_SOFTWARE


class Machine:
    """The host, and what was found out about its counters by trying."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self._budgets: dict[int, Capacity | Refusal] = {}
        self._interrupting: dict[bool, bool] = {}

    @property
    def core(self) -> Core | None:
        """The core that counts; None for an unknown one, or where cores of several kinds count together."""
        cores = {pmu.core.name: pmu.core for pmu in self.host.pmus if pmu.core.known}
        return next(iter(cores.values())) if len(cores) == 1 else None

    @property
    def core_name(self) -> str | None:
        """The name of its table."""
        core = self.core
        if core is None:
            return None
        # a revision is worth naming where it decides what the core counts wrongly
        return f"{core.name}-{core.revision}" if core.errata and core.revision else core.name

    def resolve(self, name: str) -> EventTarget | Refusal:
        """What to open for an event name. Raises ArmprofError for a name that means nothing anywhere."""
        event = event_named(name)
        if event.kind == "software":
            if event.name not in SOFTWARE:
                return Refusal(Status.UNSUPPORTED, "a clock of perf's own, not an event that can be opened")
            config, kernel = SOFTWARE[event.name]
            return EventTarget(event.name, ((PERF_TYPE_SOFTWARE, config),), kernel, event.unit)
        if event.kind == "modelled":
            return Refusal(Status.UNSUPPORTED, "no PMU counts it: the modelled core alone tells it (--source model)")
        if not self.host.pmus:
            return self.no_pmu()
        attrs = tuple(a for a in (pmu.attr(event.name) for pmu in self.host.pmus) if a is not None)
        if not attrs:
            return Refusal(Status.UNSUPPORTED, self.host.pmus[0].why_not(event.name) or "not on this core")
        return EventTarget(event.name, attrs)

    def missing(self) -> Refusal | None:
        """What stands against all hardware counting here; None where nothing does."""
        budget = self.budget()
        return budget if isinstance(budget, Refusal) else None

    def no_pmu(self) -> Refusal:
        """Why there is no core PMU here."""
        kind = "virtual machine" if self.host.virtual else "machine"
        return Refusal(
            Status.UNSUPPORTED,
            f"no PMU: this {self.host.arch} {kind} shows its programs no hardware counters",
            "count on bare metal or on a guest size with a PMU",
        )

    def budget(self, pmu: Pmu | None = None) -> Capacity | Refusal:
        """How much one group can hold, found by opening groups; cached. Of the smallest PMU where there are several."""
        if pmu is None:
            if not self.host.pmus:
                return self.no_pmu()
            budgets = [self.budget(each) for each in self.host.pmus]
            counting = [b for b in budgets if isinstance(b, Capacity)]
            return min(counting, key=lambda b: b.counters) if counting else budgets[0]
        if pmu.type not in self._budgets:
            self._budgets[pmu.type] = self._probe(pmu)
        return self._budgets[pmu.type]

    def _probe(self, pmu: Pmu) -> Capacity | Refusal:
        module = native()
        event, cycles = (self._native_event(module, pmu, name) for name in ("inst_retired", CYCLES))
        if event is None or cycles is None:
            return Refusal(Status.UNSUPPORTED, f"the PMU {pmu.name} counts neither instructions nor cycles")
        found = module.lib.armprof_probe_budget(event, cycles)
        if found.counters == 0:
            return explain(found.error, self.host)
        return Capacity(found.counters, found.cycles_besides)

    def _native_event(self, module: Any, pmu: Pmu, name: str) -> Any:
        attr = pmu.attr(name)
        if attr is None:
            return None
        return module.ffi.new("armprof_event *", {"type": attr[0], "config": attr[1]})

    def interrupts(self, target: EventTarget) -> bool:
        """Whether the event interrupts, so that it can be sampled: found by trying it for a moment; cached. What holds for
        instructions holds for all that need a general counter, and cycles have one of their own.
        """
        if target.is_software:
            return True
        of_cycles = target.name == CYCLES
        if of_cycles not in self._interrupting:
            module = native()
            pmu = next(pmu for pmu in self.host.pmus if pmu.type == target.attrs[0][0])
            event = self._native_event(module, pmu, CYCLES if of_cycles else "inst_retired")
            found = event is not None and module.lib.armprof_probe_interrupts(event) == errno.EOPNOTSUPP
            self._interrupting[of_cycles] = not found
        return self._interrupting[of_cycles]

    def default_events(self) -> list[str]:
        """The events that the metrics need, then the software events. Those that nothing here counts are among them, so
        that each is there with its reason.
        """
        pmus = self.host.pmus

        def here(event: str) -> bool:
            return bool(pmus) and all(pmu.has(event) for pmu in pmus)

        wanted = [next(filter(here, choice), choice[0]) for choice in WANTED]
        if len(memory_nodes()) > 1:
            wanted += filter(here, WANTED_ON_NODES)
        return [*wanted, *WANTED_SOFTWARE]


@cache
def machine() -> Machine:
    """The machine that this process runs on."""
    return Machine(host())


def canonical_events(names: Sequence[str]) -> list[str]:
    """Canonical names, each once, in order. Raises ArmprofError for a name that means nothing."""
    if isinstance(names, str) or not isinstance(names, Iterable):
        raise ArmprofError(f"events are given as a list of names, not as {names!r}")
    names = list(names)
    for name in names:
        if not isinstance(name, str):
            raise ArmprofError(f"an event is given by its name, not as {name!r}")
    return list(dict.fromkeys(event_named(name).name for name in names))
