"""The times of two runs: the rules of the design are the policy, a rank-sum test of the rounds is the condition."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from armprof.compare import holm, shift
from armprof.compare.result import Change, ComparedMetric
from armprof.compare.sign import median
from armprof.compare.verdict import Verdict, relative
from armprof.run.record import Component, Round

ERROR = 0.01  # how often chance alone may make any change at all out of the rounds of two runs
MOST_ROUNDS = 100
LEAST, MOST = 1e-9, 1e18  # what is taken for a time in ns, or operations per second


@dataclass(frozen=True, slots=True)
class Timed:
    """A metric of time, and how to come by it. ``slowdown``: how many times slower head is."""

    metric: ComparedMetric
    value: Callable[[Component], float | None]
    slowdown: Callable[[float, float], float]
    of_round: Callable[[Round], float]  # the time that the test is on


METRICS: tuple[Timed, ...] = (
    Timed(
        ComparedMetric("p95_latency", "ns", 1.1),
        value=lambda component: component.latency.p95_ns if component.latency else None,
        slowdown=lambda base, head: head / base,
        of_round=lambda times: times.p95_ns,
    ),
    Timed(
        ComparedMetric("throughput", "1/s", 1 / 0.9),
        value=lambda component: component.throughput_per_s,
        slowdown=lambda base, head: base / head,
        of_round=lambda times: times.p50_ns,  # the mean of a round is whatever else ran on its CPU meanwhile
    ),
)


def changes(pairs: Sequence[tuple[Component, Component]]) -> tuple[list[Change], list[tuple[str, str]]]:
    """The changes of time, and of which metrics there is none, with the reason."""
    comparable, missing = [], []
    for base, head in pairs:
        for timed in METRICS:
            if why := _why_without(timed, base, head):
                missing.append((f"{base.name} {timed.metric.name}", why))
            else:
                comparable.append((base, head, timed))
    times = [_rounds(timed, base, head) for base, head, timed in comparable]
    corrected = iter(holm.adjusted([shift.probability(*rounds) for rounds in times if rounds]))
    level = ERROR / max(1, sum(rounds is not None for rounds in times))
    return [
        _change(*one, rounds, next(corrected) if rounds else None, level)
        for one, rounds in zip(comparable, times, strict=True)
    ], missing


def _why_without(timed: Timed, base: Component, head: Component) -> str | None:
    values = [timed.value(base), timed.value(head)]
    if None in values:
        return "not measured in both runs"
    if not all(map(is_measured, values)):
        return "it came out as 0, or as a number that nothing takes"
    return None


def is_measured(value: float | None) -> bool:
    """Whether it is a number of this world: what takes less than the clock itself comes out as 0."""
    return value is not None and LEAST <= value <= MOST


def _rounds(timed: Timed, base: Component, head: Component) -> tuple[list[float], list[float]] | None:
    """The logarithms of the rounds' times; None where a run does not tell them."""
    base_times, head_times = ([timed.of_round(one) for one in component.rounds] for component in (base, head))
    if not base_times or not head_times or not all(map(is_measured, base_times + head_times)):
        return None
    return _few(base_times), _few(head_times)


def _few(times: Sequence[float]) -> list[float]:
    """The logarithms of the times; of very many the medians of neighbours, since the test takes as long as their cube."""
    together = -(-len(times) // MOST_ROUNDS)
    return [math.log(median(times[at : at + together])) for at in range(0, len(times), together)]


def _change(
    base: Component,
    head: Component,
    timed: Timed,
    rounds: tuple[list[float], list[float]] | None,
    probability: float | None,
    level: float,
) -> Change:
    metric, before, after = timed.metric, timed.value(base), timed.value(head)
    assert before is not None
    assert after is not None
    slowdown = timed.slowdown(before, after)
    bounds = shift.interval(*rounds, level) if rounds else None
    interval = (relative(bounds[0]), relative(bounds[1])) if bounds else None
    verdict, reason = (
        _by_policy(metric, slowdown)
        if rounds is None or probability is None
        else _tested(metric, slowdown, relative(shift.shift(*rounds)), interval, probability)
    )
    return Change(base.name, metric, before, after, slowdown - 1, interval, probability, verdict, reason)


def _beyond(metric: ComparedMetric, slowdown: float) -> Verdict | None:
    """What the policy calls it."""
    return Verdict.SLOWER if slowdown > metric.limit else Verdict.FASTER if slowdown < 1 / metric.limit else None


def _by_policy(metric: ComparedMetric, slowdown: float) -> tuple[Verdict, str | None]:
    untested = "a run does not tell its rounds, so that there is no noise to test by"
    if beyond := _beyond(metric, slowdown):
        return beyond, f"by the policy alone: {untested}"
    return Verdict.UNDECIDED, f"within the policy; {untested}"


def _tested(
    metric: ComparedMetric, slowdown: float, moved: float, interval: tuple[float, float] | None, probability: float
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
