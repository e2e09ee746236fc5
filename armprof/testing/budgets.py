"""Budgets of a test: what one call may take at most, in nanoseconds or in counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from armprof.budget.assess import figure_of
from armprof.budget.plan import THROUGHPUT, TIMES
from armprof.counters.machine import canonical_events
from armprof.errors import ArmprofError
from armprof.report import figures
from armprof.run.record import Component

FIGURES = (*TIMES, THROUGHPUT)


@dataclass(frozen=True, slots=True)
class Judged:
    """``exceeded`` and ``unjudged`` hold a sentence for each budget that is."""

    exceeded: tuple[str, ...]
    unjudged: tuple[str, ...]


def judge(component: Component, budgets: Mapping[str, object]) -> Judged:
    """Holds the component against budgets by figure (p99_ns, throughput_per_s) or event, of one operation.

    Raises ArmprofError for one that is neither, or no number above 0.
    """
    exceeded, unjudged = [], []
    for name, limit in budgets.items():
        if isinstance(limit, bool) or not isinstance(limit, int | float) or not limit > 0:
            raise ArmprofError(f"armprof_budget({name}={limit!r}): a budget is a number above 0")
        value, reason = _figure(component, name) if name in FIGURES else _count(component, name)
        if value is None:
            unjudged.append(f"{name} has no value: {reason}")
        elif value < limit if name == THROUGHPUT else value > limit:
            exceeded.append(f"{name} is {_shown(name, value)}, and {_shown(name, limit)} was allowed")
    return Judged(tuple(exceeded), tuple(unjudged))


def _figure(component: Component, name: str) -> tuple[float | None, str | None]:
    figure = figure_of(component, name)
    return figure.value, figure.reason


def _count(component: Component, name: str) -> tuple[float | None, str | None]:
    try:
        (event,) = canonical_events([name])
    except ArmprofError as error:
        raise ArmprofError(f"armprof_budget({name}=...): {error}; times are {', '.join(FIGURES)}") from None
    reading, operations = component.reading, component.reading_operations
    if reading is None or event not in reading.counts:
        return None, "it was not among the events that were counted"
    count = reading.counts[event]
    if count.value is None or not operations:
        return None, count.reason or "it is not known of how many calls it is"
    return count.value / operations, None


def _shown(name: str, value: float) -> str:
    if name == THROUGHPUT:
        return figures.rate(value)
    return figures.duration(value) if name in TIMES else f"{value:,.6g} a call"
