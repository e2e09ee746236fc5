"""Advice from hand-built readings: what is raised, what stays silent, what is not judged."""

import dataclasses
import json
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from armprof import cpu
from armprof.analysis import ImplementationEffort, OptimizationType, Verdict, analyze
from armprof.analysis.rules import gate, rules
from armprof.counters.reading import Count, Reading, Status, uncounted
from armprof.errors import ArmprofError
from armprof.metrics import ARM64Metrics, Confidence, compute
from armprof.metrics.table import definitions

SECOND = 1_000_000_000


def reading(coverage=1.0, duration_ns=SECOND, core=None, **values):
    status = Status.COUNTED if coverage == 1.0 else Status.SCALED
    counts = {
        event: Count(event, float(value), value * coverage, duration_ns, int(duration_ns * coverage), status)
        for event, value in values.items()
    }
    return Reading(counts, source="pmu", core=core, duration_ns=duration_ns)


HEALTHY = {
    "cpu_cycles": 50_000_000,
    "inst_retired": 100_000_000,
    "l1d_cache": 30_000_000,
    "l1d_cache_refill": 30_000,
    "br_retired": 15_000_000,
    "br_mis_pred_retired": 15_000,
}
# Published from git on a Neoverse N1 (system wide, 20 s).
GIT = {
    "cpu_cycles": 59_833_574_269,
    "inst_retired": 88_080_123_185,
    "stall_frontend": 14_447_993_232,
    "stall_backend": 13_878_294_869,
    "l1d_cache": 28_915_584_320,
    "l1d_cache_refill": 474_548_286,
    "br_pred": 14_358_036_326,
    "br_mis_pred": 519_909_965,
}


def silent_reason(analysis, metric):
    return next(s.reason for s in analysis.silent if s.metric == metric)


# Raised


def test_a_healthy_reading_is_judged_and_nothing_recommended():
    analysis = analyze(reading(core="neoverse-n1", **HEALTHY))
    assert analysis.verdict is Verdict.JUDGED
    assert analysis.recommendations == ()
    assert len(analysis.silent) == len(rules())
    assert "nothing to recommend" in repr(analysis)


def test_mispredicted_branches_of_git_are_raised_with_the_cycles_at_stake():
    analysis = analyze(reading(0.5, 20 * SECOND, core="neoverse-n1", **GIT))
    (advice,) = analysis.recommendations
    assert advice.rank == 1
    assert advice.type is OptimizationType.BRANCH_OPTIMIZATION
    assert advice.effort is ImplementationEffort.LOW
    assert advice.confidence is Confidence.MEDIUM
    gain = advice.expected_improvement
    # 5.90 per 1000 instructions x 11 cycles / 0.679 cycles per instruction
    assert gain.ceiling == pytest.approx(9.56, abs=0.01)
    assert (gain.low, gain.high, gain.unit) == (2, 8, "latency")
    assert "fixed range" in gain.basis
    evidence = " ".join(advice.evidence)
    assert "0.9638" in evidence
    assert "5.90" in evidence
    assert "50.0 %" in evidence
    assert "speculative" in evidence


def test_a_low_hit_rate_is_raised_with_the_designs_range():
    counts = HEALTHY | {
        "l1d_cache_refill": 3_000_000,
        "l2d_cache_refill": 10_000,
        "stall_backend": 25_000_000,
    }
    (advice,) = analyze(reading(core="neoverse-n1", **counts)).recommendations
    assert advice.type is OptimizationType("CacheLayout")
    assert advice.effort is ImplementationEffort("Medium")
    assert (advice.expected_improvement.low, advice.expected_improvement.high) == (5, 15)
    assert 15 < advice.expected_improvement.ceiling <= 50


def test_the_ceiling_is_never_above_the_stalls_it_would_remove():
    counts = HEALTHY | {"l1d_cache_refill": 3_000_000, "stall_backend": 5_000_000}
    (advice,) = analyze(reading(core="neoverse-n1", **counts)).recommendations
    gain = advice.expected_improvement
    assert gain.ceiling == pytest.approx(10)
    assert (gain.low, gain.high) == (5, pytest.approx(10))
    assert "cut to the ceiling" in gain.basis
    assert any("backend_stalled" in fact for fact in advice.evidence)


