"""The page of a run: the verdict, what to do, every component, budgets, memory, and where the numbers come from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from armprof.analysis import Cause, Judgement, Phase, Recommendation
from armprof.budget import Plan
from armprof.budget.assess import Assessment, assess
from armprof.counters.reading import Status
from armprof.metrics.roofline import Roofline, roofline
from armprof.report import figures, told
from armprof.report.document import Advice, Document, Part, only
from armprof.report.html import budget, component, numbers, plots
from armprof.report.html.blocks import (
    Block,
    Card,
    Cell,
    CommandLines,
    Fold,
    Group,
    Items,
    Page,
    PageVerdict,
    Section,
    Table,
    Tag,
    Words,
)
from armprof.report.html.cells import (
    MOST_ROWS,
    SOURCES,
    capped,
    columns,
    confidence_tag,
    duration,
    name_cell,
    several,
    source,
)
from armprof.report.html.scale import Scale
from armprof.report.pieces import listed, short
from armprof.report.planned import GUIDELINES, impact, impacts

MOST = 50  # components and pieces of advice that are shown one by one
NO_ADVICE = "nothing to do"
GAINED = {"latency": "less time", "throughput": "more throughput"}
LARGEST = 3  # causes that stand beside a component


def page(document: Document, plan: Plan | None = None) -> Page:
    """The page of the document; with a plan, held against its targets and budgets."""
    assessed = assess(document.run, plan) if plan is not None else None
    return Page(
        verb="report",
        title=_title(document),
        verdict=verdict(document, assessed),
        facts=list(told.facts(document)),
        sections=list(_sections(document, assessed)),
    )


def _title(document: Document) -> str:
    parts = document.parts
    if len(parts) == 1:
        return told.title(parts[0])
    return f"{len(parts):,} components" if parts else "An empty run"


def _sections(document: Document, assessed: Assessment | None) -> Iterator[Section]:
    if document.recommendations:
        yield Section("advice", "What to do", list(advice(document)))
    if document.parts:
        yield Section("components", "Components", list(_overview(document)))
    if assessed is not None:
        yield Section("budget", "Targets, budget and headroom", list(budget.blocks(document.run, assessed)))
    if document.roadmap:
        yield Section("roadmap", "Roadmap", list(_roadmap(document.roadmap)))
    if any(part.has_metrics for part in document.parts):
        yield Section("memory", "Bandwidth of memory", list(_memory(document)))
    if document.parts:
        yield Section("details", "Each component", list(_details(document)))
    yield Section("numbers", "Where the numbers come from", list(numbers.blocks(document)))


def _id(number: int) -> str:
    return f"component-{number + 1}"


def _anchors(document: Document) -> dict[int, str]:
    """The ids of the components that are shown one by one, by what they are."""
    return {id(part.component): _id(number) for number, part in enumerate(document.parts[:MOST])}


# ---- the verdict -----------------------------------------------------------------------------------------------------


def verdict(document: Document, assessed: Assessment | None) -> PageVerdict:
    """What came of it in a sentence, the worst first, and what it rests on."""
    points = list(_points(document, assessed))
    if document.failed:
        failed = f"{len(document.failed)} of {several(len(document.parts), 'component')} failed"
        return PageVerdict("bad", f"{failed}: {listed(document.failed, 3)}", points)
    if assessed is not None and assessed.alerts:
        return PageVerdict("bad", f"{several(len(assessed.alerts), 'budget')} exceeded", points)
    advice = document.recommendations
    if advice:
        first = advice[0].recommendation
        name = short(advice[0].component.name) if len(document.parts) > 1 else "It"
        return PageVerdict(
            "warn", f"{name} can take {gained(first)}: {first.title[:1].lower()}{first.title[1:]}", points
        )
    if any(part.has_metrics for part in document.parts):
        judged = sum(part.analysis.verdict is Judgement.JUDGED for part in document.parts)
        if judged:
            return PageVerdict("good", f"Nothing to recommend: {several(judged, 'component')} judged", points)
    return PageVerdict("open", "Not judged: too little was counted", points)


def gained(recommendation: Recommendation) -> str:
    """What it may gain: 5.9 to 38.6 % less time."""
    gain = recommendation.expected_improvement
    low, high = round(gain.low, 1), round(gain.high, 1)
    return f"{f'{low:g} to' if low else 'up to'} {high:g} % {GAINED.get(gain.unit, gain.unit)}"


def _points(document: Document, assessed: Assessment | None) -> Iterator[str]:
    advice = document.recommendations
    if len(advice) > 1:
        having = len({id(one.component) for one in advice})
        of = f" for {having} of {len(document.parts):,} components" if len(document.parts) > 1 else ""
        yield f"{len(advice):,} pieces of advice{of}"
    if assessed is not None:
        yield from budget.points(assessed)
    if not advice:
        yield from list(_unadvised(document))[:3]
    if any(part.reading for part in document.parts) and not any(part.has_metrics for part in document.parts):
        yield f"{told.NO_METRICS} {told.DOCTOR}" if document.source == "pmu" else told.NO_METRICS
    lowest = [
        part.metrics.quality.lowest_coverage
        for part in document.parts
        if part.metrics and part.metrics.quality.lowest_coverage is not None
    ]
    if lowest and min(lowest) < 1:
        yield f"Events were counted in turns, the least of them for {figures.coverage(min(lowest))} of the time"


def _unadvised(document: Document) -> Iterator[str]:
    """What there is to say of components without advice."""
    for said, names in told.verdicts(document):
        yield f"{listed(names, 4)}: {said}" if len(document.parts) > 1 else said


# ---- what to do ------------------------------------------------------------------------------------------------------


def advice(document: Document) -> Iterator[Block]:
    """A card for each piece of advice, and the components that have none."""
    shown, left = capped(document.recommendations, MOST, "pieces of advice")
    anchors, described = _anchors(document), set[str]()
    for advice in shown:
        yield card(advice, anchors.get(id(advice.component), "") if len(document.parts) > 1 else "", described)
    others, more = capped(list(_unadvised(document)), MOST, "verdicts")
    if others:
        yield Group("Without advice", [Items([*others, *more])])
    yield from (Words(note, "dim") for note in left)


def card(advice: Advice, to: str = "", described: set[str] | None = None) -> Card:
    """One piece of advice; its evidence unfolds. ``described`` is what to do as far as the page has said it."""
    r, said = advice.recommendation, described if described is not None else set[str]()
    gain = r.expected_improvement
    blocks: list[Block] = [plots.gain(gain.low, gain.high, gain.ceiling, GAINED.get(gain.unit, gain.unit))]
    if r.description not in said:
        said.add(r.description)
        blocks.insert(0, Words(r.description))
    line = told.source_line(r, public=True)
    evidence: list[Block] = [
        Items([*r.evidence, *filter(None, [line])]),
        Words(f"Of the gain: {gain.basis}", "note"),
    ]
    blocks.append(Fold(f"Evidence: {r.evidence[0]}" if r.evidence else "Evidence", evidence, printed=True))
    if r.verify:
        blocks.append(Fold("How to see whether it helped", [CommandLines(r.verify)], printed=True))
    tags = (
        Tag(f"effort {str(r.effort).lower()}"),
        Tag(f"risk {str(r.risk).lower()}"),
        confidence_tag(r.confidence),
        *(Tag(f"after {rule}") for rule in r.depends_on),
    )
    return Card(r.rank, r.title, blocks, tags, to, short(advice.component.name) if to else "")


def _roadmap(phases: Sequence[Phase]) -> Iterator[Block]:
    for phase in phases:
        steps, left = capped(phase.steps, MOST, "steps")
        named = any(step.component for step in steps)
        rows = [
            (
                Cell(step.title, below=impact(step)),
                *([Cell(short(step.component))] if named else []),
                Cell("" if step.effort is None else str(step.effort).lower()),
                Cell("" if step.risk is None else str(step.risk).lower()),
            )
            for step in steps
        ]
        title = f"Phase {phase.number}: {phase.title}"
        heads = columns("step", *(["component"] if named else []), "effort", "risk")
        table = Table(f"Steps of phase {phase.number}", heads, rows, left)
        together = [*list(impacts(phase))[:MOST]]
        blocks: list[Block] = [table, *([Items(together)] if together else [])]
        yield Group(title, blocks, tags=(Tag(f"{phase.horizon}, {phase.horizon.span}"),))
    yield Group("Guidelines", [Items(GUIDELINES)])


# ---- components ------------------------------------------------------------------------------------------------------


def _overview(document: Document) -> Iterator[Block]:
    shown, left = capped(document.parts, MOST_ROWS, "components")
    anchors = _anchors(document)
    timed = [part for part in shown if part.component.latency]
    if timed:
        yield _times(timed, anchors, left)
    if any(part.has_metrics for part in shown):
        yield _counted(shown, anchors, left, {id(one.component) for one in document.recommendations})
    elif not timed:
        rows = [
            (name_cell(part.component.name, anchors.get(id(part.component), ""), part.component.title),)
            for part in shown
        ]
        yield Table("Components", columns("component"), rows, left)


def _times(parts: Sequence[Part], anchors: dict[int, str], left: tuple[str, ...]) -> Table:
    latencies = [part.component.latency for part in parts if part.component.latency]
    scale = plots.times(latencies) or Scale(1, 10, log=True)
    heads = columns(
        "component", "|from the least to the largest; thick: half to 99 %", ">p50", ">p99", ">max", ">throughput"
    )
    rows: list[tuple[Cell, ...]] = []
    for part in parts:
        latency, throughput = part.component.latency, part.component.throughput_per_s
        assert latency is not None
        name = part.component.name
        rows.append(
            (
                name_cell(name, anchors.get(id(part.component), "")),
                Cell(plot=plots.spread(short(name), latency, scale)),
                duration(latency.p50_ns),
                duration(latency.p99_ns),
                duration(latency.max_ns),
                Cell(figures.NONE, tone="dim") if throughput is None else Cell(figures.rate(throughput)),
            )
        )
    rows.append((Cell("scale, logarithmic"), Cell(plot=plots.axis(scale, figures.duration)), *[Cell()] * 4))
    modelled = any(part.reading and part.reading.source == "model" for part in parts)
    where = ", measured on this machine" if modelled else ""
    return Table(f"Time of one operation{where}", heads, rows, (told.times([part.component for part in parts]), *left))


def _counted(parts: Sequence[Part], anchors: dict[int, str], left: tuple[str, ...], advised: set[int]) -> Table:
    each = any(part.figures.instructions_per_operation is not None for part in parts)
    counts = (">instructions", ">cycles") if each else ()
    heads = columns("component", *counts, ">cycles per instruction", "lost, at most, to", "judged")
    rows = []
    for part in parts:
        found, cpi = part.figures, part.metrics["cycles_per_instruction"] if part.metrics else None
        verdict = part.analysis.verdict
        judged = (
            "advice" if id(part.component) in advised else NO_ADVICE if verdict is Judgement.JUDGED else str(verdict)
        )
        rows.append(
            (
                name_cell(part.component.name, anchors.get(id(part.component), "")),
                *map(_number, (found.instructions_per_operation, found.cycles_per_operation)[: len(counts)]),
                _number(cpi.value if cpi else None),
                Cell(", ".join(_largest(part.analysis.causes))),
                Cell(judged, tone="warn" if judged == "advice" else ""),
            )
        )
    estimated = any(part.metrics and part.metrics["ipc"].status is Status.ESTIMATED for part in parts)
    left = (*(("cycles are an estimate, formed from counts",) if estimated else ()), *left)
    origin = only(source(part.reading) for part in parts if part.reading)
    named = f", {SOURCES[origin][0]}" if origin in SOURCES else ""
    return Table(f"Counts{' of one operation' if each else ''}{named}", heads, rows, left)


def _largest(causes: Sequence[Cause]) -> Iterator[str]:
    """The largest losses, each as far down the tree as it is known."""
    lost = {
        cause.name: cause for cause in causes if cause.matters and cause.share is not None and cause.name != "retired"
    }
    inner = {cause.parent for cause in lost.values()}
    ends = sorted((cause for name, cause in lost.items() if name not in inner), key=lambda one: -(one.share or 0.0))
    for cause in ends[:LARGEST]:
        yield f"{cause.name} {figures.percent(cause.share or 0.0, 1)}"


def _number(value: float | None) -> Cell:
    return Cell(figures.NONE, tone="dim") if value is None else Cell(figures.number(value))


def _memory(document: Document) -> Iterator[Block]:
    points: dict[tuple[int, float], list[tuple[str, Roofline]]] = {}
    reasons: dict[str, list[str]] = {}
    for part in document.parts[:MOST]:
        if part.metrics is None:
            continue
        found = roofline(part.metrics)
        if isinstance(found, str):
            reasons.setdefault(found, []).append(part.component.name)
        else:
            key = (found.width, found.roofs[0].bytes_per_cycle)  # readings of one core
            points.setdefault(key, []).append((short(part.component.name), found))
    for placed in points.values():
        yield plots.roofline(placed)
        yield _placed(placed)
    if reasons:
        several = len(document.parts) > 1
        yield Items(
            [f"{listed(names, 8)}: {why}" if several else f"No roofline: {why}" for why, names in reasons.items()]
        )


def _placed(points: Sequence[tuple[str, Roofline]]) -> Table:
    heads = columns("component", ">instructions per byte", ">instructions per cycle", ">roof there", "below")
    rows = [
        (
            Cell(f"{number} {name}" if len(points) > 1 else name),
            Cell(figures.number(line.instructions_per_byte)),
            Cell(figures.number(line.instructions_per_cycle)),
            Cell(figures.number(line.roof)),
            Cell("memory" if line.is_memory_bound else "the core", tone="warn" if line.is_memory_bound else ""),
        )
        for number, (name, line) in enumerate(points, 1)
    ]
    return Table("The points of the roofline", heads, rows)


def _details(document: Document) -> Iterator[Block]:
    differences = told.differences(document, MOST)
    for number, (part, apart) in enumerate(zip(document.parts[:MOST], differences, strict=True)):
        yield component.group(part, _id(number), apart)
    _, left = capped(document.parts, MOST, "components")
    yield from (Words(note, "dim") for note in left)
