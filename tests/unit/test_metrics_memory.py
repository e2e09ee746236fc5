"""The three metrics that rest on a measurement of the machine or on where pages lie."""

from __future__ import annotations

from dataclasses import replace

import pytest
from memories import memory

from armprof.counters import facts as module
from armprof.counters.facts import facts
from armprof.counters.reading import Count, Fact, Reading, Status
from armprof.metrics import Confidence, compute
from armprof.run.codec import decode, encode

SECOND = 1_000_000_000
ONE_NODE = Fact(1.0, "fraction", "this machine has one NUMA node: all its memory is local")


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> dict[str, Fact]:
    """The facts of a machine whose memory was measured, on one node."""
    monkeypatch.setattr(module.memory, "here", memory)
    monkeypatch.setattr(module, "placement", lambda whole_process, command: ONE_NODE)
    return facts(whole_process=False)


def reading(known: dict[str, Fact], **values: float) -> Reading:
    counts = {e: Count(e, float(v), v, SECOND, SECOND, Status.COUNTED) for e, v in values.items()}
    return Reading(counts, source="pmu", duration_ns=2 * SECOND, facts=known)


def test_lines_read_from_beyond_the_last_level_over_the_time_and_the_peak(known: dict[str, Fact]) -> None:
    metrics = compute(reading(known, ll_cache_miss_rd=1e9), core="neoverse-n1")
    metric = metrics.explain("memory_bandwidth_utilization")
    assert metric.value == pytest.approx(1e9 * 64 / 2 / 169.7e9)
    assert metric.events == ("ll_cache_miss_rd",)
    assert "a lower bound" in (metric.reason or "")
    assert "169.7 GB/s" in (metric.reason or "")
    assert "one core alone reaches 20.9 GB/s" in (metric.reason or "")
    assert metric.confidence is Confidence.MEDIUM
    assert metric.coverage == 1.0


def test_a_core_without_last_level_events_has_an_upper_bound(known: dict[str, Fact]) -> None:
    counted = reading(known, l2d_cache_refill=6e8, l2d_cache_wb=4e8)
    metric = compute(counted, core="ampereone-ac03").explain("memory_bandwidth_utilization")
    assert metric.value == pytest.approx(1e9 * 64 / 2 / 169.7e9)
    assert "an upper bound" in (metric.reason or "")
    assert metric.confidence is Confidence.LOW


def test_more_than_the_peak_from_the_l2_shows_a_cache_behind_it_and_no_contradiction(known: dict[str, Fact]) -> None:
    counted = reading(known, l2d_cache_refill=1e10, l2d_cache_wb=4e9)
    metric = compute(counted, core="ampereone-ac03").explain("memory_bandwidth_utilization")
    assert metric.value is None
    assert "a last level cache served a part" in (metric.reason or "")
    assert "contradict" not in (metric.reason or "")


def test_without_a_measurement_the_command_that_makes_it_is_told() -> None:
    metrics = compute(reading({}, ll_cache_miss_rd=1e9), core="neoverse-n1")
    for name in ("memory_bandwidth_utilization", "memory_latency_ns"):
        assert metrics[name].value is None
        assert "armprof doctor --measure" in (metrics[name].reason or "")


def test_a_model_has_neither_bandwidth_nor_latency() -> None:
    metrics = compute(replace(reading({}, ll_cache_miss_rd=1e9), source="model"))
    for name in ("memory_bandwidth_utilization", "memory_latency_ns", "numa_efficiency"):
        assert metrics[name].value is None
        assert "a model has no memory of its own" in (metrics[name].reason or "")
        assert "doctor" not in (metrics[name].reason or "")


def test_without_a_duration_there_is_no_rate(known: dict[str, Fact]) -> None:
    counted = replace(reading(known, ll_cache_miss_rd=1e9), duration_ns=None)
    metric = compute(counted).explain("memory_bandwidth_utilization")
    assert metric.value is None
    assert metric.reason == "how long was counted is not known"


def test_latency_is_the_machines_and_says_so(known: dict[str, Fact]) -> None:
    metric = compute(reading(known)).explain("memory_latency_ns")
    assert metric.value == 95.5
    assert (metric.source, metric.events, metric.coverage) == ("machine", (), None)
    assert "when idle, not of this program" in (metric.reason or "")
    assert "130 ns with 4 KiB pages" in (metric.reason or "")
    assert metric.confidence is Confidence.HIGH


@pytest.mark.parametrize(("spread", "most"), [(0.02, Confidence.HIGH), (0.2, Confidence.MEDIUM), (0.6, Confidence.LOW)])
def test_a_measurement_that_did_not_repeat_has_less_confidence(
    monkeypatch: pytest.MonkeyPatch, spread: float, most: Confidence
) -> None:
    monkeypatch.setattr(module.memory, "here", lambda: memory(loads_spread=spread))
    assert compute(reading(facts(whole_process=False)))["memory_latency_ns"].confidence is most


def test_one_node_is_local_and_says_why(known: dict[str, Fact]) -> None:
    metric = compute(reading(known)).explain("numa_efficiency")
    assert metric.value == 1.0
    assert "one NUMA node" in (metric.reason or "")
    assert metric.confidence is Confidence.HIGH


def test_counted_accesses_say_more_than_pages(known: dict[str, Fact]) -> None:
    pages = {**known, "local_share": Fact(0.5, "fraction", "placement of pages", 0.5)}
    metric = compute(reading(pages, remote_access=2e6, ll_cache_rd=1e7), core="neoverse-n1").explain("numa_efficiency")
    assert metric.value == pytest.approx(0.8)
    assert metric.events == ("remote_access", "ll_cache_rd")
    by_pages = compute(reading(pages), core="ampereone-ac03").explain("numa_efficiency")
    assert (by_pages.value, by_pages.confidence) == (0.5, Confidence.LOW)


def test_loaded_latency_is_a_metric_of_its_own(known: dict[str, Fact]) -> None:
    counted = reading(known, mem_access_rd_percyc=9e6, mem_access_rd=1e6, stall_backend_mem=4e6, l2d_cache_lmiss_rd=1e5)
    metrics = compute(counted, core="neoverse-v3")
    assert metrics["mean_load_cycles"].value == pytest.approx(9.0)
    assert metrics["stall_cycles_per_l2_miss"].value == pytest.approx(40.0)
    assert metrics["memory_latency_ns"].value == 95.5


def test_facts_travel_with_the_reading(known: dict[str, Fact]) -> None:
    there = decode(Reading, encode(reading(known, ll_cache_miss_rd=1e9)))
    here = compute(reading(known, ll_cache_miss_rd=1e9))
    assert compute(there)["memory_bandwidth_utilization"].value == here["memory_bandwidth_utilization"].value
    assert compute(there).memory_latency_ns == 95.5
