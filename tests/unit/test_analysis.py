"""Advice from hand-built readings: what is raised, what stays silent, what is not judged."""

import dataclasses
import json
from types import SimpleNamespace

import pytest
from analysis_readings import GIT, HEALTHY, SECOND, n1, reading
from hypothesis import given, settings
from hypothesis import strategies as st

from armprof import cpu
from armprof.analysis import ImplementationEffort, Judgement, OptimizationType, analyze
from armprof.analysis.causes import tree
from armprof.analysis.rules import rules
from armprof.counters.reading import Reading, Status, uncounted
from armprof.errors import ArmprofError
from armprof.metrics import Confidence, compute
from armprof.metrics.table import definitions

BRANCHES = {"br_mis_pred_retired": 1_000_000, "stall_frontend": 20_000_000}  # 22 % of the cycles
DATA = {"l1d_cache_refill": 3_000_000, "l2d_cache_refill": 10_000}


def silent_reason(analysis, rule):
    return next(s.reason for s in analysis.silent if s.rule == rule)


def advised(analysis, rule):
    return next(r for r in analysis.recommendations if r.rule == rule)


# Raised


def test_a_healthy_reading_is_judged_and_nothing_recommended():
    analysis = analyze(n1())
    assert analysis.verdict is Judgement.JUDGED
    assert analysis.recommendations == ()
    assert len(analysis.silent) + len(analysis.asides) == len(rules())
    assert "nothing to recommend" in repr(analysis)


def test_mispredicted_branches_of_git_are_raised_with_the_cycles_at_stake():
    advice = advised(analyze(reading(0.5, 20 * SECOND, core="neoverse-n1", **GIT)), "branch-prediction")
    assert advice.type is OptimizationType.BRANCH_OPTIMIZATION
    assert advice.effort is ImplementationEffort.MEDIUM
    assert advice.confidence is Confidence.MEDIUM
    gain = advice.expected_improvement
    # 5.90 per 1000 instructions x 11 cycles / 0.679 cycles per instruction
    assert gain.ceiling == pytest.approx(9.56, abs=0.01)
    assert (gain.low, gain.high, gain.unit) == (0, pytest.approx(8.1, abs=0.05), "latency")
    assert "BOLT, a synthetic sort on Neoverse V1 saved 47.5 %, 0.85 of its bound" in gain.basis
    assert "ceiling: all 9.6 % at stake" in gain.basis
    evidence = " ".join(advice.evidence)
    assert "5.90" in evidence
    assert "50.0 %" in evidence
    assert "speculative" in evidence


def test_the_ceiling_is_never_above_the_stalls_it_would_remove():
    gain = advised(analyze(n1(**DATA, stall_backend=15_000_000)), "cache-misses").expected_improvement
    assert gain.ceiling == pytest.approx(30)
    assert gain.high == pytest.approx(0.85 * 30)


def test_where_the_cause_alone_is_not_known_what_it_is_a_part_of_is_the_ceiling():
    advice = advised(analyze(reading(**(HEALTHY | DATA | {"stall_backend": 15_000_000}))), "cache-misses")
    assert advice.expected_improvement.ceiling == pytest.approx(30)
    assert "at most the 30.0 % of the cycles that backend takes" in " ".join(advice.evidence)
    assert "memory alone is not known" in " ".join(advice.evidence)


def test_where_nothing_can_be_computed_the_fixed_range_is_said_to_be_one():
    gain = advised(analyze(reading(inst_retired=10**8, br_mis_pred_retired=10**6)), "branch-prediction")
    gain = gain.expected_improvement
    assert (gain.low, gain.high, gain.ceiling) == (2, 8, None)
    assert "2 to 8 % is the fixed range of this rule, not derived from this program" in gain.basis
    assert "no ceiling: " in gain.basis
    assert "the core is not known" in gain.basis


def test_the_caller_may_name_the_core():
    for core in ("neoverse-n1", cpu.core("neoverse-n1")):
        advice = advised(analyze(reading(**GIT), core=core), "branch-prediction")
        assert advice.expected_improvement.ceiling is not None
    with pytest.raises(ArmprofError):
        analyze(reading(**GIT), core="neoverse-n11")


