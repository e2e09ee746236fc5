"""Reading: counts of named events over one stretch of work, the seed of every answer.

A `Count` never pretends. Its ``value`` is None unless something was counted, and then ``status`` and ``coverage`` say
how much of the stretch the counter really ran. Every source (the PMU, the modelled core,
an imported perf output) produces Readings.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from armprof.display import Displayed

if TYPE_CHECKING:
    import pandas as pd


class Status(StrEnum):
    """How a count came about.

    Of a counted, scaled or estimated event there is a value: scaled is multiplexed, so that its coverage says from how much
    it was scaled; estimated is formed from counts, as the model's cycles are. Of the others there is a reason instead: the
    counter never ran, this machine lacks the event, the kernel forbids it, or it contradicts other counts.
    """

    COUNTED = "counted"  # the counter ran all the time
    SCALED = "scaled"  # multiplexed: an estimate, coverage says from how much
    NOT_COUNTED = "not_counted"  # the counter never ran, or was not asked to
    UNSUPPORTED = "unsupported"  # the core, the guest or the kernel lacks the event
    NOT_PERMITTED = "not_permitted"  # the kernel forbids it to this user
    SUSPECT = "suspect"  # contradicts other counts
    ESTIMATED = "estimated"  # not counted but formed from counts: the model's cycles

    @property
    def has_value(self) -> bool:
        """Whether a count of this status has a value."""
        return self in (Status.COUNTED, Status.SCALED, Status.ESTIMATED)


@dataclass(frozen=True, slots=True, repr=False)
class Count:
    """One event's count over one stretch.

    ``value`` is what to use: ``raw``, scaled by enabled / running of each thread where the event was multiplexed, less the
    measurement's own cost where that was calibrated. ``raw`` is what the counter said. Times are nanoseconds; None where the
    source does not tell. ``group`` tells which events were counted at the same moments: counts of one group may be compared
    exactly, counts of different groups mix phases of the program.
    """

    event: str
    value: float | None
    raw: float | None
    enabled_ns: int | None
    running_ns: int | None
    status: Status
    reason: str | None = None
    unit: str = ""  # "" for events, "ns" for clocks
    group: int | None = None
    label: str | None = None  # the event's name at the source, where it differs
    stated_coverage: float | None = None  # a source that gives a percentage and no times (perf stat text)

    @property
    def coverage(self) -> float | None:
        """Running / enabled, 0 to 1; None where the source says nothing of it."""
        if self.enabled_ns and self.running_ns is not None:
            return min(1.0, self.running_ns / self.enabled_ns)
        return self.stated_coverage

    def __repr__(self) -> str:
        if self.value is None:
            return f"<Count {self.event}: {self.status}, {self.reason or 'no reason given'}>"
        coverage = "" if self.coverage is None else f", {self.coverage:.1%} running"
        return (
            f"<Count {self.event} = {self.value:,.0f}{' ' + self.unit if self.unit else ''} ({self.status}{coverage})>"
        )


def uncounted(event: str, status: Status, reason: str, **known: Any) -> Count:
    """A Count without a value, and the reason."""
    fields: dict[str, Any] = {"raw": None, "enabled_ns": None, "running_ns": None} | known
    return Count(event=event, value=None, status=status, reason=reason, **fields)


@dataclass(frozen=True, slots=True)
class Fact:
    """What a metric needs beside counts, known once for a machine or a stretch. Without a value ``origin`` is the reason."""

    value: float | None
    unit: str
    origin: str = ""  # where it is from, in the words of a report
    uncertainty: float | None = (
        None  # how far off it may be, relative, where that is known: how far repetitions lay apart
    )


class _Counts(dict[str, Count]):
    """By canonical name; who asked for perf's ``cycles`` finds `cpu_cycles` by that too."""

    def __missing__(self, name: str) -> Count:
        from armprof.cpu import canonical

        found = canonical(name) if isinstance(name, str) else None
        if found is not None and found in self:
            return self[found]
        raise KeyError(f"{name!r} is not among the events of this reading")


@dataclass(frozen=True, slots=True, repr=False)
class Reading(Displayed):
    """Counts over one stretch of work, from one source.

    ``counts`` is keyed by the event's name: Arm's names in lower case for core events (``cpu_cycles``, ``l1d_cache_refill``),
    perf's for software events (``task_clock``, ``page_faults``).
    """

    counts: Mapping[str, Count]
    source: str  # "pmu", "model", "imported"
    core: str | None = None  # name of the core's table ("neoverse-n1"), None where unknown
    duration_ns: int | None = None  # wall time of the stretch
    scope: str = ""  # what was counted: "this thread, user mode", "system wide", ...
    access: str = ""  # how it was read: "user reads, fenced", "read()", "perf stat text", ...
    overhead: Mapping[str, float] = field(default_factory=dict)  # per event, what was subtracted from the value
    notes: tuple[str, ...] = ()  # what the reader of these numbers must know, a sentence each
    facts: Mapping[str, Fact] = field(default_factory=dict)  # by the names of `armprof.counters.facts`

    def __post_init__(self) -> None:
        object.__setattr__(self, "counts", _Counts(self.counts))

    def __getitem__(self, event: str) -> Count:
        return self.counts[event]

    def __iter__(self) -> Iterator[str]:
        return iter(self.counts)

    def __len__(self) -> int:
        return len(self.counts)

    def value(self, event: str) -> float | None:
        """The event's value, or None where it was not counted or not asked for."""
        try:
            return self.counts[event].value
        except KeyError:
            return None

    def by_reason(self) -> dict[tuple[Status, str], list[Count]]:
        """The counts without a value, by status and reason: what one cause took away is told once."""
        found: dict[tuple[Status, str], list[Count]] = {}
        for count in self.counts.values():
            if count.value is None:
                found.setdefault((count.status, count.reason or ""), []).append(count)
        return found

    def __repr__(self) -> str:
        head = [f"Reading from {self.source}", self.scope, self.access]
        if self.duration_ns is not None:
            head.append(f"{self.duration_ns / 1e6:,.3f} ms")
        lines = ["; ".join(filter(None, head))]
        width = max((len(name) for name in self.counts), default=0)
        for c in self.counts.values():
            if c.value is not None:
                coverage = "" if c.coverage is None else f"{c.coverage:7.1%}"
                lines.append(f"  {c.event:{width}}  {c.value:>20,.0f} {c.unit:2}  {c.status}{coverage}")
        for (status, reason), counts in self.by_reason().items():
            lines.append(f"  {status}: {', '.join(c.event for c in counts)}: {reason}")
        return "\n".join([*lines, *(f"  note: {note}" for note in self.notes)])

    def to_frame(self) -> pd.DataFrame:
        """One row per event: value, raw, unit, enabled_ns, running_ns, coverage, status, reason, source."""
        import pandas as pd

        numbers = ("value", "raw", "enabled_ns", "running_ns", "coverage")  # NaN where there is none
        names = ["value", "raw", "unit", "enabled_ns", "running_ns", "coverage", "status", "reason"]
        index = pd.Index([c.event for c in self.counts.values()], name="event", dtype=object)
        columns = {
            name: pd.Series(
                [getattr(c, name) for c in self.counts.values()], index, float if name in numbers else object
            )
            for name in names
        }
        return pd.DataFrame(columns | {"source": self.source}, index).astype({"status": str})
