"""Source on a page: the lines of functions and of places, with what is told of each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from armprof.report import annotate
from armprof.report.html.blocks import Block, Listing, Words
from armprof.report.html.cells import capped
from armprof.report.pieces import short
from armprof.report.source import Row

MOST_LINES = 400  # of a listing


def of_function(found: annotate.Annotated, function: annotate.Function) -> Iterator[Block]:
    """The source of a function with what was at each line. The page may go anywhere: it shows files of the repository alone."""
    shown = annotate.columns_of(found, function)
    yield Words(f"{short(function.name)}: {annotate.told(found, function, shown)}")
    if not function.lines:
        yield Words(annotate.NO_LINE, "dim")
    for file, rows in annotate.listings(function, shown, public=True):
        yield from listing(file, [found.events[event] for event in shown], rows)


def listing(title: str, columns: Sequence[str], rows: Sequence[Row]) -> Iterator[Block]:
    """The rows of one file, of many the first."""
    lines, left = capped(rows, MOST_LINES, "lines")
    yield Listing(title, tuple(columns), lines)
    yield from (Words(note, "dim") for note in left)
