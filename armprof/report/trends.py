"""Trends as text with sparklines, as JSON, and as one HTML page with its plots in it."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from html import escape
from typing import Any

from armprof.monitor.history import Past
from armprof.monitor.rules import Figure
from armprof.monitor.trends import DAY, Crossing, PerformanceTrends, Trend, kind_of
from armprof.report import figures
from armprof.report.live import shown, sparkline

TITLES = {
    "latency": "Latency",
    "throughput": "Throughput",
    "memory": "Memory use",
    "cache": "Cache efficiency",
    "other": "Other figures",
}
SPARKS = 24


def text(found: PerformanceTrends, width: int = 80) -> Iterator[str]:
    """The lines of the report."""
    yield f"Trends of {found.target}, {when(found.since_ns)} to {when(found.until_ns)}, values of {_span(found.step_ns)}"
    for kind, title in TITLES.items():
        trends = [one for one in found.of(kind) if one.verdict != "unknown"]
        if not trends:
            continue
        yield ""
        yield title
        for one in trends:
            yield _line(one, width)
            yield from (f"      {fact}" for fact in facts(one))
    if unknown := [str(one.figure) for one in found.trends if one.verdict == "unknown"]:
        yield ""
        yield f"Too few values for a trend: {', '.join(unknown)}"
    yield ""
    yield "Predicted issues"
    if not found.crossings:
        yield "  no threshold is configured for what is in this store: [alerts] in armprof.toml has none"
    for crossing in found.predicted_issues:
        yield f"  {prediction(crossing)}"
    for crossing in found.crossings:
        if crossing.at_ns is None:
            yield f"  {prediction(crossing)}"


def _line(one: Trend, width: int) -> str:
    """One figure: its last values, the verdict, the sparkline."""
    last = shown(one.past.values[-1], _unit(one.figure))
    return f"  {one.figure!s:<28} {last:>10}  {one.verdict:<8} {sparkline(_thinned(one.past, SPARKS))}"[:width]


def facts(one: Trend) -> Iterator[str]:
    """What is to be said of a figure besides the verdict, a sentence each."""
    unit = _unit(one.figure)
    for change in one.changes:
        size = "from 0" if math.isinf(change.change) else figures.change(change.change)
        yield f"changed by {size} at {when(change.at_ns)}"
    if one.verdict in ("rising", "falling") and one.slope is not None and one.slope_interval is not None:
        low, high = one.slope_interval
        yield f"{signed(one.slope, unit)} a day, {signed(low, unit)} to {signed(high, unit)} (95 %)"
    if one.daily is not None:
        yield f"a daily pattern of {shown(one.daily, unit)} from its least to its most was taken out"
    if one.reason:
        yield one.reason


def prediction(one: Crossing) -> str:
    """A crossing, or why there is none."""
    bound = f"{one.figure} {'above' if one.above else 'below'} {shown(one.threshold, _unit(one.figure))} ({one.rule})"
    if one.at_ns is None or one.earliest_ns is None or one.latest_ns is None:
        return f"{bound}: {one.reason}"
    return f"{bound}: {when(one.at_ns)}, between {when(one.earliest_ns)} and {when(one.latest_ns)} (95 %)"


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


def _unit(figure: Figure) -> str:
    if figure.kind == "level":
        return "bytes" if figure.name.endswith("_bytes") else ""
    return "ns" if figure.part.endswith("_ns") else ""


def _thinned(past: Past, most: int) -> list[float]:
    """At most that many values: the means of stretches."""
    size = max(1, math.ceil(len(past) / most))
    stretches = [past.values[at : at + size] for at in range(0, len(past), size)]
    return [sum(values) / len(values) for values in stretches]


def document(found: PerformanceTrends) -> dict[str, Any]:
    """The trends as plain data."""
    return {
        "target": found.target,
        "since_ns": found.since_ns,
        "until_ns": found.until_ns,
        "step_ns": found.step_ns,
        "trends": [_trend(one) for one in found.trends],
        "crossings": [{**asdict(one), "figure": str(one.figure)} for one in found.crossings],
    }


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


def render_json(found: PerformanceTrends) -> str:
    return json.dumps(document(found), indent=2, allow_nan=False) + "\n"


# ---- plots ----

_WIDTH, _HEIGHT, _EDGE = 720, 160, 24


def svg(one: Trend) -> str:
    """The figure over time, with its changes and its line."""
    past = one.past
    first, last = past.at_ns[0], past.at_ns[-1]
    low, high = min(past.values), max(past.values)
    across, up = max(1, last - first), (high - low) or 1.0

    def place(at: float, value: float) -> str:
        x = _EDGE + (at - first) / across * (_WIDTH - 2 * _EDGE)
        y = _HEIGHT - _EDGE - (value - low) / up * (_HEIGHT - 2 * _EDGE)
        return f"{x:.1f},{y:.1f}"

    points = " ".join(place(at, value) for at, value in zip(past.at_ns, past.values, strict=True))
    unit = _unit(one.figure)
    parts = [f'<polyline points="{points}" fill="none" stroke="#2266aa" stroke-width="1.5"/>']
    for change in one.changes:
        x = place(change.at_ns, low).partition(",")[0]
        parts.append(
            f'<line x1="{x}" x2="{x}" y1="{_EDGE}" y2="{_HEIGHT - _EDGE}" stroke="#aa2222" stroke-dasharray="4"/>'
        )
    if one.line is not None and one.slope is not None and one.verdict in ("rising", "falling"):
        level = float(sorted(one.line.levels)[len(one.line.levels) // 2])
        begin = level - one.slope / DAY * (one.line.at_ns - one.line.since_ns)
        ends = f"{place(max(first, one.line.since_ns), begin)} {place(one.line.at_ns, level)}"
        parts.append(f'<polyline points="{ends}" fill="none" stroke="#cc7700" stroke-width="2"/>')
    labels = (
        (_EDGE, 16, shown(high, unit)),
        (_EDGE, _HEIGHT - 6, f"{shown(low, unit)}   {when(first)} to {when(last)}"),
    )
    parts += [f'<text x="{x}" y="{y}" font-size="11" font-family="sans-serif">{escape(t)}</text>' for x, y, t in labels]
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" width="{_WIDTH}">'
    return f"{head}<title>{escape(str(one.figure))}</title>{''.join(parts)}</svg>"


def html(found: PerformanceTrends) -> str:
    """One page that needs nothing else."""
    title = f"Trends of {found.target}"
    body = [f"<h1>{escape(title)}</h1>", f"<p>{when(found.since_ns)} to {when(found.until_ns)} UTC</p>"]
    body += [
        "<h2>Predicted issues</h2>",
        _listed([prediction(one) for one in (*found.predicted_issues, *_without(found))]),
    ]
    for kind, heading in TITLES.items():
        trends = [one for one in found.of(kind) if one.verdict != "unknown"]
        if trends:
            body.append(f"<h2>{heading}</h2>")
        for one in trends:
            body.append(f"<h3>{escape(str(one.figure))}: {one.verdict}</h3>{svg(one)}{_listed(list(facts(one)))}")
    style = "body{font-family:sans-serif;max-width:48rem;margin:2rem auto;padding:0 1rem}svg{max-width:100%}"
    head = f'<meta charset="utf-8"><title>{escape(title)}</title><style>{style}</style>'
    return f'<!doctype html><html lang="en"><head>{head}</head><body>{"".join(body)}</body></html>\n'


def _without(found: PerformanceTrends) -> list[Crossing]:
    return [one for one in found.crossings if one.at_ns is None]


def _listed(lines: Sequence[str]) -> str:
    return f"<ul>{''.join(f'<li>{escape(line)}</li>' for line in lines)}</ul>" if lines else ""
