"""What leaves a monitor: raw counts with their enabled and running times as counters, metrics and levels as gauges.

Raw, so that the counters only ever grow: a scaled count may fall when multiplexing changes, which a receiver takes for a
restart. Rates and ratios of any window then follow exactly,

    rate(raw) * rate(enabled) / rate(running)

and the gauges beside them are those of the last report. A gauge without a value is absent: it is never 0 for want of a count.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from operator import add
from typing import Literal

from armprof import __version__
from armprof.monitor.latencies import Distribution
from armprof.monitor.loop import Loop
from armprof.monitor.moments import Mark
from armprof.monitor.reports import Report
from armprof.monitor.sampler import Sample
from armprof.monitor.targets import Scope

LABELS = ("target", "pmu", "scope")
LEVELS = {"busy": ("busy_cpus", ""), "memory_bytes": ("memory", "By")}  # level -> name and unit; others as they are

Kind = Literal["counter", "gauge", "info"]


@dataclass(frozen=True, slots=True)
class Family:
    """Numbers of one name. ``unit`` is a UCUM code, "s" or "By", or "" where the name says what is counted."""

    name: str
    kind: Kind
    help: str
    unit: str = ""
    labels: tuple[str, ...] = ()
    points: list[tuple[tuple[str, ...], float]] = field(default_factory=list)  # the values of the labels; the number


class Exported:
    """Collects from a loop what leaves it. Samples and reports come from the loop's thread, questions from others."""

    def __init__(self, loop: Loop) -> None:
        self._lock = threading.Lock()
        self._loop = loop
        self.scope = loop.scope
        self._totals: dict[
            str, tuple[tuple[str, ...], list[float]]
        ] = {}  # by target: events, and the sum of their rows, of which the values say nothing
        self._late = 0
        self._report: Report | None = None
        self._latencies: dict[str, Distribution] = {}
        loop.each_sample.append(self.add)
        loop.listeners.append(self.see)

    def add(self, sample: Sample) -> None:
        """Takes in a sample."""
        with self._lock:
            self._late += any(mark.kind == "late" for mark in sample.marks)
            for target, found in sample.counts:
                known = self._totals.get(target.name)
                if known is None or known[0] != target.events:
                    self._totals[target.name] = (target.events, list(found))
                else:
                    known[1][:] = map(add, known[1], found)

    def see(self, report: Report) -> list[Mark]:
        """Takes in a report."""
        metrics = [
            report.metrics(target) for target in ("", *(t.name for t in report.scope.targets))
        ]  # formed here, not there
        assert metrics
        with self._lock:
            self._report = report
            for name, found in report.latencies.items():
                self._latencies[name] = self._latencies.get(name, Distribution()) + found
        return []

    def families(self) -> Iterator[Family]:
        """Everything there is now."""
        self._loop.catch_up()
        with self._lock:
            totals = {name: (events, list(numbers)) for name, (events, numbers) in self._totals.items()}
            report, late, latencies = self._report, self._late, dict(self._latencies)
        yield _info(self.scope)
        yield Family("late_samples", "counter", "samples taken an interval late or more", points=[((), late)])
        yield from _counts(self.scope, totals)
        yield from _gauges(report)
        yield from _calls(latencies)


def facts(scope: Scope) -> dict[str, str]:
    """The monitor and its machine."""
    host = scope.machine.host
    return {
        "version": __version__,
        "core": scope.machine.core_name or "unknown",
        "model": host.model,
        "arch": host.arch,
        "cpus": str(host.cpus),
        "whole": scope.whole,
    }


def _info(scope: Scope) -> Family:
    known = facts(scope)
    return Family("monitor", "info", "the monitor and its machine", "", tuple(known), [(tuple(known.values()), 1)])


def _counts(scope: Scope, totals: Mapping[str, tuple[tuple[str, ...], list[float]]]) -> Iterator[Family]:
    counters: dict[str, Family] = {}
    enabled_of = Family("enabled", "counter", "how long an event wanted to count", "s", ("event", *LABELS))
    running_of = Family("running", "counter", "how long an event counted", "s", ("event", *LABELS))
    targets = {target.name: target for target in scope.targets}
    for name, (events, numbers) in totals.items():
        groups, units = (targets[name].groups, targets[name].units) if name in targets else ({}, {})
        for at, event in enumerate(events):
            raw, enabled, running = numbers[4 * at + 1 : 4 * at + 4]
            labels = (name, "software" if groups.get(event) is None else "core", scope.mode)
            seconds = units.get(event) == "ns"
            if event not in counters:
                told = f"counts of {event}, not scaled"
                counters[event] = Family(event, "counter", told, "s" if seconds else "", LABELS)
            counters[event].points.append((labels, raw / 1e9 if seconds else raw))
            enabled_of.points.append(((event, *labels), enabled / 1e9))
            running_of.points.append(((event, *labels), running / 1e9))
    yield from (*counters.values(), enabled_of, running_of)


def _gauges(report: Report | None) -> Iterator[Family]:
    if report is None:
        return
    found: dict[str, Family] = {}
    for target in dict.fromkeys((report.scope.whole, *(t.name for t in report.scope.targets))):
        for name, metric in report.metrics(target).items():
            if metric.value is not None:
                told = f"{metric.title}, {metric.unit}"
                family = found.setdefault(name, Family(name, "gauge", told, "", ("target",)))
                family.points.append(((target,), metric.value))
        for level, value in report.levels.get(target, {}).items():
            name, unit = LEVELS.get(level, (level, ""))
            family = found.setdefault(level, Family(name, "gauge", "at the last report", unit, ("target",)))
            family.points.append(((target,), value))
    yield from found.values()


def _calls(latencies: Mapping[str, Distribution]) -> Iterator[Family]:
    """Regions: calls and their time, of which rates give throughput and mean latency."""
    if not latencies:
        return
    calls = Family("region_calls", "counter", "calls of a region", "", ("region",))
    seconds = Family("region", "counter", "time in a region", "s", ("region",))
    for name, found in latencies.items():
        calls.points.append(((name,), found.calls))
        seconds.points.append(((name,), found.total_ns / 1e9))
    yield from (calls, seconds)
