"""What `armprof budget` says, as text and as JSON; budget.schema.json describes the JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TextIO

from rich.console import RenderableType

from armprof.budget.assess import Assessment, Budget, FigureTarget, RunFigure, Spending
from armprof.budget.headroom import PARTS, percent_text
from armprof.budget.plan import THROUGHPUT, Limit
from armprof.report import figures
from armprof.report.contract import rendered
from armprof.report.paper import paper, printed
from armprof.report.pieces import item, table, text
from armprof.report.tree import batches, exact_rate, exact_time, factor_text, spent
from armprof.run.codec import encode
from armprof.run.record import Run

FORMAT = "armprof-budget"
VERSION = 1


def render(run: Run, assessed: Assessment, stream: TextIO | None = None) -> str:
    """The assessment as text for this stream; without one, plain text of 80 columns."""
    return printed(paper(stream), _blocks(run, assessed))


def _blocks(run: Run, assessed: Assessment) -> Iterator[RenderableType]:
    yield from _head(run, assessed)
    budgets = [budget for budget in assessed.budgets if budget.figure.value is not None]
    if budgets:
        rows = table("budget of", ">measured", ">budget", ">used", "status")
        for budget in budgets:
            rows.add_row(*map(text, budget_row(budget)))
        yield from ("", rows)
    targets = [target for target in assessed.targets if target.figure.value is not None]
    if targets:
        rows = table("target of", ">measured", ">target", ">factor", "status", ">reference")
        for target in targets:
            rows.add_row(*map(text, target_row(target)))
        yield from ("", rows)
    yield from ("", *_headroom(assessed))
    for title, lines in lists(run, assessed).items():
        if lines:
            yield from ("", text(title, "bold"), *map(item, lines))
    action, reason = assessed.recommendation
    yield from ("", text(f"Recommendation: {action or 'none'} ({reason})"))


def _head(run: Run, assessed: Assessment) -> Iterator[RenderableType]:
    total = assessed.total
    asked = f"{exact_time(total.limit.value)} for {total.figure.label}"
    if total.figure.value is None or total.utilization is None:
        yield text(f"Total budget: {asked}: not measured", "bold")
    else:
        used = f"{figures.duration(total.figure.value)}, {percent_text(100 * total.utilization)}"
        yield text(f"Total budget: {asked}: {used}, {total.status}", "bold")
    yield from (text(f"{label:7}  {fact}") for label, fact in facts(run, assessed))


def facts(run: Run, assessed: Assessment) -> Iterator[tuple[str, str]]:
    """Which machine it was, and which plan it is held against."""
    if run.host.get("description"):
        yield "machine", str(run.host["description"])
    yield "plan", assessed.plan.origin


def lists(run: Run, assessed: Assessment) -> dict[str, list[str]]:
    """What is told in sentences, by its heading."""
    judged = [
        *(one.figure for one in assessed.budgets),
        *(one.figure for one in assessed.targets),
        assessed.total.figure,
    ]
    remarks = dict.fromkeys(f"{one.label}: {one.remark}" for one in judged if one.value is not None and one.remark)
    return {
        "Alerts": [alert.alert or "" for alert in assessed.alerts],
        "Not measured": _unmeasured(assessed),
        "Notes": [*filter(None, [batches(run)]), *remarks],
    }


def budget_row(budget: Budget) -> tuple[str, ...]:
    """Of what, measured, budget, used, status."""
    return (
        budget.figure.label,
        figures.duration(budget.figure.value or 0.0),
        exact_time(budget.limit.value),
        percent_text(100 * (budget.utilization or 0.0)),
        budget.status or "",
    )


def target_row(target: FigureTarget) -> tuple[str, ...]:
    """Of what, measured, target, factor, status, reference."""
    limit = target.limit
    shown, exact, sign = (
        (figures.rate, exact_rate, ">") if limit.figure == THROUGHPUT else (figures.duration, exact_time, "<")
    )
    return (
        target.figure.label,
        shown(target.figure.value or 0.0),
        f"{sign} {exact(limit.value)}",
        factor_text(target.factor or 0.0),
        target.status or "",
        figures.NONE if target.reference is None else exact(target.reference),
    )


def _headroom(assessed: Assessment) -> Iterator[RenderableType]:
    allocation, share = assessed.allocation, assessed.headroom_share
    if allocation is None or share is None:
        yield text(f"Headroom: not known, because {assessed.total.figure.label} was not measured", "bold")
        return
    if allocation.reason:
        yield text(f"Headroom: none, {allocation.reason}", "bold")
    else:
        left = f"{figures.duration(allocation.headroom_ns)}, {percent_text(100 * share)} of the total"
        yield text(f"Headroom: {left}, {assessed.headroom_status}", "bold")
        rows = table("allocated to", ">weight", ">headroom")
        for part, ns in allocation.items():
            weight = f"{100 * assessed.plan.weights.get(part, 0.0):.3g} %"
            rows.add_row(*map(text, (PARTS[part], weight, figures.duration(ns))))
        yield rows
    for spending in assessed.spending:
        yield item(f"{PARTS[spending.part]}: {spent(spending)}")


def _unmeasured(assessed: Assessment) -> list[str]:
    """A line for each reason: first what the project's file requires, then the rest together."""
    lines = [f"{missing.what}: {missing.reason}; required" for missing in assessed.missing if missing.required]
    reasons: dict[str, list[str]] = {}
    for missing in assessed.missing:
        if not missing.required:
            reasons.setdefault(missing.reason, []).append(missing.what)
    return lines + [f"{', '.join(whats)}: {reason}" for reason, whats in reasons.items()]


