"""Annotated source: the lines of the hottest functions, and what part of each event was at each of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TextIO

from rich.text import Text

from armprof.counters.reading import Status
from armprof.errors import ArmprofError
from armprof.report import figures
from armprof.report.harmless import printable, uncommanded
from armprof.report.markdown import code, escaped
from armprof.report.paper import paper, printed
from armprof.report.pieces import listed, short, text
from armprof.report.source import Row, Source, excerpt, source
from armprof.report.where import COLUMNS, column
from armprof.run.record import Component
from armprof.samples import Samples

MOST = 5  # functions that are shown where none is named
COLUMNS_SHOWN = 3
NARROWEST, WIDEST = 6, 13  # characters of a column
LEAST = 0.001  # of an event: a line with less of each is not worth being shown
NO_LINE = "no line is known of it: compile with -g"
HOT = 0.5  # of what the hottest line has

Shares = Mapping[str, float]  # by event, 0 to 1


@dataclass
class Function:
    """A function: its own share of each event, by file and line; where no line is known, only that."""

    name: str
    shares: dict[str, float] = field(default_factory=dict)
    lines: dict[str, dict[int, dict[str, float]]] = field(default_factory=dict)


@dataclass(frozen=True)
class Annotated:
    """What is shown: events by what they are called, and functions, the hottest first."""

    title: str
    events: Mapping[str, str]
    functions: Sequence[Function]

    def named(self, wanted: str | None) -> Sequence[Function]:
        """The functions of that name, suffixes of the compiler aside; the hottest where none is named."""
        if wanted is None:
            return self.functions[:MOST]
        return [one for one in self.functions if wanted in (one.name, re.sub(r"(\.\w+)+$", "", one.name))]


def of_samples(samples: Samples) -> Annotated:
    """What was sampled, by the functions that the source has: one that is inlined is told by itself."""
    events = {one.name: _title(one.name) for one in samples.events}
    functions: dict[str, Function] = {}
    for event in events:
        rows = samples.rows_of(event)
        total = sum(row.weight for row in rows)
        for row in rows:
            frame = samples.frames[samples.stacks[row.stack][0]]
            _add(functions, frame.name, frame.file, frame.line, event, row.weight / total if total else 0.0)
    return _ranked(f"samples of {samples.command}", events, functions)


def of_component(component: Component) -> Annotated:
    """What was counted by place. Raises ArmprofError where no place is known."""
    if component.where is None:
        raise ArmprofError(
            f"{component.name}: its counts are of no line; the modelled core and `armprof record` tell lines"
        )
    known = dict.fromkeys((*COLUMNS, *component.where.totals))
    counts = component.reading.counts if component.reading else {}
    estimated = {event for event, count in counts.items() if count.status is Status.ESTIMATED}
    events = {event: _title(event, event in estimated) for event in known if component.total(event)}
    if not events:
        raise ArmprofError(f"{component.name}: no event that lines are told of was counted")
    functions: dict[str, Function] = {}
    for share in component.where.lines:
        for event in events:
            part = share.counts.get(event, 0.0) / (component.total(event) or 1.0)
            _add(functions, share.place.function, share.place.file, share.place.line, event, part)
    return _ranked(component.name, events, functions)


def _title(event: str, estimated: bool = False) -> str:
    """Of the column."""
    title = printable(column(event, estimated))
    return title if len(title) <= WIDEST else f"{title[: WIDEST - 2]}.."


def _add(
    functions: dict[str, Function], name: str, file: str | None, line: int | None, event: str, share: float
) -> None:
    function = functions.setdefault(name, Function(name))
    function.shares[event] = function.shares.get(event, 0.0) + share
    if file is not None and line is not None and share:
        at = function.lines.setdefault(file, {}).setdefault(line, {})
        at[event] = at.get(event, 0.0) + share


def _ranked(title: str, events: Mapping[str, str], functions: Mapping[str, Function]) -> Annotated:
    hottest = sorted(functions.values(), key=lambda one: [-one.shares.get(event, 0.0) for event in events])
    return Annotated(title, events, [one for one in hottest if any(share >= LEAST for share in one.shares.values())])


def rendered(found: Sequence[Annotated], wanted: str | None, format: str, stream: TextIO | None) -> str:
    """Those that have the function, as text for the stream or as Markdown. Raises ArmprofError where none has it."""
    having = [one for one in found if one.named(wanted)]
    if not having:
        known = listed(list(dict.fromkeys(function.name for one in found for function in one.functions)), 8)
        of = f"in a function {wanted!r}; there is: {known or 'none'}" if wanted is not None else "that has a place"
        raise ArmprofError(f"nothing was counted {of}")
    if format == "markdown":
        return "\n".join(_markdown(one, wanted) for one in having)
    return "\n".join(_text(one, wanted, stream) for one in having)


def _text(annotated: Annotated, wanted: str | None, stream: TextIO | None) -> str:
    """As text for this stream, the hottest lines marked."""
    console = paper(stream)
    blocks = [text(f"{short(annotated.title)}: the source as it is on disk now", "bold")]
    for function in annotated.named(wanted):
        columns = columns_of(annotated, function)
        blocks += [text(""), text(f"{short(function.name)}: {told(annotated, function, columns)}", "bold")]
        widths = _widths(columns, annotated.events)
        for file, rows in listings(function, columns, public=False):
            blocks.append(text(file, "dim"))
            blocks.append(text(_head(columns, annotated.events, widths), "dim"))
            blocks += [_cropped(_line(row, widths), row.hot, console.width) for row in rows]
        if not function.lines:
            blocks.append(text(NO_LINE))
    return printed(console, blocks)


def _markdown(annotated: Annotated, wanted: str | None) -> str:
    """As Markdown: the listings in fences that nothing in them closes."""
    parts = [f"### {escaped(printable(short(annotated.title)))}: annotated source"]
    for function in annotated.named(wanted):
        columns = columns_of(annotated, function)
        parts.append(f"{code(printable(short(function.name)))}: {escaped(told(annotated, function, columns))}")
        widths = _widths(columns, annotated.events)
        for file, rows in listings(function, columns, public=True):
            lines = [_head(columns, annotated.events, widths), *(_line(row, widths).rstrip() for row in rows)]
            fence = "`" * max(3, 1 + max(len(run) for line in lines for run in ["", *re.findall("`+", line)]))
            parts.append("\n".join([code(printable(file)), "", fence + "text", *lines, fence]))
        if not function.lines:
            parts.append(NO_LINE)
    return uncommanded("\n\n".join(parts)) + "\n"


def columns_of(annotated: Annotated, function: Function) -> Sequence[str]:
    """The events that are shown of it: the first, and those of which the function has most."""
    first, *others = annotated.events
    having = sorted(
        (one for one in others if function.shares.get(one, 0) >= LEAST), key=lambda one: -function.shares[one]
    )
    shown = {first, *having[: COLUMNS_SHOWN - 1]}
    return [event for event in annotated.events if event in shown]


def told(annotated: Annotated, function: Function, columns: Sequence[str]) -> str:
    """What part of each event was in the function."""
    shares = (f"{figures.percent(function.shares.get(one, 0.0), 1)} of {annotated.events[one]}" for one in columns)
    return ", ".join(shares)


def listings(function: Function, columns: Sequence[str], public: bool) -> Iterator[tuple[str, list[Row]]]:
    """Each file of the function with its rows; where it is not at hand the shares stand without the text.

    ``public`` as of `armprof.report.source`.
    """
    hottest = max((_first(at, columns) for lines in function.lines.values() for at in lines.values()), default=0.0)
    ordered = sorted(function.lines.items(), key=lambda one: -sum(_first(at, columns) for at in one[1].values()))
    for file, lines in ordered:
        having = {number: at for number, at in lines.items() if any(at.get(one, 0.0) >= LEAST for one in columns)}
        if having:
            found = source(file, public)
            yield found.titled(short(file)), list(_rows(having, found, columns, hottest))


def _rows(lines: Mapping[int, Shares], found: Source, columns: Sequence[str], hottest: float) -> Iterator[Row]:
    told = {number: tuple(_cell(at.get(one, 0.0)) for one in columns) for number, at in lines.items()}
    hot = {number for number, at in lines.items() if _first(at, columns) >= max(LEAST, HOT * hottest)}
    return excerpt(found, told, hot)


def _line(row: Row, widths: Sequence[int]) -> str:
    if row.number is None:
        return "   ..."
    cells = "".join(f"{cell:>{width}}" for cell, width in zip(row.cells, widths, strict=True))
    return f"{'>' if row.hot else ' '}{row.number:>6}{cells}  {row.content}"


def _head(columns: Sequence[str], titles: Mapping[str, str], widths: Sequence[int]) -> str:
    cells = zip(columns, widths, strict=True)
    return " " * 7 + "".join(f"{titles[one]:>{width}}" for one, width in cells)


def _widths(columns: Sequence[str], titles: Mapping[str, str]) -> list[int]:
    return [2 + max(NARROWEST, len(titles[one])) for one in columns]


def _cell(share: float) -> str:
    return figures.percent(share, 1) if share >= LEAST else ""


def _first(at: Shares, columns: Sequence[str]) -> float:
    return at.get(columns[0], 0.0)


def _cropped(line: str, hot: bool, width: int) -> Text:
    made = text(line, "bold red" if hot else "")
    made.truncate(width)
    return made