def test_ranked_by_gain_confidence_and_effort():
    small = analyze(n1(**BRANCHES, **DATA, stall_backend=15_000_000))
    assert [r.rule for r in small.recommendations] == ["branch-prediction", "cache-misses"]
    big = analyze(n1(**BRANCHES, **DATA, cpu_cycles=100_000_000, stall_backend=65_000_000))
    assert [r.rule for r in big.recommendations] == ["cache-misses", "branch-prediction"]
    for analysis in (small, big):
        assert [r.rank for r in analysis.recommendations] == [1, 2]
        first, second = analysis.recommendations
        gain = first.expected_improvement
        assert first.score > second.score
        assert first.score <= (gain.low + gain.high) / 2


def test_what_was_not_weighed_in_cycles_comes_last():
    analysis = analyze(reading(inst_retired=10**8, l1i_cache_refill=6 * 10**6, stall_backend=10, cpu_cycles=9 * 10**8))
    ceilings = [r.expected_improvement.ceiling for r in analysis.recommendations]
    assert ceilings == sorted(ceilings, key=lambda c: c is None)


def test_every_recommendation_says_how_to_verify_it():
    for source, ab in (("pmu", True), ("model", False)):
        for advice in analyze(dataclasses.replace(n1(**BRANCHES, **DATA), source=source)).recommendations:
            assert any(command.startswith("armprof ab -- ") for command in advice.verify) == ab
            assert advice.verify[-1].startswith("armprof stat ")
            assert ("--source model --core neoverse-n1" in advice.verify[-1]) is not ab


# Silent


def test_a_high_miss_ratio_that_hardly_happens_is_silent():
    analysis = analyze(n1(l1d_cache=10_000, l1d_cache_refill=600, l2d_cache_refill=600, stall_backend=12_000_000))
    assert analysis.recommendations == ()
    assert analysis.verdict is Judgement.JUDGED
    assert silent_reason(analysis, "working-set-l2").startswith("l1d_mpki is 0.006, not above")


def test_mispredicts_of_which_no_cycle_stalls_are_silent():
    analysis = analyze(n1(br_mis_pred_retired=1_000_000, stall_frontend=100_000))
    assert analysis.recommendations == ()


def test_a_share_that_no_comparison_would_show_is_silent():
    analysis = analyze(n1(br_mis_pred_retired=210_000, stall_frontend=20_000_000))
    assert analysis.recommendations == ()
    assert "2.10 mispredicted branches" in silent_reason(analysis, "branch-prediction")
    assert "4.62 % of the cycles are at stake" in silent_reason(analysis, "branch-prediction")


def test_a_ratio_without_a_rate_is_silent():
    analysis = analyze(reading(l1d_cache=1_000_000, l1d_cache_refill=500_000))
    assert analysis.recommendations == ()
    assert "inst_retired" in silent_reason(analysis, "branch-prediction")


def test_a_metric_without_value_stays_silent_with_its_reason():
    assert "ll_cache_miss_rd: not among the events" in silent_reason(analyze(n1()), "memory-bandwidth")


def counted_for(coverage, base, **values):
    """The reading with these events counted for a part of the time only."""
    return dataclasses.replace(base, counts=base.counts | reading(coverage, **values).counts)


def test_an_event_counted_too_little_is_silent_and_the_others_are_judged():
    analysis = analyze(counted_for(0.1, n1(), br_mis_pred_retired=3_000_000))
    assert analysis.verdict is Judgement.JUDGED
    assert analysis.recommendations == ()
    reason = silent_reason(analysis, "branch-prediction")
    assert reason == "branch_mpki was counted 10.0 % of the time: too little to judge"


def test_advice_is_no_surer_than_the_stalls_that_bound_it():
    base = n1(**(BRANCHES | {"stall_frontend": 0}))
    advice = advised(analyze(counted_for(0.5, base, stall_frontend=5_000_000)), "branch-prediction")
    assert advice.expected_improvement.ceiling == pytest.approx(10)
    assert advice.confidence is Confidence.MEDIUM


# Not judged


def test_a_short_multiplexed_run_is_not_judged():
    analysis = analyze(reading(0.5, 15_559_461, core="neoverse-n1", **GIT))
    assert analysis.verdict is Judgement.NOT_JUDGED
    assert analysis.recommendations == ()
    assert "15.6 ms" in analysis.reason
    assert all("not judged" in s.reason for s in analysis.silent)


def test_a_short_run_counted_in_full_is_judged():
    analysis = analyze(reading(1.0, 1_000_000, core="neoverse-n1", **(HEALTHY | {"inst_retired": 10_000})))
    assert analysis.verdict is Judgement.JUDGED


