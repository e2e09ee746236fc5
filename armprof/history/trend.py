"""The series of a store: what each component took in run after run, and where that moved."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from armprof.compare.changepoint import ERROR, LEAST, steps
from armprof.compare.counted import is_modelled
from armprof.compare.likeness import MACHINE
from armprof.compare.reasons import CYCLES, INSTRUCTIONS, per_operation
from armprof.compare.times import is_measured
from armprof.history.store import Kept
from armprof.run.record import Component


@dataclass(frozen=True, slots=True)
class Moved:
    """The level of a metric moved at the run of that name, and stayed."""

    component: str
    metric: str
    run: str
    before: float  # the median of the runs since the step before
    after: float
    change: float  # the median of all differences between the two levels
    probability: float
    memory: float  # of the noise: 0 where runs are independent, 1 where they drift as a random walk


@dataclass(frozen=True, slots=True)
class Series:
    """What one metric of one component was in run after run of one machine."""

    component: str
    metric: str
    runs: tuple[str, ...]
    values: tuple[float, ...]

    @property
    def is_enough(self) -> bool:
        """Whether there are enough values to look for steps."""
        return len(self.values) >= LEAST


def series(kept: Iterable[Kept]) -> list[Series]:
    """All series, of the machine that the last run is of: another one's times say nothing of the code."""
    runs = list(kept)
    found: dict[tuple[str, str], tuple[list[str], list[float]]] = {}
    for one in runs:
        alike = _machine(one) == _machine(runs[-1])
        for component in one.run.components:
            for metric, value in _values(component, alike).items():
                names, values = found.setdefault((component.name, metric), ([], []))
                names.append(one.name)
                values.append(value)
    return [Series(*key, tuple(names), tuple(values)) for key, (names, values) in found.items()]


def moved(all_series: Sequence[Series], error: float = ERROR) -> list[Moved]:
    """Where the level of a series moved, the last first. ``error``: how often one that only drifts is called moved."""
    found = []
    for one in all_series:
        if not one.is_enough:
            continue
        places = steps(one.values, error)
        ends = [0, *(step.at for step in places), len(one.values)]
        for i, step in enumerate(places):
            before, after = (_median(one.values[ends[i + j] : ends[i + j + 1]]) for j in (0, 1))
            change = after / before - 1
            found.append(
                Moved(
                    one.component, one.metric, one.runs[step.at], before, after, change, step.probability, step.memory
                )
            )
    return sorted(found, key=lambda step: step.run, reverse=True)


def _machine(one: Kept) -> tuple[object, ...]:
    return tuple(one.run.host.get(fact) for fact in MACHINE)


def _values(component: Component, alike: bool) -> dict[str, float]:
    """The median time, and on the model what one operation counts: that is the same on any machine."""
    found: dict[str, float | None] = {}
    if alike and component.latency and not component.failure:
        found["p50_latency"] = component.latency.p50_ns
    if is_modelled(component):
        counts = per_operation(component)
        found |= {"cycles_per_operation": counts.get(CYCLES), "instructions_per_operation": counts.get(INSTRUCTIONS)}
    return {metric: value for metric, value in found.items() if value is not None and is_measured(value)}


def _median(values: Sequence[float]) -> float:
    from statistics import median

    return median(values)
