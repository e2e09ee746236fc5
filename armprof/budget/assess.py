"""A run held against a plan: targets, budgets, headroom, alerts, and what to do. Nothing here prints."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from armprof.budget import words
from armprof.budget.headroom import HeadroomAllocation, Validation, allocate, percent_text, validate
from armprof.budget.plan import LEAST, MOST, PERCENTILES, THROUGHPUT, TIMES, Limit, Plan
from armprof.run.record import Component, Run


class Action(StrEnum):
    """What the numbers advise."""

    LEVERAGE_HEADROOM = "LEVERAGE_HEADROOM"
    MAINTAIN_STATUS = "MAINTAIN_STATUS"
    INVESTIGATE_ISSUES = "INVESTIGATE_ISSUES"


@dataclass(frozen=True, slots=True)
class RunFigure:
    """One figure of a component as a run has it: ``value`` in ns or operations per second, or None and the ``reason``.

    ``remark`` is what must be known of a value. ``batch`` and ``samples`` are those of the latency it is from.
    """

    component: str
    title: str
    name: str  # the field of the run file: p50_ns, ..., throughput_per_s
    value: float | None
    reason: str | None = None
    remark: str | None = None
    batch: int | None = None
    samples: int | None = None

    @property
    def label(self) -> str:
        """What to call it in a line: "order_book p99", or "feed_handler throughput"."""
        return f"{self.component} {TIMES.get(self.name, 'throughput')}"


@dataclass(frozen=True, slots=True)
class FigureTarget:
    """A figure beside what it should reach. ``reference`` is the figure to be beaten, where there is one."""

    figure: RunFigure
    limit: Limit
    reference: float | None = None

    @property
    def factor(self) -> float | None:
        """How many times better than the target: 2 is half the time, or twice the throughput."""
        value = self.figure.value
        if value is None:
            return None
        return value / self.limit.value if self.limit.figure == THROUGHPUT else self.limit.value / value

    @property
    def status(self) -> str | None:
        return None if self.factor is None else words.at_least(words.TARGET, self.factor)


@dataclass(frozen=True, slots=True)
class Budget:
    """A latency beside what it may take."""

    figure: RunFigure
    limit: Limit
    reference: float | None = None

    @property
    def validation(self) -> Validation | None:
        """None where there is no latency to judge."""
        value = self.figure.value
        return None if value is None else validate(self.figure.label, value, self.limit.value)

    @property
    def utilization(self) -> float | None:
        """The share of the budget that is taken."""
        return self.validation.utilization if self.validation else None

    @property
    def status(self) -> str | None:
        return None if self.utilization is None else words.at_most(words.UTILIZATION, self.utilization)


@dataclass(frozen=True, slots=True)
class Spending:
    """What components take together of their part of the headroom; ``reason`` says why that is not known."""

    part: str
    figures: tuple[RunFigure, ...]
    allocated_ns: float | None
    reason: str | None = None

    @property
    def label(self) -> str:
        return " + ".join(figure.label for figure in self.figures)

    @property
    def validation(self) -> Validation | None:
        """None where anything of it is not known. Percentiles do not add up: a sum of them is a sum, and says so."""
        known = [figure.value for figure in self.figures if figure.value is not None]
        if self.allocated_ns is None or len(known) < len(self.figures):
            return None
        return validate(f"{self.label} (headroom for {self.part})", math.fsum(known), self.allocated_ns)


@dataclass(frozen=True, slots=True)
class Missing:
    """What could not be judged, and why. ``required``: the project's own file states a budget for it."""

    what: str
    reason: str
    required: bool


@dataclass(frozen=True)
class Assessment:
    """All that follows from holding a run against a plan."""

    plan: Plan
    targets: tuple[FigureTarget, ...]
    budgets: tuple[Budget, ...]
    total: Budget
    headroom_ns: float | None
    allocation: HeadroomAllocation | None
    spending: tuple[Spending, ...]

    @property
    def headroom_share(self) -> float | None:
        """Of the total budget; negative where that is exceeded."""
        return None if self.headroom_ns is None else self.headroom_ns / self.total.limit.value

    @property
    def headroom_status(self) -> str | None:
        return None if self.headroom_share is None else words.at_least(words.HEADROOM, self.headroom_share)

    @property
    def validations(self) -> tuple[Validation, ...]:
        """Every budget that was judged: the total, the components', the parts of the headroom."""
        judged = (self.total.validation, *(b.validation for b in self.budgets), *(s.validation for s in self.spending))
        return tuple(validation for validation in judged if validation is not None)

    @property
    def alerts(self) -> tuple[Validation, ...]:
        """Every budget that is exceeded."""
        return tuple(validation for validation in self.validations if not validation.within)

    @property
    def missing(self) -> tuple[Missing, ...]:
        """What has a budget or a target and was not measured."""
        return tuple(self._missing())

    def _missing(self) -> Iterator[Missing]:
        for budget in (self.total, *self.budgets):
            if budget.figure.reason is not None:
                yield Missing(budget.figure.label, budget.figure.reason, budget.limit.stated)
        for spending in self.spending:
            if spending.reason is not None:
                yield Missing(f"headroom for {spending.part}", spending.reason, True)
        told = {budget.figure.label for budget in (self.total, *self.budgets)}
        for target in self.targets:
            if target.figure.reason is not None and target.figure.label not in told:
                yield Missing(target.figure.label, target.figure.reason, False)

    @property
    def exit_status(self) -> int:
        """1 where a budget is exceeded; 3 where a budget of the project's own file, or every budget, was not judged."""
        if self.alerts:
            return 1
        return 3 if not self.validations or any(missing.required for missing in self.missing) else 0

    @property
    def recommendation(self) -> tuple[Action | None, str]:
        """What to do and why; None where nothing was judged."""
        issues = {
            "exceeds its budget": [alert.name for alert in self.alerts],
            "misses its target": [target.figure.label for target in self.targets if target.status == words.MISSES],
            "has a budget and was not measured": [missing.what for missing in self.missing if missing.required],
        }
        if any(issues.values()):
            reason = "; ".join(f"{issue}: {', '.join(names)}" for issue, names in issues.items() if names)
            return Action.INVESTIGATE_ISSUES, reason
        judged = [target for target in self.targets if target.factor is not None]
        if not self.validations and not judged:
            return None, "nothing that has a target or a budget was measured"
        acceptable = [target.figure.label for target in judged if target.status == words.ACCEPTABLE]
        targets = "every target that was judged is met" if judged else "no target was judged"
        if acceptable:
            targets = f"beyond its target, but acceptable: {', '.join(acceptable)}"
        share = self.headroom_share
        if share is None:
            return Action.MAINTAIN_STATUS, f"the headroom is not known; {targets}"
        action = Action.LEVERAGE_HEADROOM if share >= words.LEVERAGE_FROM else Action.MAINTAIN_STATUS
        return action, f"{percent_text(100 * share)} of the total budget is unused; {targets}"


