"""What `armprof history` says, as text and as JSON; history.schema.json describes the JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TextIO

from rich.console import RenderableType

from armprof.compare.changepoint import ERROR, LEAST, TOLERANCE
from armprof.history.trend import Moved, Series
from armprof.report import figures
from armprof.report.contract import rendered
from armprof.report.paper import paper, printed
from armprof.report.pieces import item, short, table, text
from armprof.run.codec import encode

FORMAT = "armprof-history"
VERSION = 1

NOTE = (
    f"a step is where a level moved by {100 * TOLERANCE:g} % or more and stayed; the noise of each series is estimated, drift "
    f"included: one without a step is called moved in at most {100 * ERROR:g} % of cases"
)


def render(
    runs: Sequence[str],
    baselines: Sequence[str],
    all_series: Sequence[Series],
    moved: Sequence[Moved],
    stream: TextIO | None = None,
) -> str:
    """The history as text for this stream; without one, plain text of 80 columns."""
    return printed(paper(stream), _blocks(runs, baselines, all_series, moved))


def _blocks(
    runs: Sequence[str], baselines: Sequence[str], all_series: Sequence[Series], moved: Sequence[Moved]
) -> Iterator[RenderableType]:
    yield text(headline(runs, moved), "bold")
    yield text(f"baselines  {', '.join(map(short, baselines)) or 'none'}")
    if runs:
        yield text(f"runs       {runs[0]} .. {runs[-1]}")
    if moved:
        rows = table("", ">before", ">after", ">change", "since")
        for step in moved:
            cells = (figures.number(step.before), figures.number(step.after), figures.change(step.change), step.run)
            rows.add_row(text(f"{short(step.component)} {step.metric}"), *map(text, cells))
        yield from ("", rows, "")
    few = [f"{short(one.component)} {one.metric}" for one in all_series if not one.is_enough]
    if few:
        yield item(f"not looked at, since {LEAST} runs are the least: {', '.join(few)}")
    yield item(NOTE)


def headline(runs: Sequence[str], moved: Sequence[Moved]) -> str:
    """In one line."""
    plural = "s" * (len(runs) != 1)
    return f"{len(runs)} run{plural}, {len(moved) or 'no'} step{'s' * (len(moved) != 1)}"


def render_json(
    runs: Sequence[str], baselines: Sequence[str], all_series: Sequence[Series], moved: Sequence[Moved]
) -> str:
    """The history as JSON text, in ASCII."""
    told: dict[str, Any] = {
        "runs": list(runs),
        "baselines": list(baselines),
        "series": [encode(one) for one in all_series],
        "steps": [encode(step) for step in moved],
        "notes": [NOTE],
    }
    return rendered(FORMAT, VERSION, told)
