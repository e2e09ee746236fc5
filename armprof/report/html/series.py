"""A figure over time: its values, when its level moved, its line, and the thresholds that it will cross."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from statistics import median

from armprof.monitor.history import Past
from armprof.monitor.trends import DAY, HOUR, Crossing, Trend
from armprof.report import trends as told
from armprof.report.html.blocks import CaptionedPlot, Dot, Label, Mark, Plot, Rect, Stroke
from armprof.report.html.plots import AXIS, ROW
from armprof.report.html.scale import Scale, thinned
from armprof.report.live import shown
from armprof.report.pieces import short

HEIGHT, TOP = 170, 18
LABELS = 0.16  # of the width, before the first value: there the numbers of the axis stand
AHEAD = 3  # times the observed time: what will be later is told and not drawn
MINUTE = HOUR // 60
TICKS = (
    *(n * MINUTE for n in (1, 5, 10, 15, 30)),
    *(n * HOUR for n in (1, 2, 3, 6, 12)),
    *(n * DAY for n in (1, 2, 7, 30, 90)),
)
MOST_TICKS = 4
SPARKS = 60  # values in a row of a table
BINARY = (1 << 30, 1 << 20, 1 << 10)
LEGEND = {
    "curve": "values",
    "moved": "the level moved",
    "trend": "trend",
    "threshold": "threshold",
    "crossing": "when it will be crossed (95 %)",
}


@dataclass(frozen=True, slots=True)
class Up:
    """Where values stand, in pixels from the top."""

    scale: Scale
    height: int
    top: int

    @classmethod
    def of(cls, values: Sequence[float], height: int, top: int) -> Up:
        low, high = min(values), max(values)
        return cls(Scale(low, high if high > low else low + (abs(low) or 1.0), margin=0), height, top)

    def __call__(self, value: float) -> float:
        return round(self.top + (self.height - self.top) * (1 - self.scale.at(value) / 100), 1)


def spark(name: str, past: Past) -> Plot:
    """Its values in a row of a table, of many the means of stretches."""
    values = told.thinned(past, SPARKS)
    x, y = Scale(0, len(values) - 1, margin=1), Up.of(values, ROW - 3, 3)
    places = [(x.at(number), y(value)) for number, value in enumerate(values)]
    marks = [Stroke(x1, y1, x2, y2, "curve") for (x1, y1), (x2, y2) in pairwise(places)]
    return Plot(name, name, ROW, marks, bar=True)


def series(one: Trend, step_ns: int, crossings: Sequence[Crossing] = ()) -> CaptionedPlot:
    """The figure with its thresholds; the time goes on to where it will cross them, if that is not too far."""
    past, unit = one.past, told.unit_of(one.figure)
    first, last = past.at_ns[0], past.at_ns[-1]
    span = max(step_ns, last - first)
    farthest = last + AHEAD * span
    end = max(last, *(c.latest_ns or 0 for c in crossings if (c.latest_ns or 0) <= farthest), 0)
    x = Scale(first - LABELS * (end - first or span), end)
    # a threshold that is far away would leave the values a line at the foot
    near = [c for c in crossings if c.at_ns is not None or _is_near(c.threshold, past.values)]
    y = Up.of([*past.values, *(crossing.threshold for crossing in near)], HEIGHT, TOP)
    marks: list[Mark] = []
    for value in _ticks(y.scale, unit):
        marks += [Stroke(0, y(value), 100, y(value), "grid"), Label(0, y(value) - 3, shown(value, unit))]
    for at, label in _times(first, end, x):
        marks += [Stroke(x.at(at), TOP, x.at(at), HEIGHT, "grid"), Label(x.at(at), HEIGHT + 16, label, "middle")]
    for change in one.changes:
        across = x.at(change.at_ns)
        marks.append(Stroke(across, TOP, across, HEIGHT, "moved", told.moved(change)))
    marks += _curve(past, step_ns, unit, x, y)
    marks += _line(one, first, x, y)
    for crossing in near:
        marks += _threshold(crossing, one, x, y)
    drawn = {mark.look.split()[0] for mark in marks}
    says = [f"{one.verdict}, from {shown(min(past.values), unit)} to {shown(max(past.values), unit)}", *told.facts(one)]
    says += [told.prediction(crossing) for crossing in crossings]
    plot = Plot(f"{one.figure} over time", f"{'; '.join(says)}.", HEIGHT + AXIS, marks)
    legend = [(look, name) for look, name in LEGEND.items() if look in drawn]
    return CaptionedPlot(f"{told.when(first)} to {told.when(last)}", plot, legend if len(legend) > 1 else ())


def _curve(past: Past, step_ns: int, unit: str, x: Scale, y: Up) -> Iterator[Mark]:
    """Its values, and lines between those that follow each other."""
    values = list(zip(past.at_ns, past.values, strict=True))
    for (before, value), (after, next_) in pairwise(values):
        if after - before <= 1.5 * step_ns:
            yield Stroke(x.at(before), y(value), x.at(after), y(next_), "curve")
    for at, value in values:
        yield Dot(x.at(at), y(value), "value", f"{told.when(at)}: {shown(value, unit)}", 3)


def _line(one: Trend, first: int, x: Scale, y: Up) -> Iterator[Mark]:
    """The line that the values follow since they last moved, where the data bears a slope out."""
    if one.line is None or one.slope is None or one.verdict not in told.MOVING:
        return
    end, level = one.line.at_ns, float(median(one.line.levels))
    begin = max(first, one.line.since_ns)
    yield Stroke(x.at(begin), y(level - one.slope / DAY * (end - begin)), x.at(end), y(level), "trend", told.slope(one))


def _threshold(crossing: Crossing, one: Trend, x: Scale, y: Up) -> Iterator[Mark]:
    """The threshold, and when the line will be there."""
    at, said = y(crossing.threshold), told.prediction(crossing)
    yield Stroke(x.at(one.past.at_ns[0]), at, 100, at, "threshold", said)
    yield Label(100, at - 5, short(told.threshold(crossing)), "end")
    if crossing.at_ns is None or crossing.earliest_ns is None or crossing.latest_ns is None or one.line is None:
        return
    if crossing.latest_ns <= x.high:
        left, right, then = map(x.at, (crossing.earliest_ns, crossing.latest_ns, crossing.at_ns))
        yield Stroke(x.at(one.line.at_ns), y(float(median(one.line.levels))), then, at, "ahead", said)
        yield Rect(left, at - 4, max(0.6, round(right - left, 2)), 8, "crossing", said)
        yield Dot(then, at, "point bad", said)


def _is_near(value: float, values: Sequence[float]) -> bool:
    low, high = min(values), max(values)
    around = high - low
    return low - around <= value <= high + around


def _ticks(scale: Scale, unit: str) -> list[float]:
    """Round values; of bytes round in what they are shown in."""
    size = next((one for one in BINARY if unit == "bytes" and scale.high >= one), 1)
    return [size * value for value in Scale(scale.low / size, scale.high / size).ticks()]


def _times(first: int, end: int, x: Scale) -> list[tuple[int, str]]:
    """Round moments, and what they are called."""
    step = next((one for one in TICKS if (end - first) / one <= MOST_TICKS), TICKS[-1])
    form = "%b %d" if step >= DAY else "%H:%M" if end - first <= DAY else "%b %d %H:%M"
    at = range(-(-first // step) * step, end + 1, step)
    return [(ns, datetime.fromtimestamp(ns / 1e9, UTC).strftime(form)) for ns in map(int, thinned(at, x.at, 24))]
