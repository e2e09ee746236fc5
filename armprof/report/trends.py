"""Trends as text with sparklines, and as JSON; trends.schema.json describes the JSON."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from armprof.monitor.history import Past
from armprof.monitor.rules import Figure
from armprof.monitor.trends import BEYOND, DAY, Crossing, LevelShift, PerformanceTrends, Trend, kind_of
from armprof.report import figures
from armprof.report.contract import rendered
from armprof.report.live import shown, sparkline
from armprof.report.pieces import listed

FORMAT = "armprof-trends"
VERSION = 1

TITLES = {
    "latency": "Latency",
    "throughput": "Throughput",
    "memory": "Memory use",
    "cache": "Cache efficiency",
    "other": "Other figures",
}
MOVING = ("rising", "falling")
SPARKS = 24
MOST_NAMED = 3  # figures, in a sentence


def text(found: PerformanceTrends, width: int = 80) -> Iterator[str]:
    """The lines of the report."""
    yield f"Trends of {found.target}, {stretch(found)}"
    yield from textwrap.wrap(headline(found), width)
    for kind, title in TITLES.items():
        trends = [one for one in found.of(kind) if one.verdict != "unknown"]
        if not trends:
            continue
        yield ""
        yield title
        for one in trends:
            yield _line(one, width)
            yield from (f"      {fact}" for fact in facts(one))
    if told := unknown(found):
        yield from ("", told)
    yield from ("", "Predicted issues", *(f"  {told}" for told in predictions(found)))


def stretch(found: PerformanceTrends) -> str:
    """The time that was looked at, and how finely."""
    return f"{when(found.since_ns)} to {when(found.until_ns)}, values of {_span(found.step_ns)}"


def headline(found: PerformanceTrends) -> str:
    """What came of it, the worst first: a threshold that is crossed, or will be; figures that moved; or that none did."""
    for crossing in beyond(found):
        return f"Now: {prediction(crossing)}"
    for crossing in found.predicted_issues:
        return f"Predicted for {when(crossing.at_ns or 0)}: {crossing.figure} {threshold(crossing)}"
    judged = [one for one in found.trends if one.verdict != "unknown"]
    moved = [f"{one.figure} {one.verdict}" for one in judged if one.verdict != "steady"]
    if moved:
        return f"{len(moved)} of {len(judged)} figures moved: {listed(moved, MOST_NAMED)}"
    if judged:
        return f"Nothing moved: {len(judged)} figure{'s are' if len(judged) != 1 else ' is'} steady"
    return "Too few values for a trend"


def beyond(found: PerformanceTrends) -> list[Crossing]:
    """Thresholds that figures are beyond now."""
    return [one for one in found.crossings if one.reason == BEYOND]


def unknown(found: PerformanceTrends) -> str:
    """The figures of which there is too little; empty where there are none."""
    names = [str(one.figure) for one in found.trends if one.verdict == "unknown"]
    return f"Too few values for a trend: {', '.join(names)}" if names else ""


def predictions(found: PerformanceTrends) -> list[str]:
    """A sentence for each threshold: those that will be crossed, the next one first, then the others with the reason."""
    if not found.crossings:
        return ["no threshold is configured for what is in this store: [alerts] in armprof.toml has none"]
    others = (one for one in found.crossings if one.at_ns is None)
    return [prediction(one) for one in (*found.predicted_issues, *others)]


def _line(one: Trend, width: int) -> str:
    """One figure: its last values, the verdict, the sparkline."""
    last = shown(one.past.values[-1], unit_of(one.figure))
    return f"  {one.figure!s:<28} {last:>10}  {one.verdict:<8} {sparkline(thinned(one.past, SPARKS))}"[:width]


def facts(one: Trend) -> Iterator[str]:
    """What is to be said of a figure besides the verdict, a sentence each."""
    yield from map(moved, one.changes)
    if told := slope(one):
        yield told
    if one.daily is not None:
        yield f"a daily pattern of {shown(one.daily, unit_of(one.figure))} from its least to its most was taken out"
    if one.reason:
        yield one.reason


def moved(change: LevelShift) -> str:
    """That the level moved, by how much, and when."""
    size = "from 0" if math.isinf(change.change) else figures.change(change.change)
    return f"changed by {size} at {when(change.at_ns)}"


def slope(one: Trend) -> str:
    """The slope with its interval; empty where the data bears none out."""
    if one.verdict not in MOVING or one.slope is None or one.slope_interval is None:
        return ""
    unit, (low, high) = unit_of(one.figure), one.slope_interval
    return f"{signed(one.slope, unit)} a day, {signed(low, unit)} to {signed(high, unit)} (95 %)"


def prediction(one: Crossing) -> str:
    """A crossing, or why there is none."""
    bound = f"{one.figure} {threshold(one)}"
    if one.at_ns is None or one.earliest_ns is None or one.latest_ns is None:
        return f"{bound}: {one.reason}"
    return f"{bound}: {when(one.at_ns)}, between {when(one.earliest_ns)} and {when(one.latest_ns)} (95 %)"


def threshold(one: Crossing) -> str:
    """What is crossed."""
    return f"{'above' if one.above else 'below'} {shown(one.threshold, unit_of(one.figure))} ({one.rule})"


def signed(value: float, unit: str) -> str:
    """A change of a figure, with its sign."""
    return f"{'-' if value < 0 else '+'}{shown(abs(value), unit)}"


def when(at_ns: int) -> str:
    """A time, to the minute, in UTC."""
    return datetime.fromtimestamp(at_ns / 1e9, UTC).strftime("%Y-%m-%d %H:%M")


def _span(ns: int) -> str:
    for size, name in ((DAY, "d"), (3_600_000_000_000, "h"), (60_000_000_000, "min"), (1_000_000_000, "s")):
        if ns >= size:
            return f"{ns / size:g} {name}"
    return f"{ns} ns"


def unit_of(figure: Figure) -> str:
    """What its values are counted in."""
    if figure.kind == "level":
        return "bytes" if figure.name.endswith("_bytes") else ""
    return "ns" if figure.part.endswith("_ns") else ""


def thinned(past: Past, most: int) -> list[float]:
    """At most that many values: the means of stretches."""
    size = max(1, math.ceil(len(past) / most))
    stretches = [past.values[at : at + size] for at in range(0, len(past), size)]
    return [sum(values) / len(values) for values in stretches]


def render_json(found: PerformanceTrends) -> str:
    """The trends as JSON text, in ASCII."""
    told = {
        "target": found.target,
        "since_ns": found.since_ns,
        "until_ns": found.until_ns,
        "step_ns": found.step_ns,
        "trends": [_trend(one) for one in found.trends],
        "crossings": [{**asdict(one), "figure": str(one.figure)} for one in found.crossings],
    }
    return rendered(FORMAT, VERSION, told)


def _trend(one: Trend) -> dict[str, Any]:
    return {
        "figure": str(one.figure),
        "kind": kind_of(one.figure),
        "verdict": one.verdict,
        "values": len(one.past),
        "last": one.past.values[-1] if len(one.past) else None,
        "slope_per_day": one.slope,
        "slope_interval": one.slope_interval,
        "daily": one.daily,
        "changes": [{**asdict(c), "change": None if math.isinf(c.change) else c.change} for c in one.changes],
        "reason": one.reason,
    }
