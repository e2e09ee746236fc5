"""From rounds to verdicts: on rounds whose distribution is known, drawn with fixed seeds."""

from __future__ import annotations

import math
from random import Random

import pytest

from armprof.compare.evidence import ERROR, LOOKS, Evidence, Percentile, look, percentiles
from armprof.compare.sign import each_look, least_values
from armprof.compare.verdict import Verdict, judge

ONE_PERCENT = percentiles(0.01)
MEDIAN = ONE_PERCENT[:1]


def samples(random: Random, mean: float, count: int, tail: float = 1.0) -> list[float]:
    """Times around a mean that differs by 20 % from round to round, one in ten of them ``tail`` times as long."""
    return [mean * random.lognormvariate(0, 0.02) * (tail if random.random() < 0.1 else 1.0) for _ in range(count)]


def compared(
    seed: int, change: float, kinds: tuple[Percentile, ...] = MEDIAN, count: int = 1, tail: float = 1.0
) -> Evidence:
    """Rounds until it is decided: the new side takes ``change`` more, and its tail is ``tail`` times as long."""
    random = Random(seed)
    evidence = Evidence("f", kinds)
    for _ in range(LOOKS):
        mean = 100 * random.lognormvariate(0, 0.2)  # of this round, for both sides
        evidence.add(samples(random, mean, count), samples(random, mean * (1 + change), count, tail))
        look([evidence])
        if evidence.is_decided:
            break
    return evidence


def verdicts(change: float, trials: int = 100) -> list[Verdict]:
    return [compared(seed, change).series[0].verdict for seed in range(trials)]


@pytest.mark.parametrize(
    ("change", "interval", "verdict"),
    [
        (0.05, (0.03, 0.07), Verdict.SLOWER),
        (-0.05, (-0.07, -0.03), Verdict.FASTER),
        (0.05, (-0.01, 0.07), Verdict.UNDECIDED),
        (0.05, None, Verdict.UNDECIDED),
        (0.001, (-0.004, 0.005), Verdict.UNCHANGED),
        (0.005, (0.004, 0.006), Verdict.UNCHANGED),  # there is a change, and it does not matter
        (0.005, (0.001, 0.02), Verdict.UNDECIDED),
        (0.01, (0.001, 0.02), Verdict.SLOWER),
        (1 / 1.01 - 1, (-0.02, -0.001), Verdict.FASTER),  # as many times faster as slower
        (0.0, (1 / 1.01 - 1, 0.01), Verdict.UNCHANGED),
    ],
)
def test_what_an_interval_says(change: float, interval: tuple[float, float] | None, verdict: Verdict) -> None:
    assert judge(change, interval, 0.01) == verdict


def test_identical_sides_are_called_changed_as_rarely_as_promised() -> None:
    trials = 500
    changed = sum(verdict.is_change for verdict in verdicts(0.0, trials))
    assert changed <= 2 * ERROR * trials


def test_five_percent_are_found_in_noise_of_twenty() -> None:
    assert verdicts(0.05).count(Verdict.SLOWER) >= 95
    assert verdicts(1 / 1.05 - 1).count(Verdict.FASTER) >= 95


def test_it_stops_as_soon_as_it_is_sure() -> None:
    clear = compared(1, 1.0)
    assert len(clear.series[0].ratios) == least_values(each_look(ERROR, LOOKS))


def test_a_longer_tail_beside_the_same_median_is_slower() -> None:
    evidence = compared(2, 0.0, ONE_PERCENT, count=200, tail=3.0)
    p50, p95, _ = evidence.series
    assert p50.verdict != Verdict.SLOWER
    assert p95.verdict == Verdict.SLOWER


def test_rounds_that_are_too_short_for_a_percentile_are_put_together() -> None:
    evidence = Evidence("f", ONE_PERCENT)
    for _ in range(60):
        evidence.add([100.0] * 10, [100.0] * 10)
    assert [len(series.ratios) for series in evidence.series] == [60, 30, 6]


def test_two_times_that_the_clock_cannot_tell_apart_are_as_far_apart_as_its_step() -> None:
    def same(resolution: float) -> Verdict:
        evidence = Evidence("f", MEDIAN, resolution)
        for _ in range(20):
            evidence.add([100.0], [100.0])
        look([evidence])
        return evidence.series[0].verdict

    assert same(0.001) == Verdict.UNCHANGED
    assert same(0.02) == Verdict.UNDECIDED


def test_many_components_share_the_error_and_a_change_leaves_its_share_to_the_others() -> None:
    def rounds(count: int, change: float) -> Evidence:
        evidence = Evidence("f", MEDIAN)
        for _ in range(count):
            evidence.add([100.0], [100.0 * (1 + change)])
        return evidence

    few, enough = least_values(each_look(ERROR, LOOKS)), least_values(each_look(ERROR / 4, LOOKS))
    assert few < enough
    crowd = [rounds(few, 0.1) for _ in range(4)]
    assert look(crowd) == ERROR / 4
    assert {one.series[0].verdict for one in crowd} == {Verdict.UNDECIDED}

    clear = [rounds(enough, 0.1) for _ in range(3)]
    last = rounds(few, 0.1)
    look([*clear, last])
    assert last.series[0].verdict == Verdict.SLOWER, "three are known to have changed: the fourth has all of the error"


def test_a_finding_says_what_was_found_and_why_it_is_undecided() -> None:
    evidence = Evidence("f", ONE_PERCENT)
    for _ in range(5):
        evidence.add([100.0, 300.0, 200.0], [110.0, 330.0, 220.0])
    error = look([evidence])
    p50, p95, p99 = evidence.findings(error)
    assert (p50.old_ns, p50.new_ns, p50.ratios) == (200.0, 220.0, 5)
    assert p50.change == pytest.approx(0.1)
    assert p50.interval is None
    assert p50.reason == "5 rounds, and 13 are the least to judge by: give it more seconds"
    assert p95.reason == "0 rounds of 20 samples a side, and 13 are the least to judge by: give it more seconds"
    assert (p99.old_ns, p99.change) == (None, None)


def test_times_are_those_of_one_operation() -> None:
    evidence = Evidence("f", MEDIAN, batch=64)
    evidence.add([640.0], [1280.0])
    (p50,) = evidence.findings(look([evidence]))
    assert (p50.old_ns, p50.new_ns) == (10.0, 20.0)


def test_noise_is_named_as_the_reason() -> None:
    evidence = Evidence("f", MEDIAN)
    for i in range(30):
        evidence.add([100.0], [150.0 if i % 2 else 70.0])
    reason = evidence.findings(look([evidence]))[0].reason
    assert reason is not None
    assert reason.startswith("noise: ")


def test_a_percentile_is_a_sample() -> None:
    hundred = [float(i) for i in range(1, 101)]
    assert [kind.of(hundred) for kind in ONE_PERCENT] == [50.0, 95.0, 99.0]
    assert ONE_PERCENT[0].of([7.0]) == 7.0


def test_ratios_do_not_depend_on_the_unit() -> None:
    evidence = Evidence("f", MEDIAN)
    evidence.add([1e9], [2e9])
    assert evidence.series[0].ratios == [pytest.approx(math.log(2))]
