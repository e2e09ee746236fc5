"""`region`: many short passes over one place, counted cheaply in C.

Entering and leaving sum in C, for each thread with its own counters: nothing is allocated, and where the kernel allows reads
in user space there is no system call. All regions of a process count the same events, those of one group.
"""

from __future__ import annotations

import errno
import functools
import inspect
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from armprof.counters import pmu
from armprof.counters.blocks import RegionBlock
from armprof.counters.combine import Difference, combined
from armprof.counters.machine import canonical_events, machine
from armprof.counters.reading import Count, Reading, Status, uncounted
from armprof.counters.refusal import Refusal, explain
from armprof.counters.suspect import mark_suspects
from armprof.errors import ArmprofError, CannotCount

if TYPE_CHECKING:
    import pandas as pd

    from armprof.metrics import ARM64Metrics

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Spread:
    """What one call counted, less the cost of an empty region: the mean, the least and the most.

    The extremes are None where only sums are known: an event that was multiplexed, or that several PMUs count.
    """

    mean: float
    smallest: float | None
    largest: float | None


class _Setup:
    """What the regions of this process count; decided by the first one."""

    def __init__(self, events: Sequence[str] | None) -> None:
        names = machine().default_events() if events is None else canonical_events(events)
        groups = pmu.groups_of(names)
        if events is None:
            groups = _default_groups(groups)
        self.names = [n for group in groups for n in group]
        self.layout = pmu.layout_of(tuple(groups))
        module = self.layout.module
        options = module.ffi.new("armprof_options *", {"cpu": -1, "user_reads": True})
        error = module.lib.armprof_regions_setup(self.layout.events, self.layout.size, options)
        # This thread's counters show what can be opened; a thread that cannot open the same counts nothing but time.
        error = error or module.lib.armprof_thread_start()
        if error:
            raise CannotCount(f"the regions' counters could not be set up: {os.strerror(error)}")
        opened = module.lib.armprof_thread_set()
        self.errors = [int(module.lib.armprof_event_error(opened, slot)) for slot in range(self.layout.size)]
        self.group_of = [int(module.lib.armprof_event_group(opened, slot)) for slot in range(self.layout.size)]
        self.cost: dict[str, float] = {}
        self.cost_ns = 0
        self.calibrate()

    def calibrate(self) -> None:
        """Sees what an empty region counts in this thread; ``cost`` and ``cost_ns`` are the least that was ever seen.

        Done when regions are set up too: once user reads are withdrawn an empty region takes ten times as long, and that
        times the calls from before would be more than these took. Does nothing in a thread that cannot tell: one without
        counters, or too deep inside regions.
        """
        module, layout = self.layout.module, self.layout
        least = module.ffi.new("uint64_t[]", max(1, layout.size))
        ns = module.ffi.new("uint64_t *")
        error = module.lib.armprof_regions_calibrate(64, ns, least)
        if error == errno.ENOMEM:
            raise CannotCount("no memory for the counters of this thread")
        if error:
            return
        for target, slots in zip(layout.targets, layout.slots, strict=True):
            now = float(sum(least[slot] for slot in slots))
            self.cost[target.name] = min(now, self.cost.get(target.name, now))
        self.cost_ns = min(int(ns[0]), self.cost_ns or int(ns[0]))


