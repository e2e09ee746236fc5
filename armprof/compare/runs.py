"""Two run files compared: the rules of the design are the policy, a statistical test is the condition.

The policy says which change matters: a p95 above 1.1 times the baseline's, a throughput below 0.9 times. The test says
whether the rounds of the two runs differ by more than chance: the noise within a run is that between its rounds. Two runs
never shared a moment, so that a machine that was slower all through one of them looks like slower code: that is told with
every verdict, and `armprof ab` does without it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum

from armprof.compare import holm, shift
from armprof.compare.cause import Cause
from armprof.compare.likeness import Difference, differences, refuse_unlike, why_not
from armprof.compare.sign import median
from armprof.compare.verdict import Verdict, relative
from armprof.errors import ArmprofError
from armprof.run.record import Component, Round, Run

ERROR = 0.01  # how often chance alone may make any change at all out of the rounds of two runs
MAJOR = 1.25  # times as slow as the baseline
MOST_ROUNDS = 100
LEAST, MOST = 1e-9, 1e18  # what is taken for a time in ns, or operations per second


class Severity(StrEnum):
    """How bad a regression is; the names are those of the report's headline."""

    MINOR = "minor"
    MAJOR = "major"


@dataclass(frozen=True, slots=True)
class Metric:
    """What is compared of a component. ``slowdown``: how many times slower head is; ``limit``: from where that matters."""

    name: str
    unit: str
    limit: float
    value: Callable[[Component], float | None]
    slowdown: Callable[[float, float], float]
    of_round: Callable[[Round], float]  # the time that the test is on


METRICS: tuple[Metric, ...] = (
    Metric(
        name="p95_latency",
        unit="ns",
        limit=1.1,
        value=lambda component: component.latency.p95_ns if component.latency else None,
        slowdown=lambda base, head: head / base,
        of_round=lambda times: times.p95_ns,
    ),
    Metric(
        name="throughput",
        unit="1/s",
        limit=1 / 0.9,
        value=lambda component: component.throughput_per_s,
        slowdown=lambda base, head: base / head,
        of_round=lambda times: times.p50_ns,  # the mean of a round is whatever else ran on its CPU meanwhile
    ),
)


@dataclass(frozen=True, slots=True)
class PerformanceRegression:
    """A component that became slower than the policy allows, by more than chance."""

    component: str
    metric: str  # "p95_latency" in ns, "throughput" per second; of a model's counts those of one operation
    baseline_value: float
    current_value: float
    regression_percent: float  # how much longer, or how much less
    severity: Severity
    noise: float | None = None  # by how much the change may be off either way, as a fraction; 0 where counts are exact
    cause: Cause | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """One metric of one component. ``change``: of its time, as a fraction; the interval is that of the rounds' shift."""

    component: str
    metric: Metric
    base: float
    head: float
    change: float
    interval: tuple[float, float] | None
    probability: float | None  # of rounds so far apart by chance, corrected for all that are compared
    verdict: Verdict
    reason: str | None  # why it is undecided, or what to know of the verdict
    cause: Cause | None = None

    @property
    def noise(self) -> float | None:
        """By how much the change may be off either way; None where that is not known."""
        return (self.interval[1] - self.interval[0]) / 2 if self.interval else None


@dataclass(frozen=True, slots=True)
class Failure:
    """A component of the baseline that the current run has no numbers of."""

    component: str
    reason: str


@dataclass(frozen=True, slots=True)
class RegressionAnalysis:
    """What came of comparing two runs."""

    regressions: tuple[PerformanceRegression, ...]  # the worst first
    changes: tuple[Change, ...]
    not_compared: tuple[tuple[str, str], ...]  # component, and why
    differences: tuple[Difference, ...]
    overall_performance_change: float | None  # of the median time of one operation, the geometric mean over components
    failures: tuple[Failure, ...] = ()

    @property
    def regression_detected(self) -> bool:
        """Whether something is slower than the policy allows."""
        return bool(self.regressions)

    @property
    def gate_failed(self) -> bool:
        """Whether a gate fails: something is slower, or has no numbers where the baseline has them."""
        return bool(self.regressions or self.failures)

    @property
    def headline(self) -> str:
        """As the design's report has it."""
        if self.regressions:
            return f"{self.regressions[0].severity.name} REGRESSIONS"
        return "COMPONENTS FAILED" if self.failures else "NO REGRESSIONS DETECTED"

    @property
    def analysis_summary(self) -> str:
        """One sentence."""
        components = len({change.component for change in self.changes})
        parts = [f"{components} component{'s' * (components != 1)} compared"]
        if self.overall_performance_change is not None:
            parts.append(f"median time of one operation {100 * self.overall_performance_change:+.1f} % overall")
        if self.regressions:
            worst = self.regressions[0]
            parts.append(f"worst: {worst.component}, {worst.metric} {worst.regression_percent:.1f} % worse")
        if self.failures:
            parts.append("failed: " + ", ".join(f"{one.component} ({one.reason})" for one in self.failures))
        undecided = sum(change.verdict == Verdict.UNDECIDED for change in self.changes)
        if undecided:
            parts.append(f"{undecided} of {len(self.changes)} metrics undecided")
        return f"{self.headline}: {'; '.join(parts)}."


