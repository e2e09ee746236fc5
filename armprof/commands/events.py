"""armprof events: the events of this machine's cores or of a named one, and which can be counted here."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from armprof import cpu
from armprof.cpu import Core, Event, Host, names
from armprof.cpu.obstacles import forbidden
from armprof.cpu.pmu import X86_EVENTS
from armprof.errors import ArmprofError
from armprof.report.contract import rendered

FORMAT = "armprof-events"  # report/events.schema.json describes it
VERSION = 1


@dataclass(frozen=True, slots=True)
class Row:
    """One event of the list. ``here``: this machine has the core; ``why_not`` is None where it counts.

    ``doubt`` says why it may stay 0 although nothing speaks against it.
    """

    event: Event
    here: bool
    why_not: str | None = None
    doubt: str | None = None
    errata: str = ""  # ids of the errata that touch it

    @property
    def mark(self) -> str:
        if not self.here:
            return "-"
        return "no" if self.why_not else "?" if self.doubt else "yes"

    @property
    def code(self) -> str:
        return "" if self.event.code is None else f"{self.event.code:#06x}"

    @property
    def title(self) -> str:
        return self.event.title + (f" (counts wrongly: erratum {self.errata})" if self.errata else "")


@dataclass(frozen=True, slots=True)
class Listing:
    """The events of one core, or the software events."""

    name: str  # of the core's table, or "software"
    title: str
    rows: tuple[Row, ...]


def prepare(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "pattern",
        nargs="?",
        metavar="PATTERN",
        help="list events whose name contains this, or matches it (l2d*, *_refill), or have this code (0x17)",
    )
    parser.add_argument(
        "--core", metavar="NAME", help="list the events of this core; known: " + ", ".join(cpu.core_names())
    )
    parser.add_argument(
        "--format", choices=("text", "json"), default="text", metavar="FORMAT", help="text, json (default: text)"
    )


def run(args: argparse.Namespace) -> int:
    host = cpu.host()
    listings = [keep(found, args.pattern) for found in listings_of(host, args.core)]
    if args.pattern and not any(found.rows for found in listings):
        known = ", ".join(found.title for found in listings)
        raise ArmprofError(f"no event matches {args.pattern!r} in the list of {known}")
    told = note(host, args.core)
    if args.format == "json":
        print(rendered(FORMAT, VERSION, as_json(listings, told)), end="")
    else:
        if told:
            print(told, file=sys.stderr)
        _print(listings)
    return 0


def note(host: Host, core: str | None) -> str:
    """What the reader must know of the list, "" where it is simply this machine's core."""
    if core is not None:
        wanted = cpu.core(core)
        if any(p.core.name == wanted.name for p in host.pmus):
            return ""
        return f"This machine has no PMU of {wanted.title}, so nothing is said of counting them here."
    if not host.is_arm64:
        offered = "perf's generic events and" if host.pmus else "there is no PMU, so only"
        another = "`armprof events --core NAME` lists an ARM64 core's; its --help names the cores."
        return f"This is {host.arch}, not an ARM64 core: {offered} software events can be counted. {another}"
    if not host.pmus:
        return "This machine shows no PMU: none of its core's events can be counted; see `armprof doctor`."
    if forbidden(host):
        return "The kernel's settings let you count none of these at present; see `armprof doctor`."
    return ""


def listings_of(host: Host, core: str | None) -> Iterator[Listing]:
    """The named core's list; or one for each kind of core here, of the software events and of the model's own."""
    if core is not None:
        wanted = cpu.core(core)
        pmu = next((p for p in host.pmus if p.core.name == wanted.name), None)
        yield Listing(wanted.name, wanted.title, tuple(_rows(wanted, pmu)))
        return
    for pmu in host.pmus:
        yield Listing(pmu.core.name, f"{pmu.core.title} ({pmu.name})", tuple(_rows(pmu.core, pmu)))
    if not host.pmus and host.core is not None:
        yield Listing(host.core.name, host.core.title, tuple(_rows(host.core, None, "this machine shows no PMU")))
    software = (e for n, e in cpu.events().items() if e.kind == "software" and n not in names.MEASURED_BY_PERF)
    yield Listing("software", "software events of the kernel", tuple(Row(e, here=True) for e in software))
    own = (Row(event, here=False) for event in cpu.modelled().values())
    yield Listing("model", "what the modelled core tells besides (--source model)", tuple(own))


