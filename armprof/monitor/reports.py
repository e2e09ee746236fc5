"""A report: the samples of about a second as one, for whoever looks, judges or exports. Formed only when asked.

Between two reports each group of events had the counters many times, so that every metric has a value in each.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from armprof.counters.facts import facts
from armprof.counters.reading import Count, Fact, Reading, uncounted
from armprof.counters.standing import Interval, Row, count_of, intervals, joined
from armprof.metrics import ARM64Metrics, compute
from armprof.monitor.latencies import Distribution
from armprof.monitor.moments import Mark
from armprof.monitor.sampler import Sample
from armprof.monitor.targets import Scope, Target


@dataclass(frozen=True)
class Report:
    """What was sampled in one stretch."""

    at_ns: int
    span_ns: int
    scope: Scope
    samples: Sequence[Sample]
    metrics_wanted: tuple[str, ...]
    levels: Mapping[str, Mapping[str, float]]
    latencies: Mapping[str, Distribution] = field(default_factory=dict)  # by component
    marks: Sequence[Mark] = ()

    @cached_property
    def intervals(self) -> Mapping[str, Mapping[str, Interval]]:
        """What each event counted, by target; the whole scope's too."""
        rows: dict[str, tuple[Target, list[Row]]] = {}
        for sample in self.samples:
            for target, found in sample.counts:
                rows.setdefault(target.name, (target, []))[1].append(found)
        found_of = {
            name: dict(zip(target.events, map(joined, zip(*map(intervals, found), strict=True)), strict=True))
            for name, (target, found) in rows.items()
        }
        if self.scope.whole not in found_of:
            events: dict[str, list[Interval]] = {}
            for of_target in found_of.values():
                for event, one in of_target.items():
                    events.setdefault(event, []).append(one)
            # what one CPU did in the time that it was not counted on is not what the others did: their sum is of those alone
            found_of[self.scope.whole] = {event: _sum(many) for event, many in events.items()}
        return found_of

    @cached_property
    def _readings(self) -> dict[str, Reading]:
        return {}

    def reading(self, target: str = "") -> Reading:
        """The counts of that target, or of the whole scope."""
        target = target or self.scope.whole
        if target not in self._readings:
            own = [t for t in self.scope.targets if t.name == target] or self.scope.targets
            known = self.intervals.get(target, {})
            counts: dict[str, Count] = {}
            for one in own:
                counts |= {event: uncounted(event, why.status, str(why)) for event, why in one.refused.items()}
            for one in own:
                for event in one.events:
                    if event in known:
                        counts[event] = count_of(event, known[event], one.units[event], one.groups[event])
            machine = own[0].machine if len(own) == 1 else self.scope.machine
            self._readings[target] = Reading(
                counts,
                "pmu",
                machine.core_name,
                self.span_ns,
                f"{target}, {self.scope.title}",
                "read()",
                facts=_facts(),
            )
        return self._readings[target]

    def metrics(self, target: str = "") -> ARM64Metrics:
        """The wanted metrics of that target, or of the whole scope."""
        return compute(self.reading(target), names=self.metrics_wanted)


def _sum(parts: Sequence[Interval]) -> Interval:
    """Several targets' intervals of one event together."""
    values = [one.value for one in parts if one.value is not None]
    raw = sum(one.raw for one in parts)
    enabled = sum(one.enabled_ns for one in parts)
    running = sum(one.running_ns for one in parts)
    return Interval(sum(values) if values else None, raw, enabled, running)


_known_facts: dict[str, Fact] = {}


def _facts() -> Mapping[str, Fact]:
    """What is known of the machine. Where a program's pages lie is not looked up again and again: that walks all of them."""
    if not _known_facts:
        _known_facts.update({name: fact for name, fact in facts(whole_process=False).items() if name != "local_share"})
    return _known_facts
