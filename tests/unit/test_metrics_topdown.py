"""Top-down level 1: each core by its own formulas, and checked against itself."""

import dataclasses

import pytest

from armprof import cpu
from armprof.counters.reading import Count, Reading, Status
from armprof.metrics import Confidence, compute
from armprof.metrics.topdown import TERMS, forms

SECOND = 1_000_000_000


def reading(coverage=1.0, **values):
    status = Status.COUNTED if coverage == 1.0 else Status.SCALED
    counts = {
        event: Count(event, float(value), value * coverage, SECOND, int(SECOND * coverage), status)
        for event, value in values.items()
    }
    return Reading(counts, source="pmu", duration_ns=SECOND)


def values(metrics):
    return {term: metrics[term].value for term in TERMS}


# Ten million cycles: a quarter of the slots empty for the frontend, half for the backend, 1 flush in 100.
def counts(slots, **more):
    cycles = 10_000_000
    return {
        "cpu_cycles": cycles,
        "stall_slot_frontend": slots * cycles / 4,
        "stall_slot_backend": slots * cycles / 2,
        "stall_slot": slots * cycles * 3 / 4,
        "op_spec": 10_000_000,
        "op_retired": 8_000_000,
        "br_mis_pred": cycles / 100,
    } | more


EXPECTED = {
    # core: frontend, backend, bad speculation, retiring
    "neoverse-v1": (0.25 - 0.04, 0.5, 0.2 * 0.25 + 0.04, 0.8 * 0.25),
    "neoverse-v2": (0.25 - 0.01, 0.5 - 0.03, 0.2 * 0.25 + 0.04, 0.8 * 0.25),
    "neoverse-v3": (0.25 - 0.02, 0.5, 0.2 * 0.25 + 0.02, 0.8 * 0.25),
    "neoverse-n3": (0.25 - 0.02, 0.5, 0.2 * 0.25 + 0.02, 0.8 * 0.25),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_each_core_by_its_own_formulas(name):
    core = cpu.core(name)
    metrics = compute(reading(**counts(core.slots, stall_frontend_flush=200_000)), core=core)
    assert tuple(values(metrics).values()) == pytest.approx(EXPECTED[name])
    assert all(metrics[term].unit == "fraction of slots" for term in TERMS)
    assert all(metrics[term].confidence is Confidence.HIGH for term in TERMS)


@pytest.mark.parametrize("name", EXPECTED)
def test_the_terms_add_up_where_everything_was_counted(name):
    core = cpu.core(name)
    metrics = compute(reading(**counts(core.slots, stall_frontend_flush=200_000)), core=core)
    assert sum(values(metrics).values()) == pytest.approx(1)
    assert all("add up" not in (metrics[term].reason or "") for term in TERMS)


def test_without_mispredictions_the_correction_is_left_out_and_said_so():
    events = counts(8)
    del events["br_mis_pred"]
    metrics = compute(reading(**events), core="neoverse-v1")
    assert tuple(values(metrics).values()) == pytest.approx((0.25, 0.5, 0.05, 0.2))
    assert "br_mis_pred has no value" in metrics["frontend_bound"].reason


def test_terms_that_do_not_add_up_lose_confidence_and_say_so():
    metrics = compute(reading(**counts(8, stall_slot_backend=8 * 10_000_000 * 0.6)), core="neoverse-v1")
    assert all(metrics[term].confidence is Confidence.LOW for term in TERMS)
    assert "the four terms add up to 110.0 %" in metrics["retiring"].reason


def test_a_frontend_a_little_below_zero_is_set_to_zero_and_said_so():
    events = counts(8, stall_slot_frontend=0.03 * 8 * 10_000_000, stall_slot=0.53 * 8 * 10_000_000)
    del events["op_spec"]  # of the others there is nothing to add up to
    metric = compute(reading(**events), core="neoverse-v1").explain("frontend_bound")
    assert metric.value == 0
    assert "-0.0100 before" in metric.reason
    assert metric.confidence is Confidence.MEDIUM


def test_a_frontend_far_below_zero_is_suspect():
    metric = compute(reading(**counts(8, stall_slot_frontend=0, br_mis_pred=1_000_000)), core="neoverse-v1")[
        "frontend_bound"
    ]
    assert (metric.value, metric.status) == (None, Status.SUSPECT)


def test_more_empty_slots_than_slots_prove_a_wrong_width_or_core():
    metrics = compute(reading(**counts(10)), core="neoverse-v2")
    assert values(compute(reading(**counts(8)), core="neoverse-v2"))["retiring"] is not None
    too_many = compute(reading(**counts(8, stall_slot=1.2 * 8 * 10_000_000)), core="neoverse-v2")
    assert all(too_many[term].status is Status.SUSPECT and too_many[term].value is None for term in TERMS)
    assert metrics["backend_bound"].value is not None  # within the slots nothing can be proved


@pytest.mark.parametrize("name", ["neoverse-n1", "cortex-a76", "cortex-a72"])
def test_a_core_without_slot_events_has_no_top_down(name):
    metrics = compute(reading(cpu_cycles=100, stall_frontend=10), core=name)
    for term in TERMS:
        assert metrics[term].status is Status.UNSUPPORTED
        assert "no published top-down formulas" in metrics[term].reason


def test_ampereone_takes_the_slots_of_its_pmu():
    core = cpu.core("ampereone-ac03")
    without = compute(reading(**counts(4)), core=core)
    assert all("caps/slots" in without[term].reason for term in TERMS)
    metrics = compute(reading(**counts(4)), core=dataclasses.replace(core, slots=4))
    assert tuple(values(metrics).values()) == pytest.approx((0.25, 0.5, 0.05, 0.2))


def test_an_unknown_core_has_none_because_its_width_is_not_known():
    metrics = compute(reading(**counts(8)))
    assert all("core is not known" in metrics[term].reason for term in TERMS)


# Neoverse N2: revisions before r0p3 count one empty slot too many in every cycle.


def test_n2_with_the_erratum_and_without_give_the_same_for_the_same_work():
    true = counts(5)
    cycles = true["cpu_cycles"]
    over = true | {
        "stall_slot": true["stall_slot"] + cycles,
        "stall_slot_frontend": true["stall_slot_frontend"] + cycles,
    }
    good, bad = (
        compute(reading(**true), core="neoverse-n2-r0p3"),
        compute(reading(**over), core="neoverse-n2-r0p0"),
    )
    assert values(bad) == pytest.approx(values(good))
    assert sum(values(bad).values()) == pytest.approx(1)


def test_n2_of_unknown_revision_shows_the_erratum_by_more_empty_slots_than_slots():
    # Published from a Yitian 710; perf printed 23.3, 73.0, 0.0 and 4.4 %.
    events = {
        "cpu_cycles": 3_922_334_305,
        "stall_slot": 22_679_591_134,
        "op_spec": 854_404_256,
        "op_retired": 853_521_883,
        "stall_slot_frontend": 8_492_337_939,
        "stall_slot_backend": 14_317_243_430,
    }
    metrics = compute(reading(0.6665, **events), core="neoverse-n2")
    assert tuple(values(metrics).values()) == pytest.approx((0.233, 0.730, 0.000, 0.044), abs=0.0005)


def test_n2_of_unknown_revision_is_not_guessed_where_the_counts_prove_nothing():
    metrics = compute(reading(**counts(5)), core="neoverse-n2")
    assert all(metrics[term].value is None and "revision" in metrics[term].reason for term in TERMS)


# The table


def test_every_form_is_for_cores_and_events_that_armprof_knows():
    for form in forms():
        for name in form.cores:
            core = cpu.core(name)
            for term in TERMS:
                for way in form.ways(term, core.slots or 4):
                    assert all(core.has(event) for event in way.formula.names), (name, way.formula.text)
