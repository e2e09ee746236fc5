"""Which functions and lines the events of a model were in: a text table of those that cost most."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TextIO

from armprof.report import figures
from armprof.report.paper import paper, printed
from armprof.report.pieces import short, table, text
from armprof.run.record import Place, Share

MOST = 12
CYCLES = "cpu_cycles"  # an estimate, in a model

# What the columns are called; an event without one is not in the table.
COLUMNS = {
    "cpu_cycles": "cycles",
    "inst_retired": "instructions",
    "l1d_cache_refill": "L1D",
    "l2d_cache_refill": "L2",
    "dtlb_walk": "walks",
    "l1i_cache_refill": "L1I",
    "br_mis_pred_retired": "branches",
}


def render(heading: str, events: Sequence[str], shares: Iterable[Share], stream: TextIO | None) -> str:
    """The places with the most of the first event, the counts of all events beside each."""
    rows = [(named(share.place), [share.counts[event] for event in events]) for share in shares]
    ranked = sorted(((name, values) for name, values in rows if any(values)), key=lambda row: -row[1][0])
    total = sum(values[0] for _, values in ranked)
    columns = table(heading, *(f">{column(event, event == CYCLES)}" for event in events))
    for place, values in ranked[:MOST]:
        share_of_all = figures.percent(values[0] / total, 1) if total else figures.NONE
        columns.add_row(text(short(place)), share_of_all, *(f"{value:,.0f}" for value in values[1:]))
    left = len(ranked) - MOST
    more = [text(f"and {left:,} more", "dim")] if left > 0 else []
    caption = text("L1D, L2, L1I: refills; walks: of page tables, for data; branches: mispredicted", "dim")
    return printed(paper(stream), ["", columns, *more, *([caption] if len(events) > 2 else [])])


def column(event: str, estimated: bool) -> str:
    """What its column is called."""
    return f"{COLUMNS.get(event, event)}{' (est.)' if estimated else ''}"


def named(place: Place) -> str:
    """The function, and the line or else the file that it is in."""
    line = f"{Path(place.file).name}:{place.line}" if place.file else Path(place.module).name or "no file"
    return f"{place.function} ({line})"
