"""`region`: many short passes over one place, counted cheaply in C.

Entering and leaving sum in C, for each thread with its own counters: nothing is allocated, and where the kernel allows reads
in user space there is no system call. All regions of a process count the same events, those of one group.
"""

from __future__ import annotations

import functools
import inspect
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from armprof.counters import pmu
from armprof.counters.blocks import RegionBlock
from armprof.counters.machine import canonical_events, machine
from armprof.counters.reading import Count, Reading, Status, uncounted
from armprof.counters.refusal import explain
from armprof.errors import ArmprofError, CannotCount

if TYPE_CHECKING:
    import pandas as pd

    from armprof.metrics import ARM64Metrics

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Spread:
    """What one call counted, less the cost of an empty region: the mean, the least and the most."""

    mean: float
    smallest: float
    largest: float


class _Setup:
    """What the regions of this process count; decided by the first one."""

    def __init__(self, events: Sequence[str] | None) -> None:
        names = machine().default_events() if events is None else canonical_events(events)
        groups = pmu.groups_of(names)
        software = [n for n in groups[-1] if n in names] if groups else []
        if events is None and len(groups) > 1:
            groups = [groups[0]]  # what fits together; further groups would be multiplexed and cost system calls
        elif events is None:
            groups = [tuple(n for n in software if n in ("task_clock", "page_faults"))]
        self.names = [n for group in groups for n in group]
        self.layout = pmu.layout_of(tuple(groups))
        module = self.layout.module
        options = module.ffi.new("armprof_options *", {"cpu": -1, "user_reads": True})
        error = module.lib.armprof_regions_setup(self.layout.events, self.layout.size, options)
        if error:
            raise CannotCount(f"the regions' counters could not be set up: {os.strerror(error)}")


_lock = threading.Lock()
_setup: _Setup | None = None
_regions: dict[str, Region] = {}


def _setup_for(events: Sequence[str] | None) -> _Setup:
    global _setup
    if _setup is None:
        _setup = _Setup(events)
    elif events is not None and set(canonical_events(events)) != set(_setup.names):
        raise ArmprofError(
            f"the regions of this process count {', '.join(_setup.names)}; name the events in the first region() of it"
        )
    return _setup