def test_a_ceiling_below_the_whole_range_promises_from_nothing():
    counts = HEALTHY | {"l1d_cache_refill": 3_000_000, "stall_backend": 1_500_000}
    gain = analyze(reading(core="neoverse-n1", **counts)).recommendations[0].expected_improvement
    assert (gain.low, gain.high, gain.ceiling) == (0, pytest.approx(3), pytest.approx(3))


def test_a_bound_above_all_cycles_is_no_ceiling():
    counts = HEALTHY | {"l1d_cache_refill": 3_000_000}
    gain = analyze(reading(core="neoverse-n1", **counts)).recommendations[0].expected_improvement
    assert gain.ceiling is None
    assert "bounds nothing" in gain.basis


def test_without_a_core_there_is_no_ceiling_and_the_reason_stands_in_the_basis():
    (advice,) = analyze(reading(**GIT)).recommendations
    assert advice.expected_improvement.ceiling is None
    assert "no ceiling: the core is not known" in advice.expected_improvement.basis
    assert advice.confidence is Confidence.MEDIUM  # the counts are whole, what they cost was not weighed


def test_the_caller_may_name_the_core():
    for core in ("neoverse-n1", cpu.core("neoverse-n1")):
        assert analyze(reading(**GIT), core=core).recommendations[0].expected_improvement.ceiling is not None
    with pytest.raises(ArmprofError):
        analyze(reading(**GIT), core="neoverse-n11")


def test_ranked_by_cycles_at_stake():
    counts = HEALTHY | {
        "br_mis_pred_retired": 1_000_000,  # 22 % of the cycles
        "l1d_cache_refill": 3_000_000,
        "stall_backend": 5_000_000,  # 10 %
    }
    analysis = analyze(reading(core="neoverse-n1", **counts))
    assert [(r.rank, str(r.type)) for r in analysis.recommendations] == [
        (1, "BranchOptimization"),
        (2, "CacheLayout"),
    ]
    counts["stall_backend"] = 20_000_000  # 40 %
    analysis = analyze(reading(core="neoverse-n1", **counts))
    assert [(r.rank, str(r.type)) for r in analysis.recommendations] == [
        (1, "CacheLayout"),
        (2, "BranchOptimization"),
    ]


def measured(metrics, **values):
    """The metrics with values that no source of this machine gives."""
    known = dict(metrics)
    for name, value in values.items():
        known[name] = dataclasses.replace(
            known[name],
            value=value,
            status=Status.COUNTED,
            confidence=Confidence.HIGH,
            reason=None,
            formula="measured",
        )
    return ARM64Metrics(known, metrics.reading, metrics.core)


def test_measured_bandwidth_above_the_threshold_is_raised_in_throughput():
    metrics = compute(reading(core="neoverse-n1", stall_backend=25_000_000, **HEALTHY))
    (advice,) = analyze(measured(metrics, memory_bandwidth_utilization=0.85)).recommendations
    assert advice.type is OptimizationType.MEMORY_ACCESS
    assert advice.effort is ImplementationEffort.HIGH
    gain = advice.expected_improvement
    assert (gain.low, gain.high, gain.unit) == (10, 20, "throughput")
    assert gain.ceiling == pytest.approx(100)  # half the cycles stalled: at most twice the work
    assert analyze(measured(metrics, memory_bandwidth_utilization=0.8)).recommendations == ()


# Silent


def test_a_high_miss_ratio_that_hardly_happens_is_silent():
    counts = HEALTHY | {"l1d_cache": 10_000, "l1d_cache_refill": 600, "stall_backend": 20_000_000}
    for core, words in (("neoverse-n1", "of the cycles are at stake"), (None, "cost next to nothing")):
        analysis = analyze(reading(core=core, **counts))
        assert analysis.recommendations == ()
        assert analysis.verdict is Verdict.JUDGED
        assert words in silent_reason(analysis, "l1_cache_hit_rate")


def test_a_low_accuracy_of_which_no_cycle_stalls_is_silent():
    counts = HEALTHY | {"br_mis_pred_retired": 1_000_000, "stall_frontend": 100_000}
    assert analyze(reading(core="neoverse-n1", **counts)).recommendations == ()


def test_a_ratio_over_an_unknown_rate_is_silent():
    analysis = analyze(reading(l1d_cache=1_000_000, l1d_cache_refill=500_000))
    assert analysis.recommendations == ()
    assert "inst_retired" in silent_reason(analysis, "l1_cache_hit_rate")


