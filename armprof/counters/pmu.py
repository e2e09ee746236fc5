"""The source `pmu`: counters of this machine, opened through the native module and read into Readings."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from armprof.counters.blocks import SampleBlock
from armprof.counters.combine import Difference, combined
from armprof.counters.facts import facts
from armprof.counters.machine import EventTarget, Machine, canonical_events, machine, native
from armprof.counters.plan import TOGETHER, Capacity, plan
from armprof.counters.reading import Count, Reading, Status, uncounted
from armprof.counters.refusal import Refusal, explain
from armprof.counters.sums import WITHDRAWN
from armprof.counters.suspect import mark_suspects
from armprof.errors import CannotCount

Scope = Literal["thread", "process", "command"]

SCOPES: dict[Scope, str] = {
    "thread": "this thread, user mode",
    "process": "this process with the threads and children it starts, user mode",
    "command": "the command with the threads and children it starts, user mode",
}


class Sample:
    """All counters at one moment. Only differences of two mean anything."""

    __slots__ = ("at_ns", "counts", "error")

    def __init__(self, counts: Any) -> None:
        self.counts = counts  # a native array, a row of the layout's size for each set
        self.at_ns = 0
        self.error = 0


class Layout:
    """Groups of events as the native module takes them: made once, opened many times. ``kernel``: count kernel mode too."""

    def __init__(self, groups: Sequence[Sequence[str]], on: Machine, kernel: bool = False) -> None:
        self.machine = on
        self.module = native()
        self.names = [name for group in groups for name in group]
        self.refused: dict[str, Refusal] = {}
        self.targets: list[EventTarget] = []
        self.group_of: list[int] = []
        rows: list[dict[str, Any]] = []
        rows_of: list[tuple[int, ...]] = []
        pmus = max(1, len(on.host.pmus))
        for number, group in enumerate(groups):
            for name in group:
                target = on.resolve(name)
                if isinstance(target, Refusal):
                    self.refused[name] = target
                    continue
                self.targets.append(target)
                self.group_of.append(number)
                rows_of.append(tuple(range(len(rows), len(rows) + len(target.attrs))))
                for at, (kind, config) in enumerate(target.attrs):
                    # a group lives on one PMU; software events never wait and get a group of their own
                    own = len(groups) * pmus if target.is_software else number * pmus + at
                    rows.append({"type": kind, "config": config, "kernel": target.kernel or kernel, "group": own})
        most = self.module.lib.ARMPROF_MAX_EVENTS
        if len(rows) > most:
            raise CannotCount(f"{len(rows)} events at once, and at most {most} can be open", "ask for fewer")
        by_group = sorted(range(len(rows)), key=lambda i: int(rows[i]["group"]))
        place = {row: at for at, row in enumerate(by_group)}
        self.size = len(rows)
        self.events = self.module.ffi.new("armprof_event[]", [rows[i] for i in by_group])
        self.slots = [tuple(place[i] for i in indexes) for indexes in rows_of]  # per target: its native events


class Counters:
    """Events that are open and counting, until `close`.

    The groups of the layout are opened one after the other; events of one group are counted together. With more
    groups than the PMU can hold the kernel gives each its turn (multiplexing). Nothing that cannot be opened stops the
    rest: it becomes a Count with its reason.
    """

    def __init__(self, layout: Layout, scope: Scope = "thread", pid: int = 0, fenced: bool = True) -> None:
        self.layout = layout
        self.scope: Scope = scope
        self._fenced = fenced
        self._pid = pid
        self._sets: list[Any] = []
        self._late_threads = ""
        self._lib = layout.module.lib
        ffi = layout.module.ffi
        self._handles = ffi.new("armprof_set *[]", 1)
        if layout.size == 0:
            return
        options = {
            "cpu": -1,
            "inherit": scope != "thread",
            "enable_on_exec": scope == "command",
            "user_reads": scope == "thread",
            "unfenced": not fenced,
        }
        threads = self._threads()
        for tid in threads:
            native_options = ffi.new("armprof_options *", options | {"pid": tid})
            native_set = self._lib.armprof_open(layout.events, layout.size, native_options)
            if native_set == ffi.NULL:
                self.close()
                raise CannotCount("no memory for the counters")
            # Closed when nothing holds it: by itself and not by a __del__ of ours, in which a signal handler or another
            # thread could still find these counters among the open ones, and sample what is closed.
            self._sets.append(ffi.gc(native_set, self._lib.armprof_close))
        self._handles = ffi.new("armprof_set *[]", self._sets)
        if scope == "process":
            self._late_threads = self._started_after(threads)

    def _threads(self) -> list[int]:
        """Whom to count. Inheritance covers what is started later, so threads that live already are opened by name."""
        if self.scope == "command":
            return [self._pid]
        if self.scope == "thread":
            return [0]
        mine = os.getpid()
        return [mine, *sorted(int(t.name) for t in Path("/proc/self/task").iterdir() if int(t.name) != mine)]

    def _started_after(self, threads: list[int]) -> str:
        """A note on threads that started since. Opening them too would count twice those that a followed one started."""
        try:
            late = len(set(self._threads()) - set(threads))
        except OSError as e:
            return f"threads that started while the counters were being opened may be missing: {e.strerror}"
        return f"threads that started while the counters were being opened and may be missing: {late}" if late else ""

    def close(self) -> None:
        """Closes the counters, which else happens when nobody holds them any more. Twice does no harm."""
        closing, self._sets = self._sets, []
        for native_set in closing:
            self.layout.module.ffi.release(native_set)

    def new_sample(self) -> Sample:
        """Room for a sample, made ahead of the stretch so that taking one is a call and no more."""
        return Sample(self.layout.module.ffi.new("armprof_count[]", max(1, len(self._sets) * self.layout.size)))

    @property
    def native_set(self) -> Any:
        """The open set of this thread, for C to sample; NULL where nothing could be opened at all."""
        return self._handles[0]

    def addresses(self, before: Sample, after: Sample) -> tuple[int, int, int, int, int, int]:
        """What `SampleBlock._bind` takes."""
        ffi = self.layout.module.ffi
        sample = ffi.addressof(self._lib, "armprof_sample")
        return (
            int(ffi.cast("uintptr_t", sample)),
            int(ffi.cast("uintptr_t", self._handles)),
            len(self._sets),
            self.layout.size,
            int(ffi.cast("uintptr_t", before.counts)),
            int(ffi.cast("uintptr_t", after.counts)),
        )

    def take(self, sample: Sample) -> None:
        self._take(sample)
        sample.at_ns = time.monotonic_ns()

    def take_first(self, sample: Sample) -> None:
        """`take` for the beginning of a stretch: the clock before the counters, so that neither counts the other."""
        sample.at_ns = time.monotonic_ns()
        self._take(sample)

    def _take(self, sample: Sample) -> None:
        for at, native_set in enumerate(self._sets):
            error = self._lib.armprof_sample(native_set, sample.counts + at * self.layout.size)
            sample.error = error or sample.error

    # ---- what came of it ----

    def reading(
        self,
        before: Sample,
        after: Sample,
        overhead: Mapping[str, float] | None = None,
        notes: Sequence[str] = (),
    ) -> Reading:
        """The Reading of the stretch between two samples."""
        overhead = overhead or {}
        counts = {name: uncounted(name, r.status, str(r)) for name, r in self.layout.refused.items()}
        for index, target in enumerate(self.layout.targets):
            counts[target.name] = self._count(index, before, after, overhead.get(target.name, 0.0))
        return mark_suspects(
            Reading(
                counts={name: counts[name] for name in self.layout.names},
                source="pmu",
                core=self.layout.machine.core_name,
                duration_ns=after.at_ns - before.at_ns,
                scope=SCOPES[self.scope],
                access=self.access(),
                overhead={n: v for n, v in overhead.items() if v and n in counts and counts[n].value is not None},
                notes=(*self._notes(), *notes),
                facts=facts(whole_process=self.scope != "thread", command=self.scope == "command"),
            )
        )

    def _count(self, index: int, before: Sample, after: Sample, overhead: float) -> Count:
        target = self.layout.targets[index]
        error = before.error or after.error
        if error == errno.ESTALE:
            return uncounted(
                target.name,
                Status.NOT_COUNTED,
                "the block was entered before a fork: the counters are the parent's",
            )
        if error:
            return uncounted(target.name, Status.NOT_COUNTED, f"reading the counters failed: {os.strerror(error)}")
        threads = [self._differences(index, at, before, after) for at in range(len(self._sets))]
        return combined(
            target.name,
            [thread for thread in threads if thread],
            overhead,
            target.unit,
            None if target.is_software else self.layout.group_of[index],
        )

    def _differences(self, index: int, at: int, before: Sample, after: Sample) -> list[Difference | Refusal]:
        """What an event's counters did in one thread; nothing for a thread that ended before it could be followed."""
        found: list[Difference | Refusal] = []
        for slot in self.layout.slots[index]:
            failed = self._lib.armprof_event_error(self._sets[at], slot)
            if failed == errno.ESRCH and len(self._sets) > 1:
                continue
            if failed:
                found.append(explain(failed, self.layout.machine.host, self.layout.targets[index].kernel))
                continue
            first, last = (s.counts[at * self.layout.size + slot] for s in (before, after))
            found.append(
                Difference(
                    last.value - first.value, last.enabled_ns - first.enabled_ns, last.running_ns - first.running_ns
                )
            )
        return found

    def access(self) -> str:
        """How the counters are read, in words; "" where none is open."""
        lib = self._lib
        modes = {lib.armprof_event_access(s, slot) for s in self._sets for slot in range(self.layout.size)}
        modes.discard(lib.ARMPROF_CLOSED)
        if not modes:
            return ""
        if lib.ARMPROF_SYSCALL in modes or any(lib.armprof_samples_by_syscall(s) for s in self._sets):
            return "read()"
        widths = "64-bit" if modes == {lib.ARMPROF_USER64} else "32-bit extended by the kernel"
        return f"user reads ({widths}), {'fenced' if self._fenced else 'unfenced'}"

    def _notes(self) -> list[str]:
        notes = []
        if any(self._lib.armprof_user_reads_withdrawn(s) for s in self._sets):
            notes.append(WITHDRAWN)
        if self._late_threads:
            notes.append(self._late_threads)
        return notes