def _rows(core: Core, pmu: cpu.Pmu | None, why_not: str | None = None) -> Iterator[Row]:
    if core.name == "x86" and pmu is not None:
        yield from (_row(pmu, _generic(name)) for name in X86_EVENTS)
        return
    known = set(core.events) | ({n for n in pmu.events if n in cpu.events()} if pmu else set())
    events = [core.event(n) or cpu.events()[n] for n in known]
    for event in sorted(events, key=lambda e: (e.code or 0, e.name)):
        errata = ", ".join(e.id for e in core.errata_of(event.name))
        if pmu is None:
            yield Row(event, why_not is not None, why_not, errata=errata)
        else:
            yield _row(pmu, event, errata)


def _row(pmu: cpu.Pmu, event: Event, errata: str = "") -> Row:
    return Row(event, True, pmu.why_not(event.name), pmu.doubt(event.name), errata)


def _generic(name: str) -> Event:
    """An event of x86: the same thing under the same name, but no code of Arm's."""
    event = cpu.events()[name]
    return Event(name, None, event.title, event.kind)


def keep(listing: Listing, pattern: str | None) -> Listing:
    """The events that the pattern means: by name, part of it, shell pattern, perf's generic name, or code."""
    if not pattern:
        return listing
    low = pattern.lower()
    alias, code = cpu.canonical(pattern), names.raw_code(pattern)

    def means(event: Event) -> bool:
        return (
            low in event.name or fnmatchcase(event.name, low) or event.name == alias or event.code == code is not None
        )

    return Listing(listing.name, listing.title, tuple(r for r in listing.rows if means(r.event)))


def as_json(listings: Sequence[Listing], told: str) -> dict[str, Any]:
    """``countable`` is null where the list is of a core that this machine has not."""
    return {
        "note": told,
        "lists": [
            {
                "core": found.name,
                "title": found.title,
                "events": [
                    {
                        "name": row.event.name,
                        "code": row.event.code,
                        "title": row.event.title,
                        "kind": row.event.kind,
                        "unit": row.event.unit,
                        "errata": row.errata,
                        "countable": row.why_not is None if row.here else None,
                        "reason": row.why_not or "",
                        "doubt": row.doubt or "",
                    }
                    for row in found.rows
                ],
            }
            for found in listings
        ],
    }


def _print(listings: Sequence[Listing]) -> None:
    """A table on a terminal; elsewhere a line for each event, to be searched."""
    if not sys.stdout.isatty():
        print("\n\n".join("\n".join(as_lines(found)) for found in listings if found.rows))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False)
    for found in listings:
        if not found.rows:
            continue
        table = Table(title=_heading(found), title_justify="left", title_style="bold", box=None, pad_edge=False)
        for column in ("event", "code", "here", "what it counts"):
            table.add_column(column, no_wrap=column != "what it counts")
        for row in found.rows:
            style = "dim" if row.why_not else ""
            table.add_row(*(Text(cell, style) for cell in (row.event.name, row.code, row.mark, row.title)))
        console.print(table)
        for footnote in _footnotes(found):
            console.print(Text(footnote, "dim"))
        console.print()


def as_lines(listing: Listing) -> Iterator[str]:
    yield f"# {_heading(listing)}"
    width = max(len(row.event.name) for row in listing.rows)
    for row in listing.rows:
        yield f"{row.event.name:{width}}  {row.code:6}  {row.mark:3}  {row.title}"
    yield from (f"# {footnote}" for footnote in _footnotes(listing))


def _heading(listing: Listing) -> str:
    total = len(listing.rows)
    heading = f"{listing.title}: {total} event{'s' * (total != 1)}"
    if not any(row.here for row in listing.rows):
        return heading
    yes, perhaps = (sum(row.mark == mark for row in listing.rows) for mark in ("yes", "?"))
    return f"{heading}, {yes} can be counted here" + (f", {perhaps} perhaps" if perhaps else "")


def _footnotes(listing: Listing) -> list[str]:
    """Why events are marked no or ?, each reason once with the number of events."""
    said = Counter(
        f"not here: {row.why_not}" if row.why_not else f"perhaps: {row.doubt}"
        for row in listing.rows
        if row.why_not or row.doubt
    )
    return [f"{count} {why}" for why, count in said.items()]
