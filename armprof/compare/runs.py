"""Two run files compared: the rules of the design are the policy, a statistical test is the condition.

The policy says which change matters: a p95 above 1.1 times the baseline's, a throughput below 0.9 times. The test says
whether the rounds of the two runs differ by more than chance: the noise within a run is that between its rounds. Two runs
never shared a moment, so that a machine that was slower all through one of them looks like slower code: that is told with
every verdict, and `armprof ab` does without it.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import replace

from armprof.compare import counted, times
from armprof.compare.likeness import Difference, differences, refuse_unlike, unlike_machines, why_not
from armprof.compare.reasons import cause
from armprof.compare.result import Change as Change
from armprof.compare.result import Failure as Failure
from armprof.compare.result import PerformanceRegression as PerformanceRegression
from armprof.compare.result import RegressionAnalysis as RegressionAnalysis
from armprof.compare.result import Severity as Severity
from armprof.compare.verdict import Verdict, relative
from armprof.errors import ArmprofError
from armprof.run.record import Component, Run

MAJOR = 1.25  # times as slow as the baseline

Pairs = Sequence[tuple[Component, Component]]
Missing = list[tuple[str, str]]


def detect_regressions(base: Run, head: Run, unlike: bool = False) -> RegressionAnalysis:
    """Compares head with base, its baseline.

    Of runs of unlike machines nothing but modelled counts is compared, unless ``unlike`` says to compare their times all the
    same. Raises ArmprofError where then nothing is left, and where the runs have nothing in common.
    """
    found = differences(base, head)
    base, renamed = _of_one_command(base, head)
    found = (*found, *renamed)
    failures = _failures(base, head)
    pairs, not_compared = _matched(base, head, {failure.component for failure in failures})
    changes, missing = _changes(pairs, None if unlike else unlike_machines(found))
    if not changes:
        if not unlike:
            refuse_unlike(found)
        failed = [(failure.component, failure.reason) for failure in failures]
        reasons = "; ".join(f"{name}: {why}" for name, why in [*failed, *not_compared, *missing][:3])
        raise ArmprofError(f"the runs have nothing to compare ({reasons or 'no components'})")
    changes = _with_causes(changes, pairs)
    regressions = [_regression(change) for change in changes if change.verdict == Verdict.SLOWER]
    regressions.sort(key=lambda one: (one.severity != Severity.MAJOR, -one.regression_percent))
    unmatched = (*not_compared, *missing)
    return RegressionAnalysis(tuple(regressions), tuple(changes), unmatched, found, _overall(pairs), failures)


def _changes(pairs: Pairs, unlike: str | None) -> tuple[list[Change], Missing]:
    """All changes; times of ``unlike`` machines are none."""
    timed = [pair for pair in pairs if any(one.latency or one.throughput_per_s for one in pair)]
    of_time: list[Change] = []
    if unlike:
        untimed = [(base.name, f"its times are of unlike machines ({unlike})") for base, _ in timed]
    else:
        of_time, untimed = times.changes(timed)
    of_counts, uncounted = counted.changes(pairs)
    names = {pair[0].name for pair in timed} | {change.component for change in of_counts} | {n for n, _ in uncounted}
    neither = [
        (base.name, "neither timed nor counted on the model in both runs")
        for base, _ in pairs
        if base.name not in names
    ]
    return [*of_time, *of_counts], [*untimed, *uncounted, *neither]


def _with_causes(changes: Sequence[Change], pairs: Pairs) -> list[Change]:
    """What changed, with its reason."""
    by_name = {base.name: (base, head) for base, head in pairs}
    kinds = {metric.name for metric in counted.METRICS.values()}
    return [
        replace(change, cause=cause(*by_name[change.component], of_time=change.metric.name not in kinds))
        if change.verdict.is_change
        else change
        for change in changes
    ]


def _of_one_command(base: Run, head: Run) -> tuple[Run, tuple[Difference, ...]]:
    """Two runs of one command each are compared whatever these are called: two builds lie in two folders."""
    if len(base.components) != 1 or len(head.components) != 1:
        return base, ()
    (one,), (other,) = base.components, head.components
    if one.name == other.name or one.kind != "command" or other.kind != "command":
        return base, ()
    return replace(base, components=(replace(one, name=other.name),)), (Difference("command", one.name, other.name),)


def _failures(base: Run, head: Run) -> tuple[Failure, ...]:
    """What the current run has no numbers of: it crashed there, or was in the baseline and is gone."""
    crashed = [Failure(one.name, f"its own code failed: {one.failure}") for one in head.components if one.failure]
    current = _by_name(head)
    return (*crashed, *(Failure(name, "only in the baseline") for name in _by_name(base) if name not in current))


def _matched(
    base: Run, head: Run, failed: Collection[str]
) -> tuple[list[tuple[Component, Component]], list[tuple[str, str]]]:
    """The components that both runs have and that are the same work, and why others are not compared."""
    baseline, current = _by_name(base), _by_name(head)
    pairs, not_compared = [], []
    for name in dict.fromkeys([*baseline, *current]):
        one, other = baseline.get(name, []), current.get(name, [])
        if name in failed:
            continue
        if not one:
            not_compared.append((name, "only in the current run"))
        elif len(one) > 1 or len(other) > 1:
            not_compared.append((name, "more than one has this name"))
        elif why := why_not(one[0], other[0]):
            not_compared.append((name, why))
        else:
            pairs.append((one[0], other[0]))
    return pairs, not_compared


def _by_name(run: Run) -> dict[str, list[Component]]:
    named: dict[str, list[Component]] = {}
    for component in run.components:
        named.setdefault(component.name, []).append(component)
    return named


def _regression(change: Change) -> PerformanceRegression:
    lost = abs(change.head / change.base - 1)
    return PerformanceRegression(
        component=change.component,
        metric=change.metric.name,
        baseline_value=change.base,
        current_value=change.head,
        regression_percent=100 * lost,
        severity=Severity.MAJOR if 1 + change.change >= MAJOR else Severity.MINOR,
        noise=change.noise,
        cause=change.cause,
    )


def _overall(pairs: Sequence[tuple[Component, Component]]) -> float | None:
    medians = [tuple(one.latency.p50_ns if one.latency else None for one in pair) for pair in pairs]
    slowdowns = [
        math.log(head / base) for base, head in medians if base and head and all(map(times.is_measured, (base, head)))
    ]
    return relative(sum(slowdowns) / len(slowdowns)) if slowdowns else None
