"""Headroom: divided by weights without a rest, and kept by what lives on it."""

from __future__ import annotations

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from armprof.budget import HeadroomAllocation, allocate, defaults, validate
from armprof.budget.headroom import PARTS, WEIGHTS_TOLERANCE, check_weights, ns_text, percent_text
from armprof.errors import ArmprofError

shares = st.lists(st.floats(0, 1), min_size=len(PARTS), max_size=len(PARTS))
times = st.floats(0, 1e15)


@st.composite
def weights(draw: st.DrawFn) -> dict[str, float]:
    drawn = draw(shares)
    total = math.fsum(drawn)
    assume(total > 1e-6)
    return {part: share / total for part, share in zip(PARTS, drawn, strict=True)}


def test_the_founding_headroom_is_divided_as_the_design_divides_it() -> None:
    allocation = allocate(14_333, defaults().weights)
    assert allocation.strategy_algorithm_budget == pytest.approx(5_733.2)
    assert allocation.ml_processing_budget == pytest.approx(2_866.6)
    assert allocation.multi_agent_coordination_budget == pytest.approx(2_149.95)
    assert allocation.advanced_risk_budget == pytest.approx(1_433.3)
    assert allocation.monitoring_overhead_budget == pytest.approx(716.65)
    assert allocation.debugging_instrumentation_budget == pytest.approx(716.65)
    assert allocation.quality_assurance_budget == pytest.approx(716.65)


@given(times, weights())
def test_the_parts_sum_to_the_headroom(headroom: float, divided: dict[str, float]) -> None:
    allocation = allocate(headroom, divided)
    assert math.fsum(ns for _, ns in allocation.items()) == pytest.approx(headroom)
    assert all(ns >= 0 for _, ns in allocation.items())
    assert allocation.reason is None


@given(times, weights(), st.sampled_from(list(PARTS)))
def test_a_part_gets_its_weight(headroom: float, divided: dict[str, float], part: str) -> None:
    assert allocate(headroom, divided)[part] == pytest.approx(headroom * divided[part])


@given(st.floats(-1e15, -1e-9), weights())
def test_a_negative_headroom_allocates_nothing_and_says_so(headroom: float, divided: dict[str, float]) -> None:
    allocation = allocate(headroom, divided)
    assert [ns for _, ns in allocation.items()] == [0.0] * len(PARTS)
    assert "no headroom" in (allocation.reason or "")


def test_weights_that_were_rounded_still_divide_everything() -> None:
    rounded = {"ml_processing": 0.333, "advanced_risk": 0.333, "strategy_algorithm": 0.333}
    assert allocate(900, rounded).ml_processing_budget == pytest.approx(300)


@given(shares)
def test_weights_that_do_not_sum_to_one_are_refused(drawn: list[float]) -> None:
    assume(abs(math.fsum(drawn) - 1) > WEIGHTS_TOLERANCE)
    with pytest.raises(ArmprofError, match=r"the weights sum to .*, not to 1"):
        check_weights(dict(zip(PARTS, drawn, strict=True)))


@pytest.mark.parametrize("weight", [-0.1, 1.1, math.nan, math.inf])
def test_a_weight_that_is_none_is_refused(weight: float) -> None:
    with pytest.raises(ArmprofError, match=r"the weight of ml_processing is .*, which is not from 0 to 1"):
        check_weights({"ml_processing": weight, "advanced_risk": 1 - weight})


def test_a_part_that_there_is_not_is_refused() -> None:
    with pytest.raises(ArmprofError, match="no part 'lunch'; its parts are strategy_algorithm, "):
        check_weights({"lunch": 1.0})
    with pytest.raises(KeyError):
        HeadroomAllocation(1.0)["lunch"]


@pytest.mark.parametrize("headroom", [math.nan, math.inf])
def test_a_headroom_that_is_no_number_is_refused(headroom: float) -> None:
    with pytest.raises(ArmprofError, match="cannot be allocated"):
        allocate(headroom, defaults().weights)


# Validation


@given(times, times)
def test_a_latency_is_within_its_allocation_or_there_is_an_alert(measured: float, allocated: float) -> None:
    validation = validate("model", measured, allocated)
    assert validation.within == (measured <= allocated)
    assert (validation.alert is None) == validation.within
    assert validation.over_ns == max(0.0, measured - allocated)
    if allocated > 0:
        assert validation.utilization == measured / allocated


def test_an_alert_says_by_how_much() -> None:
    validation = validate("order_book p50", 2_310, 2_000)
    assert validation.alert == "order_book p50: 2,310 ns exceeds its budget of 2,000 ns by 310 ns (15.5 %)"
    assert (validation.over_ns, validation.over_percent) == (310, pytest.approx(15.5))


def test_where_nothing_is_allocated_anything_exceeds_it() -> None:
    validation = validate("model", 5, 0)
    assert validation.alert == "model: 5 ns exceeds its budget of 0 ns by 5 ns"
    assert (validation.utilization, validation.over_percent) == (None, None)


@pytest.mark.parametrize(("measured", "allocated"), [(-1, 1), (math.nan, 1), (1, -1), (1, math.inf)])
def test_what_is_no_time_is_refused(measured: float, allocated: float) -> None:
    with pytest.raises(ArmprofError, match=r"model: .* is no time"):
        validate("model", measured, allocated)


@given(st.floats(1e-300, 1e15))
def test_numbers_in_words_are_never_rounded_to_what_they_are_not(value: float) -> None:
    assert ns_text(value) not in ("0 ns", "0.0 ns")
    assert percent_text(value) != "0.0 %"
    if value < 100:
        assert percent_text(value) != "100.0 %"