class Stretch(SampleBlock):
    """A `with` block that open counters sample before and after. The samples are there for `Counters.reading`."""

    def __init__(self, counters: Counters) -> None:
        self.counters = counters
        self.before, self.after = counters.new_sample(), counters.new_sample()

    def _prepare(self) -> None:
        self._bind(*self.counters.addresses(self.before, self.after))
        self.before.at_ns = time.monotonic_ns()

    def _finish(self, error: int) -> None:
        self.after.at_ns = time.monotonic_ns()
        self.after.error = error

    def reading(self, overhead: Mapping[str, float] | None = None, notes: Sequence[str] = ()) -> Reading:
        """What was counted, less ``overhead``."""
        return self.counters.reading(self.before, self.after, overhead, notes)


# CPython specialises code after 8 runs, and its first runs cost three times as much.
CALIBRATION_ROUNDS = 24


def cost_of_nothing(counters: Counters) -> dict[str, float]:
    """What a block with nothing in it counts at the least, per event."""
    if counters.scope != "thread":
        return {}  # the other threads work on meanwhile, and the least of that is no cost of ours
    least: dict[str, float] = {}
    stretch = Stretch(counters)
    for _ in range(CALIBRATION_ROUNDS):
        with stretch as _:
            pass
        for count in stretch.reading().counts.values():
            if count.status == Status.COUNTED and count.value is not None:
                least[count.event] = min(count.value, least.get(count.event, count.value))
    return least


