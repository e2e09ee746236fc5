"""One component on a page: its times, where its cycles go, caches and TLBs, metrics, counts and annotated source."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from armprof.analysis import Cause
from armprof.counters.reading import Reading
from armprof.errors import ArmprofError
from armprof.metrics import ARM64Metrics, Confidence, Metric
from armprof.metrics.result import MAIN
from armprof.metrics.topdown import TERMS
from armprof.report import annotate, figures, told
from armprof.report.document import Part
from armprof.report.html import ladder, plots, source
from armprof.report.html.blocks import (
    Beside,
    Block,
    CaptionedPlot,
    Cell,
    Facts,
    Fold,
    Group,
    Items,
    Table,
    Tag,
    Words,
)
from armprof.report.html.cells import CLOCK, MOST_ROWS, capped, columns, count_tags, covered, metric_tags, source_tag
from armprof.report.path import RATES, SAMPLED
from armprof.report.pieces import listed, short
from armprof.report.tables import is_software
from armprof.run.record import CriticalPath, Latency, OpenLoop, Stage

ESTIMATED = ": estimated from "  # in the reason of what is
LEAST = 0.001  # of the cycles: what takes less is told in a sentence
DEEPEST = 3  # steps below a row that are drawn
OPERATIONS = {"retiring": "part1", "frontend_bound": "part2", "bad_speculation": "part3", "backend_bound": "part4"}


def group(part: Part, id: str, differences: Sequence[str] = ()) -> Group:
    """All there is to say of the component; what is long unfolds."""
    component, reading = part.component, part.reading
    tags = [Tag("failed", "bad")] if component.failure else []
    if component.latency:
        tags.append(CLOCK)
    if reading is not None:
        tags += [source_tag(reading), *_lowest(part)]
    return Group(told.title(part), list(_blocks(part, differences)), id, tuple(tags))


def _lowest(part: Part) -> tuple[Tag, ...]:
    return covered(part.metrics.quality.lowest_coverage) if part.metrics else ()


def _blocks(part: Part, differences: Sequence[str]) -> Iterator[Block]:
    component = part.component
    if component.failure:
        yield Words(f"It failed: {component.failure}", "bad")
    if differences:
        yield Items(differences)
    if component.latency:
        yield from _times(part, component.latency)
    if component.critical_path:
        yield from _path(part, component.critical_path)
    if component.open_loop:
        yield _loop(part, component.open_loop)
    if part.reading is None or part.metrics is None:
        if not component.failure:
            yield Words("Nothing was counted.", "dim")
        return
    if part.has_metrics:
        yield from diagnosis(part.metrics, part.analysis.causes)
        yield Fold("All metrics, and how each was formed", [metrics_table(part.metrics)])
    yield from _counts(part, part.reading)
    yield from _source(part)


# ---- times -----------------------------------------------------------------------------------------------------------


def _times(part: Part, latency: Latency) -> Iterator[Block]:
    component = part.component
    facts = [("operation", latency.operation or component.operation), ("samples", f"{latency.samples:,}")]
    facts.append(("mean", figures.duration(latency.mean_ns)))
    if component.throughput_per_s is not None:
        facts.append(("throughput", figures.rate(component.throughput_per_s)))
    if latency.p50_ns is None:
        least = "" if latency.min_ns is None else f"{figures.duration(latency.min_ns)} to "
        facts.append(("range", f"{least}{figures.duration(latency.max_ns)}"))
        facts.append(("percentiles", f"none: {latency.reason or 'not known'}"))
    if latency.batch > 1:
        facts.append(("batch", f"{latency.batch:,} operations to a sample: percentiles are of their means, narrower"))
    yield Facts(facts)
    drawn = (plots.tail(component.name, latency), plots.rounds(component.name, component.rounds))
    if shown := [figure for figure in drawn if figure is not None]:
        yield Beside(shown)


def _path(part: Part, path: CriticalPath) -> Iterator[Block]:
    counted = any(stage.reading for stage in path.stages)
    each = (">instructions",) if counted else ()
    heads = columns("stage", ">p50", ">p99", "|share of p50", "|share of p99", *each)
    rows = []
    for stage in path.stages:
        rows.append(
            (
                Cell(short(stage.title)),
                Cell(figures.duration(stage.p50_share * path.p50_ns)),
                Cell(figures.duration(stage.p99_share * path.p99_ns)),
                Cell(figures.percent(stage.p50_share, 1), plot=plots.bar("share of p50", stage.p50_share)),
                Cell(figures.percent(stage.p99_share, 1), plot=plots.bar("share of p99", stage.p99_share)),
                *(Cell(_instructions(stage, path)) for _ in each),
            )
        )
    stamp = figures.duration(path.stamp_cost_ns)
    notes = [f"{path.operations:,} operations, timed with a stamp behind each stage; its cost, {stamp}, is subtracted"]
    notes += [SAMPLED] if path.reading_operations else []
    notes += [f"Stages were not counted: {path.uncounted}"] if path.uncounted else []
    whole = f"{figures.duration(path.p50_ns)} p50, {figures.duration(path.p99_ns)} p99"
    yield Table(f"Critical path: {whole}", heads, rows, tuple(notes))
    found = part.analysis.bottlenecks
    for bottleneck in found:
        said = f"Bottleneck {bottleneck.rank}: {short(bottleneck.title)} ({bottleneck.where})"
        yield Fold(said, [Items(bottleneck.evidence)], printed=True)
    if not found:
        yield Words("No bottleneck: no stage takes more than an even share.")


def _instructions(stage: Stage, path: CriticalPath) -> str:
    instructions = stage.reading.value("inst_retired") if stage.reading else None
    if instructions is None or not path.reading_operations:
        return figures.NONE
    return figures.number(instructions / path.reading_operations)


def _loop(part: Part, loop: OpenLoop) -> Table:
    asked, served = figures.rate(loop.rate_per_s), figures.rate(loop.achieved_per_s)
    rows = [
        (Cell(name), *(Cell(figures.NONE if ns is None else figures.duration(ns)) for ns in _quantiles(latency)))
        for name, latency in (("closed loop", part.component.latency), ("open loop", loop.latency))
        if latency is not None
    ]
    behind = (
        f"{loop.operations:,} arrivals, {served} served; at most {figures.duration(loop.most_behind_ns)} behind the "
        f"schedule, {figures.duration(loop.behind_ns)} at the end"
    )
    verdict = (
        "sustained" if loop.is_sustained else "not sustained: the latencies of the open loop say how long the run was"
    )
    return Table(f"At {asked}: {verdict}", columns("loop", ">p50", ">p99", ">p99.9", ">max"), rows, (behind, RATES))


def _quantiles(latency: Latency) -> tuple[float | None, ...]:
    return latency.p50_ns, latency.p99_ns, latency.p999_ns, latency.max_ns


# ---- counts ----------------------------------------------------------------------------------------------------------


def diagnosis(metrics: ARM64Metrics, causes: Sequence[Cause]) -> Iterator[Block]:
    """Top-down where the core has it, the tree of causes, and the ladders of caches and TLBs."""
    terms = [metrics[name] for name in TERMS]
    if all(term.value is not None for term in terms):
        yield _topdown(terms)
    shown = [cause for cause in causes if cause.share is not None and cause.share >= LEAST]
    if shown:
        yield _causes(shown, causes, next((t.reason for t in terms if t.value is None and t.reason), None))
    for table in (ladder.caches(metrics), ladder.tlbs(metrics)):
        if table is not None:
            yield table


def _topdown(terms: Sequence[Metric]) -> CaptionedPlot:
    parts = [(OPERATIONS[t.name], t.title.removeprefix("Top-down: "), t.value or 0.0) for t in terms]
    parts.sort(key=lambda part: part[0])
    legend = [(look, f"{name} {figures.percent(share, 1)}") for look, name, share in parts]
    known = {tag for term in terms for tag in covered(term.coverage)}
    notes = [tag.text for tag in known] + [term.reason for term in terms if term.reason]
    plot = plots.stacked("Top-down level 1", parts)
    return CaptionedPlot(
        "Top-down level 1: where the slots of the pipeline go", plot, legend, tuple(dict.fromkeys(notes))
    )


def _causes(shown: Sequence[Cause], causes: Sequence[Cause], no_topdown: str | None) -> Table:
    below = {cause.name: cause.parent for cause in causes}
    rows = []
    for depth, cause in _in_tree(shown, below):
        assert cause.share is not None
        sure = "" if cause.confidence in (None, Confidence.HIGH) else f"; {cause.confidence} confidence"
        look = "fill" if cause.matters and cause.name != "retired" else "bound"
        rows.append(
            (
                Cell(cause.title, depth=min(DEEPEST, depth)),
                Cell(figures.percent(cause.share, 1)),
                Cell(plot=plots.bar(cause.title, cause.share, look, cause.evidence)),
                Cell(below=f"{cause.evidence}{sure}"),
            )
        )
    small = [cause.title for cause in causes if cause.share is not None and cause.share < LEAST]
    left = [cause.title for cause in causes if cause.share is None]
    notes = [f"top-down over slots is not told: {no_topdown}"] if no_topdown else []
    notes += [f"below {figures.percent(LEAST, 1)}: {', '.join(small)}"] if small else []
    notes += [f"not known, or too small a part to be looked into: {', '.join(left)}"] if left else []
    heads = columns("cause", ">at most", "|share of the cycles", "how that was found")
    return Table("Where the cycles go", heads, rows, tuple(notes))


def _in_tree(causes: Sequence[Cause], below: dict[str, str | None]) -> Iterator[tuple[int, Cause]]:
    """Parents before their children, the largest first, each with how deep it stands. What has a parent that is not shown
    stands below the nearest that is.
    """
    names = {cause.name for cause in causes}

    def parent_of(cause: Cause) -> str | None:
        parent = cause.parent
        while parent is not None and parent not in names:
            parent = below.get(parent)
        return parent

    def walk(parent: str | None, depth: int) -> Iterator[tuple[int, Cause]]:
        for cause in sorted((one for one in causes if parent_of(one) == parent), key=lambda one: -(one.share or 0.0)):
            yield depth, cause
            yield from walk(cause.name, depth + 1)

    yield from walk(None, 0)


def metrics_table(metrics: ARM64Metrics) -> Table:
    """The nine, then all others that have a value, each with its formula and what must be known of it."""
    shown = [m for name, m in metrics.items() if name in MAIN or m.value is not None]
    rows = [
        (
            Cell(metric.title),
            Cell(figures.metric(metric), tone="" if metric.value is not None else "dim"),
            Cell("" if metric.unit == "ns" else metric.unit),
            Cell(
                metric.formula if metric.value is not None and metric.formula else "",
                metric_tags(metric) if metric.value is not None else (),
                below=_remark(metric),
            ),
        )
        for metric in shown
    ]
    return Table("Metrics", columns("metric", ">value", "unit", "formula, and what to know"), rows)


def _remark(metric: Metric) -> str:
    """What must be known of it, besides that it is an estimate, which a tag says."""
    said = (metric.reason or "").split("; ")
    return "; ".join(one for one in said if metric.value is None or ESTIMATED not in one)


def counts_table(reading: Reading, operations: int = 0, operation: str = "") -> Table:
    """Every event that was counted: of one operation where it is known how many there were, and of all; below, why others
    were not.
    """
    counted = [count for count in reading.counts.values() if count.value is not None]
    shown, notes = capped(counted, MOST_ROWS, "events")
    each = operations > 1
    heads = columns("event", *([f">per {operation}"] if each else []), ">count", "how it was counted")
    rows = []
    for count in shown:
        label = f"named {count.label} there" if count.label and count.label != count.event else ""
        rows.append(
            (
                Cell(count.event, count_tags(count)),
                *([Cell(figures.count(count, operations))] if each else []),
                Cell(figures.count(count)),
                Cell(
                    f"{count.status}{' by the kernel' if is_software(count) else ''}",
                    below="; ".join(filter(None, (count.reason, label))),
                ),
            )
        )
    over = f" over {operations:,} operations" if each else ""
    return Table(f"Counts{over}", heads, rows, (*notes, *uncounted(reading)))


def uncounted(reading: Reading) -> Iterator[str]:
    """Why events have no count, a sentence for each reason."""
    for (status, reason), counts in reading.by_reason().items():
        events = listed([count.event for count in counts], MOST_ROWS)
        yield f"{str(status).replace('_', ' ')}: {events}: {reason or 'no reason given'}"


def _counts(part: Part, reading: Reading) -> Iterator[Block]:
    operations = part.component.reading_operations or 0
    having = sum(count.value is not None for count in reading.counts.values())
    table = counts_table(reading, operations, part.component.operation)
    yield Fold(f"Counts: {having} of {len(reading.counts)} events", [table])


# ---- source ----------------------------------------------------------------------------------------------------------


def _source(part: Part) -> Iterator[Block]:
    if part.component.where is None:
        return
    try:
        found = annotate.of_component(part.component)
    except ArmprofError:  # its events are of no line
        return
    if functions := found.named(None):
        inside = [block for function in functions for block in source.of_function(found, function)]
        names = ", ".join(short(function.name) for function in functions)
        yield Fold(f"Annotated source: {names}", inside)
