"""Samples with names: which functions and lines the events were in, by whom they were called."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from armprof.counters.reading import Reading
from armprof.display import Displayed
from armprof.errors import ArmprofError
from armprof.samples.trace import Losses, Sampled

if TYPE_CHECKING:
    import pandas as pd

UNKNOWN = "?"
NO_PLACE = "[no place]"  # the module of what was counted over missing samples, or by a thread that had ended


@dataclass(frozen=True, slots=True)
class Frame:
    """A place in a stack. Names that nothing tells are None. ``inlined``: its code stands in that of the next frame."""

    module: str  # the file that it was mapped from, "" where nothing was mapped
    address: int  # as the file counts them
    function: str | None = None
    file: str | None = None
    line: int | None = None
    inlined: bool = False

    @property
    def name(self) -> str:
        """The function, or the module in brackets where it has no name."""
        return self.function or f"[{self._of_module.strip('[]')}]"

    @property
    def place(self) -> str:
        """File and line, or the module and the address."""
        if self.module == NO_PLACE:
            return NO_PLACE
        if self.file is None:
            return f"{self._of_module}+{self.address:#x}"
        file = self.file.rpartition("/")[2]
        return file if self.line is None else f"{file}:{self.line}"

    @property
    def _of_module(self) -> str:
        return self.module.rpartition("/")[2] or UNKNOWN


@dataclass(frozen=True, slots=True)
class Thread:
    """Who ran. ``name`` is that of the thread, "" where it is not known."""

    pid: int
    tid: int
    name: str


@dataclass(frozen=True, slots=True)
class Row:
    """Samples of one event of one thread with one stack: numbers into the profile's lists."""

    event: int
    thread: int
    stack: int
    samples: int
    weight: int  # events that they stand for


@dataclass(frozen=True, slots=True)
class SampledShare:
    """What was sampled at one function or line. ``own`` and ``total`` are shares of the event, 0 to 1: of the code itself,
    and with all that it called.
    """

    own: float
    total: float
    samples: int  # own ones


@dataclass(frozen=True)
class Samples(Displayed):
    """What was sampled. ``stacks`` are numbers into ``frames``, the place of the sample first.

    ``losses``, ``duration_ns`` and ``reading_ns`` are None where the source does not tell them.
    """

    events: tuple[Sampled, ...]
    frames: tuple[Frame, ...]
    stacks: tuple[tuple[int, ...], ...]
    threads: tuple[Thread, ...]
    rows: tuple[Row, ...]
    losses: Losses | None
    duration_ns: int | None
    reading_ns: int | None  # CPU time that taking the samples over took
    command: str
    source: str = "pmu"  # or "imported"
    notes: tuple[str, ...] = field(default=())
    reading: Reading | None = None  # what the samples themselves add up to, where that says more than their places
    core: str | None = None  # name of the table of the core that was sampled

    def number(self, event: str | None = None) -> int:
        """The number of the event of that name; of the first that has samples without one. Raises ArmprofError."""
        if event is None:
            sampled = {row.event for row in self.rows}
            return min(sampled, default=0)
        from armprof.cpu import canonical

        names = [each.name for each in self.events]
        wanted = event if event in names else canonical(event)
        if wanted not in names:
            raise ArmprofError(f"{event} was not sampled; sampled were {', '.join(names)}")
        return names.index(wanted)

    def rows_of(self, event: str | None = None) -> tuple[Row, ...]:
        """The rows of an event."""
        return self._by_event.get(self.number(event), ())

    @cached_property
    def _by_event(self) -> dict[int, tuple[Row, ...]]:
        found: dict[int, list[Row]] = {}
        for row in self.rows:
            found.setdefault(row.event, []).append(row)
        return {event: tuple(rows) for event, rows in found.items()}

    def placed(self, event: str | None = None) -> float | None:
        """The part of what the event counted that has a place; None where that is not known."""
        number = self.number(event)
        counted = self.events[number].count.raw if self.events else None
        if not counted:
            return None
        placed = sum(
            row.weight for row in self.rows_of(event) if self.frames[self.stacks[row.stack][0]].module != NO_PLACE
        )
        return min(1.0, placed / counted)

    def functions(self, event: str | None = None) -> dict[str, SampledShare]:
        """By function, the most of its own first."""
        return self._shares(event, [frame.name for frame in self.frames])

    def lines(self, event: str | None = None) -> dict[str, SampledShare]:
        """By line of source, the most of its own first."""
        return self._shares(event, [frame.place for frame in self.frames])

    def _shares(self, event: str | None, key_of: list[str]) -> dict[str, SampledShare]:
        own: dict[str, int] = {}
        total: dict[str, int] = {}
        samples: dict[str, int] = {}
        for row in self.rows_of(event):
            keys = [key_of[frame] for frame in self.stacks[row.stack]]
            own[keys[0]] = own.get(keys[0], 0) + row.weight
            samples[keys[0]] = samples.get(keys[0], 0) + row.samples
            for key in dict.fromkeys(keys):  # a function that calls itself counts once
                total[key] = total.get(key, 0) + row.weight
        everything = sum(own.values()) or 1
        ranked = sorted(total, key=lambda key: (-own.get(key, 0), -total[key], key))
        return {k: SampledShare(own.get(k, 0) / everything, total[k] / everything, samples.get(k, 0)) for k in ranked}

    def collapsed(self, event: str | None = None) -> Iterator[tuple[tuple[Frame, ...], int]]:
        """Each stack once, the outermost caller first, with its weight."""
        weights: dict[int, int] = {}
        for row in self.rows_of(event):
            weights[row.stack] = weights.get(row.stack, 0) + row.weight
        for stack, weight in weights.items():
            yield tuple(self.frames[frame] for frame in reversed(self.stacks[stack])), weight

    def to_frame(self) -> pd.DataFrame:
        """One row per event, thread and place: event, pid, tid, thread, function, file, line, module, samples, weight."""
        import pandas as pd

        columns = ["event", "pid", "tid", "thread", "function", "file", "line", "module", "samples", "weight"]
        rows = []
        for row in self.rows:
            frame, thread = self.frames[self.stacks[row.stack][0]], self.threads[row.thread]
            who = (self.events[row.event].name, thread.pid, thread.tid, thread.name)
            rows.append((*who, frame.function, frame.file, frame.line, frame.module, row.samples, row.weight))
        table = pd.DataFrame(rows, columns=columns).astype({"line": "Int64"})
        return table.groupby(columns[:-2], dropna=False, sort=False, as_index=False).sum()

    def __repr__(self) -> str:
        lines = [f"Samples of {self.command}: {sum(row.samples for row in self.rows):,}"]
        for name, share in list(self.functions().items())[:10]:
            lines.append(f"  {share.own:6.1%}  {share.total:6.1%}  {name}")
        return "\n".join(lines)
