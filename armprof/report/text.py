"""The report as text, for people: what was counted and where, what an operation costs, what to do about it.

At most 80 columns: tables do not grow with the terminal, and prose stays readable on a wide one. Names come
from files and command lines, so nothing in them is taken for markup, and characters that would move the cursor
are replaced.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TextIO

from rich.console import Console, RenderableType
from rich.measure import Measurement
from rich.padding import Padding
from rich.table import Table

from armprof.analysis import Cause, Recommendation, Verdict
from armprof.budget.plan import Plan
from armprof.counters.reading import Count, Reading
from armprof.report import figures, tables
from armprof.report.document import Advice, Document, Part, Shared, only
from armprof.report.paper import WIDTH, paper, printed
from armprof.report.path import critical_path, open_loop
from armprof.report.pieces import item, listed, short, text
from armprof.report.planned import trees
from armprof.report.source import source
from armprof.report.tables import Marks, is_software
from armprof.report.tree import overview

FOR_ALL_TIMES = 76  # from here on the table of times has room for all of them
MOST = 50  # components, and pieces of advice, that are told of one by one
FEW = 4  # so many names are told, the rest is a number

TIMES = "throughput: that of the mean of all operations"
BATCHES = (
    f"{TIMES}; batch: operations per sample, whose percentiles are those of the means of batches, narrower than "
    "those of single operations"
)
NO_METRICS = "No metric has a value and nothing was judged: the events that this needs were not counted."
DOCTOR = "`armprof doctor` says what changes that."
NO_CORE = "not known: --core NAME tells what its events cost"

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
        in_batches = any(component.latency and component.latency.batch > 1 for component in timed)
        columns = tables.TIMES if console.width >= FOR_ALL_TIMES else tables.FEW_TIMES
        modelled = any(part.reading and part.reading.source == "model" for part in document.parts)
        where = ", measured on this machine" if modelled else ""
        yield [text(f"Time of one operation{where}", "bold"), tables.times(timed, columns)]
        yield [tables.timing(timed), text(BATCHES if in_batches else TIMES, "dim")]
    for part in parts:
        if part.component.critical_path:
            found = part.analysis.bottlenecks
            yield [critical_path(part.component.name, part.component.critical_path, found)]
        if part.component.open_loop:
            yield open_loop(part.component, part.component.open_loop)
    if failed := [part.component for part in document.parts if part.component.failure]:
        yield [text("Failed", "bold"), *(item(f"{short(one.name)}: {one.failure}") for one in failed)]
    marks, differences = Marks(document.remarks()), _differences(document)
    for part, told in zip(parts, differences, strict=True) if any(part.reading for part in document.parts) else ():
        if part.reading or not part.component.failure:
            yield _part(document, part, marks, told, console)
    if len(document.parts) > MOST:
        yield [text(f"and {len(document.parts) - MOST:,} more components, of which --format json tells")]
    if any(part.has_metrics for part in document.parts):
        if marks.remarks:
            yield [item(remark, mark) for remark, mark in marks.remarks.items()]
        yield from _causes(document)
        yield _advice(document)
        yield from _valueless(document)
    else:
        yield [text(f"{NO_METRICS} {DOCTOR}" if document.source == "pmu" else NO_METRICS)]
    if explain:
        yield from _explained(document)
    if notes := _notes(document):
        yield [text("Notes", "bold"), *notes]


# The head: what this is, and what could be counted


def _head(document: Document) -> Section:
    facts = Table.grid(padding=(0, 2))
    facts.add_column(style="dim", no_wrap=True)
    facts.add_column()
    for label, fact in _facts(document):
        facts.add_row(label, text(fact))
    if len(document.parts) == 1:
        return [text(_title(document.parts[0]), "bold"), facts]
    names = listed([part.component.name for part in document.parts], 2 * FEW)
    return [text(f"{len(document.parts)} components: {names}", "bold"), facts]


def _title(part: Part) -> str:
    name, title = part.component.name, part.component.title
    return short(name) if title in ("", name) else f"{short(name)}: {short(title)}"


def _facts(document: Document) -> Iterator[tuple[str, str]]:
    run = document.run
    if run.host.get("description"):
        yield "machine", str(run.host["description"])
    readings = [part.reading for part in document.parts if part.reading]
    if source := only(map(_source, readings)):
        yield "source", source
    if not run.host and readings:
        yield "core", document.core.title if document.core else NO_CORE
    if len(document.parts) == 1 and readings and readings[0].duration_ns:
        yield "took", figures.duration(readings[0].duration_ns)
    if said := only(map(_counted, readings)):
        yield "counted", said
    for reason in document.uncounted():
        if _everywhere(document, reason):
            yield "not", _uncounted(reason)
    if run.created:
        made_by = f", armprof {run.armprof_version}" if run.armprof_version else ""
        yield "made", run.created.replace("T", " ").replace("+00:00", " UTC") + made_by


def _source(reading: Reading) -> str:
    return "; ".join(filter(None, [reading.source, reading.scope, reading.access]))


def _counted(reading: Reading) -> str:
    """How many events have a count, and for how much of the time those of the hardware."""
    said = []
    for kind, software in (("hardware", False), ("software", True)):
        counts = [count for count in reading.counts.values() if is_software(count) is software]
        counted = [count for count in counts if count.value is not None]
        if counts:
            share = f" {_share(counted)}" if counted and not software else ""
            said.append(f"{len(counted)} of {len(counts)} {kind} events{share}")
    return ", ".join(said)


def _share(counted: Sequence[Count]) -> str:
    shares = [count.coverage for count in counted if count.coverage is not None]
    if len(shares) < len(counted):
        return "for an unknown part of the time"
    low, high = figures.coverage(min(shares)), figures.coverage(max(shares))
    if low != high:
        return f"{low} to {high} of the time"
    return "all of the time" if min(shares) == 1 else f"{low} of the time"


def _uncounted(reason: Shared) -> str:
    return f"{listed(reason.names, FEW)}: {reason.text}"


def _everywhere(document: Document, shared: Shared) -> bool:
    """Whether it holds for all components: those that failed aside, of which there is nothing to say."""
    others = len(document.parts) - len(document.failed)
    if len(shared.components) < others:
        return False
    return sum(name not in document.failed for name in shared.components) == others


def _where(document: Document, shared: Shared) -> str:
    """The components, where the sentence does not hold for all."""
    return "" if _everywhere(document, shared) else f"{listed(shared.components, 2 * FEW)}: "


# One component: counts and metrics


def _part(document: Document, part: Part, marks: Marks, differences: Iterable[str], console: Console) -> Section:
    reading, operations = part.reading, part.component.reading_operations or 0
    section: Section = [text(_title(part), "bold")] if len(document.parts) > 1 else []
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


def _differences(document: Document) -> list[list[str]]:
    """What the head does not say because it is not so for all components: of each that is told of by itself."""
    readings = [part.reading for part in document.parts if part.reading]
    differ = [describe for describe in (_source, _counted) if only(map(describe, readings)) is None]
    apart = [
        (frozenset(reason.components), f"not {_uncounted(reason)}")
        for reason in document.uncounted()
        if not _everywhere(document, reason)
    ]
    return [
        [describe(part.reading) for describe in differ if part.reading]
        + [said for components, said in apart if part.component.name in components]
        for part in document.parts[:MOST]
    ]


# What follows


def _causes(document: Document) -> Iterator[Section]:
    """Where the cycles go: what matters of the tree, a line for each component."""
    rows = [(part, losses(part.analysis.causes)) for part in document.parts[:MOST]]
    section: Section = [text("Where the cycles go, at most", "bold")]
    for part, told in rows:
        if told:
            who = f"{short(part.component.name)}: " if len(document.parts) > 1 else ""
            section.append(item(f"{who}{told}"))
    if len(section) > 1:
        yield section


def losses(causes: Sequence[Cause]) -> str:
    """The causes that matter in one line, each with those below it: backend 34 % (memory 34 %)."""
    below: dict[str | None, list[Cause]] = {}
    for cause in causes:
        below.setdefault(cause.parent, []).append(cause)

    def told(parent: str | None) -> Iterator[str]:
        for cause in sorted(below.get(parent, ()), key=lambda c: -(c.share or 0.0)):
            inner = ", ".join(told(cause.name))
            if cause.share is None or not cause.matters:
                if inner:  # a parent that was not counted
                    yield inner
            else:
                yield f"{cause.name} {100 * cause.share:.1f} %{f' ({inner})' if inner else ''}"

    return ", ".join(told(None))


def _advice(document: Document) -> Section:
    section: Section = [text("Recommendations", "bold")]
    several = len(document.parts) > 1
    described: set[str] = set()
    for advice in document.recommendations[:MOST]:
        section += [*_recommendation(advice, several, described), ""]
    if len(document.recommendations) > MOST:
        section += [text(f"and {len(document.recommendations) - MOST:,} more, of which --format json tells"), ""]
    for (verdict, reason), names in _verdicts(document).items():
        who = f"{listed(names, 2 * FEW)}: " if several else ""
        said = f"nothing to recommend ({reason})" if verdict is Verdict.JUDGED else reason
        section.append(text(f"{who}{verdict}: {said}"))
    return section[:-1] if section[-1] == "" else section


def _verdicts(document: Document) -> dict[tuple[Verdict, str], list[str]]:
    """The components without recommendation, by what there is to say of them."""
    found: dict[tuple[Verdict, str], list[str]] = {}
    for part in document.parts:
        if not part.analysis.recommendations:
            found.setdefault((part.analysis.verdict, part.analysis.reason), []).append(part.component.name)
    return found


def _recommendation(advice: Advice, several: bool, described: set[str]) -> Iterator[RenderableType]:
    """``described``: what to do, as far as the report has said it."""
    r = advice.recommendation
    gain = r.expected_improvement
    where = f"{short(advice.component.name)}: " if several else ""
    ceiling = "unknown" if gain.ceiling is None else f"{gain.ceiling:.1f} %"
    expected = f"{round(gain.low, 1):g}-{round(gain.high, 1):g} % {gain.unit} (ceiling {ceiling})"
    rest = f"effort {str(r.effort).lower()}, risk {str(r.risk).lower()}, confidence {r.confidence}"
    yield text(f"{r.rank}. {where}{r.title}", "bold")
    yield Padding(text(f"{expected}, {rest}"), (0, 0, 0, 3))
    if r.description not in described:
        described.add(r.description)
        yield Padding(text(r.description), (0, 0, 0, 3))
    for fact in (*r.evidence, *filter(None, [_source_line(r)]), gain.basis):
        yield item(fact)
    for command in r.verify:
        yield item(f"verify: {command}")


def _source_line(r: Recommendation) -> str | None:
    """The line that the advice stands on."""
    where = r.location or {}
    file, number = where.get("file"), where.get("line")
    line = source(file).line(number) if file else None
    return f"line {number}: {line}" if line else None


def _aside(name: str, r: Recommendation) -> str:
    return f"{short(name)}: {r.title} ({r.rule}): {r.evidence[0]}. {r.description}"


def _cause(cause: Cause) -> str:
    within = f" (of {cause.parent})" if cause.parent else ""
    if cause.share is None:
        return f"{cause.name}{within}: not known: {cause.reason}"
    return f"{cause.name}{within}: {cause.title.lower()}, {100 * cause.share:.1f} %: {cause.evidence}"


def _valueless(document: Document) -> Iterator[Section]:
    """Why metrics of the nine have no value."""
    told = {reason.text for reason in document.uncounted() if _everywhere(document, reason)}
    section: Section = [text("Without a value (-)", "bold")]
    for cause in document.causes():
        why = "not counted, see above" if cause.text in told else cause.text
        events = f": {', '.join(cause.events)}" if cause.events else ""
        section.append(item(f"{_where(document, cause)}{_titles(document, cause.names)}: {why}{events}"))
    if len(section) > 1:
        yield section


def _titles(document: Document, names: Iterable[str]) -> str:
    metrics = next(part.metrics for part in document.parts if part.metrics)
    return ", ".join(metrics[name].title for name in names)


def _explained(document: Document) -> Iterator[Section]:
    formed = [
        item(f"{_where(document, formula)}{', '.join(formula.names)} = {formula.text}")
        for formula in document.formulas()
    ]
    if formed:
        yield [text("How metrics were formed", "bold"), *formed]
    for part in document.parts[:MOST]:
        if part.analysis.causes:
            who = f" of {short(part.component.name)}" if len(document.parts) > 1 else ""
            told = [item(_cause(cause)) for cause in part.analysis.causes]
            yield [text(f"Where the cycles{who} go, and how that was found", "bold"), *told]
    asides = [(part.component.name, r) for part in document.parts for r in part.analysis.asides]
    if asides:
        yield [text("What is no advice", "bold"), *(item(_aside(name, r)) for name, r in asides)]
    silent = [item(f"{_where(document, rule)}{', '.join(rule.names)}: {rule.text}") for rule in document.silent()]
    if silent:
        yield [text("Rules that stayed silent", "bold"), *silent]


def _notes(document: Document) -> Section:
    """What else must be known, a sentence each; what several components say is said once."""
    sums = [f"{part.component.name} {part.component.checksum}" for part in document.parts if part.component.checksum]
    notes = [*document.run.notes]
    if sums:
        notes.append(f"checksums of the outputs, the same on every machine: {', '.join(sums)}")
    return [item(note) for note in notes] + [item(f"{_where(document, note)}{note.text}") for note in document.notes()]
