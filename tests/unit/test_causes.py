"""The tree of causes: which share of the cycles is lost, to what, on what evidence."""

import analysis_readings as readings
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from armprof.analysis import analyze
from armprof.analysis.causes import tree, walk
from armprof.analysis.terms import Terms
from armprof.metrics import compute
from armprof.metrics.table import definitions


def causes_of(reading):
    metrics = compute(reading)
    return walk(Terms(metrics, metrics.core))


def test_on_a_core_without_slots_the_first_stage_is_that_of_its_stalled_cycles():
    causes = causes_of(readings.reading(0.5, 20 * readings.SECOND, core="neoverse-n1", **readings.GIT))
    assert causes["frontend"].share == pytest.approx(0.2415, abs=1e-4)
    assert causes["backend"].share == pytest.approx(0.2319, abs=1e-4)
    # 5.90 per 1000 instructions x 11 cycles / 0.679 cycles per instruction
    assert causes["branches"].share == pytest.approx(0.0956, abs=1e-4)
    assert "5.90 mispredicted branches per 1000 instructions at 11 cycles" in causes["speculation"].evidence


def test_with_slots_it_is_top_down():
    causes = causes_of(readings.n3(stall_slot=150_000_000, stall_slot_backend=145_000_000))
    assert causes["backend"].share == pytest.approx(0.58)
    assert "top-down" in causes["backend"].evidence


def test_no_child_has_more_than_its_parent():
    causes = causes_of(readings.n1(stall_backend=10_000_000, l1d_cache_refill=3_000_000))
    assert causes["memory"].share == causes["backend"].share == pytest.approx(0.2)
    assert "not more than the 20.0 % of cycles that backend takes" in causes["memory"].evidence


def test_children_of_what_hardly_matters_are_not_looked_at():
    causes = causes_of(readings.n1(stall_frontend=500_000, l1i_cache_refill=3_000_000))
    assert not causes["frontend"].matters
    assert causes["l1i"].share is None
    assert causes["l1i"].reason == "not looked at: frontend takes 1.0 % of the cycles in all"


def test_what_was_not_counted_is_absent_with_a_reason():
    two = readings.reading(core="neoverse-n1", cpu_cycles=100_000_000, inst_retired=50_000_000)
    causes = causes_of(two)
    assert causes["lost"].share == pytest.approx(0.875)
    assert causes["backend"].share is None
    assert "stall_backend: not among the events" in causes["backend"].reason
    assert "Neoverse N1 has no published top-down formulas" in causes["backend"].reason


def test_of_an_unknown_core_only_what_needs_no_penalty_is_known():
    causes = causes_of(readings.reading(**readings.GIT))
    assert causes["frontend"].share is not None
    assert causes["speculation"].share is None
    assert "the core is not known" in causes["speculation"].reason


def test_a_stall_that_was_counted_too_little_is_none():
    base = readings.n1()
    little = readings.reading(0.1, stall_backend=5_000_000)
    causes = causes_of(readings.Reading({**base.counts, **little.counts}, "pmu", "neoverse-n1", readings.SECOND))
    assert causes["backend"].share is None
    assert "counted 10.0 % of the time" in causes["backend"].reason


def test_what_only_the_model_knows_is_said_to_be_so():
    causes = causes_of(readings.n1(**readings.MISSES))
    assert "no PMU counts this, only the modelled core does" in causes["chased"].reason
    assert causes_of(readings.PROGRAMS["pointer-chasing"])["chased"].share == pytest.approx(0.6)


def test_the_analysis_has_them_and_so_has_its_json():
    analysis = analyze(readings.n1(**readings.MISSES))
    assert [cause.name for cause in analysis.causes] == [node.name for node in tree().nodes]
    (backend,) = (cause for cause in analysis.to_dict()["causes"] if cause["name"] == "backend")
    assert backend["share"] == pytest.approx(0.75)
    assert backend["matters"] is True
    assert backend["confidence"] == "high"


EVENTS = sorted({event for definition in definitions() for way in definition.ways for event in way.events})
CORES = [None, "neoverse-n1", "neoverse-v2", "neoverse-n3", "cortex-a72", "neoverse-n2-r0p3", "ampereone-ac03"]


@settings(max_examples=300, deadline=None)
@given(
    st.dictionaries(st.sampled_from(EVENTS), st.integers(0, 10**10)),
    st.sampled_from(CORES),
    st.sampled_from(["pmu", "model"]),
)
def test_whatever_was_counted_every_node_has_a_share_within_its_parents_or_a_reason(counts, core, source):
    causes = causes_of(readings.reading(core=core, source=source, **counts))
    assert list(causes) == [node.name for node in tree().nodes]
    for cause in causes.values():
        if cause.share is None:
            assert cause.reason
            assert not cause.matters
            continue
        assert 0 <= cause.share <= 1
        assert cause.evidence
        parent = causes[cause.parent] if cause.parent else None
        assert parent is None or parent.share is None or cause.share <= parent.share
