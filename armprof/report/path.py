"""The way of an operation: the critical path as a tree, and what a given rate does to its latency."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import RenderableType
from rich.tree import Tree

from armprof.analysis import PerformanceBottleneck
from armprof.report import figures
from armprof.report.pieces import short, table, text
from armprof.run.record import Component, CriticalPath, Latency, OpenLoop, Stage

LONGEST_STAGE = 24
SAMPLED = (
    "Stages were counted by samples between them, whose own counts are subtracted; what these leave in caches and "
    "predictors is not"
)
RATES = (
    "open loop: from the intended arrival, so that a stall is felt by all who wait for it; closed loop: from bytes in, one "
    "after the other"
)


def critical_path(name: str, path: CriticalPath, found: Sequence[PerformanceBottleneck]) -> Tree:
    """The stages with their shares, and the bottlenecks among them with their evidence."""
    whole = f"{figures.duration(path.p50_ns)} p50, {figures.duration(path.p99_ns)} p99"
    tree = Tree(text(f"CRITICAL PATH of {short(name)}: {whole}", "bold"))
    for row in _rows(path):
        tree.add(text(row))
    for bottleneck in found:
        node = tree.add(text(f"Bottleneck {bottleneck.rank}: {short(bottleneck.title)} ({bottleneck.where})"))
        for fact in bottleneck.evidence:
            node.add(text(fact))
    if not found:
        tree.add(text("No bottleneck: no stage takes more than an even share"))
    if path.reading_operations:
        tree.add(text(SAMPLED))
    if path.uncounted:
        tree.add(text(f"Stages were not counted: {path.uncounted}"))
    tree.add(
        text(
            f"{path.operations:,} operations, timed with a stamp behind each stage; its cost, "
            f"{figures.duration(path.stamp_cost_ns)}, is subtracted"
        )
    )
    return tree


def _rows(path: CriticalPath) -> Iterator[str]:
    """A line for each stage: its part of p50 and of p99, and what it executed where that was counted."""
    cells = [_cells(stage, path) for stage in path.stages]
    widths = [max(len(row[column]) for row in cells) for column in range(len(cells[0]))]
    for name, *numbers in cells:
        shown = [f"{name:{widths[0]}}", *(f"{n:>{w}}" for n, w in zip(numbers, widths[1:], strict=True))]
        yield "  ".join(shown).rstrip()


def _cells(stage: Stage, path: CriticalPath) -> tuple[str, ...]:
    title = stage.title if len(stage.title) <= LONGEST_STAGE else f"{stage.title[: LONGEST_STAGE - 3]}..."
    cells = [title]
    for share, whole, name in ((stage.p50_share, path.p50_ns, "p50"), (stage.p99_share, path.p99_ns, "p99")):
        cells += [figures.duration(share * whole), f"{figures.percent(share, 1)} of {name}"]
    instructions = stage.reading.value("inst_retired") if stage.reading else None
    if instructions is not None and path.reading_operations:
        cells.append(f"{figures.number(instructions / path.reading_operations)} instr.")
    else:
        cells.append("")
    return tuple(cells)


def open_loop(component: Component, loop: OpenLoop) -> list[RenderableType]:
    """The two loops beside each other, and whether the rate could be sustained."""
    asked, achieved = figures.rate(loop.rate_per_s), figures.rate(loop.achieved_per_s)
    verdict = "sustained" if loop.is_sustained else "NOT SUSTAINED"
    rows = table(loop.latency.operation or component.operation, ">p50", ">p99", ">p99.9", ">max")
    if component.latency is not None:
        rows.add_row(text("closed loop"), *map(text, _figures(component.latency)))
    rows.add_row(text("open loop"), *map(text, _figures(loop.latency)))
    behind = (
        f"{loop.operations:,} arrivals, {achieved} served; at most {figures.duration(loop.most_behind_ns)} behind the "
        f"schedule, {figures.duration(loop.behind_ns)} at the end"
    )
    section: list[RenderableType] = [text(f"{short(component.name)} at {asked}: {verdict}", "bold"), rows, text(behind)]
    if not loop.is_sustained:
        section.append(
            text(
                f"This rate is more than it can serve: it never caught up after {figures.percent(loop.on_time_until, 1)} "
                "of the run. The latencies of the open loop say how long the run was, and nothing of an operation."
            )
        )
    return [*section, text(RATES, "dim")]


def _figures(latency: Latency) -> list[str]:
    times = (latency.p50_ns, latency.p99_ns, latency.p999_ns, latency.max_ns)
    return [figures.NONE if ns is None else figures.duration(ns) for ns in times]
