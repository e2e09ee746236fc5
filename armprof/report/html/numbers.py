"""Where the numbers of a page come from, and why others are missing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from armprof.counters.reading import Status
from armprof.metrics import Confidence
from armprof.report import told
from armprof.report.document import Document
from armprof.report.html.blocks import Block, Cell, Fold, Group, Items, Table
from armprof.report.html.cells import CLOCK, CONFIDENCE, COVERED, ESTIMATE, MOST_ROWS, SOURCES, capped, columns, source


def blocks(document: Document) -> Iterator[Block]:
    """The marks that stand beside numbers, what has no number and why, and how the others were formed."""
    if marks := list(_marks(document)):
        rows = [(Cell(name), Cell(meaning)) for name, meaning in marks]
        yield Table("What stands beside a number", columns("mark", "means"), rows)
    if missing := [f"{told.where(document, one)}{told.uncounted(one)}" for one in document.uncounted()]:
        yield from _listed("Not counted", missing)
    if document.failed:
        failed = [f"{c.name}: {c.failure}" for part in document.parts if (c := part.component).failure]
        yield from _listed("Failed", failed)
    if any(part.has_metrics for part in document.parts):
        yield from _listed("Without a value", list(told.valueless(document)))
    yield from _listed("Notes", list(told.notes(document)))
    yield from _folded("How metrics were formed", list(told.formulas(document)))
    asides = [told.aside(part.component.name, r) for part in document.parts for r in part.analysis.asides]
    yield from _folded("Considered, and no advice", asides)
    yield from _folded("Rules that stayed silent", list(told.silent(document)))


def _marks(document: Document) -> Iterator[tuple[str, str]]:
    """What stands beside numbers of this page, and what it means."""
    if any(part.component.latency for part in document.parts):
        yield CLOCK.text, CLOCK.hint
    for name in dict.fromkeys(source(part.reading) for part in document.parts if part.reading):
        if name in SOURCES:
            yield SOURCES[name]
    metrics = [metric for part in document.parts if part.metrics for metric in part.metrics.values()]
    if any(metric.status is Status.ESTIMATED for metric in metrics):
        yield ESTIMATE.text, ESTIMATE.hint
    if any(metric.coverage is not None and metric.coverage < 1 for metric in metrics):
        yield COVERED
    if any(metric.confidence not in (None, Confidence.HIGH) for metric in metrics):
        yield CONFIDENCE


def _listed(title: str, entries: Sequence[str]) -> Iterator[Block]:
    if entries:
        shown, left = capped(entries, MOST_ROWS, "entries")
        yield Group(title, [Items([*shown, *left])])


def _folded(title: str, entries: Sequence[str]) -> Iterator[Block]:
    if entries:
        shown, left = capped(entries, MOST_ROWS, "entries")
        yield Fold(f"{title} ({len(entries):,})", [Items([*shown, *left])])
