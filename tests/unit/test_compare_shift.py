"""The rank-sum test between two groups, against counting all orders by hand."""

from __future__ import annotations

from itertools import combinations
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from armprof.compare.shift import _ways, interval, probability, shift

groups = st.lists(st.integers(-1000, 1000).map(float), min_size=1, max_size=12)


@pytest.mark.parametrize(("m", "n"), [(1, 1), (2, 3), (3, 4), (5, 5), (1, 7)])
def test_the_orders_are_counted(m: int, n: int) -> None:
    counted = [0] * (m * n + 1)
    for base in combinations(range(m + n), m):
        head = set(range(m + n)) - set(base)
        counted[sum(h < b for b in base for h in head)] += 1
    assert list(_ways(m, n)) == counted


def test_groups_apart_are_as_improbable_as_one_order_of_all() -> None:
    assert probability([1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0]) == pytest.approx(2 / comb(8, 4))
    assert probability([5.0, 6.0, 7.0, 8.0], [1.0, 2.0, 3.0, 4.0]) == pytest.approx(2 / comb(8, 4))


def test_the_same_group_twice_shows_nothing() -> None:
    assert probability([1.0, 2.0, 3.0], [1.0, 2.0, 3.0]) == 1.0
    assert shift([1.0, 2.0, 3.0], [1.0, 2.0, 3.0]) == 0.0


def test_ties_make_a_difference_less_sure() -> None:
    apart = probability([1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0])
    assert probability([1.0, 2.0, 3.0, 5.0], [5.0, 6.0, 7.0, 8.0]) > apart
    assert probability([1.0] * 4, [1.0] * 4) == 1.0


def test_too_few_values_have_no_interval() -> None:
    assert interval([1.0, 2.0], [3.0, 4.0], 0.05) is None


@given(groups, groups)
def test_swapping_the_groups_turns_the_shift_around(base: list[float], head: list[float]) -> None:
    assert shift(base, head) == -shift(head, base)
    assert probability(base, head) == pytest.approx(probability(head, base))
    assert 0 < probability(base, head) <= 1


@given(groups, groups, st.floats(0.001, 0.5))
def test_the_interval_leaves_out_none_just_where_the_test_says_so(
    base: list[float], head: list[float], level: float
) -> None:
    found = interval(base, head, level)
    if found is None:
        assert 2 / comb(len(base) + len(head), len(base)) > level or len(base) == len(head) == 1
        return
    assert found[0] <= shift(base, head) <= found[1]
    assert (found[0] > 0 or found[1] < 0) == (probability(base, head) <= level)
