"""When samples are taken, and what the clocks say of the time between them: late ticks, suspends, a clock that was set.

The interval between two samples is told by the monotonic clock, which no one sets and which stands still while the machine
is suspended, as counters do. When a sample was taken is told by the wall clock, which may jump.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Literal

SUSPEND_NS = 1_000_000  # boot time runs on while suspended; awake the two clocks never part
JUMP_NS = 100_000_000  # per sample; a clock that is slewed changes by a thousandth of that at most


Kind = Literal[
    "late",  # the monitor was woken late, so that one sample covers several intervals
    "suspended",  # the machine was suspended, in which nothing counts
    "clock",  # the wall clock was set
    "offline",  # a CPU was taken off-line: its counts end, a gap begins
    "online",  # a CPU came back: its gap ends
    "ended",  # the process or cgroup that was sampled is gone
    "failed",  # counters could not be read or opened: a gap begins
    "lost",  # somebody else has the counters: a group had none for a whole report
    "unwritten",  # samples that could not be written to the store
    "reloaded",  # the configuration was read again
    "monitor",  # something that the monitor itself has to tell, as of an alert: shown, not stored
]


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happened at one moment, and what a reader of the numbers must know of it."""

    at_ns: int
    target: str  # "" for all
    kind: Kind
    text: str


@dataclass(frozen=True, slots=True)
class Clocks:
    """The three clocks at one moment, in nanoseconds."""

    wall: int
    monotonic: int
    boot: int


def now() -> Clocks:
    """The clocks of this machine."""
    return Clocks(time.time_ns(), time.monotonic_ns(), time.clock_gettime_ns(time.CLOCK_BOOTTIME))


@dataclass(slots=True)
class Moment:
    """A sample's time: taken at ``at_ns`` by the wall clock, ``span_ns`` after the one before, ``late_ns`` after it was due."""

    at_ns: int
    span_ns: int
    late_ns: int
    marks: list[Mark] = field(default_factory=list)


class Moments:
    """The times at which samples are due: every ``interval_ns`` from the start, not from the sample before, so that delays do
    not add up.
    """

    def __init__(self, interval_ns: int, start: Clocks) -> None:
        self.interval_ns = interval_ns
        self._last = start
        self.due_ns = start.monotonic + interval_ns

    def take(self, at: Clocks) -> Moment:
        """The moment of a sample that is taken now. The next one is due at the next multiple of the interval."""
        last, self._last = self._last, at
        late = max(0, at.monotonic - self.due_ns)
        moment = Moment(at.wall, at.monotonic - last.monotonic, late)
        missed = late // self.interval_ns
        self.due_ns += (missed + 1) * self.interval_ns
        if missed:
            text = f"woken {late / 1e6:,.0f} ms late: this sample covers {missed + 1:,} intervals"
            moment.marks.append(Mark(at.wall, "", "late", text))
        suspended = (at.boot - at.monotonic) - (last.boot - last.monotonic)
        if suspended > SUSPEND_NS:
            text = f"the machine was suspended for {suspended / 1e9:,.1f} s"
            moment.marks.append(Mark(at.wall, "", "suspended", text))
        jumped = (at.wall - at.boot) - (last.wall - last.boot)
        if abs(jumped) > JUMP_NS:
            way = "forward" if jumped > 0 else "back"
            text = f"the wall clock was set {way} by {abs(jumped) / 1e9:,.1f} s; intervals are by another clock and stay right"
            moment.marks.append(Mark(at.wall, "", "clock", text))
        return moment