def detect_regressions(base: Run, head: Run, unlike: bool = False) -> RegressionAnalysis:
    """Compares head with base, its baseline.

    Raises ArmprofError where the runs are of unlike machines, unless ``unlike`` says to compare them all the same, and where
    they have nothing in common.
    """
    found = differences(base, head)
    if not unlike:
        refuse_unlike(found)
    failures = _failures(base, head)
    pairs, not_compared = _matched(base, head, {failure.component for failure in failures})
    changes, missing = _changes(pairs)
    if not changes:
        failed = [(failure.component, failure.reason) for failure in failures]
        reasons = "; ".join(f"{name}: {why}" for name, why in [*failed, *not_compared, *missing][:3])
        raise ArmprofError(f"the runs have nothing to compare ({reasons or 'no components'})")
    regressions = [_regression(change) for change in changes if change.verdict == Verdict.SLOWER]
    regressions.sort(key=lambda one: (one.severity != Severity.MAJOR, -one.regression_percent))
    unmatched = (*not_compared, *missing)
    return RegressionAnalysis(tuple(regressions), tuple(changes), unmatched, found, _overall(pairs), failures)


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


def _changes(pairs: Sequence[tuple[Component, Component]]) -> tuple[list[Change], list[tuple[str, str]]]:
    comparable, missing = [], []
    for base, head in pairs:
        for metric in METRICS:
            if why := _why_without(metric, base, head):
                missing.append((f"{base.name} {metric.name}", why))
            else:
                comparable.append((base, head, metric))
    times = [_rounds(metric, base, head) for base, head, metric in comparable]
    corrected = iter(holm.adjusted([shift.probability(*rounds) for rounds in times if rounds]))
    level = ERROR / max(1, sum(rounds is not None for rounds in times))
    return [
        _change(*one, rounds, next(corrected) if rounds else None, level)
        for one, rounds in zip(comparable, times, strict=True)
    ], missing


def _why_without(metric: Metric, base: Component, head: Component) -> str | None:
    values = [metric.value(base), metric.value(head)]
    if None in values:
        return "not measured in both runs"
    if not all(map(_is_measured, values)):
        return "it came out as 0, or as a number that nothing takes"
    return None


def _is_measured(value: float | None) -> bool:
    """Whether it is a number of this world: what takes less than the clock itself comes out as 0."""
    return value is not None and LEAST <= value <= MOST


def _rounds(metric: Metric, base: Component, head: Component) -> tuple[list[float], list[float]] | None:
    """The logarithms of the rounds' times; None where a run does not tell them."""
    base_times, head_times = ([metric.of_round(one) for one in component.rounds] for component in (base, head))
    if not base_times or not head_times or not all(map(_is_measured, base_times + head_times)):
        return None
    return _few(base_times), _few(head_times)


def _few(times: Sequence[float]) -> list[float]:
    """The logarithms of the times; of very many the medians of neighbours, since the test takes as long as their cube."""
    together = -(-len(times) // MOST_ROUNDS)
    return [math.log(median(times[at : at + together])) for at in range(0, len(times), together)]


def _change(
    base: Component,
    head: Component,
    metric: Metric,
    rounds: tuple[list[float], list[float]] | None,
    probability: float | None,
    level: float,
) -> Change:
    before, after = metric.value(base), metric.value(head)
    assert before is not None
    assert after is not None
    slowdown = metric.slowdown(before, after)
    bounds = shift.interval(*rounds, level) if rounds else None
    interval = (relative(bounds[0]), relative(bounds[1])) if bounds else None
    verdict, reason = (
        _by_policy(metric, slowdown)
        if rounds is None or probability is None
        else _tested(metric, slowdown, relative(shift.shift(*rounds)), interval, probability)
    )
    return Change(base.name, metric, before, after, slowdown - 1, interval, probability, verdict, reason)


def _beyond(metric: Metric, slowdown: float) -> Verdict | None:
    """What the policy calls it."""
    return Verdict.SLOWER if slowdown > metric.limit else Verdict.FASTER if slowdown < 1 / metric.limit else None


def _by_policy(metric: Metric, slowdown: float) -> tuple[Verdict, str | None]:
    untested = "a run does not tell its rounds, so that there is no noise to test by"
    if beyond := _beyond(metric, slowdown):
        return beyond, f"by the policy alone: {untested}"
    return Verdict.UNDECIDED, f"within the policy; {untested}"


def _tested(
    metric: Metric, slowdown: float, moved: float, interval: tuple[float, float] | None, probability: float
) -> tuple[Verdict, str | None]:
    """The verdict where there is noise to test by, and why it is undecided."""
    if beyond := _beyond(metric, slowdown):
        if _beyond(metric, 1 + moved) != beyond:
            return (
                Verdict.UNDECIDED,
                "beyond the policy, but the rounds' own p95 and medians are not: what interrupted some of them is not the code",
            )
        if probability <= ERROR:
            return beyond, None
        return (
            Verdict.UNDECIDED,
            f"beyond the policy, but so far apart chance alone puts rounds too (p = {probability:.2g})",
        )
    if interval and 1 / metric.limit <= 1 + interval[0] and 1 + interval[1] <= metric.limit:
        return Verdict.UNCHANGED, None
    return Verdict.UNDECIDED, "within the policy, but the noise of the rounds reaches beyond it"


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
        math.log(head / base) for base, head in medians if base and head and all(map(_is_measured, (base, head)))
    ]
    return relative(sum(slowdowns) / len(slowdowns)) if slowdowns else None
