"""One sample of a scope after the other: what each target counted in each interval, and what happened meanwhile.

Here is what runs ten times a second for months, so nothing in here builds more than it must: intervals are tuples, and
Counts and metrics are formed once a report, from their sums.
"""

from __future__ import annotations

import select
from collections.abc import Callable
from dataclasses import dataclass, field

from armprof.counters.standing import Interval
from armprof.monitor.moments import Clocks, Mark, Moments, now
from armprof.monitor.targets import Scope, Target


@dataclass(slots=True)
class Sample:
    """One interval. ``counts`` has the targets that counted all through it; one in a gap is absent."""

    at_ns: int
    span_ns: int
    late_ns: int
    counts: list[tuple[Target, list[Interval]]]
    marks: list[Mark] = field(default_factory=list)


class Sampler:
    """Samples a scope every ``interval_ns``."""

    def __init__(self, scope: Scope, interval_ns: int, clocks: Callable[[], Clocks] = now) -> None:
        self.scope = scope
        self._clocks = clocks
        self.interval_ns = interval_ns
        self._moments = Moments(interval_ns, clocks())

    def wait(self, wake: int) -> None:
        """Sleeps until the next sample is due, or until there is something to read from the descriptor ``wake``."""
        left = (self._moments.due_ns - self._clocks().monotonic) / 1e9
        if left > 0:
            select.select([wake], [], [], left)

    def is_due(self) -> bool:
        return self._clocks().monotonic >= self._moments.due_ns

    def take(self) -> Sample:
        """The sample that is due now."""
        at = self._clocks()
        changes = self.scope.changes(at.wall)  # first: who is gone is not read, who is back begins now
        moment = self._moments.take(at)
        sample = Sample(moment.at_ns, moment.span_ns, moment.late_ns, [], moment.marks + changes)
        begun = {mark.target for mark in changes if mark.kind == "online"}
        for target in self.scope.targets:
            if not target.is_counting:
                continue
            found = target.difference()
            if found is None:
                target.close()
                sample.marks.append(Mark(at.wall, target.name, "failed", "the counters cannot be read any more"))
            elif target.name not in begun:  # its interval began in the middle of this one
                sample.counts.append((target, found))
        return sample

    def mend(self, at_ns: int) -> list[Mark]:
        """Tries to count again what failed; called once a report."""
        if self.scope.ended:
            return []
        failed = [target for target in self.scope.targets if target.is_wanted and not target.is_counting]
        return [
            Mark(at_ns, target.name, "online", "its counters can be read again") for target in failed if target.reopen()
        ]