# JSON


def render_json(run: Run, assessed: Assessment) -> str:
    """The assessment as JSON text, in ASCII."""
    return rendered(FORMAT, VERSION, _content(run, assessed))


def _content(run: Run, assessed: Assessment) -> dict[str, Any]:
    """The assessment as dicts and lists; what was not measured is None, with a reason beside it."""
    action, reason = assessed.recommendation
    allocation = assessed.allocation
    return {
        "created": run.created or None,
        "host": encode(run.host),
        "plan": assessed.plan.origin,
        "exit_status": assessed.exit_status,
        "total": _budget(assessed.total),
        "budgets": [_budget(budget) for budget in assessed.budgets],
        "targets": [_target(target) for target in assessed.targets],
        "headroom": {
            "available_ns": assessed.headroom_ns,
            "share": assessed.headroom_share,
            "status": assessed.headroom_status,
            "reason": f"{assessed.total.figure.label} was not measured" if allocation is None else allocation.reason,
            "weights": dict(assessed.plan.weights),
            "allocation_ns": dict(allocation.items()) if allocation else None,
            "spending": [_spending(spending) for spending in assessed.spending],
        },
        "alerts": [alert.to_dict() for alert in assessed.alerts],
        "not_measured": [encode(missing) for missing in assessed.missing],
        "recommendation": {"action": str(action) if action else None, "reason": reason},
    }


def _figure(figure: RunFigure, limit: Limit) -> dict[str, Any]:
    return {
        "component": figure.component,
        "title": figure.title,
        "figure": figure.name,
        "measured": figure.value,
        "batch": figure.batch,
        "samples": figure.samples,
        "reason": figure.reason,
        "remark": figure.remark,
        "source": limit.source,
        "stated": limit.stated,
    }


def _budget(budget: Budget) -> dict[str, Any]:
    return {
        **_figure(budget.figure, budget.limit),
        "budget": budget.limit.value,
        "utilization": budget.utilization,
        "status": budget.status,
        "reference": budget.reference,
    }


def _target(target: FigureTarget) -> dict[str, Any]:
    return {
        **_figure(target.figure, target.limit),
        "target": target.limit.value,
        "factor": target.factor,
        "status": target.status,
        "reference": target.reference,
    }


def _spending(spending: Spending) -> dict[str, Any]:
    validation = spending.validation
    return {
        "part": spending.part,
        "components": [figure.component for figure in spending.figures],
        "measured_ns": validation.measured_ns if validation else None,
        "allocated_ns": spending.allocated_ns,
        "utilization": validation.utilization if validation else None,
        "reason": spending.reason,
    }