def groups_of(
    events: Sequence[str],
    anchors: Sequence[str] = (),
    together: Sequence[Sequence[str]] = TOGETHER,
    on: Machine | None = None,
) -> list[tuple[str, ...]]:
    """The events in groups that fit this machine: the PMU's as `plan` puts them, the rest in one more."""
    here = on or machine()
    hardware: list[str] = []
    others: list[str] = []
    for name in events:
        target = here.resolve(name)
        (others if isinstance(target, Refusal) or target.is_software else hardware).append(name)
    budget = here.budget() if hardware else None
    groups = (
        plan(hardware, budget, anchors, together)
        if isinstance(budget, Capacity)
        else [tuple(hardware)]
        if hardware
        else []
    )
    return [*groups, tuple(others)] if others else groups


@lru_cache(maxsize=64)
def layout_of(groups: tuple[tuple[str, ...], ...]) -> Layout:
    """The layout of these groups on this machine."""
    return Layout(groups, machine())


ANCHORS = ("cpu_cycles", "inst_retired")


def count(
    work: Callable[[], Any],
    events: Sequence[str] | None = None,
    repeat: int = 1,
    together: Sequence[Sequence[str]] = TOGETHER,
) -> Reading:
    """Counts ``work()`` without multiplexing: one pass for each group of events, ``repeat`` calls in each.

    The work is called once more at first, uncounted, to warm up. Counts are totals of ``repeat`` calls; an event that was
    counted in every pass (instructions, cycles) is the mean of the passes, and a note tells how far they were apart.
    """
    names = canonical_events(events) if events is not None else machine().default_events()
    work()
    passes: list[Reading] = []
    for group in groups_of(names, ANCHORS, together):
        counters = Counters(layout_of((group,)))
        try:
            overhead = cost_of_nothing(counters)
            stretch = Stretch(counters)
            with stretch:
                for _ in range(repeat):
                    work()
            passes.append(stretch.reading(overhead))
        finally:
            counters.close()
    return joined(passes, names)