def _default_groups(groups: Sequence[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """What fits together: further groups would be multiplexed, and software events beside it would cost system calls. They
    are counted where the PMU counts nothing; what is refused is named with its reason.
    """
    *hardware, others = groups
    refused = [name for name in others if isinstance(machine().resolve(name), Refusal)]
    if hardware and machine().missing() is None:
        return [(*hardware[0], *refused)]
    return [("task_clock", "page_faults"), *hardware, tuple(refused)]


_lock = threading.Lock()
_setup: _Setup | None = None
_regions: dict[str, Region] = {}


def _renew_lock() -> None:
    """In a child after fork another thread of the parent may seem to hold it, and nobody would ever let it go."""
    global _lock
    _lock = threading.Lock()


os.register_at_fork(after_in_child=_renew_lock)


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
            raise CannotCount(f"no room for region {name!r}: a process can have {lib.ARMPROF_MAX_REGIONS - 1} of them")
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
            or inspect.isasyncgenfunction(function)
        ):
            what = getattr(function, "__qualname__", repr(function))
            raise ArmprofError(
                f"region {self.name!r} cannot decorate {what}(), which is left and resumed in between; "
                "put the `with` around the part of it that runs in one go"
            )

        @functools.wraps(function)
        def called(*args: P.args, **kwargs: P.kwargs) -> R:
            with self:
                return function(*args, **kwargs)

        return called

    # ---- what came of it ----

    @property
    def calls(self) -> int:
        """How often it was left, in all threads, recursive calls included."""
        return int(_totals(self).calls)

    @property
    def reading(self) -> Reading:
        """Totals of all calls in all threads, less the cost of as many empty regions."""
        return _Sums(self).reading

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
        name = event if event == "ns" else canonical_events([event])[0]
        return _Sums(self).spread(name)

    def to_frame(self) -> pd.DataFrame:
        """One row per event: the totals of `Reading.to_frame` and mean, smallest, largest of a call."""
        sums = _Sums(self)
        frame = sums.reading.to_frame()
        spreads = [sums.spread(str(event)) for event in frame.index]
        for column in ("mean", "smallest", "largest"):
            frame[f"{column}_per_call"] = [getattr(s, column) if s else None for s in spreads]
        return frame

    def __repr__(self) -> str:
        sums = _Sums(self)
        time = sums.spread("ns")
        each = f", {time.mean:,.0f} ns each ({time.smallest:,.0f} to {time.largest:,.0f})" if time else ""
        return f"<Region {self.name!r}: {_times(sums.calls)}{each}>\n{sums.reading!r}"

    def _repr_html_(self) -> str:
        return self.reading._repr_html_()


def _times(calls: int) -> str:
    return f"{calls:,} call{'s' * (calls != 1)}"


def _totals(region: Region) -> Any:
    module = region._setup.layout.module
    totals = module.ffi.new("armprof_region_totals *")
    error = module.lib.armprof_region_read(region._id, totals)
    if error:
        raise CannotCount(f"region {region.name!r} cannot be read: {os.strerror(error)}")
    return totals


class _Sums:
    """A region's sums at one moment, and what follows from them."""

    def __init__(self, region: Region) -> None:
        self._setup = region._setup
        self._layout = self._setup.layout
        self._setup.calibrate()
        self._cost, self._cost_ns = self._setup.cost, self._setup.cost_ns
        self._totals = _totals(region)
        self._outermost = int(self._totals.outermost)
        self.calls = int(self._totals.calls)
        names = self._setup.names
        counts = {name: uncounted(name, r.status, str(r)) for name, r in self._layout.refused.items()}
        counts |= {target.name: self._count(index) for index, target in enumerate(self._layout.targets)}
        self.reading = mark_suspects(
            Reading(
                counts={name: counts[name] for name in names},
                source="pmu",
                core=machine().core_name,
                duration_ns=max(0, int(self._totals.ns.total) - self._outermost * self._cost_ns),
                scope=f"region {region.name!r}, {_times(self.calls)}, user mode",
                access=self._access(),
                overhead={
                    n: self._cost[n] * self._outermost
                    for n in names
                    if self._cost.get(n) and counts[n].value is not None
                },
                notes=tuple(_health_notes(self._setup)),
            )
        )

    def _count(self, index: int) -> Count:
        layout, totals = self._layout, self._totals
        target = layout.targets[index]
        group = None if target.is_software else layout.group_of[index]
        if self._outermost == 0:
            return uncounted(
                target.name, Status.NOT_COUNTED, "the region was never left", unit=target.unit, group=group
            )
        enabled = int(totals.enabled_ns)
        counters: list[Difference | Refusal] = []
        for slot in layout.slots[index]:
            error = self._setup.errors[slot]
            if error:
                counters.append(explain(error, layout.machine.host, target.kernel))
                continue
            lost = int(totals.lost_ns[self._setup.group_of[slot]])
            counters.append(Difference(int(totals.events[slot].total), enabled, max(0, enabled - lost)))
        cost = self._outermost * self._cost.get(target.name, 0)
        return combined(target.name, [counters], cost, target.unit, group)

    def _access(self) -> str:
        lib = self._layout.module.lib
        own = lib.armprof_thread_set()
        modes = {lib.armprof_event_access(own, slot) for slot in range(self._layout.size)} - {lib.ARMPROF_CLOSED}
        if lib.ARMPROF_SYSCALL in modes or _withdrawn(self._setup):
            return "read()"
        return "user reads, fenced" if modes else ""

    def spread(self, event: str) -> Spread | None:
        """Of one outermost call; ``event`` by its canonical name, or "ns"."""
        if self._outermost == 0:
            return None
        if event == "ns":
            return self._of_one_call(self._totals.ns, self._cost_ns)
        count = self.reading.counts.get(event)
        if count is None or count.value is None:
            return None
        slots = next(s for t, s in zip(self._layout.targets, self._layout.slots, strict=True) if t.name == event)
        if count.status != Status.COUNTED or len(slots) != 1:
            return Spread(count.value / self._outermost, None, None)
        return self._of_one_call(self._totals.events[slots[0]], self._cost.get(event, 0))

    def _of_one_call(self, spread: Any, cost: float) -> Spread:
        values = int(spread.total) / self._outermost, int(spread.smallest), int(spread.largest)
        return Spread(*(max(0.0, value - cost) for value in values))


def _withdrawn(setup: _Setup) -> bool:
    lib = setup.layout.module.lib
    return bool(lib.armprof_user_reads_withdrawn(lib.armprof_thread_set()))


def _health_notes(setup: _Setup) -> list[str]:
    module = setup.layout.module
    health = module.ffi.new("armprof_regions_health *")
    module.lib.armprof_regions_read_health(health)
    notes = [pmu.WITHDRAWN] if _withdrawn(setup) else []
    if health.failed:
        notes.append(
            f"{health.failed} of {health.threads} threads could not open these events; their times alone are in"
        )
    if health.dropped:
        notes.append(f"{health.dropped:,} calls were nested too deep to be counted")
    if health.mismatched:
        notes.append(f"{_times(health.mismatched)} left in a thread that had not entered the region")
    return notes


def _check_name(name: object) -> None:
    if not isinstance(name, str):
        raise ArmprofError(f'a region has a name, not {name!r}; as a decorator it is @armprof.region("NAME")')
    if not name or "\0" in name:
        raise ArmprofError(f"{name!r} is no name for a region: it must not be empty nor contain NUL")
    try:
        name.encode()
    except UnicodeEncodeError:
        raise ArmprofError(f"{name!r} is no name for a region: it cannot be written as UTF-8") from None


def region(name: str, events: Sequence[str] | None = None) -> Region:
    """The region of that name, the same object every time.

        parse = armprof.region("parse")
        with parse:
            ...
        parse.per_call("inst_retired").mean

    The first region of a process decides what all of them count: ``events``, or what fits into one group. Sums cover all
    threads; a region that is entered again inside itself counts a call, and its sums those of the outermost one. In a
    generator or coroutine a region counts whatever the thread runs between enter and leave, other coroutines too; leave
    it in the thread that entered it. A child after fork counts from zero.

    Raises ArmprofError for an unknown event or one that the process's regions do not count, CannotCount where the native
    module is missing or there are too many regions.
    """
    _check_name(name)
    with _lock:
        setup = _setup_for(events)
        found = _regions.get(name)
        if found is None:
            found = _regions[name] = Region(name, setup)
        return found


__all__ = ["Region", "Spread", "region"]
