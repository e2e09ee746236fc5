"""The sign test's interval, and what looking at it again and again costs: both against counting by hand."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from armprof.compare.sign import crossing, depth, each_look, interval, least_values, median

values = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=60)
levels = st.floats(1e-6, 0.5)


def missed(n: int, k: int) -> float:
    """The share of all rows of n signs in which the k-th smallest or the k-th largest is on the wrong side of the median."""
    rows = list(product((False, True), repeat=n))
    return sum(sum(row) < k or n - sum(row) < k for row in rows) / len(rows)


@pytest.mark.parametrize("n", range(1, 13))
@pytest.mark.parametrize("level", [0.3, 0.05, 0.01])
def test_the_interval_is_the_narrowest_that_misses_as_rarely_as_allowed(n: int, level: float) -> None:
    k = depth(n, level)
    assert k == 0 or missed(n, k) <= level
    assert k == n // 2 or missed(n, k + 1) > level


def test_known_depths() -> None:
    # the 95 % intervals of the tables: 6 values from least to most, 20 from the 6th to the 15th
    assert (depth(5, 0.05), depth(6, 0.05), depth(20, 0.05)) == (0, 1, 6)


def test_too_few_values_have_no_interval() -> None:
    assert interval([1.0] * 5, 0.05) is None
    assert interval([], 0.05) is None
    assert least_values(0.05) == 6


def test_the_ends_are_values() -> None:
    assert interval([6.0, 5.0, 4.0, 3.0, 2.0, 1.0], 0.05) == (1.0, 6.0)


def test_ties_are_values_like_others() -> None:
    assert interval([0.0] * 20, 0.05) == (0.0, 0.0)
    assert interval([0.0] * 19 + [9.0], 0.05) == (0.0, 0.0)


@given(values, levels)
def test_the_interval_holds_the_median_and_does_not_depend_on_order(sample: list[float], level: float) -> None:
    found = interval(sample, level)
    assert found == interval(sample[::-1], level)
    if found:
        assert found[0] <= median(sample) <= found[1]


@given(values, levels)
def test_a_stricter_level_has_a_wider_interval(sample: list[float], level: float) -> None:
    strict, loose = interval(sample, level / 10), interval(sample, level)
    if strict:
        assert loose is not None
        assert strict[0] <= loose[0] <= loose[1] <= strict[1]


@pytest.mark.parametrize("level", [0.4, 0.1, 0.02])
def test_what_all_looks_err_together_is_the_share_of_walks_that_leave(level: float) -> None:
    looks = 12
    rows = list(product((0, 1), repeat=looks))

    def leaves(row: tuple[int, ...]) -> bool:
        heads = [sum(row[:n]) for n in range(1, looks + 1)]
        return any(min(h, n - h) < depth(n, level) for n, h in enumerate(heads, start=1))

    assert crossing(level, looks) == pytest.approx(sum(map(leaves, rows)) / len(rows))


def test_looks_that_can_show_nothing_cost_nothing() -> None:
    assert crossing(0.05, 1) == 0, "one toss shows nothing at that level"
    assert crossing(0.05, 6) == 2 / 2**6, "six are the first that can, when all fall alike"


@pytest.mark.parametrize("error", [0.05, 0.01, 0.001])
@pytest.mark.parametrize("looks", [10, 100])
def test_the_looks_together_keep_the_error(error: float, looks: int) -> None:
    level = each_look(error, looks)
    assert error / looks <= level < error
    assert crossing(level, looks) <= error
    assert crossing(level * 1.5, looks) > error or level * 1.5 > error, "and no more of it is given away than must be"


def test_the_middle_of_an_even_number_is_between_the_two() -> None:
    assert median([1.0, 9.0, 3.0, 5.0]) == 4.0
    assert median([1.0, 9.0, 3.0]) == 3.0
