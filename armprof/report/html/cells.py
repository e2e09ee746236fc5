"""Cells and tags that pages have in common: figures with where they are from and how far they carry."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from armprof.counters.reading import Count, Reading, Status
from armprof.metrics import Confidence, Metric
from armprof.report import figures
from armprof.report.html.blocks import Cell, Column, Tag
from armprof.report.pieces import short
from armprof.report.tables import is_software

T = TypeVar("T")

MOST_ROWS = 500  # of a table

# Where counts are from -> what stands beside them, and what it means.
SOURCES = {
    "pmu": ("hardware", "counted by the performance monitoring unit of the core"),
    "kernel": ("kernel", "counted by the kernel, in software"),
    "model": ("model", "counted by the modelled core: the same in every run, and not measured"),
    "imported": ("imported", "from the output of another tool"),
}
ESTIMATE = Tag("estimate", "warn", "formed from counts and the core's table, and not counted itself")
CLOCK = Tag("clock", "", "measured with the clock of the machine that ran it")
COVERED = ("% counted", "the part of the time in which it was counted; the rest is extrapolated")
CONFIDENCE = ("confidence", "how far the counting carries the value")


def source(reading: Reading) -> str:
    """Where the counts are from: the PMU, but for a reading in which it counted nothing."""
    if reading.source != "pmu" or any(c.value is not None and not is_software(c) for c in reading.counts.values()):
        return reading.source
    return "kernel"


def source_tag(reading: Reading) -> Tag:
    """The mark of where the counts are from."""
    name, meaning = SOURCES.get(source(reading), (reading.source, ""))
    return Tag(name, "", meaning)


def covered(coverage: float | None) -> tuple[Tag, ...]:
    """For how much of the time was counted, where that is not all of it."""
    if coverage is None or coverage >= 1:
        return ()
    return (Tag(f"{figures.coverage(coverage)} counted", "warn", COVERED[1]),)


def confidence_tag(confidence: Confidence) -> Tag:
    """How far the counting carries something."""
    return Tag(f"{confidence} confidence", "warn" if confidence is Confidence.LOW else "", CONFIDENCE[1])


def metric_tags(metric: Metric) -> tuple[Tag, ...]:
    """What keeps its value from being taken for more than it is."""
    tags = [ESTIMATE] if metric.status is Status.ESTIMATED else []
    tags += covered(metric.coverage)
    if metric.confidence is not None and metric.confidence is not Confidence.HIGH:
        tags.append(confidence_tag(metric.confidence))
    return tuple(tags)


def count_tags(count: Count) -> tuple[Tag, ...]:
    """The same of a count."""
    return (*([ESTIMATE] if count.status is Status.ESTIMATED else []), *covered(count.coverage))


def duration(ns: float | None) -> Cell:
    """A time; a dash where there is none."""
    return Cell(figures.NONE, tone="dim") if ns is None else Cell(figures.duration(ns))


def name_cell(name: str, to: str = "", below: str = "") -> Cell:
    """The name of something, cut where it is absurdly long."""
    return Cell(short(name), to=to, below=short(below))


def columns(*titles: str) -> tuple[Column, ...]:
    """Columns: the first has names; > stands before one of numbers, | before one of plots."""
    kinds = {">": "number", "|": "plot"}
    made = [Column(title.lstrip(">|"), kinds.get(title[:1], "text")) for title in titles]  # type: ignore[arg-type]
    return (Column(titles[0], "name"), *made[1:])


def several(number: int, what: str) -> str:
    """So many of them."""
    return f"{number:,} {what}{'s' * (number != 1)}"


def capped(things: Sequence[T], most: int, what: str) -> tuple[Sequence[T], tuple[str, ...]]:
    """The first of them, and how many are left out."""
    left = len(things) - most
    if left <= 0:
        return things, ()
    return things[:most], (f"and {left:,} more {what}, of which --format json tells",)
