"""The performance analysis as trees: system, components, budget, headroom, and what that advises.

Only what the run has is shown, and every word follows from the numbers beside it. The trees fit the width, need no
colour, and are drawn in ASCII where the encoding of the output has no lines.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping

from rich.console import RenderableType
from rich.tree import Tree

from armprof.budget import words
from armprof.budget.assess import Assessment, FigureTarget, RunFigure, Spending, assess, figure_of, mean_factor
from armprof.budget.headroom import PARTS, percent_text
from armprof.budget.plan import PERCENTILES, THROUGHPUT, TIMES, Plan
from armprof.report import figures
from armprof.report.paper import WIDTH
from armprof.report.pieces import listed, text
from armprof.run.record import Run

# Where components stand. What is in none of these comes last, under OTHER.
GROUPS: Mapping[str, tuple[str, ...]] = {
    "Infrastructure": ("timing", "object_pool", "spsc_ring"),
    "Market data": ("feed_handler", "itch50", "treasury"),
    "Trading": ("strategy", "order_book", "risk"),
}
OTHER = "Other components"

REGRESSIONS = "REGRESSION ANALYSIS: not judged (one run has no baseline to be compared with)"
GUIDES = 8  # columns that the lines of a tree take before a component
SHORTEST_LABEL = 12
_TIMES = (("ns", 1.0), ("us", 1e3), ("ms", 1e6), ("s", 1e9))
_RATES = (("/s", 1.0), (" k/s", 1e3), (" M/s", 1e6), (" G/s", 1e9))


def overview(run: Run, plan: Plan, width: int = WIDTH) -> list[RenderableType]:
    """The analysis as what rich prints, one tree after the other."""
    assessed = assess(run, plan)
    percentile = PERCENTILES[plan.total.figure]
    blocks: list[RenderableType] = [
        text(f"Performance analysis: {percentile} of one operation, where a line names no other figure"),
        text(f"Targets and budgets: {plan.origin}", "dim"),
    ]
    if told := batches(run):
        blocks.append(text(told, "dim"))
    trees = (
        _system(assessed),
        _components(run, assessed, width),
        _budget(assessed),
        _headroom(assessed),
        text(REGRESSIONS),
        _recommendation(assessed),
    )
    for tree in trees:
        blocks += ["", tree]
    return blocks


# What the figures are held against


def _system(assessed: Assessment) -> Tree:
    whole = assessed.total.figure
    targets = [target for target in assessed.targets if target.limit.component == whole.component]
    judged = [target for target in targets if target.factor is not None]
    tree = Tree(text(f"SYSTEM PERFORMANCE STATUS: {_status(judged) or 'not judged'}", "bold"))
    for target in judged:
        tree.add(text("  ".join(_cells(target, assessed))))
    if not judged:
        reason = targets[0].figure.reason if targets else "it has no target"
        tree.add(text(f"{whole.component}: {reason}"))
    return tree


def _components(run: Run, assessed: Assessment, width: int) -> Tree:
    tree = Tree(text("COMPONENT PERFORMANCE ANALYSIS", "bold"))
    placed = {name for names in GROUPS.values() for name in names}
    rest = [c.name for c in run.components if c.name not in placed and c.name != assessed.total.figure.component]
    groups = {**GROUPS, OTHER: tuple(dict.fromkeys(rest))}
    rows = {group: list(_rows(run, assessed, names)) for group, names in groups.items()}
    cells = [row for found in rows.values() for row, _ in found]
    if not cells:
        tree.add(text("no component was measured"))
        return tree
    widths = [max(len(row[column]) for row in cells) for column in range(4)]
    widths[0] = max(SHORTEST_LABEL, min(widths[0], width - GUIDES - sum(widths[1:]) - 2 * 3))
    for group, found in rows.items():
        if not found:
            continue
        branch = tree.add(text(group))
        for row, remark in found:
            node = branch.add(text(_aligned(row, widths)))
            if remark:
                node.add(text(remark))
        judged = [t for t in assessed.targets if t.limit.component in groups[group] and t.factor is not None]
        if status := _status(judged):
            branch.add(text(f"Status: {status}{_mean(judged)}"))
    return tree


_Row = tuple[str, str, str, str]  # label, figure, target, verdict


def _rows(run: Run, assessed: Assessment, names: Iterable[str]) -> Iterator[tuple[_Row, str | None]]:
    """A line for every target of a component that was run, and what must be known of its figure."""
    for name in names:
        components = [component for component in run.components if component.name == name]
        targets = [target for target in assessed.targets if target.limit.component == name]
        if components and targets:
            yield from ((_cells(target, assessed), target.figure.reason or target.figure.remark) for target in targets)
        elif components:
            untargeted = [figure_of(component, assessed.plan.total.figure) for component in components]
            yield from (
                ((f.title, _shown(f, assessed.plan), "", "no target"), f.reason or f.remark) for f in untargeted
            )


def _cells(target: FigureTarget, assessed: Assessment) -> _Row:
    figure, factor = target.figure, target.factor
    verdict = "not measured" if factor is None else _verdict(factor)
    return figure.title, _shown(figure, assessed.plan), f"(target {_limit(target)})", verdict


def _shown(figure: RunFigure, plan: Plan) -> str:
    """The figure, with its percentile where that is not the plan's."""
    if figure.value is None:
        return figures.NONE
    if figure.name == THROUGHPUT:
        return figures.rate(figure.value)
    named = "" if figure.name == plan.total.figure else f"{TIMES[figure.name]} "
    return f"{named}{figures.duration(figure.value)}"


def _limit(target: FigureTarget) -> str:
    limit = target.limit
    return f"> {exact_rate(limit.value)}" if limit.figure == THROUGHPUT else f"< {exact_time(limit.value)}"


