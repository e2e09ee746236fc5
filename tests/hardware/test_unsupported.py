"""A PMU that counts cycles and instructions alone: everything else is told as missing, and by name."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import armprof
from armprof import Status

pytestmark = pytest.mark.debian_only

Walk = Callable[[], int]
NEEDS = {
    "l1_cache_hit_rate": "l1d_cache",
    "l2_cache_hit_rate": "l2d_cache",
    "tlb_miss_rate": "l1d_tlb",
    "branch_prediction_accuracy": "br_",
    "instruction_cache_hit_rate": "l1i_cache",
}
CACHES = ("l1d_cache", "l1d_cache_refill", "l2d_cache", "l2d_cache_refill")


@pytest.fixture(params=["measure", "profile", "region"])
def counted(request: pytest.FixtureRequest, walk: Walk) -> armprof.Measurement | armprof.Profile | armprof.Region:
    if request.param == "profile":
        return armprof.profile(walk)
    block = armprof.measure() if request.param == "measure" else armprof.region("walk")
    with block:
        walk()
    return block


def test_cycles_and_instructions_are_counted(counted: armprof.Measurement) -> None:
    for event in ("cpu_cycles", "inst_retired"):
        assert counted.counts[event].status == Status.COUNTED
        assert (counted.counts[event].value or 0) > 16_384 * 5
    assert counted.metrics.cycles_per_instruction is not None


def test_cache_events_are_unsupported_and_have_no_value(counted: armprof.Measurement) -> None:
    for event in CACHES:
        assert counted.counts[event].status == Status.UNSUPPORTED
        assert counted.counts[event].value is None
        assert counted.counts[event].reason


def test_metrics_that_need_them_are_none_and_name_the_event(counted: armprof.Measurement) -> None:
    for metric, event in NEEDS.items():
        assert getattr(counted.metrics, metric) is None
        assert event in (counted.metrics.explain(metric).reason or "")


def test_events_asked_for_by_name_are_unsupported_too(walk: Walk) -> None:
    with armprof.measure([*CACHES, "inst_retired"]) as m:
        walk()
    assert {m.counts[event].status for event in CACHES} == {Status.UNSUPPORTED}
    assert m.counts["inst_retired"].status == Status.COUNTED
