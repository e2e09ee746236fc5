"""The document: a Run with what follows from it, as every format renders it.

Nothing here prints. What several components have in common is gathered, so that a format can say it once: why
events have no count, why metrics have no value, what must be known of those that have one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeVar

from armprof.analysis import Analysis, PerformanceBottleneck, Phase, Recommendation, analyze
from armprof.budget import Plan
from armprof.counters.reading import Reading
from armprof.cpu import Core
from armprof.metrics import ARM64Metrics
from armprof.metrics.result import MAIN
from armprof.report.planned import planned
from armprof.run.metrics import ComponentMetrics
from armprof.run.record import Component, Run

T = TypeVar("T")


@dataclass(frozen=True)
class Part:
    """One component and what follows from its counts."""

    component: Component
    analysis: Analysis

    @property
    def metrics(self) -> ARM64Metrics | None:
        """None where nothing was counted at all."""
        return self.analysis.metrics

    @property
    def reading(self) -> Reading | None:
        """The counts as they were judged: contradictions marked."""
        return self.metrics.reading if self.metrics else None

    @property
    def core(self) -> Core | None:
        return self.metrics.core if self.metrics else None

    @property
    def figures(self) -> ComponentMetrics:
        """Times, miss rates, and cycles and instructions of an operation."""
        return ComponentMetrics.of(self.component, self.metrics)

    @property
    def has_metrics(self) -> bool:
        """Whether any metric has a value that was counted: how many CPUs were in use is known without."""
        known = () if self.metrics is None else self.metrics.values()
        return any(metric.value is not None and metric.section != "threads" for metric in known)


@dataclass(frozen=True)
class Advice:
    """A recommendation, ranked among those of all components, and the component it is for."""

    component: Component
    recommendation: Recommendation


@dataclass(frozen=True)
class Shared:
    """One sentence that holds for these names (of events, or of metrics) of these components.

    ``events`` are those that keep a metric from having a value.
    """

    text: str
    names: tuple[str, ...]
    components: tuple[str, ...]
    events: tuple[str, ...] = ()


@dataclass(frozen=True)
class Document:
    """``recommendations`` and ``bottlenecks`` are those of all parts in one ranking."""

    run: Run
    parts: tuple[Part, ...]
    recommendations: tuple[Advice, ...]
    bottlenecks: tuple[PerformanceBottleneck, ...] = ()
    roadmap: tuple[Phase, ...] = ()  # in phases: stability, headroom, and what is recommended

    @property
    def source(self) -> str | None:
        """The source of all counts; None where there are none, or where the components differ in it."""
        return only(part.reading.source for part in self.parts if part.reading)

    @property
    def core(self) -> Core | None:
        """The core of all counts; None where it is not known, or where the components differ in it."""
        return only(part.core for part in self.parts if part.reading)

    @cached_property
    def failed(self) -> tuple[str, ...]:
        """The components that failed: there is nothing to say of their counts."""
        return tuple(part.component.name for part in self.parts if part.component.failure)

    def uncounted(self) -> list[Shared]:
        """Why events have no count; ``names`` are the events."""
        return _gathered((part, _uncounted(part.reading)) for part in self.parts if part.reading)

    def causes(self) -> list[Shared]:
        """Why metrics of the nine have no value; ``names`` are the metrics."""
        return _gathered((part, _causes(part.metrics)) for part in self.parts if part.metrics)

    def remarks(self) -> list[Shared]:
        """What must be known of metrics that have a value; ``names`` are the metrics."""
        return _gathered((part, _remarks(part.metrics)) for part in self.parts if part.metrics)

    def notes(self) -> list[Shared]:
        """What else must be known of components and their counts; no names."""
        return _gathered((part, _notes(part)) for part in self.parts)

    def silent(self) -> list[Shared]:
        """Why rules that were considered raised nothing; ``names`` are the rules."""
        return _gathered((part, _silent(part.analysis)) for part in self.parts)

    def formulas(self) -> list[Shared]:
        """How metrics that have a value were formed; ``names`` are the metrics."""
        return _gathered((part, _formulas(part.metrics)) for part in self.parts if part.metrics)


def document(run: Run, plan: Plan | None = None, tell: Callable[[float], None] = lambda done: None) -> Document:
    """What the run's counts say: metrics and recommendations of every component; a ``plan`` joins in the roadmap.

    ``tell`` is called with how much of the components is done, 0 to 1.
    """
    found = []
    for done, component in enumerate(run.components):
        if done % 100 == 0:
            tell(done / len(run.components))
        found.append(Part(component, analyze(component)))
    parts = tuple(found)
    advice = [Advice(part.component, r) for part in parts for r in part.analysis.recommendations]
    advice.sort(key=lambda a: a.recommendation.order())
    ranked = (Advice(a.component, replace(a.recommendation, rank=i)) for i, a in enumerate(advice, start=1))
    recommended = tuple(ranked)
    steps = [(a.component.name if len(parts) > 1 else "", a.recommendation) for a in recommended]
    return Document(run, parts, recommended, _bottlenecks(parts), planned(run, steps, plan))


def _bottlenecks(parts: Iterable[Part]) -> tuple[PerformanceBottleneck, ...]:
    found = [bottleneck for part in parts for bottleneck in part.analysis.bottlenecks]
    found.sort(key=lambda one: -one.largest_share)
    return tuple(replace(one, rank=rank) for rank, one in enumerate(found, start=1))


def only(values: Iterable[T]) -> T | None:
    """The one value that all are; None where they differ or there are none."""
    values = list(values)
    return values[0] if values and all(value == values[0] for value in values) else None


# Sentences of one component, each with the names that it holds for and the events behind it.
_Sentences = dict[str, tuple[list[str], list[str]]]


def _uncounted(reading: Reading) -> _Sentences:
    found: _Sentences = {}
    for count in reading.counts.values():
        if count.value is None:
            reason = count.reason or f"{count.status}, no reason given"
            found.setdefault(reason, ([], []))[0].append(count.event)
    return found


def _causes(metrics: ARM64Metrics) -> _Sentences:
    found: _Sentences = {}
    for name in MAIN:
        for cause, stopped in metrics[name].causes:
            names, events = found.setdefault(cause, ([], []))
            names.append(name)
            events += [event for event in stopped if event not in events]
    return found


def _remarks(metrics: ARM64Metrics) -> _Sentences:
    found: _Sentences = {}
    for name, metric in metrics.items():
        if metric.value is not None and metric.reason:
            found.setdefault(metric.reason, ([], []))[0].append(name)
    return found


def _notes(part: Part) -> _Sentences:
    notes = (*part.component.notes, *(part.reading.notes if part.reading else ()), *_contradictions(part))
    return {note: ([], []) for note in notes}


def _contradictions(part: Part) -> Iterable[str]:
    """What only the counts taken together show: the reason of a count without a value stands with that."""
    told = {f"{c.event}: {c.reason}" for c in part.reading.counts.values()} if part.reading else set()
    return [finding for finding in part.metrics.quality.findings if finding not in told] if part.metrics else []


def _silent(analysis: Analysis) -> _Sentences:
    found: _Sentences = {}
    for silent in analysis.silent:
        found.setdefault(silent.reason, ([], []))[0].append(silent.rule)
    return found


def _formulas(metrics: ARM64Metrics) -> _Sentences:
    formed = {name: metric.formula for name, metric in metrics.items() if metric.value is not None}
    return {formula: ([name], []) for name, formula in formed.items() if formula}


def _gathered(found: Iterable[tuple[Part, _Sentences]]) -> list[Shared]:
    """The components that say the same of the same names, together."""
    components: dict[tuple[str, tuple[str, ...], tuple[str, ...]], list[str]] = {}
    for part, sentences in found:
        for text, (names, events) in sentences.items():
            components.setdefault((text, tuple(names), tuple(events)), []).append(part.component.name)
    return [Shared(text, names, tuple(who), events) for (text, names, events), who in components.items()]
