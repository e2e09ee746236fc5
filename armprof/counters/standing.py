"""Counters that stay open on a CPU, a process or a cgroup, and tell what they counted since they were asked last.

Each difference has the times of its own interval. A ratio over the whole life of a counter would change what was already
told whenever multiplexing changes (cAdvisor exports that as a counter that falls).
"""

from __future__ import annotations

import errno
import os
import struct
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from math import nan
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from armprof.counters.combine import NEGLIGIBLE_LOSS
from armprof.counters.reading import Count, Status, uncounted
from armprof.counters.refusal import Refusal, explain
from armprof.errors import CannotCount

if TYPE_CHECKING:
    from armprof.counters.pmu import Layout

WHOLE = 1 - NEGLIGIBLE_LOSS  # the share of its time from which on a counter is taken to have run all of it
NO_TURN = "its group did not have the counters in this interval: others took them, or there are too many groups"
NOTHING_RAN = "nothing ran in this interval"


@dataclass(frozen=True, slots=True)
class Attachment:
    """What counters are put on: a thread, a CPU (pid -1), or a cgroup on a CPU (pid is a descriptor of its folder)."""

    pid: int = -1
    cpu: int = -1
    inherit: bool = False
    cgroup: bool = False


class Interval(NamedTuple):
    """What one event counted in one interval. ``value`` is ``raw``, scaled where the counter did not run all the time; None
    where it did not run at all. A count over many intervals is `joined` from them.
    """

    value: float | None
    raw: int
    enabled_ns: int
    running_ns: int


def interval(raw: int, enabled_ns: int, running_ns: int) -> Interval:
    """The interval of these differences; C has the same rule (standing.c)."""
    if running_ns >= enabled_ns * WHOLE and running_ns > 0:
        return Interval(raw, raw, enabled_ns, running_ns)
    return Interval(raw * (enabled_ns / running_ns) if running_ns > 0 else None, raw, enabled_ns, running_ns)


def joined(parts: Sequence[Interval]) -> Interval:
    """Several intervals of one event as one. Those in which its group had no turn are taken to be like the rest."""
    raw = sum(i.raw for i in parts)
    enabled = sum(i.enabled_ns for i in parts)
    running = sum(i.running_ns for i in parts)
    seen = sum(i.enabled_ns for i in parts if i.value is not None)
    known = sum(i.value for i in parts if i.value is not None)
    return Interval(known * (enabled / seen) if 0 < seen < enabled else known if seen else None, raw, enabled, running)


INTERVAL = struct.Struct("=dqqq")  # armprof_interval

# The intervals of several events as they come from C, flat: value, raw, enabled_ns and running_ns of each, with NaN for a value
# that is None. What is sampled ten times a second is kept and stored so: to make an Interval of each took as long as to count.
Row = tuple[float, ...]


def intervals(row: Row) -> list[Interval]:
    """The row's intervals, by event."""
    values = (None if value != value else value for value in row[0::4])
    return list(map(Interval, values, row[1::4], row[2::4], row[3::4]))  # type: ignore[arg-type]  # only values are float


def row_of(found: Iterable[Interval]) -> Row:
    """The intervals as a row."""
    return tuple(chain.from_iterable((nan if one.value is None else one.value, *one[1:]) for one in found))


def count_of(event: str, found: Interval, unit: str = "", group: int | None = None) -> Count:
    """The interval as a Count."""
    if found.value is None:
        reason = NO_TURN if found.enabled_ns else NOTHING_RAN
        times = {"enabled_ns": found.enabled_ns, "running_ns": found.running_ns}
        return uncounted(event, Status.NOT_COUNTED, reason, unit=unit, group=group, **times)
    scaled = found.running_ns < found.enabled_ns * WHOLE
    return Count(
        event=event,
        value=found.value,
        raw=found.raw,
        enabled_ns=found.enabled_ns,
        running_ns=found.running_ns,
        status=Status.SCALED if scaled else Status.COUNTED,
        reason="multiplexed: an estimate from the time that its group had the counters" if scaled else None,
        unit=unit,
        group=group,
    )