def test_a_metric_without_value_stays_silent_with_its_reason():
    analysis = analyze(reading(core="neoverse-n1", **HEALTHY))
    assert "ll_cache_miss_rd: not among the events" in silent_reason(analysis, "memory_bandwidth_utilization")


def counted_for(coverage, base, **values):
    """The reading with these events counted for a part of the time only."""
    return dataclasses.replace(base, counts=base.counts | reading(coverage, **values).counts)


def test_an_event_counted_too_little_is_silent_and_the_others_are_judged():
    base = reading(core="neoverse-n1", **HEALTHY)
    analysis = analyze(counted_for(0.1, base, br_mis_pred_retired=3_000_000))
    assert analysis.verdict is Verdict.JUDGED
    assert analysis.recommendations == ()
    reason = silent_reason(analysis, "branch_prediction_accuracy")
    assert reason == "branch_prediction_accuracy was counted 10.0 % of the time: too little to judge"


def test_a_ratio_over_a_rate_counted_too_little_is_silent():
    base = reading(**(HEALTHY | {"br_mis_pred_retired": 1_000_000}))
    assert analyze(base).recommendations
    assert analyze(counted_for(0.1, base, inst_retired=100_000_000)).recommendations == ()


def test_stalls_counted_too_little_bound_nothing():
    base = reading(core="neoverse-n1", **(HEALTHY | {"br_mis_pred_retired": 1_000_000}))
    (advice,) = analyze(counted_for(0.1, base, stall_frontend=1_000_000)).recommendations
    assert advice.expected_improvement.ceiling == pytest.approx(22)
    assert advice.confidence is Confidence.HIGH


def test_advice_is_no_surer_than_the_stalls_that_bound_it():
    base = reading(core="neoverse-n1", **(HEALTHY | {"br_mis_pred_retired": 1_000_000}))
    (advice,) = analyze(counted_for(0.5, base, stall_frontend=5_000_000)).recommendations
    assert advice.expected_improvement.ceiling == pytest.approx(10)
    assert advice.confidence is Confidence.MEDIUM


def test_cycles_counted_too_little_give_no_ceiling():
    base = reading(core="neoverse-n1", **(HEALTHY | {"br_mis_pred_retired": 1_000_000}))
    (advice,) = analyze(counted_for(0.1, base, cpu_cycles=50_000_000)).recommendations
    assert advice.expected_improvement.ceiling is None
    assert advice.confidence is Confidence.MEDIUM


# Not judged


def test_a_short_multiplexed_run_is_not_judged():
    analysis = analyze(reading(0.5, 15_559_461, core="neoverse-n1", **GIT))
    assert analysis.verdict is Verdict.NOT_JUDGED
    assert analysis.recommendations == ()
    assert "15.6 ms" in analysis.reason
    assert all("not judged" in s.reason for s in analysis.silent)


def test_a_short_run_counted_in_full_is_judged():
    analysis = analyze(reading(1.0, 1_000_000, core="neoverse-n1", **(HEALTHY | {"inst_retired": 10_000})))
    assert analysis.verdict is Verdict.JUDGED


def test_a_handful_of_instructions_is_not_judged():
    analysis = analyze(reading(core="neoverse-n1", **(HEALTHY | {"inst_retired": 9_999})))
    assert analysis.verdict is Verdict.NOT_JUDGED
    assert "9,999 instructions" in analysis.reason


def test_long_but_hardly_counted_is_not_judged():
    analysis = analyze(reading(0.0792, 10 * SECOND, core="neoverse-n1", **GIT))
    assert analysis.verdict is Verdict.NOT_JUDGED
    assert "7.9 % of the time" in analysis.reason


def test_software_counts_alone_are_not_judged():
    analysis = analyze(reading(task_clock=1_000_000_000, page_faults=10))
    assert analysis.verdict is Verdict.NOT_JUDGED
    assert (
        analysis.reason
        == "l1_cache_hit_rate has no value, branch_prediction_accuracy has no value, memory_bandwidth_utilization has no value"
    )
    assert "l1d_cache_refill and l1d_cache: not among the events" in silent_reason(analysis, "l1_cache_hit_rate")
    assert "l1d_cache_refill and l1d_cache: not among the events" in " ".join(repr(analysis).split())


