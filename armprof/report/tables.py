"""The tables of a text report: times, counts and metrics."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from rich.console import Group, RenderableType
from rich.constrain import Constrain
from rich.table import Table
from rich.text import Text

from armprof import cpu
from armprof.counters.reading import Count, Status
from armprof.metrics import ARM64Metrics, Confidence, Metric
from armprof.metrics.result import MAIN
from armprof.report import figures
from armprof.report.document import Shared
from armprof.report.pieces import short, table, text
from armprof.run.record import Component

TIMES = {"mean": "mean_ns", "p50": "p50_ns", "p95": "p95_ns", "p99": "p99_ns", "p99.9": "p999_ns", "max": "max_ns"}
WIDTH_BELOW = 72  # what stands below a table does not keep two of them from standing side by side
FEW_TIMES = {column: TIMES[column] for column in ("p50", "p99", "max")}


def calls(components: Iterable[Component]) -> Table:
    """A line for every component of which there are no percentiles: how often it was timed, and within which bounds."""
    rows = table("component", ">calls", ">mean", ">smallest", ">largest")
    for component in components:
        taken = component.latency
        if taken is None:
            continue
        rows.add_row(
            text(short(component.name)),
            f"{taken.samples:,}",
            figures.duration(taken.mean_ns),
            figures.NONE if taken.min_ns is None else figures.duration(taken.min_ns),
            figures.duration(taken.max_ns),
        )
    return rows


def times(components: Iterable[Component], columns: Mapping[str, str]) -> Table:
    """A line for every component whose percentiles are known: these of TIMES of one operation."""
    rows = table("component", *(f">{column}" for column in columns))
    for component in components:
        if taken := component.latency:
            found = (getattr(taken, field) for field in columns.values())
            shown = (figures.NONE if ns is None else figures.duration(ns) for ns in found)
            rows.add_row(text(short(component.name)), *shown)
    return rows


def timing(components: Iterable[Component], few: bool = False) -> Table:
    """A line for every component whose percentiles are known: what was timed, and how; ``few``: for narrow terminals."""
    rows = table(
        "component", *(() if few else ("operation",)), ">batch", *(() if few else (">samples",)), ">throughput"
    )
    for component in components:
        if taken := component.latency:
            throughput = component.throughput_per_s
            rows.add_row(
                text(short(component.name)),
                *(() if few else (text(taken.operation or component.operation),)),
                f"{taken.batch:,}",
                *(() if few else (f"{taken.samples:,}",)),
                figures.NONE if throughput is None else figures.rate(throughput),
            )
    return rows


def counts(counted: Sequence[Count], operations: int, operation: str, modelled: bool) -> RenderableType:
    """Counts of one operation where it is known how many there were, else of all; below them which are 0."""
    columns = [_of_model("event", modelled), f">per {operation}" if operations else ">count"]
    scaled = any(count.coverage is not None and count.coverage < 1 for count in counted)
    labelled = any(count.label and count.label != count.event for count in counted)
    if scaled:
        columns.append(">counted")
    if labelled:
        columns.append("named there")
    rows = table(*columns)
    zeros = [] if scaled or labelled else [count.event for count in counted if count.value == 0]
    for count in counted:
        if count.event in zeros:
            continue
        estimate = " (estimate)" if count.status is Status.ESTIMATED else ""
        cells = [f"{count.event}{estimate}", figures.count(count, operations or 1)]
        if scaled:
            cells.append(figures.coverage(count.coverage))
        if labelled:
            cells.append(count.label or "")
        rows.add_row(*map(text, cells))
    return _above(rows, [f"0: {', '.join(zeros)}"] if zeros else [])


def is_software(count: Count) -> bool:
    """Whether the kernel counts it and no PMU."""
    event = cpu.events().get(count.event)
    return event is not None and event.kind == "software"


def _of_model(heading: str, modelled: bool) -> str:
    return f"{heading}, modelled" if modelled else heading


def metrics(formed: ARM64Metrics, marks: Marks, modelled: bool) -> RenderableType:
    """The nine, then all others that have a value, and how well they were counted where that is not in full; below them
    which of the others are 0.
    """
    shown = [m for name, m in formed.items() if name in MAIN or m.value is not None]
    zeros = [m for name, m in formed.items() if name not in MAIN and m.value == 0 and m.coverage == 1]
    told = any(m.confidence not in (None, Confidence.HIGH) for m in shown)
    heading = _of_model("metric" if told else "metric (confidence high)", modelled)
    rows = table(heading, ">value", *((">counted", "confidence") if told else ()))
    left = [metric for metric in shown if metric not in zeros]
    rates = [metric for metric in left if metric.unit == figures.PER_1000]
    for metric in left:
        if metric not in rates:
            rows.add_row(*_row(metric, metric.title, marks, told))
    if rates:
        rows.add_row(text(figures.PER_1000, "dim"))
    for metric in rates:
        rows.add_row(*_row(metric, f"  {metric.title}", marks, told))
    return _above(rows, _zeros(zeros, marks, told))


def _zeros(metrics: Iterable[Metric], marks: Marks, told: bool) -> Iterator[str]:
    """Which metrics are 0, a sentence for each confidence."""
    by_confidence: dict[str, list[str]] = {}
    for metric in metrics:
        by_confidence.setdefault(str(metric.confidence), []).append(f"{metric.title} {marks.of(metric)}".rstrip())
    for confidence, titles in by_confidence.items():
        yield f"0{f', confidence {confidence}' if told else ''}: {', '.join(titles)}"


def _above(rows: Table, sentences: Iterable[str]) -> RenderableType:
    """The table above the sentences: a line for each of forty events that are 0 would hide the others."""
    return Group(rows, *(Constrain(text(sentence, "dim"), WIDTH_BELOW) for sentence in sentences))


def _row(metric: Metric, title: str, marks: Marks, told: bool) -> list[Text]:
    """``told``: with how well it was counted."""
    if metric.value is None:
        return [text(title), text(figures.NONE, "dim")]
    cells = [text(f"{title} {marks.of(metric)}".rstrip()), text(figures.metric(metric))]
    if told:
        low = metric.confidence is Confidence.LOW
        cells += [text(figures.coverage(metric.coverage)), text(str(metric.confidence), "yellow" if low else "")]
    return cells


class Marks:
    """Letters for what must be known of metrics, one for each sentence: (a), (b), ..."""

    def __init__(self, remarks: Sequence[Shared]) -> None:
        told = dict.fromkeys(sentence for remark in remarks for sentence in remark.text.split("; "))
        self.remarks = {remark: f"({_letter(i)})" for i, remark in enumerate(told)}

    def of(self, metric: Metric) -> str:
        return "".join(self.remarks.get(sentence, "") for sentence in (metric.reason or "").split("; "))


def _letter(number: int) -> str:
    return chr(ord("a") + number) if number < 26 else str(number + 1)
