"""Targets, budgets and headroom on a page, and the page of `armprof budget`."""

from __future__ import annotations

from collections.abc import Iterator

from armprof.budget.assess import Assessment, Budget, FigureTarget
from armprof.budget.headroom import PARTS, percent_text
from armprof.report import figures
from armprof.report.budget import budget_row, facts, lists, target_row
from armprof.report.html import plots
from armprof.report.html.blocks import (
    Block,
    CaptionedPlot,
    Cell,
    Group,
    Items,
    Page,
    PageVerdict,
    Section,
    Table,
    Tone,
    Words,
)
from armprof.report.html.cells import columns
from armprof.report.pieces import short
from armprof.report.tree import exact_time, spent
from armprof.run.record import Run

LOOKS = [f"part{n}" for n in range(1, 8)]


def page(run: Run, assessed: Assessment) -> Page:
    """The page of a run held against a plan."""
    return Page(
        verb="budget",
        title=f"Budget of {exact_time(assessed.total.limit.value)} for {assessed.total.figure.label}",
        verdict=verdict(assessed),
        facts=list(facts(run, assessed)),
        sections=[Section("budget", "Targets, budget and headroom", list(blocks(run, assessed)))],
    )


def verdict(assessed: Assessment) -> PageVerdict:
    """The recommendation, and what it rests on."""
    action, reason = assessed.recommendation
    tones: dict[str | None, Tone] = {
        "LEVERAGE_HEADROOM": "good",
        "MAINTAIN_STATUS": "good",
        "INVESTIGATE_ISSUES": "warn",
    }
    tone = "bad" if assessed.alerts else tones.get(action and str(action), "open")
    said = str(action).replace("_", " ").capitalize() if action else "Not judged"
    return PageVerdict(
        tone, f"{said}: {reason}", [*points(assessed), *(alert.alert or "" for alert in assessed.alerts)]
    )


def points(assessed: Assessment) -> Iterator[str]:
    """How the total stands, and how the targets do."""
    total = assessed.total
    if total.figure.value is not None and total.utilization is not None:
        yield (
            f"{total.figure.label} takes {figures.duration(total.figure.value)} of {exact_time(total.limit.value)}, "
            f"{percent_text(100 * total.utilization)}: {total.status}"
        )
    judged = [target for target in assessed.targets if target.factor is not None]
    met = sum((target.factor or 0) >= 1 for target in judged)
    if judged:
        yield f"{met} of {len(judged)} target{'s' * (len(judged) != 1)} met"


def blocks(run: Run, assessed: Assessment) -> Iterator[Block]:
    """The total, the budgets, the targets, the headroom and its parts, and what was not measured."""
    yield from _total(assessed)
    budgets = [budget for budget in assessed.budgets if budget.figure.value is not None]
    if budgets:
        heads = columns("budget of", ">measured", ">budget", "|used", ">share", "status")
        yield Table("Budgets", heads, [_budget(budget) for budget in budgets])
    targets = [target for target in assessed.targets if target.figure.value is not None]
    if targets:
        heads = columns("target of", ">measured", ">target", ">factor", "status", ">reference")
        yield Table("Targets", heads, [_target(target) for target in targets])
    yield from _headroom(assessed)
    for title, entries in lists(run, assessed).items():
        if entries:
            yield Group(title, [Items(entries)])


def _total(assessed: Assessment) -> Iterator[Block]:
    total, share = assessed.total, assessed.total.utilization
    if total.figure.value is None or share is None:
        yield Words(
            f"{total.figure.label} has {exact_time(total.limit.value)} and was not measured: {total.figure.reason}"
        )
        return
    used = f"used {figures.duration(total.figure.value)}"
    free = f"free {figures.duration(max(0.0, assessed.headroom_ns or 0.0))}"
    plot = plots.stacked(
        f"Use of {exact_time(total.limit.value)}", [("over" if share > 1 else "part1", used, min(share, 1.0))]
    )
    legend = [("over" if share > 1 else "part1", f"{used}, {percent_text(100 * share)}"), ("part0", free)]
    yield CaptionedPlot(f"{total.figure.label}: {exact_time(total.limit.value)} in all, {total.status}", plot, legend)


def _budget(budget: Budget) -> tuple[Cell, ...]:
    label, measured, limit, used, status = budget_row(budget)
    share = budget.utilization or 0.0
    over = share > 1
    return (
        Cell(short(label), below=budget.figure.remark or ""),
        Cell(measured),
        Cell(limit),
        Cell(plot=plots.bar(label, share, "over" if over else "fill")),
        Cell(used),
        Cell(status, tone="bad" if over else ""),
    )


def _target(target: FigureTarget) -> tuple[Cell, ...]:
    label, measured, limit, factor, status, reference = target_row(target)
    name = Cell(short(label), below=target.figure.remark or "")
    tone: Tone = "" if (target.factor or 0.0) >= 1 else "warn"
    return name, Cell(measured), Cell(limit), Cell(factor), Cell(status, tone=tone), Cell(reference)


def _headroom(assessed: Assessment) -> Iterator[Block]:
    allocation, share = assessed.allocation, assessed.headroom_share
    if allocation is None or share is None:
        yield Words(f"Headroom: not known, because {assessed.total.figure.label} was not measured.", "dim")
        return
    if allocation.reason:
        yield Words(f"Headroom: none, {allocation.reason}.", "bad")
        return
    left = f"{figures.duration(allocation.headroom_ns)}, {percent_text(100 * share)} of the total"
    parts = [(part, ns) for part, ns in allocation.items()]
    weights = [assessed.plan.weights.get(part, 0.0) for part, _ in parts]
    shares = [(look, PARTS[part], weight) for look, (part, _), weight in zip(LOOKS, parts, weights, strict=True)]
    yield CaptionedPlot(
        f"Headroom: {left}, {(assessed.headroom_status or '').lower()}",
        plots.stacked("Allocation of the headroom", shares),
    )
    takes = ["taken of it"] if assessed.spending else []
    rows = [
        (
            Cell(PARTS[part]),
            Cell(f"{100 * weight:.3g} %"),
            Cell(figures.duration(ns)),
            *(Cell("; ".join(spent(one) for one in assessed.spending if one.part == part)) for _ in takes),
        )
        for (part, ns), weight in zip(parts, weights, strict=True)
    ]
    yield Table("Parts of the headroom", columns("to", ">weight", ">headroom", *takes), rows)
