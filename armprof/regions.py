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
from dataclasses import fields
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from armprof.counters import pmu
from armprof.counters.blocks import RegionBlock
from armprof.counters.facts import facts
from armprof.counters.machine import canonical_events, machine, native
from armprof.counters.reading import Count, Reading
from armprof.counters.refusal import Refusal, explain
from armprof.counters.sums import Empty, Extremes, Health, RegionCounters, Slot, Spread, Sums, Totals, empty_of, times
from armprof.errors import ArmprofError, CannotCount

if TYPE_CHECKING:
    import pandas as pd

    from armprof.metrics import ARM64Metrics

P = ParamSpec("P")
R = TypeVar("R")


class _Setup:
    """What the regions of this process count; decided by the first one."""

    def __init__(self, events: Sequence[str] | None) -> None:
        names = machine().default_events() if events is None else canonical_events(events)
        groups = pmu.groups_of(names)
        if events is None:
            groups = _default_groups(groups)
        self.names = [n for group in groups for n in group]
        self.layout = layout = pmu.layout_of(tuple(groups))
        module = layout.module
        options = module.ffi.new("armprof_options *", {"cpu": -1, "user_reads": True})
        error = module.lib.armprof_regions_setup(layout.events, layout.size, options)
        # This thread's counters show what can be opened; a thread that cannot open the same counts nothing but time.
        error = error or module.lib.armprof_thread_start()
        if error:
            raise CannotCount(f"the regions' counters could not be set up: {os.strerror(error)}")
        self.counted = RegionCounters(
            machine=layout.machine,
            names=self.names,
            refused=layout.refused,
            targets={target.name: target for target in layout.targets},
            slots={target.name: slots for target, slots in zip(layout.targets, layout.slots, strict=True)},
            opened=_opened(layout),
        )
        self.empty: Empty | None = None
        self.calibrate()

    def calibrate(self) -> Empty:
        """Sees what an empty region counts in this thread; returns the least that was ever seen.

        Done when regions are set up too: once user reads are withdrawn an empty region takes ten times as long, and that
        times the calls from before would be more than these took. Learns nothing in a thread that cannot tell: one without
        counters, or too deep inside regions.
        """
        module, layout = self.layout.module, self.layout
        least = module.ffi.new("uint64_t[]", max(1, layout.size))
        ns = module.ffi.new("uint64_t *")
        error = module.lib.armprof_regions_calibrate(64, ns, least)
        if error == errno.ENOMEM:
            raise CannotCount("no memory for the counters of this thread")
        if not error:
            now = empty_of(self.counted.slots, least, int(ns[0]))
            before = self.empty or now
            cost = {event: min(now.cost[event], before.cost[event]) for event in now.cost}
            self.empty = Empty(cost, min(now.cost_ns, before.cost_ns))
        return self.empty or Empty({}, 0)


def _opened(layout: pmu.Layout) -> list[Slot]:
    """How each event of the layout was opened in this thread."""
    lib = layout.module.lib
    opened = lib.armprof_thread_set()
    names = {lib.ARMPROF_USER64: "user64", lib.ARMPROF_USER32: "user32", lib.ARMPROF_SYSCALL: "syscall"}
    kernel = {slot: target.kernel for target, slots in zip(layout.targets, layout.slots, strict=True) for slot in slots}
    found = []
    for slot in range(layout.size):
        error = int(lib.armprof_event_error(opened, slot))
        found.append(
            Slot(
                group=int(lib.armprof_event_group(opened, slot)),
                access=names.get(lib.armprof_event_access(opened, slot), "closed"),
                refusal=explain(error, layout.machine.host, kernel[slot]) if error else None,
            )
        )
    return found


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
        return _totals(self).calls

    @property
    def reading(self) -> Reading:
        """Totals of all calls in all threads, less the cost of as many empty regions."""
        return _sums(self).reading

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
        return _sums(self).spread(name)

    def to_frame(self) -> pd.DataFrame:
        """One row per event: the totals of `Reading.to_frame` and mean, smallest, largest of a call."""
        sums = _sums(self)
        frame = sums.reading.to_frame()
        spreads = [sums.spread(str(event)) for event in frame.index]
        for column in ("mean", "smallest", "largest"):
            frame[f"{column}_per_call"] = [getattr(s, column) if s else None for s in spreads]
        return frame

    def __repr__(self) -> str:
        sums = _sums(self)
        time = sums.spread("ns")
        each = f", {time.mean:,.0f} ns each ({time.smallest:,.0f} to {time.largest:,.0f})" if time else ""
        return f"<Region {self.name!r}: {times(sums.calls)}{each}>\n{sums.reading!r}"

    def _repr_html_(self) -> str | None:
        return self.reading._repr_html_()


def _totals(region: Region) -> Totals:
    setup = region._setup
    module, size = setup.layout.module, setup.layout.size
    totals = module.ffi.new("armprof_region_totals *")
    error = module.lib.armprof_region_read(region._id, totals)
    if error:
        raise CannotCount(f"region {region.name!r} cannot be read: {os.strerror(error)}")
    return Totals(
        calls=int(totals.calls),
        outermost=int(totals.outermost),
        counted=int(totals.counted),
        ns=_extremes(totals.ns),
        enabled_ns=int(totals.enabled_ns),
        lost_ns=tuple(map(int, totals.lost_ns)),
        events=tuple(_extremes(totals.events[slot]) for slot in range(size)),
    )


def _extremes(spread: Any) -> Extremes:
    return Extremes(int(spread.total), int(spread.smallest), int(spread.largest))


def _sums(region: Region) -> Sums:
    setup = region._setup
    empty = setup.calibrate()
    return Sums(region.name, setup.counted, _totals(region), empty, _health(setup), facts(whole_process=True))


def keep_latencies() -> None:
    """From now on every region counts how many of its calls took how long, in every thread of the process."""
    lib = native().lib
    if error := lib.armprof_regions_keep_latencies():
        raise CannotCount(f"no memory for the latencies of regions: {os.strerror(error)}")


def latencies() -> dict[str, tuple[float, list[tuple[int, int]]]]:
    """Of each region its time together and its calls by time, (the shortest that is meant in ns, calls), since
    `keep_latencies`. What an empty region takes is not in them.
    """
    module = native()
    found = {}
    with _lock:
        regions = list(_regions.values())
    buckets = module.ffi.new("uint64_t[]", module.lib.ARMPROF_LATENCY_BUCKETS)
    for region in regions:
        if module.lib.armprof_region_read_latencies(region._id, buckets):
            continue
        empty = region._setup.empty
        cost = empty.cost_ns if empty else 0
        totals = _totals(region)
        calls = [
            (max(0, int(module.lib.armprof_latency_ns(at)) - cost), n)
            for at, n in enumerate(module.ffi.unpack(buckets, len(buckets)))
            if n
        ]
        found[region.name] = (max(0.0, totals.ns.total - totals.outermost * cost), calls)
    return found


def _health(setup: _Setup) -> Health:
    module = setup.layout.module
    health = module.ffi.new("armprof_regions_health *")
    module.lib.armprof_regions_read_health(health)
    found = {field.name: int(getattr(health, field.name)) for field in fields(Health)}
    # Threads that have ended say nothing of how this region was read: this thread does.
    found["withdrawn"] = int(module.lib.armprof_user_reads_withdrawn(module.lib.armprof_thread_set()))
    return Health(**found)


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
