"""Distributions of latencies: buckets add up, percentiles are near the values that they stand for."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from armprof.errors import ArmprofError
from armprof.monitor.latencies import Distribution, bucket_of, from_json, lower_bound, together

values = st.lists(st.integers(0, 10**13), min_size=1, max_size=200)


def of(times: list[int]) -> Distribution:
    buckets: dict[int, int] = {}
    for time in times:
        lower = lower_bound(bucket_of(time))
        buckets[lower] = buckets.get(lower, 0) + 1
    return Distribution(float(sum(times)), buckets)


@given(st.integers(0, 2**63))
def test_a_value_lies_in_its_bucket_whose_width_is_a_sixteenth_of_it_at_most(value):
    bucket = bucket_of(value)
    assert lower_bound(bucket) <= value < lower_bound(bucket + 1)
    assert lower_bound(bucket + 1) - lower_bound(bucket) <= max(1, value / 16)


@given(values, st.sampled_from([0.5, 0.95, 0.99, 0.999]))
def test_a_percentile_is_within_a_thirtysecond_of_the_exact_one(times, share):
    exact = sorted(times)[math.ceil(share * len(times)) - 1]
    assert of(times).percentile(share) == pytest.approx(exact, rel=1 / 31, abs=1)


@given(values, values)
def test_two_distributions_added_are_that_of_all_the_values(first, second):
    assert together([of(first), of(second)]) == of([*first, *second])


@given(values)
def test_what_is_stored_comes_back(times):
    found = of(times)
    assert from_json(found.total_ns, found.to_json()) == found


def test_without_a_call_there_is_no_latency():
    assert Distribution().percentile(0.99) is None
    assert Distribution().mean_ns is None


@pytest.mark.parametrize("text", ["[]", "{", '{"a": 1}', "3"])
def test_a_text_that_is_no_distribution_is_one_clear_line(text):
    with pytest.raises(ArmprofError, match="changed by hand"):
        from_json(0, text)


@pytest.mark.parametrize("text", ["", "[]", '{"a": 1}', '{"1": {}}', '{"1": 1e999}', '{"1": null}', "[" * 100_000])
def test_a_distribution_that_was_changed_by_hand_is_one_error(text):
    with pytest.raises(ArmprofError, match="no distribution"):
        from_json(1.0, text)
