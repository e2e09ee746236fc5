"""One sample of a scope after the other: what each target counted in each interval, and what happened meanwhile.

Here is what runs ten times a second for months, so nothing in here builds more than it must: rows stay as
they come from C, and Intervals, Counts and metrics are formed once a report, where somebody asks for them.
"""

from __future__ import annotations

import select
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from armprof.counters.batch import Batch
from armprof.counters.standing import Row
from armprof.monitor.moments import Clocks, Mark, Moments, now
from armprof.monitor.targets import Scope, Target

# How long samples may stay in C, and how long a report covers at least: as long as it can be, for what Python touches has left
# the caches meanwhile, and so short that with the writing of it less than a second is lost by a kill.
STRETCH_NS = 900_000_000


@dataclass(slots=True)
class Sample:
    """One interval. ``counts`` has the targets that counted all through it; one in a gap is absent."""

    at_ns: int
    span_ns: int
    late_ns: int
    counts: list[tuple[Target, Row]]
    marks: list[Mark] = field(default_factory=list)


class Sampler:
    """Samples a scope every ``interval_ns``."""

    def __init__(self, scope: Scope, interval_ns: int, clocks: Callable[[], Clocks] = now) -> None:
        self.scope = scope
        self._clocks = clocks
        self.interval_ns = interval_ns
        self._moments = Moments(interval_ns, clocks())
        self._batch: Batch | None = None

    def begin(self) -> None:
        """The first sample is due an interval from now. It covers what was counted before, too."""
        self._moments.due_ns = self._clocks().monotonic + self.interval_ns

    def until(self, moment_ns: int, wake: int) -> list[Sample]:
        """Waits, and has the samples that are due until that moment of the monotonic clock, one at least. Fewer, or none, where
        the descriptor ``wake`` can be read.
        """
        if samples := self._at_once(moment_ns, wake):
            return samples
        at = self._clocks()
        changes = self.scope.changes(at.wall)
        return [self._sample_now(at, changes)] if changes or at.monotonic >= self._moments.due_ns else []

    def _at_once(self, moment_ns: int, wake: int) -> list[Sample]:
        """Those that were taken while it waited; none where it waited for one, or where there is something to look at."""
        due, interval = self._moments.due_ns, self.interval_ns
        batch = self._batch_of_all(STRETCH_NS // interval)
        if batch is None:
            self._wait(wake)
            return []
        ends, listing, targets = (wake, self.scope.end), self.scope.listing, self._counting()
        return [
            self._sample(Clocks(*clocks), [], zip(targets, found, strict=True))
            for clocks, found in batch.take(due, interval, moment_ns, ends, listing)
        ]

    def _wait(self, wake: int) -> None:
        left = (self._moments.due_ns - self._clocks().monotonic) / 1e9
        if left > 0:
            select.select([fd for fd in (wake, self.scope.end) if fd >= 0], [], [], left)

    def take(self) -> Sample:
        """A sample that is taken now, after a look at who came and went."""
        at = self._clocks()
        return self._sample_now(at, self.scope.changes(at.wall))

    def _sample_now(self, at: Clocks, changes: Sequence[Mark]) -> Sample:
        """After a look at the changes: who is gone is not read, who is back begins now."""
        return self._sample(at, changes, ((target, target.difference()) for target in self._counting()))

    def _sample(self, at: Clocks, changes: Sequence[Mark], found: Iterable[tuple[Target, Row | None]]) -> Sample:
        moment = self._moments.take(at)
        sample = Sample(moment.at_ns, moment.span_ns, moment.late_ns, [], [*moment.marks, *changes])
        begun = {mark.target for mark in changes if mark.kind == "online"}
        for target, row in found:
            if row is None:
                target.close()
                sample.marks.append(Mark(at.wall, target.name, "failed", "the counters cannot be read any more"))
            elif target.name not in begun:  # its interval began in the middle of this one
                sample.counts.append((target, row))
        return sample

    def _counting(self) -> list[Target]:
        return [target for target in self.scope.targets if target.is_counting]

    def _batch_of_all(self, most: int) -> Batch | None:
        """The batch of whom is counted now; None where that is nobody, or one sample is as long as it may hold."""
        standings = [target.standing for target in self._counting() if target.standing]
        if most < 2 or not standings:
            return None
        if self._batch is None or self._batch.standings != standings:
            self._batch = Batch(standings, most)
        return self._batch

    def mend(self, at_ns: int) -> list[Mark]:
        """Tries to count again what failed; called once a report."""
        if self.scope.ended:
            return []
        failed = [target for target in self.scope.targets if target.is_wanted and not target.is_counting]
        return [
            Mark(at_ns, target.name, "online", "its counters can be read again") for target in failed if target.reopen()
        ]