def test_a_handful_of_instructions_is_not_judged():
    analysis = analyze(n1(inst_retired=9_999))
    assert analysis.verdict is Judgement.NOT_JUDGED
    assert "9,999 instructions" in analysis.reason


def test_long_but_hardly_counted_is_not_judged():
    analysis = analyze(reading(0.0792, 10 * SECOND, core="neoverse-n1", **GIT))
    assert analysis.verdict is Judgement.NOT_JUDGED
    assert "7.9 % of the time" in analysis.reason


def test_software_counts_alone_are_not_judged():
    analysis = analyze(reading(task_clock=1_000_000_000, page_faults=10))
    assert analysis.verdict is Judgement.NOT_JUDGED
    assert analysis.reason.startswith("cycles_per_instruction has no value, frontend_stalled has no value")
    assert "br_mis_pred_retired and inst_retired: not among the events" in silent_reason(analysis, "branch-prediction")
    assert repr(analysis).endswith(f"{len(analysis.silent)} rules stayed silent: `.silent` says why")


def test_nothing_counted_is_not_judged():
    nothing = Reading({"cpu_cycles": uncounted("cpu_cycles", Status.UNSUPPORTED, "no PMU")}, source="pmu")
    for thing in (nothing, Reading({}, source="pmu"), SimpleNamespace(reading=None)):
        analysis = analyze(thing)
        assert analysis.verdict is Judgement.NOT_JUDGED
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
    (entry,) = (r for r in analysis["recommendations"] if r["rule"] == "branch-prediction")
    assert list(entry) == [
        "rank",
        "rule",
        "type",
        "title",
        "description",
        "expected_improvement",
        "effort",
        "risk",
        "confidence",
        "evidence",
        "score",
        "location",
        "depends_on",
        "verify",
    ]
    assert list(entry["expected_improvement"]) == ["low", "high", "ceiling", "unit", "basis"]
    assert (entry["type"], entry["effort"], entry["location"], entry["depends_on"]) == (
        "BranchOptimization",
        "Medium",
        None,
        [],
    )
    assert json.loads(json.dumps(analysis, allow_nan=False)) == analysis


def test_to_frame_has_a_row_per_recommendation():
    frame = analyze(n1(**BRANCHES)).to_frame()
    assert list(frame["type"]) == ["BranchOptimization"]
    assert list(frame["rule"]) == ["branch-prediction"]
    assert len(analyze(n1()).to_frame()) == 0


def test_repr_reads_like_a_report():
    text = repr(analyze(reading(core="neoverse-n1", **GIT)))
    assert text.startswith("Analysis: judged")
    assert "Make branches predictable" in text
    assert "0-8.12 % latency, ceiling 9.6 %" in text
    assert max(map(len, text.splitlines())) <= 110


# Whatever was counted

EVENTS = sorted({e for definition in definitions() for way in definition.ways for e in way.events})


@settings(max_examples=500, deadline=None)
@given(
    st.dictionaries(st.sampled_from(EVENTS), st.integers(0, 10**10)),
    st.sampled_from([None, "neoverse-n1", "neoverse-v2", "neoverse-n3", "cortex-a72"]),
    st.floats(0.01, 1),
    st.integers(10**6, 10**11),
    st.sampled_from(["pmu", "model", "imported"]),
)
def test_no_range_exceeds_its_ceiling_and_every_rule_has_its_say(counts, core, coverage, duration_ns, source):
    analysis = analyze(reading(coverage, duration_ns, core=core, source=source, **counts))
    said = (*analysis.recommendations, *analysis.asides, *analysis.silent)
    names = [one.rule for one in said]
    assert sorted(names) == sorted(rule.name for rule in rules())
    assert [r.rank for r in analysis.recommendations] == list(range(1, len(analysis.recommendations) + 1))
    assert [r.order() for r in analysis.recommendations] == sorted(r.order() for r in analysis.recommendations)
    for advice in analysis.recommendations:
        gain = advice.expected_improvement
        assert 0 <= gain.low <= gain.high
        if gain.ceiling is not None:
            assert gain.high < gain.ceiling
            assert gain.ceiling >= 99.99 * tree().matters
            assert gain.unit == "throughput" or gain.ceiling < 100
    if analysis.verdict is Judgement.NOT_JUDGED:
        assert analysis.recommendations == ()
    planned = [step.rule for phase in analysis.roadmap for step in phase.steps]
    assert sorted(planned) == sorted(r.rule for r in analysis.recommendations)
    assert repr(analysis)
    assert analysis.reason
    assert all(s.reason for s in analysis.silent)
