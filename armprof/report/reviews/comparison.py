"""Two run files compared, before a reviewer."""

from __future__ import annotations

from armprof.compare.runs import Change, RegressionAnalysis, Severity
from armprof.compare.verdict import Verdict
from armprof.report import figures
from armprof.report.compare import NOTES, values
from armprof.report.review import Check, Grade, Review, Rule

RULES = {
    "p95_latency": Rule(
        "p95-latency",
        "Slower: p95 latency",
        "The 95th percentile of the time of one operation is above 1.1 times the baseline's, and the rounds of the two runs "
        "differ by more than chance.",
    ),
    "throughput": Rule(
        "throughput",
        "Slower: throughput",
        "Operations per second are below 0.9 times the baseline's, and the rounds of the two runs differ by more than chance.",
    ),
}
GRADES = {
    Verdict.FASTER: Grade.BETTER,
    Verdict.UNCHANGED: Grade.PASSED,
    Verdict.UNDECIDED: Grade.OPEN,
}


def review(analysis: RegressionAnalysis) -> Review:
    """A check for each metric of each component that both runs have."""
    severities = {(one.component, one.metric): one.severity for one in analysis.regressions}
    checks = [_check(change, severities.get((change.component, change.metric.name))) for change in analysis.changes]
    notes = [f"{name} is not compared: {why}" for name, why in analysis.not_compared]
    notes += [f"unlike: {difference}" for difference in analysis.differences]
    return Review(
        verb="compare",
        summary=analysis.analysis_summary,
        columns=("baseline", "current", "time", "noise", "verdict"),
        checks=tuple(checks),
        notes=(*notes, *NOTES),
    )


def _check(change: Change, severity: Severity | None) -> Check:
    grade = GRADES.get(change.verdict) or (Grade.ERROR if severity is Severity.MAJOR else Grade.WARNING)
    base, head = values(change)
    by, noise = figures.change(change.change), figures.between(change.interval)
    verdict = f"{change.verdict}, {severity}" if severity else str(change.verdict)
    message = (
        f"{change.component}: {change.metric.name} went from {base} to {head}, time {by} (noise: {noise}): {verdict}"
    )
    return Check(
        rule=RULES[change.metric.name],
        grade=grade,
        component=change.component,
        what=change.metric.name,
        message=f"{message}; {change.reason}" if change.reason else message,
        cells=(base, head, by, noise, verdict),
        cost=100 * abs(change.change),
    )