class Region(RegionBlock):
    """A named place in the program. Made by `region`; enter it with ``with``, from any thread."""

    __slots__ = ("_id", "_setup", "name")

    def __init__(self, name: str, setup: _Setup) -> None:
        lib = setup.layout.module.lib
        self.name = name
        self._setup = setup
        self._id = lib.armprof_region_define(name.encode())
        if self._id == 0:
            raise CannotCount(f"no room for region {name!r}: a process can have {lib.ARMPROF_MAX_REGIONS - 1}")
        ffi = setup.layout.module.ffi
        enter, leave = (
            int(ffi.cast("uintptr_t", ffi.addressof(lib, f"armprof_{verb}"))) for verb in ("enter", "leave")
        )
        self._bind(enter, leave, self._id)

    if TYPE_CHECKING:

        def __enter__(self) -> Region: ...

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        """As a decorator: every call of the function enters the region."""
        if (
            inspect.isgeneratorfunction(function)
            or inspect.iscoroutinefunction(function)
            or (inspect.isasyncgenfunction(function))
        ):
            raise ArmprofError(
                f"region {self.name!r} cannot decorate {function.__qualname__}(), which is left and resumed in between; "
                "put the `with` around the part of it that runs in one go"
            )

        @functools.wraps(function)
        def called(*args: P.args, **kwargs: P.kwargs) -> R:
            with self:
                return function(*args, **kwargs)

        return called

    # ---- what came of it ----

    def _totals(self) -> Any:
        module = self._setup.layout.module
        totals = module.ffi.new("armprof_region_totals *")
        error = module.lib.armprof_region_read(self._id, totals)
        if error:
            raise CannotCount(f"region {self.name!r} cannot be read: {os.strerror(error)}")
        return totals

    @property
    def calls(self) -> int:
        """How often it was left, in all threads, recursive calls included."""
        return int(self._totals().calls)

    @property
    def reading(self) -> Reading:
        """Totals of all calls in all threads, less the cost of as many empty regions."""
        totals = self._totals()
        cost, cost_ns = _cost_of_nothing(self._setup)
        calls = int(totals.outermost)
        counts: dict[str, Count] = {
            name: uncounted(name, r.status, str(r)) for name, r in self._setup.layout.refused.items()
        }
        for index, target in enumerate(self._setup.layout.targets):
            counts[target.name] = self._count(index, totals, calls, cost)
        return Reading(
            counts={name: counts[name] for name in self._setup.names},
            source="pmu",
            core=machine().core_name,
            duration_ns=max(0, int(totals.ns.total) - calls * cost_ns),
            scope=f"region {self.name!r}, {calls:,} calls, user mode",
            access=self._access(),
            overhead={name: cost[name] * calls for name in counts if cost.get(name)},
            notes=tuple(_health_notes(self._setup)),
        )

    def _count(self, index: int, totals: Any, calls: int, cost: Mapping[str, float]) -> Count:
        layout = self._setup.layout
        target = layout.targets[index]
        if calls == 0:
            return uncounted(target.name, Status.NOT_COUNTED, "the region was never left")
        module = layout.module
        own = module.lib.armprof_thread_set()
        raw = lost = 0
        for slot in layout.slots[index]:
            error = module.lib.armprof_event_error(own, slot) if own != module.ffi.NULL else 0
            if error:
                refusal = explain(error, layout.machine.host, target.kernel)
                return uncounted(target.name, refusal.status, str(refusal), unit=target.unit)
            raw += int(totals.events[slot].total)
            if own != module.ffi.NULL:
                lost += int(totals.lost_ns[module.lib.armprof_event_group(own, slot)])
        enabled = int(totals.enabled_ns)
        running = max(0, enabled - lost)
        if running == 0:
            return uncounted(
                target.name,
                Status.NOT_COUNTED,
                "its group never had the counters",
                enabled_ns=enabled,
                running_ns=0,
            )
        scaled = lost > enabled * pmu.NEGLIGIBLE_LOSS
        value = raw * enabled / running if scaled else raw
        return Count(
            event=target.name,
            value=max(0, value - calls * cost.get(target.name, 0)),
            raw=raw,
            enabled_ns=enabled,
            running_ns=running,
            status=Status.SCALED if scaled else Status.COUNTED,
            reason="multiplexed: an estimate from the time that its group had the counters" if scaled else None,
            unit=target.unit,
            group=None if target.is_software else layout.group_of[index],
        )

    def _access(self) -> str:
        lib = self._setup.layout.module.lib
        own = lib.armprof_thread_set()
        if own == self._setup.layout.module.ffi.NULL:
            return ""
        modes = {lib.armprof_event_access(own, i) for i in range(self._setup.layout.size)} - {lib.ARMPROF_CLOSED}
        if lib.ARMPROF_SYSCALL in modes:
            return "read()"
        return "user reads, fenced" if modes else ""

    @property
    def counts(self) -> Mapping[str, Count]:
        """Totals by event name."""
        return self.reading.counts

    @property
    def metrics(self) -> ARM64Metrics:
        """The ratios that follow from the totals."""
        from armprof.metrics import compute

        return compute(self.reading)

    def per_call(self, event: str) -> Spread | None:
        """Mean, least and most of one event (or of "ns", the wall time) in one call; None where it was not counted."""
        totals = self._totals()
        calls = int(totals.outermost)
        cost, cost_ns = _cost_of_nothing(self._setup)
        if event == "ns":
            spread, less = totals.ns, float(cost_ns)
        else:
            name = canonical_events([event])[0]
            found = [i for i, t in enumerate(self._setup.layout.targets) if t.name == name]
            if not found or len(self._setup.layout.slots[found[0]]) != 1 or self.counts[name].value is None:
                return None
            spread, less = totals.events[self._setup.layout.slots[found[0]][0]], cost.get(name, 0.0)
        if calls == 0:
            return None
        least, mean, most = int(spread.smallest), int(spread.total) / calls, int(spread.largest)
        return Spread(*(max(0.0, value - less) for value in (mean, least, most)))

    def to_frame(self) -> pd.DataFrame:
        """One row per event: the totals of `Reading.to_frame` and mean, smallest, largest of a call."""
        frame = self.reading.to_frame()
        spreads = [self.per_call(str(event)) for event in frame.index]
        for column in ("mean", "smallest", "largest"):
            frame[f"{column}_per_call"] = [getattr(s, column) if s else None for s in spreads]
        return frame

    def __repr__(self) -> str:
        calls = self.calls
        time = self.per_call("ns")
        each = f", {time.mean:,.0f} ns each ({time.smallest:,.0f} to {time.largest:,.0f})" if time else ""
        return f"<Region {self.name!r}: {calls:,} calls{each}>\n{self.reading!r}"

    def _repr_html_(self) -> str:
        return self.reading._repr_html_()


def _cost_of_nothing(setup: _Setup) -> tuple[dict[str, float], int]:
    """What an empty region counts at the least, per event, and its time in ns; measured in this thread."""
    module = setup.layout.module
    least = module.ffi.new("uint64_t[]", max(1, setup.layout.size))
    ns = module.ffi.new("uint64_t *")
    if module.lib.armprof_regions_calibrate(64, ns, least):
        return {}, 0
    cost = {t.name: float(sum(least[s] for s in setup.layout.slots[i])) for i, t in enumerate(setup.layout.targets)}
    return cost, int(ns[0])


def _health_notes(setup: _Setup) -> list[str]:
    module = setup.layout.module
    health = module.ffi.new("armprof_regions_health *")
    module.lib.armprof_regions_read_health(health)
    notes = []
    if health.failed:
        notes.append(
            f"{health.failed} of {health.threads} threads could not open these events; their times alone are in"
        )
    if health.dropped:
        notes.append(f"{health.dropped:,} calls were nested too deep to be counted")
    if health.mismatched:
        notes.append(f"{health.mismatched:,} times a region was left that was not the innermost one of its thread")
    return notes


def region(name: str, events: Sequence[str] | None = None) -> Region:
    """The region of that name, the same object every time.

        parse = armprof.region("parse")
        with parse:
            ...
        parse.per_call("inst_retired").mean

    The first region of a process decides what all of them count: ``events``, or what fits into one group. Sums cover all
    threads; a region that is entered again inside itself counts a call, and its sums those of the outermost one. In a
    generator or coroutine a region counts whatever the thread runs between enter and leave. A child after fork counts
    from zero.

    Raises ArmprofError for an unknown event or one that the process's regions do not count, CannotCount where the native
    module is missing or there are too many regions.
    """
    with _lock:
        setup = _setup_for(events)
        found = _regions.get(name)
        if found is None:
            found = _regions[name] = Region(name, setup)
        return found


__all__ = ["Region", "Spread", "region"]