class Standing:
    """A layout's events, open on several places and counted together, until `close`.

    ``events`` are those that could be opened on any of the places, ``refused`` the rest with the reason.
    """

    def __init__(self, layout: Layout, places: Sequence[Attachment]) -> None:
        self.module = module = layout.module
        self._lib = module.lib
        assert module.ffi.sizeof("armprof_interval") == INTERVAL.size
        self._sets: list[object] = []
        self.native = module.ffi.new("armprof_standing *", {"events": layout.size, "whole": WHOLE})
        self.size = layout.size
        self.refused = dict(layout.refused)
        for place in places if layout.size else ():
            options = {"pid": place.pid, "cpu": place.cpu, "inherit": place.inherit, "cgroup": place.cgroup}
            opened = module.lib.armprof_open(
                layout.events, layout.size, module.ffi.new("armprof_options *", {**options, "unfenced": True})
            )
            if opened == module.ffi.NULL:
                self.close()
                raise CannotCount("no memory for the counters")
            self._sets.append(opened)
        numbers = max(1, self.size * len(self._sets))
        self._memory = (  # which C only points to
            module.ffi.new("armprof_set *[]", self._sets),
            module.ffi.new("armprof_count[]", numbers),
            module.ffi.new("armprof_count[]", numbers),
        )
        self.native.sets, self.native.before, self.native.now = self._memory
        self.native.places = len(self._sets)
        self._slots: list[tuple[int, ...]] = []
        self.events: list[str] = []
        self.units: dict[str, str] = {}
        self.groups: dict[str, int | None] = {}
        everyone = any(place.cpu >= 0 for place in places)
        for target, slots, group in zip(layout.targets, layout.slots, layout.group_of, strict=True):
            errors = [self._error(slots, at) for at in range(len(self._sets))]
            if errors and all(errors):
                telling = next((e for e in errors if e != errno.ESRCH), errno.ESRCH)
                self.refused[target.name] = explain(telling, layout.machine.host, target.kernel, everyone)
                continue
            self.events.append(target.name)
            self.units[target.name] = target.unit
            self.groups[target.name] = None if target.is_software else group
            self._slots.append(slots)
        self._layout = self._layout_of_rows()
        self._since = module.ffi.new("armprof_interval[]", max(1, self.size))
        self._memory_of_since = memoryview(module.ffi.buffer(self._since))
        self.difference()  # those that are told begin here

    def _error(self, slots: tuple[int, ...], at: int) -> int:
        """0 where any of the event's counters is open in this set."""
        errors = [int(self._lib.armprof_event_error(self._sets[at], slot)) for slot in slots]
        return 0 if 0 in errors else errors[0]

    def close(self) -> None:
        """Closes the counters. Twice does no harm."""
        self.native.places = 0
        for opened in self._sets:
            self._lib.armprof_close(opened)
        self._sets = []

    def __del__(self) -> None:
        self.close()

    def difference(self) -> Row | None:
        """What each of ``events`` counted since the last time; None where the counters cannot be read any more."""
        if self._lib.armprof_standing_difference(self.native, self._since):
            return None
        return self.row(self._memory_of_since, 0)

    def _layout_of_rows(self) -> struct.Struct | None:
        """Of ``size`` armprof_interval, those of ``events``; None where one of them is the sum of several, or where they lie in
        another order: those of the kernel come last.
        """
        slots = [slot for own in self._slots for slot in own]
        if len(slots) > len(self._slots) or slots != sorted(slots):
            return None
        left_out = f"{INTERVAL.size}x"
        return struct.Struct("=" + "".join("dqqq" if slot in slots else left_out for slot in range(self.size)))

    def row(self, memory: memoryview, at: int) -> Row:
        """What ``size`` armprof_interval of `native`, which begin at that byte of the memory, say of each of ``events``."""
        if self._layout is not None:
            return self._layout.unpack_from(memory, at)
        rows = [Interval(*INTERVAL.unpack_from(memory, at + INTERVAL.size * slot)) for slot in range(self.size)]
        return row_of(self._of_several([rows[slot] for slot in own]) for own in self._slots)

    @staticmethod
    def _of_several(rows: Sequence[Interval]) -> Interval:
        """PMUs count in turn, on whichever CPU the thread is: together they ran at most as long as it did."""
        return interval(
            sum(row.raw for row in rows), max(row.enabled_ns for row in rows), sum(row.running_ns for row in rows)
        )


def threads_of_tree(pid: int) -> list[int]:
    """The process's threads, and those of the children that it has now, each with theirs. Empty where it is gone."""
    found: list[int] = []
    waiting = [pid]
    seen: set[int] = set()
    while waiting:
        process = waiting.pop()
        if process in seen:
            continue
        seen.add(process)
        with suppress(OSError):
            for task in sorted(Path(f"/proc/{process}/task").iterdir(), key=lambda path: int(path.name)):
                found.append(int(task.name))
                with suppress(OSError):
                    waiting += map(int, (task / "children").read_text().split())
    return found


def on_process(layout: Layout, pid: int) -> Standing:
    """Counters on all that lives of the process and its children now, and on what they start from now on."""
    return Standing(layout, [Attachment(pid=thread, inherit=True) for thread in threads_of_tree(pid)])


def why_not_cgroup(folder: Path) -> Refusal | None:
    """Why a cgroup's folder cannot be counted; None where it can."""
    if not folder.is_dir():
        return Refusal(Status.NOT_COUNTED, f"there is no cgroup {folder}")
    if not os.path.exists(folder / "cgroup.procs"):
        return Refusal(Status.NOT_COUNTED, f"{folder} is no cgroup: it has no cgroup.procs")
    return None
