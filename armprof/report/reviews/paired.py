"""Two builds timed in turns, before a reviewer."""

from __future__ import annotations

from armprof.compare.evidence import PercentileChange
from armprof.compare.paired import Comparison
from armprof.compare.verdict import Verdict
from armprof.report import figures
from armprof.report.ab import measured
from armprof.report.review import Check, Grade, Review, Rule
from armprof.report.reviews.comparison import GRADES


def review(comparison: Comparison) -> Review:
    """A check for each percentile of each pair."""
    checks = [
        _check(compared.name or comparison.new, finding)
        for compared in comparison.compared
        for finding in compared.findings
    ]
    words = f"{comparison.new} is {comparison.verdict} beside {comparison.old}"
    return Review(
        verb="ab",
        summary=words,
        columns=("old", "new", "change", "noise", "verdict"),
        checks=tuple(checks),
        notes=(*measured(comparison), *comparison.notes),
    )


def _check(name: str, finding: PercentileChange) -> Check:
    old, new = (figures.NONE if ns is None else figures.duration(ns) for ns in (finding.old_ns, finding.new_ns))
    by = figures.NONE if finding.change is None else figures.change(finding.change)
    noise = figures.between(finding.interval)
    message = f"{name}: {finding.name} went from {old} to {new}, {by} (between {noise}): {finding.verdict}"
    return Check(
        rule=Rule(
            f"slower-{finding.name}",
            f"Slower: {finding.name}",
            f"The new side's {finding.name} is more than {100 * finding.tolerance:g} % above the old side's, timed in turns "
            "within the same moments, and the interval of the change leaves out none at all.",
        ),
        grade=Grade.ERROR if finding.verdict is Verdict.SLOWER else GRADES[finding.verdict],
        component=name,
        what=finding.name,
        message=f"{message}; {finding.reason}" if finding.reason else message,
        cells=(old, new, by, noise, str(finding.verdict)),
        cost=100 * abs(finding.change or 0.0),
    )
