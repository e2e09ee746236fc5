"""Summing rows over intervals, CPUs, threads, control groups and runs.

Counts are summed before anybody forms a ratio: the mean of the ratios of intervals is another number (on a
published recording of six intervals 11.88 where the ratio of the sums is 7.18).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, overload

from armprof.counters.imported.lines import EventLine, core, counts, name_lines
from armprof.counters.imported.row import PLACE, Row
from armprof.counters.imported.tally import RowTally
from armprof.counters.reading import Reading
from armprof.counters.suspect import mark_suspects

if TYPE_CHECKING:
    from armprof.counters.imported.columns import Block

_CPUS = re.compile(rf"{PLACE}$", re.ASCII)
_ACCESS = {"text": "perf stat text", "csv": "perf stat -x", "json": "perf stat -j"}


def reading(
    lines: Collection[EventLine], form: str, scope: str, *, system_wide: bool, duration_ns: int | None
) -> Reading:
    """The Reading of some event lines, with the counts marked that contradict each other."""
    return mark_suspects(
        Reading(
            counts=counts(lines, system_wide=system_wide),
            source="imported",
            core=core(lines),
            duration_ns=duration_ns,
            scope=scope,
            access=_ACCESS[form],
        )
    )


class Parts(Sequence[Reading]):
    """One Reading for each interval and place; those of a block are made when they are asked for."""

    def __init__(self, lazy: int = 0, make: Callable[[int], Reading] | None = None) -> None:
        self._lazy, self._make = lazy, make
        self._rest: list[Reading] = []

    def append(self, part: Reading) -> None:
        self._rest.append(part)

    def __len__(self) -> int:
        return self._lazy + len(self._rest)

    @overload
    def __getitem__(self, at: int) -> Reading: ...
    @overload
    def __getitem__(self, at: slice) -> tuple[Reading, ...]: ...
    def __getitem__(self, at: int | slice) -> Reading | tuple[Reading, ...]:
        if isinstance(at, slice):
            return tuple(self[i] for i in range(*at.indices(len(self))))
        number = range(len(self))[at]
        if self._make is not None and number < self._lazy:
            return self._make(number)
        return self._rest[number - self._lazy]


class RowSums:
    """Takes rows as they come; keeps their sums, and one Reading for each interval and place."""

    def __init__(self, form: str) -> None:
        self.parts = Parts()
        self.places: dict[str, None] = {}  # in the order of the output
        self.intervals = 0
        self.intervals_ns = 0  # their length together
        self.runs = 0
        self._form = form
        # By control group and label, and the how-manieth line with that label in its stretch.
        self._sums: dict[tuple[str, str, int], RowTally] = {}
        # The current stretch is one interval, or one run without intervals: its rows by place and control
        # group.
        self._stretch: dict[tuple[str, str], list[RowTally]] = {}
        self._seen: Counter[tuple[str, str, str]] = Counter()
        self._at: tuple[int, int | None] = (-1, None)  # run and time
        self._length_ns = 0

    def add(self, row: Row) -> None:
        if (row.run, row.time_ns) != self._at:
            self._next_stretch(row)
        self.places.setdefault(row.where)
        tally = RowTally.of(row, self._length_ns or 1.0)
        self._stretch.setdefault((row.where, row.cgroup), []).append(tally)
        line = (row.where, row.cgroup, row.label)
        key = (row.cgroup, row.label, self._seen[line])
        self._seen[line] += 1
        self._sums.setdefault(key, RowTally()).add(tally)

    def add_block(self, block: Block) -> None:
        """Takes many whole intervals, of everything in one place; they stand at the beginning."""
        self.runs, self.intervals = 1, len(block.ends_ns)
        self.intervals_ns = int(block.ends_ns[-1])
        self.places.setdefault("")
        self._at = (0, self.intervals_ns)
        for label, occurrence, tally in block.lines():
            self._sums["", label, occurrence] = tally
        self.parts = Parts(len(block.ends_ns), lambda interval: self._of_block(block, interval))

    def _of_block(self, block: Block, interval: int) -> Reading:
        length = int(block.lengths_ns[interval])
        tallies = [RowTally.of(block.row(interval, column), length) for column in range(len(block.rows))]
        return self._interval("", "", tallies, int(block.ends_ns[interval]), length)

    def _interval(self, place: str, cgroup: str, tallies: list[RowTally], end: int | None, length: int) -> Reading:
        until = "" if end is None else f"interval to {end / 1e9:.3f} s"
        scope = ", ".join(filter(None, [place, f"cgroup {cgroup}" if cgroup else "", until]))
        cpus = _CPUS.match(place) is not None
        return reading(name_lines(tallies), self._form, scope, system_wide=cpus, duration_ns=length or None)

    def _next_stretch(self, row: Row) -> None:
        self.close()
        run, time = self._at
        self.runs += run != row.run
        self._at = (row.run, row.time_ns)
        self._length_ns = 0
        if row.time_ns is not None:
            self._length_ns = row.time_ns - (time if time is not None and run == row.run else 0)
            self.intervals_ns += self._length_ns
            self.intervals += 1

    def close(self) -> None:
        """End the current stretch; to be called once behind the last row."""
        for (place, cgroup), tallies in self._stretch.items():
            self.parts.append(self._interval(place, cgroup, tallies, self._at[1], self._length_ns))
        self._stretch.clear()
        self._seen.clear()

    def lines(self) -> list[EventLine]:
        """The event lines of everything together."""
        by_line: dict[tuple[str, int], dict[str, RowTally]] = {}
        for (cgroup, label, occurrence), tally in self._sums.items():
            by_line.setdefault((label, occurrence), {})[cgroup] = tally
        together = []
        for tallies in by_line.values():
            paths = {cgroup.strip("/") for cgroup in tallies}
            total = RowTally()
            for cgroup, tally in tallies.items():
                if not _inside_another(cgroup.strip("/"), paths):
                    total.add(tally)
            together.append(total)
        return name_lines(together)

    @property
    def cgroups(self) -> list[str]:
        return list(dict.fromkeys(cgroup for cgroup, _, _ in self._sums if cgroup))

    @property
    def by_cpu(self) -> bool:
        return any(map(_CPUS.match, self.places))


def _inside_another(path: str, paths: set[str]) -> bool:
    """Whether one of the control groups holds this one and so has its counts; "" is the root, or no group."""
    names = path.split("/", 64)
    return path != "" and any("/".join(names[:depth]) in paths for depth in range(len(names)))