def _verdict(factor: float) -> str:
    """8.5x better; or the factor and the word: it is rounded down there, for 0.996 does not meet its target."""
    word = words.at_least(words.TARGET, factor)
    if word == words.EXCEEDS:
        return f"{factor_text(factor)} better"
    return f"{factor_text(math.floor(100 * factor) / 100)}, {word.lower()}"


def _status(judged: list[FigureTarget]) -> str | None:
    factors = tuple(target.factor for target in judged if target.factor is not None)
    mean = mean_factor(factors)
    return None if mean is None else words.group(mean, factors)


def _mean(judged: list[FigureTarget]) -> str:
    """What the status is made of, where that is more than one target."""
    if len(judged) < 2:
        return ""
    mean = mean_factor(target.factor for target in judged if target.factor is not None) or 0.0
    missed = sum(target.factor is not None and target.factor < 1 for target in judged)
    beyond = f", {missed} of {len(judged)} not met" if missed else ""
    return f" (geometric mean {factor_text(mean)}{beyond})"


def _aligned(row: _Row, widths: list[int]) -> str:
    label, figure, target, verdict = row
    if len(label) > widths[0]:
        label = f"{label[: widths[0] - 3]}..."
    return f"{label:{widths[0]}}  {figure:>{widths[1]}}  {target:{widths[2]}}  {verdict}"


# What they take of the budget, and what is left


def _budget(assessed: Assessment) -> Tree:
    total = assessed.total
    tree = Tree(text(f"LATENCY BUDGET UTILIZATION: {total.status or 'not judged'}", "bold"))
    tree.add(text(f"Total budget: {exact_time(total.limit.value)} for {total.figure.label}"))
    if total.validation is None or total.utilization is None or assessed.headroom_ns is None:
        tree.add(text(f"Actual usage: not measured ({total.figure.reason})"))
    else:
        used = figures.duration(total.validation.measured_ns)
        tree.add(text(f"Actual usage: {used} ({percent_text(100 * total.utilization)} utilization)"))
    for budget in assessed.budgets:
        if budget.figure.value is None or budget.utilization is None:
            continue
        taken = f"{figures.duration(budget.figure.value)} of {exact_time(budget.limit.value)}"
        named = "" if budget.figure.name == total.figure.name else f" {TIMES[budget.figure.name]}"
        share = percent_text(100 * budget.utilization)
        node = tree.add(text(f"{budget.figure.title}{named}: {taken} ({share}), {budget.status}"))
        if budget.figure.remark:
            node.add(text(budget.figure.remark))
    for alert in assessed.alerts:
        tree.add(text(f"ALERT: {alert.alert}", "red"))
    if assessed.headroom_ns is not None and assessed.headroom_share is not None:
        if assessed.headroom_ns >= 0:
            left, share = figures.duration(assessed.headroom_ns), percent_text(100 * assessed.headroom_share)
            tree.add(text(f"Available headroom: {left} ({share} unused)"))
        tree.add(text(f"Assessment: {assessed.headroom_status}"))
    return tree


def _headroom(assessed: Assessment) -> Tree:
    tree = Tree(text("HEADROOM ALLOCATION", "bold"))
    allocation = assessed.allocation
    if allocation is None:
        tree.add(text(f"not known, because {assessed.total.figure.label} was not measured"))
    elif allocation.reason:
        tree.add(text(f"none: {allocation.reason}"))
    else:
        label = max(map(len, PARTS.values()))
        for part, ns in allocation.items():
            weight = assessed.plan.weights.get(part, 0.0)
            node = tree.add(text(f"{PARTS[part]:{label}}  {100 * weight:>4.3g} %  {figures.duration(ns):>8}"))
            for spending in assessed.spending:
                if spending.part == part:
                    node.add(text(spent(spending)))
    return tree


def _recommendation(assessed: Assessment) -> Tree:
    action, reason = assessed.recommendation
    tree = Tree(text(f"RECOMMENDATION: {action or 'none'}", "bold"))
    tree.add(text(reason))
    return tree


def batches(run: Run) -> str | None:
    """Which components were timed in batches, and what that makes of their figures; None where none was."""
    names = [c.name for c in run.components if c.latency and c.latency.batch > 1]
    return f"Timed in batches, so that percentiles are those of their means: {listed(names, 6)}" if names else None


def spent(spending: Spending) -> str:
    """What components take of their part of the headroom, in words."""
    validation = spending.validation
    if validation is None:
        return f"{spending.label}: not judged, {spending.reason}"
    share = "" if validation.utilization is None else f" ({percent_text(100 * validation.utilization)})"
    added = ", a sum that is no percentile of the whole" if len(spending.figures) > 1 else ""
    return f"{spending.label}: {figures.duration(validation.measured_ns)}{share}{added}"


def factor_text(factor: float) -> str:
    """Two digits, and all before the point: 0.72x, 1.1x, 22.5x, 134x. What is above 0 never shows as 0."""
    if factor < 0.01:
        return "<0.01x"
    if factor < 1.75:
        return f"{factor:.2f}x"
    return f"{factor:.1f}x" if factor < 99.95 else f"{factor:,.0f}x"


def exact_time(ns: float) -> str:
    """A limit as it was stated: 100 ns, 15 us, 1.999 us."""
    return _exact(ns, _TIMES, " ")


def exact_rate(per_s: float) -> str:
    """A limit as it was stated: 1 M/s."""
    return _exact(per_s, _RATES, "")


def _exact(value: float, units: tuple[tuple[str, float], ...], gap: str) -> str:
    unit, size = next(((u, s) for u, s in reversed(units) if value >= s), units[0])
    return f"{value / size:.6g}{gap}{unit}"
