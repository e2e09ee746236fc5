"""The page of samples: functions, lines, the flame graph, the source with the share of each line, and what is missing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from armprof.report import annotate, figures
from armprof.report import samples as told
from armprof.report.document import Document
from armprof.report.html import component, flame, numbers, plots, run, source
from armprof.report.html.blocks import Block, Cell, Fold, Group, Items, Page, PageVerdict, Section, Table, Words
from armprof.report.html.cells import capped, columns, name_cell
from armprof.report.pieces import short
from armprof.report.told import facts
from armprof.samples import SampledShare, Samples
from armprof.samples.trace import Sampled

NO_LINES = "No line is known of the hottest functions: compile with -g."
MOST_EVENTS = 6
MOST_SHARES = 25  # functions or lines of an event


def page(samples: Samples, document: Document) -> Page:
    """The page of samples; the document is that of what they counted."""
    title = f"Samples of {short(samples.command)}"
    return Page("record", title, _verdict(samples, document), list(facts(document)), list(_sections(samples, document)))


def _verdict(samples: Samples, document: Document) -> PageVerdict:
    """What to do where the counts tell, else where most was."""
    found = hottest(samples)
    if samples.rows and document.recommendations:
        advised = run.verdict(document, None)
        return replace(advised, points=[_hottest(samples), *advised.points, *found.points])
    return found


def hottest(samples: Samples) -> PageVerdict:
    """Where most was; below it what was sampled, and what was lost."""
    lost = told.lost(samples)
    points = [*(told.described(samples, sampled) for sampled in samples.events[:MOST_EVENTS]), *lost]
    if not samples.rows:
        return PageVerdict("open", f"{told.NOTHING[:1].upper()}{told.NOTHING[1:]}", points)
    return PageVerdict("warn" if lost else "", f"The hottest function: {_hottest(samples)}", points)


def _hottest(samples: Samples) -> str:
    name, share = next(iter(samples.functions().items()))
    return f"{short(name)} has {figures.percent(share.own, 1)} of {samples.events[samples.number()].name}"


def _sections(samples: Samples, document: Document) -> Iterator[Section]:
    if document.recommendations:
        yield Section("advice", "What to do", list(run.advice(document)))
    yield from places(samples)
    counted = [replace(part, component=replace(part.component, where=None)) for part in document.parts]
    yield Section("counts", "What was counted", [component.group(part, "counted") for part in counted])
    remarks: list[Block] = [Items(said)] if (said := told.remarks(samples)) else []
    yield Section("numbers", "Where the numbers come from", [*remarks, *numbers.blocks(document)])


def places(samples: Samples) -> Iterator[Section]:
    """Where each event was: by function, by stack, by line, and beside the source."""
    sampled = [one for one in samples.events if samples.rows_of(one.name)]
    shown, left = capped(sampled, MOST_EVENTS, "events")
    notes: list[Block] = [Items(left)] if left else []
    if shown:
        yield Section("functions", "Functions", [*_each(shown, lambda one: _functions(samples, one)), *notes])
        yield Section("flames", "Flame graph", [flame.graph(samples, one.name) for one in shown])
        yield Section("lines", "Lines", [*_each(shown, lambda one: _lines(samples, one)), *notes])
        yield Section("source", "Annotated source", list(_source(samples)))


def _each(events: Sequence[Sampled], made: Callable[[Sampled], Block]) -> Iterator[Block]:
    for event in events:
        yield Group(event.name, [made(event)]) if len(events) > 1 else made(event)


def _functions(samples: Samples, event: Sampled) -> Table:
    return _table("function", samples.functions(event.name), event, True)


def _lines(samples: Samples, event: Sampled) -> Table:
    return _table("line", samples.lines(event.name), event, False)


def _table(what: str, shares: Mapping[str, SampledShare], event: Sampled, with_total: bool) -> Table:
    shown, left = capped(told.shown(shares), MOST_SHARES, f"{what}s")
    heads = columns(what, ">own", "|own share", *([">with callees"] if with_total else []), ">samples")
    rows = [
        (
            name_cell(name),
            Cell(figures.percent(share.own, 1)),
            Cell(plot=plots.bar(short(name), share.own)),
            *([Cell(figures.percent(share.total, 1))] if with_total else []),
            Cell(f"{share.samples:,}"),
        )
        for name, share in shown
    ]
    return Table(f"{what.capitalize()}s by {event.name}", heads, rows, left)


def _source(samples: Samples) -> Iterator[Block]:
    """The hottest function at once, the others unfold."""
    found = annotate.of_samples(samples)
    known = [function for function in found.named(None) if function.lines]
    for number, function in enumerate(known):
        yield Fold(short(function.name), list(source.of_function(found, function)), opened=not number)
    if not known:
        yield Words(NO_LINES, "dim")
