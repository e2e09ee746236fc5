"""The plots: from figures to marks on a drawing. Each says in words what it shows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise

from armprof.metrics.roofline import Roofline
from armprof.report import figures
from armprof.report.html.blocks import CaptionedPlot, Dot, Label, Mark, Plot, Rect, Stroke
from armprof.report.html.scale import Scale, linear, logarithmic, thinned
from armprof.run.record import Latency, Round

ROW, BAR = 22, 10  # pixels
AXIS = 22  # pixels below a plot, for its numbers
QUANTILES = (("p50", "p50_ns", 0.5), ("p95", "p95_ns", 0.05), ("p99", "p99_ns", 0.01), ("p99.9", "p999_ns", 0.001))
MOST_ROUNDS = 200


def _rect(left: float, right: float, y: float, height: float, look: str, tip: str = "", least: float = 0.0) -> Rect:
    """From left to right, within the plot, and at least so wide."""
    width = min(100.0, max(least, right - left))
    return Rect(round(min(left, 100 - width), 2), y, round(width, 2), height, look, tip)


# ---- times -----------------------------------------------------------------------------------------------------------


def quantiles(latency: Latency) -> list[tuple[str, float]]:
    """The names and nanoseconds of what is known of the distribution, in order of size."""
    found = [(name, ns) for name, field, _ in QUANTILES if (ns := getattr(latency, field)) is not None]
    least = [("min", latency.min_ns)] if latency.min_ns else []
    return [(name, ns) for name, ns in (*least, *found, ("max", latency.max_ns)) if ns > 0]


def times(latencies: Iterable[Latency]) -> Scale | None:
    """One axis for all of them."""
    return logarithmic(ns for latency in latencies for _, ns in quantiles(latency))


def spread(name: str, latency: Latency, scale: Scale) -> Plot:
    """One distribution in a row of a table: from the least to the largest, thick from p50 to p99."""
    known = dict(quantiles(latency))
    told = ", ".join(f"{quantile} {figures.duration(ns)}" for quantile, ns in known.items())
    middle = ROW / 2
    marks: list[Mark] = []
    if known:
        first, last = scale.at(min(known.values())), scale.at(max(known.values()))
        marks.append(Stroke(first, middle, last, middle, "whisker", told))
    if "p50" in known and "p99" in known:
        left, right = scale.at(known["p50"]), scale.at(known["p99"])
        marks.append(Rect(left, middle - BAR / 2, max(0.4, right - left), BAR, "box", f"half to 99 % of them: {told}"))
    marks += [
        Stroke(scale.at(ns), middle - 4, scale.at(ns), middle + 4, "tick", f"{quantile} {figures.duration(ns)}")
        for quantile, ns in known.items()
        if quantile in ("p99.9", "max", "min")
    ]
    if "p50" in known:
        marks.append(Dot(scale.at(known["p50"]), middle, "point", f"p50 {figures.duration(known['p50'])}"))
    return Plot(f"Times of {name}", told, ROW, marks, bar=True)


def axis(scale: Scale, shown: Callable[[float], str]) -> Plot:
    """The numbers of an axis, for the foot of a column of bars."""
    marks = [mark for value in thinned(scale.ticks(), scale.at, 22) for mark in _tick(scale, value, shown(value), 0)]
    return Plot("Axis", "", AXIS, marks, bar=True)


def _tick(scale: Scale, value: float, text: str, top: float) -> Iterator[Mark]:
    at = scale.at(value)
    yield Stroke(at, top, at, top + 4, "axis")
    yield Label(at, top + 16, text, "middle")


def tail(name: str, latency: Latency) -> CaptionedPlot | None:
    """How slow the slowest are: the time against the share of samples that take longer. None where that is not known."""
    known = [(q, ns, above) for q, field, above in QUANTILES if (ns := getattr(latency, field)) and ns > 0]
    if len(known) < 2:
        return None
    last = 1 / latency.samples if latency.samples else known[-1][2]
    if latency.max_ns > 0 and last < known[-1][2]:
        known.append(("max", latency.max_ns, last))
    least, most = known[0][1], max(ns for _, ns, _ in known)
    scale = Scale(
        least / (1.05 * (most / least) ** 0.2 + 0.05), most * 1.05, log=True
    )  # its labels stand before the first
    height, top = 150, 12
    up = Scale(known[-1][2] / 1.6, 0.8, log=True, margin=0)
    places = [(scale.at(ns), top + (height - top) * (100 - up.at(above)) / 100) for _, ns, above in known]
    marks: list[Mark] = []
    for (_, _, above), (_, y) in zip(known, places, strict=True):
        marks += [Stroke(scale.margin, y, 100 - scale.margin, y, "grid"), Label(0, y - 3, _share(above), "start")]
    for value in thinned(scale.ticks(), scale.at):
        marks += [
            Stroke(scale.at(value), top, scale.at(value), height, "grid"),
            *_tick(scale, value, figures.duration(value), height),
        ]
    marks += [Stroke(x1, y1, x2, y2, "curve") for (x1, y1), (x2, y2) in pairwise(places)]
    for (quantile, ns, above), (x, y) in zip(known, places, strict=True):
        told = f"{quantile}: {figures.duration(ns)}; {_share(above)} take longer"
        marks.append(Dot(x, y, "point", told))
    says = "; ".join(f"{_share(above)} take longer than {figures.duration(ns)}" for _, ns, above in known)
    what = "samples" if latency.batch == 1 else f"batches of {latency.batch:,}"
    plot = Plot(f"Tail of the times of {name}", f"Of {latency.samples:,} {what}: {says}.", height + AXIS, marks)
    note = f"of {latency.samples:,} {what}; known are the points, the lines between them lead the eye"
    return CaptionedPlot("How many take longer", plot, notes=(note,))


def _share(above: float) -> str:
    return f"{100 * above:.3g} %" if above >= 1e-4 else f"1 in {1 / above:,.0f}"


def rounds(name: str, taken: Sequence[Round]) -> CaptionedPlot | None:
    """How steady it was: p50 and p95 of each round. None where there are too few."""
    shown = taken[:MOST_ROUNDS]
    if len(shown) < 3:
        return None
    height, top = 110, 8
    scale = linear(value for one in shown for value in (one.p50_ns, one.p95_ns))
    across = Scale(-0.16 * (len(shown) - 1), len(shown) - 1)  # its labels stand before the first

    def y(value: float) -> float:
        return round(top + (height - top) * (1 - value / scale.high), 1)

    marks: list[Mark] = []
    for value in scale.ticks():
        marks += [
            Stroke(0, y(value), 100, y(value), "grid"),
            Label(0, y(value) - 3, figures.duration(value) if value else "0"),
        ]
    for number, one in enumerate(shown):
        at = across.at(number)
        told = f"round {number + 1}: p50 {figures.duration(one.p50_ns)}, p95 {figures.duration(one.p95_ns)}"
        marks += [
            Stroke(at, y(one.p50_ns), at, y(one.p95_ns), "whisker", told),
            Dot(at, y(one.p95_ns), "hollow", told, 3),
            Dot(at, y(one.p50_ns), "point", told, 3.5),
        ]
    medians = [one.p50_ns for one in shown]
    says = (
        f"{len(shown)} rounds in the order of time; their p50 from {figures.duration(min(medians))} to "
        f"{figures.duration(max(medians))}, their p95 from {figures.duration(min(o.p95_ns for o in shown))} to "
        f"{figures.duration(max(o.p95_ns for o in shown))}."
    )
    left = (f"the first {MOST_ROUNDS} of {len(taken):,} rounds",) if len(taken) > MOST_ROUNDS else ()
    legend = (("point", "p50 of the round"), ("hollow", "p95"))
    return CaptionedPlot("How steady it was", Plot(f"Rounds of {name}", says, height + 6, marks), legend, left)


# ---- shares ----------------------------------------------------------------------------------------------------------


def bar(title: str, share: float, look: str = "fill", tip: str = "") -> Plot:
    """A share of 1 in a row of a table; more than 1 fills it."""
    width = round(100 * min(1.0, max(0.0, share)), 2)
    marks: list[Mark] = [Rect(0, 6, 100, BAR, "track"), Rect(0, 6, width, BAR, look, tip or title)]
    return Plot(title, tip or f"{title}: {figures.percent(share, 1)}", ROW, marks, bar=True)


def stacked(title: str, parts: Sequence[tuple[str, str, float]], height: int = 26) -> Plot:
    """Shares of 1 beside each other: what is drawn of each, what it is, its share."""
    marks: list[Mark] = [Rect(0, 0, 100, height, "track")]
    left = 0.0
    for look, name, share in parts:
        right = min(100.0, left + 100 * max(0.0, share))
        marks.append(_rect(left, right, 0, height, look, f"{name}: {figures.percent(share, 1)}"))
        if right - left > 9:
            marks.append(
                Label(round((left + right) / 2, 2), height / 2 + 4, f"{100 * share:.0f} %", "middle", f"on {look}")
            )
        left = right
    says = ", ".join(f"{name} {figures.percent(share, 1)}" for _, name, share in parts)
    return Plot(title, f"{says}.", height, marks)


def rung(title: str, value: float, scale: Scale) -> Plot:
    """A bar on a logarithmic axis, from its left end."""
    marks: list[Mark] = [Rect(0, 6, 100, BAR, "track")]
    if value > 0:
        marks.append(Rect(0, 6, max(1.0, scale.at(value)), BAR, "fill", f"{title}: {figures.number(value)}"))
    return Plot(title, f"{title}: {figures.number(value)}", ROW, marks, bar=True)


def gain(low: float, high: float, ceiling: float | None, what: str) -> CaptionedPlot:
    """What a change may gain, and at most, in percent: beside all of it, so that one change is seen beside another."""
    scale = Scale(0, max(100.0, high, ceiling or 0.0), margin=0)
    told = f"{round(low, 1):g} to {round(high, 1):g} % {what}"
    most = "how much at most is not known" if ceiling is None else f"at most {ceiling:.1f} %"
    height = 14
    marks: list[Mark] = [Rect(0, 0, 100, height, "track", f"all of it, {scale.high:g} %")]
    if ceiling is not None:
        marks.append(Rect(0, 0, scale.at(ceiling), height, "bound", most))
    marks.append(_rect(scale.at(low), scale.at(high), 0, height, "fill", told, 0.8))
    return CaptionedPlot(f"{told}; {most}", Plot("Expected gain", f"{told}; {most}.", height, marks))


# ---- changes ---------------------------------------------------------------------------------------------------------


def changes(found: Iterable[tuple[float, tuple[float, float] | None]], limit: float) -> Scale:
    """One axis for changes and their intervals, as fractions, with no change in the middle."""
    values = [abs(value) for change, interval in found for value in (change, *(interval or ()))]
    most = min(2.0, max([*values, 1.5 * limit]))
    return Scale(-most, most)


def change(label: str, value: float | None, interval: tuple[float, float] | None, scale: Scale, look: str) -> Plot:
    """A change and its interval in a row of a table; longer is to the right."""
    middle = ROW / 2
    marks: list[Mark] = [Stroke(scale.at(0), 0, scale.at(0), ROW, "zero")]
    told = f"{label}: {figures.NONE if value is None else figures.change(value)}"
    if interval is not None:
        told += f", between {figures.between(interval)}"
        left, right = map(scale.at, interval)
        marks.append(_rect(left, right, middle - 3, 6, f"interval {look}", told, 0.4))
    if value is not None:
        marks.append(Dot(scale.at(value), middle, f"point {look}", told))
    return Plot(label, told, ROW, marks, bar=True)


# ---- memory ----------------------------------------------------------------------------------------------------------


def roofline(points: Sequence[tuple[str, Roofline]]) -> CaptionedPlot:
    """All readings below the roofs of the core that they share."""
    first = points[0][1]
    width, height = first.width, 220
    low = min([line.instructions_per_cycle for _, line in points] + [width / 8]) / 1.5
    across = [line.instructions_per_byte for _, line in points] + [width / roof.bytes_per_cycle for roof in first.roofs]
    feet = [low / roof.bytes_per_cycle for roof in first.roofs]
    x = Scale(min(*across, *feet) / 1.2, max(across) * 4, log=True)
    up = Scale(low, width * 1.5, log=True, margin=0)

    def y(value: float) -> float:
        return round(height * (100 - up.at(value)) / 100, 1)

    marks: list[Mark] = []
    for value in thinned(x.ticks(), x.at):
        marks += [Stroke(x.at(value), 0, x.at(value), height, "grid"), *_tick(x, value, f"{value:g}", height)]
    for value in [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 4, 8]:
        if low <= value <= width:
            marks += [Stroke(0, y(value), 100, y(value), "grid"), Label(0, y(value) - 3, f"{value:g}")]
    marks.append(
        Stroke(
            x.at(first.ridge), y(width), 100, y(width), "roof", f"{width} instructions per cycle: the width of the core"
        )
    )
    marks.append(Label(99, y(width) - 5, f"core: {width} per cycle", "end"))
    for roof in first.roofs:
        begin = low / roof.bytes_per_cycle
        ridge = width / roof.bytes_per_cycle
        told = f"{roof.bytes_per_cycle:.3g} bytes per cycle: {roof.origin}"
        marks.append(Stroke(x.at(begin), y(begin * roof.bytes_per_cycle), x.at(ridge), y(width), "roof", told))
    for number, (name, line) in enumerate(points, 1):
        told = (
            f"{name}: {figures.number(line.instructions_per_byte)} instructions for a byte from memory, "
            f"{figures.number(line.instructions_per_cycle)} per cycle; the roof there is at {figures.number(line.roof)}"
        )
        look = "point bad" if line.is_memory_bound else "point"
        marks.append(Dot(x.at(line.instructions_per_byte), y(line.instructions_per_cycle), look, told, 5.5))
        if len(points) > 1:
            marks.append(
                Label(x.at(line.instructions_per_byte), y(line.instructions_per_cycle) - 9, str(number), "middle")
            )
    says = "; ".join(
        f"{name} below the roof of {'memory' if line.is_memory_bound else 'the core'}, the numbers are in the table"
        for name, line in points
    )
    legend = [("roof", f"memory: {roof.bytes_per_cycle:.3g} bytes per cycle, {roof.origin}") for roof in first.roofs]
    return CaptionedPlot(
        "Instructions per cycle (up) against instructions for each byte from memory (across); both axes logarithmic",
        Plot("Roofline of bandwidth", f"{says}.", height + AXIS, marks),
        legend,
        tuple(dict.fromkeys(note for _, line in points for note in line.notes)),
    )