def test_nothing_counted_is_not_judged():
    nothing = Reading({"cpu_cycles": uncounted("cpu_cycles", Status.UNSUPPORTED, "no PMU")}, source="pmu")
    for thing in (nothing, Reading({}, source="pmu"), SimpleNamespace(reading=None)):
        analysis = analyze(thing)
        assert analysis.verdict is Verdict.NOT_JUDGED
        assert analysis.recommendations == ()
        assert len(analysis.silent) == len(rules())


# What it takes and gives


def test_takes_a_reading_its_metrics_or_whatever_has_a_reading():
    one = reading(core="neoverse-n1", **GIT)
    expected = analyze(one).to_dict()
    assert analyze(compute(one)).to_dict() == expected
    assert analyze(SimpleNamespace(reading=one)).to_dict() == expected


@pytest.mark.parametrize("thing", [None, "perf.txt", 3, SimpleNamespace(reading="perf.txt")])
def test_anything_else_is_refused_in_one_line(thing):
    with pytest.raises(ArmprofError, match="cannot analyze"):
        analyze(thing)


def test_to_dict_is_the_json_contract():
    analysis = analyze(reading(core="neoverse-n1", **GIT)).to_dict()
    (entry,) = analysis["recommendations"]
    assert list(entry) == [
        "rank",
        "type",
        "title",
        "description",
        "expected_improvement",
        "effort",
        "risk",
        "confidence",
        "evidence",
        "location",
        "depends_on",
    ]
    assert list(entry["expected_improvement"]) == ["low", "high", "ceiling", "unit", "basis"]
    assert (entry["type"], entry["effort"], entry["location"], entry["depends_on"]) == (
        "BranchOptimization",
        "Low",
        None,
        [],
    )
    assert json.loads(json.dumps(analysis, allow_nan=False)) == analysis


def test_to_frame_has_a_row_per_recommendation():
    assert list(analyze(reading(core="neoverse-n1", **GIT)).to_frame()["type"]) == ["BranchOptimization"]
    assert len(analyze(reading(core="neoverse-n1", **HEALTHY)).to_frame()) == 0


def test_repr_reads_like_a_report():
    text = repr(analyze(reading(core="neoverse-n1", **GIT)))
    assert text.startswith("Analysis: judged")
    assert "1. Make branches predictable" in text
    assert "2-8 % latency, ceiling 9.6 %" in text
    assert max(map(len, text.splitlines())) <= 110


# Whatever was counted

EVENTS = sorted({e for definition in definitions() for way in definition.ways for e in way.formula.names})


@settings(max_examples=500)
@given(
    st.dictionaries(st.sampled_from(EVENTS), st.integers(0, 10**10)),
    st.sampled_from([None, "neoverse-n1", "neoverse-v2", "cortex-a72"]),
    st.floats(0.01, 1),
    st.integers(10**6, 10**11),
)
def test_no_range_exceeds_its_ceiling_and_every_rule_has_its_say(counts, core, coverage, duration_ns):
    analysis = analyze(reading(coverage, duration_ns, core=core, **counts))
    assert len(analysis.recommendations) + len(analysis.silent) == len(rules())
    assert [r.rank for r in analysis.recommendations] == list(range(1, len(analysis.recommendations) + 1))
    for advice in analysis.recommendations:
        gain = advice.expected_improvement
        assert 0 <= gain.low <= gain.high
        if gain.ceiling is not None:
            assert gain.high <= gain.ceiling
            assert gain.ceiling >= 100 * gate().min_share
        assert advice.confidence is not Confidence.LOW
    if analysis.verdict is Verdict.NOT_JUDGED:
        assert analysis.recommendations == ()
    assert repr(analysis)
    assert analysis.reason
    assert all(s.reason for s in analysis.silent)


# The table


def test_every_rule_speaks_of_metrics_and_constants_that_exist():
    metrics = {definition.name for definition in definitions()}
    constants = {"mispredict_cycles", "l1_cycles", "l2_cycles", "llc_cycles", "dram_cycles"}
    for rule in rules():
        assert rule.metric in metrics
        assert rule.rate is None or rule.rate in metrics
        assert (rule.below is None) != (rule.above is None)
        assert 0 < rule.low < rule.high
        for stake in rule.stakes:
            assert set(stake.formula.names) <= metrics | constants
            assert stake.within is None or stake.within in metrics
            assert stake.says.format(core="a core", **dict.fromkeys(stake.formula.names, 1.0))
