"""Two run files compared, before a reviewer."""

from __future__ import annotations

from armprof.compare.result import Change, Failure, RegressionAnalysis, Severity
from armprof.compare.verdict import Verdict
from armprof.report import figures
from armprof.report.compare import interval, notes, values
from armprof.report.location import Location, located
from armprof.report.review import Check, Grade, Review, Rule

TIMES = "and the rounds of the two runs differ by more than chance."
COUNTS = "above the baseline's on the modelled core, whose counts are the same in every run."
RULES = {
    "p95_latency": Rule(
        "p95-latency",
        "Slower: p95 latency",
        f"The 95th percentile of the time of one operation is above 1.1 times the baseline's, {TIMES}",
    ),
    "throughput": Rule(
        "throughput",
        "Slower: throughput",
        f"Operations per second are below 0.9 times the baseline's, {TIMES}",
    ),
    "cycles_per_operation": Rule("modelled-cycles", "More cycles", f"The cycles of one operation are {COUNTS}"),
    "instructions_per_operation": Rule(
        "modelled-instructions", "More instructions", f"The instructions of one operation are {COUNTS}"
    ),
}
FAILED = Rule("failed", "No numbers", "The baseline has numbers of the component, and the current run has none.")
GRADES = {
    Verdict.FASTER: Grade.BETTER,
    Verdict.UNCHANGED: Grade.PASSED,
    Verdict.UNDECIDED: Grade.OPEN,
}


def review(analysis: RegressionAnalysis) -> Review:
    """A check for each metric of each component that both runs have."""
    severities = {(one.component, one.metric): one.severity for one in analysis.regressions}
    checks = [_check(change, severities.get((change.component, change.metric.name))) for change in analysis.changes]
    left_out = [f"{name} is not compared: {why}" for name, why in analysis.not_compared]
    left_out += [f"unlike: {difference}" for difference in analysis.differences]
    return Review(
        verb="compare",
        summary=analysis.analysis_summary,
        columns=("baseline", "current", "time", "noise", "verdict"),
        checks=(*map(_failure, analysis.failures), *checks),
        notes=(*left_out, *notes(analysis)),
    )


def _failure(failure: Failure) -> Check:
    return Check(
        rule=FAILED,
        grade=Grade.ERROR,
        component=failure.component,
        what="",
        message=f"{failure.component} failed: {failure.reason}",
        cells=("", "", "", "", "failed"),
        cost=100.0,
    )


def _check(change: Change, severity: Severity | None) -> Check:
    grade = GRADES.get(change.verdict) or (Grade.ERROR if severity is Severity.MAJOR else Grade.WARNING)
    base, head = values(change)
    by, noise = figures.change(change.change), interval(change)
    verdict = f"{change.verdict}, {severity}" if severity else str(change.verdict)
    return Check(
        rule=RULES[change.metric.name],
        grade=grade,
        component=change.component,
        what=change.metric.name,
        message=f"{change.component}: {change.metric.name} {by}, from {base} to {head} (noise: {noise}): {verdict}",
        cells=(base, head, by, noise, verdict),
        facts=tuple(fact for fact in (change.cause.sentence if change.cause else None, change.reason) if fact),
        location=_location(change),
        cost=100 * abs(change.change),
    )


def _location(change: Change) -> Location | None:
    place = change.cause.location if change.cause else None
    return located(place.file, place.line, place.function) if place else None
