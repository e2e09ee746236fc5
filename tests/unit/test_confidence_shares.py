"""A share of few events says little, however well they were counted."""

import pytest
from analysis_readings import n1, reading
from hypothesis import given
from hypothesis import strategies as st

from armprof.metrics import Confidence, compute
from armprof.metrics.confidence import of_a_share
from armprof.metrics.result import Quality


def test_five_accesses_that_all_missed_are_no_hit_rate_to_build_on():
    metric = compute(reading(l2d_cache=5, l2d_cache_refill=5))["l2_cache_hit_rate"]
    assert metric.value == 0
    assert metric.confidence is Confidence.LOW
    assert "a share of 5 events alone" in metric.reason


@pytest.mark.parametrize(
    ("share", "events", "expected"),
    [
        (0.0, 5, Confidence.LOW),  # up to 43 %
        (0.5, 100, Confidence.LOW),  # 40 to 60 %
        (0.5, 1_000, Confidence.MEDIUM),  # 47 to 53 %
        (0.5, 10_000, Confidence.HIGH),  # 49 to 51 %
        (0.999, 1_000, Confidence.HIGH),  # 99.4 to 100 %
        (0.5, 0, Confidence.LOW),
    ],
)
def test_it_is_as_sure_as_its_interval_is_narrow(share, events, expected):
    assert of_a_share(share, events) is expected


@given(st.floats(0, 1), st.floats(0, 1e300), st.floats(1, 1e6))
def test_more_events_never_make_it_less_sure(share, events, more):
    assert of_a_share(share, events * more).rank >= of_a_share(share, events).rank


def test_many_events_and_rates_are_not_touched():
    metrics = compute(n1())
    assert metrics["l1_cache_hit_rate"].confidence is Confidence.HIGH
    assert metrics["l1d_mpki"].confidence is Confidence.HIGH


def test_a_rule_is_not_decided_on_a_share_of_few_events():
    from armprof.analysis import analyze

    few = {
        "inst_retired": 10_000,
        "cpu_cycles": 40_000,
        "stall_backend": 30_000,
        "l1d_cache": 20,
        "l1d_cache_refill": 20,
    }
    assert compute(reading(**few))["l1_cache_hit_rate"].confidence is Confidence.LOW
    assert "false-sharing" not in [r.rule for r in analyze(reading(core="neoverse-n1", **few)).recommendations]


def test_how_well_all_was_counted_comes_with_the_metrics():
    assert isinstance(compute(n1()).quality, Quality)
    assert compute(n1()).quality.stretch_ns == 1_000_000_000