def joined(passes: Sequence[Reading], names: Sequence[str]) -> Reading:
    """One Reading of several passes over the same work."""
    counts: dict[str, Count] = {}
    notes = [note for reading in passes for note in reading.notes]
    for name in names:
        found = [replace(r.counts[name], group=i) for i, r in enumerate(passes) if name in r.counts]
        valued = [c for c in found if c.value is not None and c.raw is not None]
        if not valued:
            counts[name] = found[0] if found else uncounted(name, Status.NOT_COUNTED, "no pass was made for it")
            continue
        values = [c.value for c in valued if c.value is not None]
        worst = min(valued, key=lambda c: 1.0 if c.coverage is None else c.coverage)
        counts[name] = replace(
            worst,
            value=sum(values) / len(values),
            raw=sum(c.raw for c in valued if c.raw is not None) / len(valued),
            group=None if len(valued) > 1 else worst.group,
        )
        apart = 1 - min(values) / max(values) if max(values) > 0 else 0.0
        if name == "inst_retired" and apart > 0.01:
            notes.append(f"the passes differ by {apart:.1%} in instructions: the work is not the same each time")
    first = passes[0] if passes else Reading({}, "pmu")
    durations = [r.duration_ns for r in passes if r.duration_ns is not None]
    hardware = sum(any(c.group is not None for c in r.counts.values()) for r in passes)
    if hardware > 1:
        notes.append(f"counted in {hardware} passes over the same work, nothing multiplexed")
    return mark_suspects(
        replace(
            first,
            counts=counts,
            duration_ns=round(sum(durations) / len(durations)) if durations else None,
            overhead={name: v for r in passes for name, v in r.overhead.items()},
            notes=tuple(dict.fromkeys(notes)),
        )
    )
