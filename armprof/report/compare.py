"""What `armprof compare` says, as text and as JSON; compare.schema.json describes the JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TextIO

from rich.console import RenderableType

from armprof.compare.cause import Explanation
from armprof.compare.result import Change, RegressionAnalysis
from armprof.compare.verdict import Verdict
from armprof.report import figures
from armprof.report.ab import STYLES
from armprof.report.contract import rendered
from armprof.report.paper import paper, printed
from armprof.report.pieces import item, short, table, text
from armprof.run.codec import encode

FORMAT = "armprof-comparison"
VERSION = 1

LABELS = {
    "p95_latency": "p95",
    "throughput": "throughput",
    "cycles_per_operation": "cycles",
    "instructions_per_operation": "instr.",
}
SHOWN: dict[str, Callable[[float], str]] = {"ns": figures.duration, "1/s": figures.rate}
ORDER = (Verdict.SLOWER, Verdict.UNDECIDED, Verdict.FASTER, Verdict.UNCHANGED)

POLICY = (
    "slower is a p95 above 1.1 times the baseline's, or a throughput below 0.9 times, where the rounds differ by more than "
    "chance; unchanged what surely stays within"
)
INTERVAL = "interval: how far the rounds' p95 moved; of a throughput, their medians"
SEQUENTIAL = (
    "the runs never shared a moment: a machine that was slower all through one of them looks like slower code; "
    "`armprof ab` times both sides in turns"
)
MODELLED = "cycles and instructions are modelled, the same in every run: slower is 1 % more of either"


def notes(analysis: RegressionAnalysis) -> tuple[str, ...]:
    """What to know of the metrics that were compared."""
    units = {change.metric.unit for change in analysis.changes}
    return (
        *((POLICY, INTERVAL, SEQUENTIAL) if units & SHOWN.keys() else ()),
        *((MODELLED,) if units - SHOWN.keys() else ()),
    )


def render(analysis: RegressionAnalysis, stream: TextIO | None = None) -> str:
    """The analysis as text for this stream; without one, plain text of 80 columns. What changed comes first."""
    return printed(paper(stream), _blocks(analysis))


def _blocks(analysis: RegressionAnalysis) -> Iterator[RenderableType]:
    yield text(analysis.analysis_summary, "bold")
    rows = table("", ">baseline", ">current", ">time", ">interval", "verdict")
    severities = {(one.component, one.metric): str(one.severity) for one in analysis.regressions}
    for change in ranked(analysis):
        severity = severities.get((change.component, change.metric.name))
        verdict = f"{change.verdict}, {severity}" if severity else str(change.verdict)
        cells = map(text, (*values(change), figures.change(change.change), interval(change)))
        rows.add_row(text(label(change)), *cells, text(verdict, STYLES[change.verdict]))
    yield from ("", rows, "")
    causes: dict[str, list[str]] = {}
    for change in analysis.changes:
        if change.cause and (said := why(change.cause)):
            causes.setdefault(said, []).append(label(change))
    for said, labels in causes.items():
        yield item(f"{', '.join(labels)}: {said}")
    reasons: dict[str, list[str]] = {}
    for change in analysis.changes:
        if change.reason:
            reasons.setdefault(change.reason, []).append(label(change))
    for reason, labels in reasons.items():
        yield item(f"{', '.join(labels)}: {reason}")
    for failure in analysis.failures:
        yield item(f"{short(failure.component)} failed: {failure.reason}")
    for name, reason in analysis.not_compared:
        yield item(f"{short(name)} is not compared: {reason}")
    for difference in analysis.differences:
        yield item(f"unlike: {difference}")
    for note in notes(analysis):
        yield item(note)


def ranked(analysis: RegressionAnalysis) -> list[Change]:
    """What changed, the worst first."""
    return sorted(analysis.changes, key=lambda one: (ORDER.index(one.verdict), -round(one.change, 6)))


def label(change: Change) -> str:
    """What changed."""
    return f"{short(change.component)} {LABELS[change.metric.name]}"


def values(change: Change) -> tuple[str, str]:
    """Both values in the unit that suits them."""
    shown = SHOWN.get(change.metric.unit, figures.amount)
    return shown(change.base), shown(change.head)


def interval(change: Change) -> str:
    """How far it moved, in the noise."""
    return "exact" if change.noise == 0 else figures.between(change.interval)


def why(cause: Explanation) -> str:
    """The sentence, and where."""
    place = cause.location
    if place is None:
        return cause.sentence
    line = "" if place.file is None else f" ({Path(place.file).name}:{place.line})"
    return "; ".join(filter(None, (cause.sentence, f"most of it in {place.function}{line}")))


# JSON


def render_json(analysis: RegressionAnalysis) -> str:
    """The analysis as JSON text, in ASCII."""
    return rendered(FORMAT, VERSION, _content(analysis))


def _content(analysis: RegressionAnalysis) -> dict[str, Any]:
    """The analysis as dicts and lists; what could not be told is None, with a reason beside it."""
    return {
        "regression_detected": analysis.regression_detected,
        "exit_status": int(analysis.gate_failed),
        "headline": analysis.headline,
        "analysis_summary": analysis.analysis_summary,
        "overall_performance_change": analysis.overall_performance_change,
        "regressions": [encode(regression) for regression in analysis.regressions],
        "changes": [
            {
                "component": change.component,
                "metric": change.metric.name,
                "unit": change.metric.unit,
                "baseline_value": change.base,
                "current_value": change.head,
                "time_change": change.change,
                "interval": list(change.interval) if change.interval else None,
                "p": change.probability,
                "verdict": str(change.verdict),
                "reason": change.reason,
                "cause": encode(change.cause),
            }
            for change in analysis.changes
        ],
        "failures": [encode(failure) for failure in analysis.failures],
        "not_compared": [{"what": what, "reason": reason} for what, reason in analysis.not_compared],
        "differences": [encode(difference) for difference in analysis.differences],
        "notes": list(notes(analysis)),
    }
