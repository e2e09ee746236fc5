"""A run held against its budgets, before a reviewer. What is exceeded is shown where the budget is stated."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from armprof.budget.assess import Assessment, Budget, Spending
from armprof.budget.headroom import percent_text
from armprof.budget.plan import Limit
from armprof.config import path_of
from armprof.report import figures
from armprof.report.location import Location, located
from armprof.report.review import Check, Grade, Review, Rule
from armprof.report.tree import exact_time

EXCEEDED = Rule(
    "budget-exceeded",
    "Latency budget exceeded",
    "The component takes longer than its budget allows. Make it faster, or state another budget in armprof.toml.",
)
UNMEASURED = Rule(
    "budget-not-measured",
    "Latency budget not judged",
    "A budget is stated for what the run does not have. Bench it too, or take the budget out of armprof.toml.",
)


def review(assessed: Assessment) -> Review:
    """A check for each budget that was judged or that the project states: the total's, components', parts of the headroom's."""
    stated = _Stated(assessed.plan.origin)
    checks = [_placed(_budget(one), one.limit, stated, section) for section, one in _budgets(assessed)]
    at = stated.location("headroom.components")
    checks += [replace(_spending(spending), location=at) for spending in assessed.spending]
    action, reason = assessed.recommendation
    return Review(
        verb="budget",
        summary=f"{action or 'not judged'}: {reason}",
        columns=("measured", "budget", "used", "status"),
        checks=tuple(checks),
        notes=(f"plan: {assessed.plan.origin}",),
    )


def _budgets(assessed: Assessment) -> Iterator[tuple[str, Budget]]:
    """The budgets, each with the section that states it. The defaults' budgets of what was not measured concern nobody."""
    sections = [("budget", assessed.total)]
    sections += [(f"budgets.{path_of(one.limit.component)}", one) for one in assessed.budgets]
    return ((section, one) for section, one in sections if one.limit.stated or one.figure.value is not None)


def _placed(check: Check, limit: Limit, stated: _Stated, section: str) -> Check:
    return replace(check, location=stated.location(section)) if limit.stated else check


def _budget(budget: Budget) -> Check:
    figure, limit = budget.figure, budget.limit
    allowed = exact_time(limit.value)
    if figure.value is None or budget.utilization is None:
        return _unmeasured(figure.component, figure.label, figure.reason or "not measured", limit)
    used = percent_text(100 * budget.utilization)
    taken = figures.duration(figure.value)
    return Check(
        rule=EXCEEDED,
        grade=Grade.ERROR if budget.utilization > 1 else Grade.PASSED,
        component=figure.component,
        what=figure.name,
        message=f"{figure.label} takes {taken} of {allowed}: {used} of its budget",
        cells=(taken, allowed, used, budget.status or ""),
        facts=(figure.remark,) if figure.remark else (),
        cost=100 * (budget.utilization - 1),
    )


def _unmeasured(component: str, label: str, reason: str, limit: Limit) -> Check:
    return Check(
        rule=UNMEASURED,
        grade=Grade.ERROR,
        component=component,
        what=limit.figure,
        message=f"{label} has a budget and was not measured: {reason}",
        cells=(figures.NONE, exact_time(limit.value), figures.NONE, "not measured"),
    )


def _spending(spending: Spending) -> Check:
    judged = spending.validation
    if judged is None:
        return Check(
            rule=UNMEASURED,
            grade=Grade.ERROR,
            component=spending.label,
            what=f"headroom for {spending.part}",
            message=f"headroom for {spending.part} was not judged: {spending.reason}",
            cells=(figures.NONE, figures.NONE, figures.NONE, "not measured"),
        )
    used = figures.NONE if judged.utilization is None else percent_text(100 * judged.utilization)
    return Check(
        rule=EXCEEDED,
        grade=Grade.PASSED if judged.within else Grade.ERROR,
        component=spending.label,
        what=f"headroom for {spending.part}",
        message=judged.alert or f"{judged.name} keeps its budget",
        cells=(figures.duration(judged.measured_ns), figures.duration(judged.allocated_ns), used, ""),
        cost=100 * ((judged.utilization or 1.0) - 1),
    )


class _Stated:
    """Where the plan's file states what: the lines of its sections."""

    def __init__(self, origin: str) -> None:
        self._origin = origin
        try:
            lines = Path(origin).read_text(encoding="utf-8", errors="replace").splitlines()
        except (OSError, ValueError):  # the defaults, which are no file of the project
            lines = []
        headers = {at: re.fullmatch(r"\s*\[\s*([^\[\]]+?)\s*\]\s*(?:#.*)?", line) for at, line in enumerate(lines, 1)}
        self._lines = {found[1]: at for at, found in headers.items() if found}

    def location(self, section: str) -> Location | None:
        """The section's line; the first one where it is written in another way than as a header."""
        return located(self._origin, self._lines.get(section, 1))