def assess(run: Run, plan: Plan) -> Assessment:
    """The run's figures held against the plan.

    A component that the run does not have, or not with that figure, is not measured: neither good nor 0. Where two components
    have the same name, each is judged, and the slower one is the total.
    """
    found = [Budget(figure, plan.total) for figure in _figures(run, plan.total.component, plan.total.figure)]
    total = max(found, key=lambda budget: budget.figure.value or 0.0)
    headroom_ns = None if total.figure.value is None else plan.total.value - total.figure.value
    allocation = None if headroom_ns is None else allocate(headroom_ns, plan.weights)
    return Assessment(
        plan=plan,
        targets=tuple(FigureTarget(*judged) for judged in _judged(run, plan, plan.targets)),
        budgets=tuple(Budget(*judged) for judged in _judged(run, plan, plan.budgets)),
        total=total,
        headroom_ns=headroom_ns,
        allocation=allocation,
        spending=tuple(_spending(run, plan, part, total, allocation) for part in plan.spent_by),
    )


def mean_factor(factors: Iterable[float]) -> float | None:
    """The geometric mean, which twice and half as good leave at 1; None where there are none."""
    logarithms = [math.log(factor) for factor in factors]
    return math.exp(math.fsum(logarithms) / len(logarithms)) if logarithms else None


def _judged(run: Run, plan: Plan, limits: Iterable[Limit]) -> Iterator[tuple[RunFigure, Limit, float | None]]:
    for limit in limits:
        for figure in _figures(run, limit.component, limit.figure):
            yield figure, limit, plan.reference(limit.component, limit.figure)


def _spending(run: Run, plan: Plan, part: str, total: Budget, allocation: HeadroomAllocation | None) -> Spending:
    figures = tuple(figure for name in plan.spent_by[part] for figure in _figures(run, name, plan.total.figure))
    allocated = allocation[part] if allocation else None
    reasons = [f"{figure.label}: {figure.reason}" for figure in figures if figure.reason is not None]
    if allocation is None:
        reasons.append(f"the headroom is not known, for {total.figure.label} was not measured")
    return Spending(part, figures, allocated, "; ".join(reasons) or None)


def _figures(run: Run, name: str, figure: str) -> list[RunFigure]:
    """The figure of every component of that name, or that there is none."""
    named = [component for component in run.components if component.name == name]
    if named:
        return [figure_of(component, figure) for component in named]
    names = [component.name for component in run.components]
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.75)
    hint = f"; the run has {close[0]!r}" if close else ""
    return [RunFigure(name, name, figure, None, f"not in the run{hint}")]


def figure_of(component: Component, name: str) -> RunFigure:
    """The figure of that name, a field of the run file; None and a reason where the component has none."""
    latency, title = component.latency, component.title or component.name
    if name == THROUGHPUT:
        value, what = component.throughput_per_s, "throughput"
    else:
        value, what = getattr(latency, name) if latency else None, "time of one operation"
    batch, samples = (latency.batch, latency.samples) if latency else (None, None)
    if value is None:
        reason = latency.reason if latency and name in PERCENTILES else None
        return RunFigure(
            component.name, title, name, None, component.failure or reason or f"the run has no {what} of it"
        )
    if not LEAST <= value <= MOST:
        # What takes less than the clock itself can come out as 0 when the cost of the clock is subtracted.
        reason = (
            f"a {what} of {float(value):.3g} {'per second' if name == THROUGHPUT else 'ns'} is none that was measured"
        )
        return RunFigure(component.name, title, name, None, reason, batch=batch, samples=samples)
    remarks = []
    if name != THROUGHPUT and batch is not None and samples is not None:
        if batch > 1 and name not in ("p50_ns", "mean_ns"):
            remarks.append(f"of the means of batches of {batch:,} operations, narrower than of single operations")
        if latency and latency.is_largest(name):
            remarks.append(f"of {samples:,} samples: the largest of them")
    return RunFigure(component.name, title, name, float(value), None, "; ".join(remarks) or None, batch, samples)
