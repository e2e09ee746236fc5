"""The report as text, for people: what was counted and where, what an operation costs, what to do about it.

At most 80 columns: tables do not grow with the terminal, and prose stays readable on a wide one. Names come
from files and command lines, so nothing in them is taken for markup, and characters that would move the cursor
are replaced.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TextIO

from rich.console import Console, RenderableType
from rich.measure import Measurement
from rich.padding import Padding
from rich.table import Table

from armprof.analysis import Judgement
from armprof.budget.plan import Plan
from armprof.report import figures, tables, told
from armprof.report.document import Advice, Document, Part
from armprof.report.paper import WIDTH, paper, printed
from armprof.report.path import critical_path, open_loop
from armprof.report.pieces import item, listed, short, text
from armprof.report.planned import trees
from armprof.report.tables import Marks, is_software
from armprof.report.tree import overview

FOR_ALL_TIMES = 76  # from here on the table of times has room for all of them
MOST = 50  # components, and pieces of advice, that are told of one by one

Section = list[RenderableType]


def render(document: Document, stream: TextIO | None = None, explain: bool = False, plan: Plan | None = None) -> str:
    """The report as text for this stream: coloured on a terminal, in characters that its encoding has.

    Without a stream it is plain text of 80 columns. ``explain`` adds how metrics were formed, and the rules that
    stayed silent; a ``plan`` puts first how the run stands beside its targets and budgets.
    """
    console = paper(stream)
    blocks: Section = []
    sections: Iterable[Section] = _sections(document, console, explain)
    if plan or len(document.recommendations) > 1:
        sections = [*sections, trees(document.roadmap)]
    for section in [overview(document.run, plan, console.width), *sections] if plan else sections:
        blocks += [*([""] if blocks else []), *section]
    return printed(console, blocks)


def advice(document: Document, stream: TextIO | None = None) -> str:
    """Where the cycles go and what to change, alone; nothing where that was not judged."""
    if all(part.analysis.verdict is not Judgement.JUDGED for part in document.parts):
        return ""
    sections = [*_causes(document), _advice(document)]
    return printed(paper(stream), [block for section in sections for block in ["", *section]])


def _sections(document: Document, console: Console, explain: bool) -> Iterator[Section]:
    yield _head(document)
    parts = document.parts[:MOST]
    timed = [c for part in parts if (c := part.component).latency and c.latency.p50_ns is not None]
    called = [c for part in parts if (c := part.component).latency and c.latency.p50_ns is None]
    if called:
        reasons = dict.fromkeys(c.latency.reason for c in called if c.latency and c.latency.reason)
        why = f"no percentiles: {'; '.join(reasons)}" if reasons else "no percentiles"
        yield [text("Time of one call", "bold"), tables.calls(called), text(why, "dim")]
    if timed:
        columns = tables.TIMES if console.width >= FOR_ALL_TIMES else tables.FEW_TIMES
        modelled = any(part.reading and part.reading.source == "model" for part in document.parts)
        where = ", measured on this machine" if modelled else ""
        yield [text(f"Time of one operation{where}", "bold"), tables.times(timed, columns)]
        yield [
            tables.timing(timed, console.width < FOR_ALL_TIMES),
            text(told.times(timed), "dim"),
        ]
    for part in parts:
        if part.component.critical_path:
            found = part.analysis.bottlenecks
            yield [critical_path(part.component.name, part.component.critical_path, found)]
        if part.component.open_loop:
            yield open_loop(part.component, part.component.open_loop)
    if failed := [part.component for part in document.parts if part.component.failure]:
        yield [text("Failed", "bold"), *(item(f"{short(one.name)}: {one.failure}") for one in failed)]
    marks, differences = Marks(document.remarks()), told.differences(document, MOST)
    for part, apart in zip(parts, differences, strict=True) if any(part.reading for part in document.parts) else ():
        if part.reading or not part.component.failure:
            yield _part(document, part, marks, apart, console)
    if len(document.parts) > MOST:
        yield [text(f"and {len(document.parts) - MOST:,} more components, of which --format json tells")]
    if any(part.has_metrics for part in document.parts):
        if marks.remarks:
            yield [item(remark, mark) for remark, mark in marks.remarks.items()]
        yield from _causes(document)
        yield _advice(document)
        yield from _valueless(document)
    else:
        yield [text(f"{told.NO_METRICS} {told.DOCTOR}" if document.source == "pmu" else told.NO_METRICS)]
    if explain:
        yield from _explained(document)
    if notes := _notes(document):
        yield [text("Notes", "bold"), *notes]


# The head: what this is, and what could be counted


def _head(document: Document) -> Section:
    facts = Table.grid(padding=(0, 2))
    facts.add_column(style="dim", no_wrap=True)
    facts.add_column()
    for label, fact in told.facts(document):
        facts.add_row(label, text(fact))
    if len(document.parts) == 1:
        return [text(told.title(document.parts[0]), "bold"), facts]
    names = listed([part.component.name for part in document.parts], 2 * told.FEW)
    return [text(f"{len(document.parts)} components: {names}", "bold"), facts]


# One component: counts and metrics


def _part(document: Document, part: Part, marks: Marks, differences: Iterable[str], console: Console) -> Section:
    reading, operations = part.reading, part.component.reading_operations or 0
    section: Section = [text(told.title(part), "bold")] if len(document.parts) > 1 else []
    if reading is None:
        return [*section, text("nothing was counted")]
    section += [text(fact, "dim") for fact in differences]
    counted = [count for count in reading.counts.values() if count.value is not None]
    hardware = [count for count in counted if not is_software(count)]
    software = [f"{count.event} {figures.count(count)}" for count in counted if is_software(count)]
    over = f" (over {operations:,} operations)" if operations > 1 else ""
    below: Section = [text(", ".join(software) + over)] if software else []
    modelled = reading.source == "model"
    counts = tables.counts(hardware, operations, part.component.operation, modelled) if hardware else None
    metrics = tables.metrics(part.metrics, marks, modelled) if part.metrics and part.has_metrics else None
    if counts and metrics:
        beside = Table.grid(padding=(0, 4))
        beside.add_row(counts, metrics)
        if Measurement.get(console, console.options.update(max_width=2 * WIDTH), beside).maximum <= console.width:
            return [*section, beside, *below]
    section += [*([counts] if counts else []), *below]
    return [*section, *([""] if metrics and (counts or below) else []), *([metrics] if metrics else [])]


# What follows


def _causes(document: Document) -> Iterator[Section]:
    """Where the cycles go: what matters of the tree, a line for each component."""
    rows = [(part, told.losses(part.analysis.causes)) for part in document.parts[:MOST]]
    section: Section = [text("Where the cycles go, at most", "bold")]
    for part, lost in rows:
        if lost:
            who = f"{short(part.component.name)}: " if len(document.parts) > 1 else ""
            section.append(item(f"{who}{lost}"))
    if len(section) > 1:
        yield section


def _advice(document: Document) -> Section:
    section: Section = [text("Recommendations", "bold")]
    several = len(document.parts) > 1
    described: set[str] = set()
    for advice in document.recommendations[:MOST]:
        section += [*_recommendation(advice, several, described), ""]
    if len(document.recommendations) > MOST:
        section += [text(f"and {len(document.recommendations) - MOST:,} more, of which --format json tells"), ""]
    for said, names in told.verdicts(document):
        who = f"{listed(names, 2 * told.FEW)}: " if several else ""
        section.append(text(f"{who}{said}"))
    return section[:-1] if section[-1] == "" else section


def _recommendation(advice: Advice, several: bool, described: set[str]) -> Iterator[RenderableType]:
    """``described``: what to do, as far as the report has said it."""
    r = advice.recommendation
    where = f"{short(advice.component.name)}: " if several else ""
    rest = f"effort {str(r.effort).lower()}, risk {str(r.risk).lower()}, confidence {r.confidence}"
    yield text(f"{r.rank}. {where}{r.title}", "bold")
    yield Padding(text(f"{told.gain(r)}, {rest}"), (0, 0, 0, 3))
    if r.description not in described:
        described.add(r.description)
        yield Padding(text(r.description), (0, 0, 0, 3))
    for fact in (*r.evidence, *filter(None, [told.source_line(r)]), r.expected_improvement.basis):
        yield item(fact)
    for command in r.verify:
        yield item(f"verify: {command}")


def _valueless(document: Document) -> Iterator[Section]:
    """Why metrics of the nine have no value."""
    if missing := list(told.valueless(document)):
        yield [text("Without a value (-)", "bold"), *map(item, missing)]


def _explained(document: Document) -> Iterator[Section]:
    if formed := list(told.formulas(document)):
        yield [text("How metrics were formed", "bold"), *map(item, formed)]
    for part in document.parts[:MOST]:
        if part.analysis.causes:
            who = f" of {short(part.component.name)}" if len(document.parts) > 1 else ""
            causes = [item(told.cause(cause)) for cause in part.analysis.causes]
            yield [text(f"Where the cycles{who} go, and how that was found", "bold"), *causes]
    if asides := [told.aside(part.component.name, r) for part in document.parts for r in part.analysis.asides]:
        yield [text("What is no advice", "bold"), *map(item, asides)]
    if silent := list(told.silent(document)):
        yield [text("Rules that stayed silent", "bold"), *map(item, silent)]


def _notes(document: Document) -> Section:
    """What else must be known."""
    return [item(note) for note in told.notes(document)]
