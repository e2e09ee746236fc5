"""What all tests of a session measured: saved as a run file, held against a baseline, and told in a few lines."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from armprof.compare.result import Change, RegressionAnalysis
from armprof.compare.verdict import Verdict, judge
from armprof.errors import ArmprofError
from armprof.report import figures
from armprof.report.harmless import printable
from armprof.run.codec import decode, encode
from armprof.run.record import Component, Run

if TYPE_CHECKING:
    from armprof.testing.benchmark import Benchmark

MOST = 50  # lines of a table


def sent(benchmark: Benchmark) -> str:
    """What one test measured, as text that goes from a worker to where all are put together."""
    return json.dumps({"component": encode(benchmark.component), "allowed": benchmark.allowed})


@dataclass
class BenchmarkSession:
    """``allowed``: by the name of a test, the change of its time that is, as a fraction."""

    components: dict[str, Component] = field(default_factory=dict)
    allowed: dict[str, float] = field(default_factory=dict)

    def add(self, what: str) -> None:
        """Takes what `sent` gave."""
        data: dict[str, Any] = json.loads(what)
        component: Component = decode(Component, data["component"])
        self.components[component.name] = component
        if data["allowed"] is not None:
            self.allowed[component.name] = data["allowed"]

    def run(self) -> Run:
        """All of it as a Run, in the order of the tests' names: workers end in any order."""
        from armprof.run.here import run_here

        return run_here(self.components[name] for name in sorted(self.components))

    def save(self, path: Path) -> None:
        """Writes it as a run file. Raises ArmprofError where that cannot be done."""
        from armprof.run import file

        file.write(self.run(), path)

    def compare(self, baseline: Run) -> Compared:
        """Holds the tests that were run against their baselines. Raises ArmprofError where the machines are unlike.

        What the baseline has besides was not selected this time and is no failure.
        """
        from armprof.compare.runs import detect_regressions

        known = replace(baseline, components=tuple(c for c in baseline.components if c.name in self.components))
        if not known.components:
            raise ArmprofError("the baseline has none of the tests that measured")
        found = detect_regressions(known, self.run())
        return Compared(found, tuple(map(self._judged, found.changes)))

    def _judged(self, change: Change) -> Change:
        """The change by the rule of the test, where it has one of its own."""
        allowed = self.allowed.get(change.component)
        if allowed is None:
            return change
        verdict = judge(change.change, change.interval, allowed)
        reason = None if verdict.is_change or verdict == Verdict.UNCHANGED else "the noise leaves it open"
        return replace(change, verdict=verdict, reason=reason)

    def table(self) -> Iterator[str]:
        """A line for each test: time of one call and what was counted of it."""
        rows: list[tuple[str, ...]] = [("p50", "p99", "instructions", "cycles", "")]
        rows += [_row(self.components[name]) for name in sorted(self.components)[:MOST]]
        widths = [max(len(row[i]) for row in rows) for i in range(4)]
        for row in rows:
            yield "  ".join((*(cell.rjust(width) for cell, width in zip(row, widths, strict=False)), row[4])).rstrip()
        if len(self.components) > MOST:
            yield f"and {len(self.components) - MOST:,} more"
        yield from self._uncounted()

    def _uncounted(self) -> Iterator[str]:
        """Why no instructions were counted, and what else must be known, said once."""
        told: dict[str, None] = {}
        for component in self.components.values():
            count = component.reading.counts.get("inst_retired") if component.reading else None
            if count is not None and count.value is None and count.reason:
                told[f"not counted, times and software counts only: {count.reason}"] = None
            elif component.reading and component.reading.source == "model":
                told["counts of commands are of a modelled core; its cycles are an estimate"] = None
            told |= {note: None for note in component.notes if note.startswith(("nothing was counted", "a tracer"))}
        yield from map(printable, told)


def _row(component: Component) -> tuple[str, ...]:
    latency = component.latency
    p50, p99 = (latency.p50_ns, latency.p99_ns) if latency else (None, None)
    counts = (_each(component, event) for event in ("inst_retired", "cpu_cycles"))
    times = (figures.NONE if ns is None else figures.duration(ns) for ns in (p50, p99))
    return (*times, *counts, printable(component.name))


def _each(component: Component, event: str) -> str:
    count = component.reading.counts.get(event) if component.reading else None
    return figures.NONE if count is None else figures.count(count, component.reading_operations or 1)


@dataclass(frozen=True)
class Compared:
    """What came of it, ``changes`` by the rules of the tests."""

    analysis: RegressionAnalysis
    changes: tuple[Change, ...]

    @property
    def is_failed(self) -> bool:
        return bool(self.analysis.failures) or any(one.verdict == Verdict.SLOWER for one in self.changes)

    def lines(self) -> Iterator[str]:
        """A line for each change, the slower ones first, and how many there are of the others."""
        for failure in self.analysis.failures:
            yield printable(f"failed: {failure.component}: {failure.reason}")
        for verdict in (Verdict.SLOWER, Verdict.FASTER):
            for one in (change for change in self.changes if change.verdict == verdict):
                because = f"; {one.cause.sentence}" if one.cause and one.cause.sentence else ""
                noise = "exact" if one.noise == 0 else figures.between(one.interval)
                said = f"{one.component}: {one.metric.name} {figures.change(one.change)} (noise: {noise}){because}"
                yield printable(f"{verdict}: {said}")
        for verdict in (Verdict.UNCHANGED, Verdict.UNDECIDED):
            if count := sum(change.verdict == verdict for change in self.changes):
                yield f"{verdict}: {count:,} of {len(self.changes):,} metrics"
        for name, why in self.analysis.not_compared:
            if not why.startswith("only in"):
                yield printable(f"not compared: {name}: {why}")
