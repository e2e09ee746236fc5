"""The record that every box after measuring takes: a Run of Components, each with its times and its Reading.

A Run comes from `armprof bench`, from a run file, or from an imported perf output (one component: the
command). Nothing here measures; nothing here knows how it will be rendered.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from armprof.counters.reading import Reading

BEYOND = {"p50_ns": 0.5, "p95_ns": 0.05, "p99_ns": 0.01, "p999_ns": 0.001}  # the share of samples above a percentile


@dataclass(frozen=True, slots=True)
class Latency:
    """The distribution of the time of one operation, in nanoseconds.

    Operations shorter than the clock resolves are timed in batches: then every sample is the mean of
    ``batch`` operations and the percentiles are those of batches, which are narrower than those of single
    operations. Percentiles are None, and ``reason`` says why, where the single times were not kept.
    """

    mean_ns: float
    p50_ns: float | None
    p95_ns: float | None
    p99_ns: float | None
    p999_ns: float | None
    max_ns: float
    samples: int
    batch: int  # operations per timed sample; 1 = each operation was timed by itself
    clock_cost_ns: float  # what a sample without work takes (reading the clock twice), already subtracted from each
    min_ns: float | None = None
    reason: str | None = None
    operation: str | None = None  # what was timed, where that is not every operation: "tick that sends orders"

    def is_largest(self, field: str) -> bool:
        """Whether there are too few samples for this percentile, so that it is the largest of them."""
        return self.samples * BEYOND.get(field, 1.0) < 1


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of an operation, and its share of the time of the whole.

    The shares are means over the operations around the median, and over those at and above p99.
    """

    name: str
    title: str
    p50_share: float  # 0 to 1
    p99_share: float
    reading: Reading | None = None


@dataclass(frozen=True, slots=True)
class CriticalPath:
    """The stages of an operation in their order, timed in a pass of its own with a stamp at the end of each.

    Percentiles are those of the sum of the stages, which do not overlap where stamps stand between them: they
    are longer than those of the component's latency. Readings cover ``reading_operations`` operations; where
    there are none, ``uncounted`` says why.
    """

    stages: tuple[Stage, ...]
    p50_ns: float
    p99_ns: float
    operations: int
    p50_operations: int  # those around the median
    p99_operations: int  # those at and above p99
    stamp_cost_ns: float  # of one stamp, already subtracted from every stage
    reading_operations: int | None = None
    uncounted: str | None = None


@dataclass(frozen=True, slots=True)
class OpenLoop:
    """Operations that arrived at a given rate, whoever was ready for them: no stall hides those that wait for it.

    ``latency`` is from the intended arrival to the end.
    """

    rate_per_s: float  # asked for
    achieved_per_s: float
    operations: int
    latency: Latency
    on_time_until: float  # when one last began on time, as a share of the run
    behind_ns: float  # how late the last one began
    most_behind_ns: float

    @property
    def is_sustained(self) -> bool:
        """Whether it caught up with the schedule in the last tenth of the run, and so did not fall ever further behind."""
        return self.on_time_until >= 0.9


@dataclass(frozen=True, slots=True)
class Round:
    """The time of one operation in one of the rounds that the component was timed in: how steady it was."""

    mean_ns: float
    p50_ns: float
    p95_ns: float


@dataclass(frozen=True, slots=True)
class Place:
    """A function, and a line of it where one is known. What has no name is "?"."""

    function: str
    module: str  # the file that the code is in
    file: str | None = None
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Share:
    """What of each event was at one place."""

    place: Place
    counts: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Contention:
    """A line of the cache that two threads took from each other, and where each of them touched it last."""

    kind: str  # "false sharing": they touch different bytes of it; "sharing"
    address: int
    variable: str | None
    times: int
    threads: tuple[int, ...]  # in the order in which they were started
    places: tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class Origin:
    """An instruction that events can come from, by its kind in the table of `armprof.binary.origins`. ``sampled`` is what was
    sampled at it and behind it, up to the next of its kind.
    """

    kind: str
    place: Place
    sampled: tuple[Share, ...]


@dataclass(frozen=True, slots=True)
class Where:
    """Which code the counts were in: each function and each line that had any, the most of the first event first.

    ``totals`` are there where the places are those of samples: what all samples of an event stand for. Else it is what the
    reading says. These are late by some instructions, unless they are ``exact``; their ``origins`` are known where the code
    could be read.
    """

    functions: tuple[Share, ...]
    lines: tuple[Share, ...]
    contended: tuple[Contention, ...] = ()
    totals: Mapping[str, float] = field(default_factory=dict)
    exact: bool = False
    origins: tuple[Origin, ...] = ()


@dataclass(frozen=True, slots=True)
class Component:
    """One named piece of work: what it took and what it counted.

    ``reading`` covers ``reading_operations`` operations, which need not be those that were timed: counting
    and timing run in separate passes so that neither disturbs the other. ``groups`` are the same stretch
    group by group, where the source tells that: a ratio is taken inside one group where one has all its
    events. ``spread`` tells of events by how much they came out apart when the same work was counted again, as a
    fraction: 0 of all where the source is exact, and nothing where it was not counted again.
    """

    name: str
    title: str
    kind: str  # "kernel", "symbol", "callable", "command", "region", "imported"
    operation: str  # what one operation is, in words: "get and put", "message", "the command"
    reading: Reading | None = None
    groups: tuple[Reading, ...] = ()
    reading_operations: int | None = None
    spread: Mapping[str, float] = field(default_factory=dict)
    latency: Latency | None = None
    rounds: tuple[Round, ...] = ()  # in the order of time; what a comparison takes for the noise
    throughput_per_s: float | None = None
    checksum: str | None = None  # of the outputs; the same input gives the same checksum on every machine
    critical_path: CriticalPath | None = None
    open_loop: OpenLoop | None = None
    notes: tuple[str, ...] = ()
    where: Where | None = None
    timed_code: str | None = None  # the hash of the machine code that was timed, where it is known
    counted_code: str | None = None  # of what was counted, which in the model is another program
    failure: str | None = None  # how its own code failed, so that there are no numbers, or none of what came after

    def total(self, event: str) -> float | None:
        """All of the event that its places are a part of; None where no place is known of it."""
        if self.where is not None and self.where.totals:
            return self.where.totals.get(event)
        return None if self.reading is None else self.reading.value(event)


@dataclass(frozen=True, slots=True)
class Run:
    """Everything one run of armprof learned. ``host`` describes the machine in plain strings and numbers."""

    components: tuple[Component, ...]
    host: Mapping[str, str | int | float | None] = field(default_factory=dict)
    created: str = ""  # ISO 8601, UTC
    armprof_version: str = ""
    notes: tuple[str, ...] = ()  # true of the whole run: what could not be counted and why
