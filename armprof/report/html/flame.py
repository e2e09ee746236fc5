"""The flame graph on a page: its boxes are as wide as there is room, its text is not scaled."""

from __future__ import annotations

from armprof.report import figures, flamegraph
from armprof.report.html.blocks import Box, CaptionedPlot, Mark, Plot
from armprof.report.pieces import short
from armprof.samples import Samples

ROW = 18  # pixels
NARROWEST, DEEPEST = 0.001, 60  # of all, and boxes on each other: what is narrower or deeper is left out
LABELLED = 0.025  # narrower boxes have no room for a name
COLOURS = 6
TOLD = 5  # functions that are told of who does not see it


def graph(samples: Samples, event: str) -> CaptionedPlot:
    """Callers below, callees above."""
    wide = [box for box in flamegraph.boxes(samples, event) if box.share >= NARROWEST]
    found = [box for box in wide if box.depth <= DEEPEST]
    top = max(box.depth for box in found)
    marks: list[Mark] = []
    for box in found:
        name = short(box.name)
        look = f"flame{flamegraph.hue(box.name, COLOURS)}" if box.depth else "flame"
        place = round(100 * box.left, 3), float(ROW * (top - box.depth)), round(100 * box.share, 3), float(ROW - 1)
        tip = f"{name}: {figures.percent(box.share)}"
        marks.append(Box(*place, name if box.share >= LABELLED else "", look, tip))
    hottest = list(samples.functions(event).items())[:TOLD]
    says = ", ".join(f"{short(name)} {figures.percent(share.total, 1)}" for name, share in hottest)
    title = f"Flame graph of {short(flamegraph.title(samples, event))}"
    note = f"callers below, callees above; boxes of less than {figures.percent(NARROWEST, 1)} are left out"
    if len(found) < len(wide):
        note += f", and calls more than {DEEPEST} deep, which --format flamegraph has"
    told = f"the functions with most of their own, and their part with all that they call: {says}."
    return CaptionedPlot(title, Plot(title, told, ROW * (top + 1), marks), notes=(note,), wide=True)
