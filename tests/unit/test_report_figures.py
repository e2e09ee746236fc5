"""Numbers in reports: short, with their unit, and never rounded to what they are not."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from armprof.counters.reading import Count, Status, uncounted
from armprof.report import figures

finite = st.floats(allow_nan=False, allow_infinity=False)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0, "0"),
        (0.00764, "0.008"),
        (0.0001, "<0.001"),
        (-0.0001, ">-0.001"),
        (0.35791, "0.358"),
        (0.9996, "1.00"),
        (1.4720, "1.47"),
        (9.996, "10.0"),
        (18.906, "18.9"),
        (99.96, "100"),
        (1234567.8, "1,234,568"),
        (-1.5, "-1.50"),
    ],
)
def test_numbers_have_three_digits(value: float, shown: str) -> None:
    assert figures.number(value) == shown


@pytest.mark.parametrize(
    ("fraction", "shown"),
    [
        (0.9825, "98.25 %"),
        (1.0, "100.00 %"),
        (0.99999, ">99.99 %"),
        (0.00001, "<0.01 %"),
        (0.0, "0.00 %"),
        (1.156, "115.60 %"),
    ],
)
def test_what_is_not_all_is_not_100_percent(fraction: float, shown: str) -> None:
    assert figures.percent(fraction) == shown


@pytest.mark.parametrize(
    ("ns", "shown"),
    [
        (0, "0 ns"),
        (12.345, "12.3 ns"),
        (999.4, "999 ns"),
        (999.6, "1.00 us"),
        (45_678, "45.7 us"),
        (200_651_234, "201 ms"),
        (20.003589421e9, "20.0 s"),
        (3.6e12, "3,600 s"),
    ],
)
def test_times_have_the_unit_that_suits_them(ns: float, shown: str) -> None:
    assert figures.duration(ns) == shown


@pytest.mark.parametrize(
    ("per_s", "shown"), [(0.5, "0.500/s"), (71.5e6, "71.5 M/s"), (1234, "1.23 k/s"), (2e12, "2,000 G/s")]
)
def test_rates(per_s: float, shown: str) -> None:
    assert figures.rate(per_s) == shown


def test_counts_are_whole_and_those_of_one_operation_are_not() -> None:
    count = Count("cpu_cycles", 1234567.0, 1234567, None, None, Status.COUNTED)
    assert figures.count(count) == "1,234,567"
    assert figures.count(count, 100_000) == "12.3"
    assert figures.count(Count("x", 7.0, 7, None, None, Status.COUNTED)) == "7"
    assert figures.count(Count("x", 0.25, 0.25, None, None, Status.COUNTED)) == "0.250"
    assert figures.count(Count("task_clock", 1.5e6, 1.5e6, None, None, Status.COUNTED, unit="ns")) == "1.50 ms"
    assert figures.count(Count("power", 12.0, 12, None, None, Status.COUNTED, unit="Joules")) == "12 Joules"


def test_what_was_not_counted_is_a_dash() -> None:
    assert figures.count(uncounted("cpu_cycles", Status.NOT_COUNTED, "never ran")) == "-"
    assert figures.coverage(None) == "-"


@given(finite)
def test_no_number_but_0_reads_as_0(value: float) -> None:
    for shown in (figures.number(value), figures.duration(value), figures.rate(value)):
        zero = re.fullmatch(r"-?0(\.0+)?\D*", shown)
        assert bool(zero) == (value == 0)


@given(st.floats(0, 1))
def test_no_part_reads_as_nothing_or_all(fraction: float) -> None:
    for digits in (1, 2):
        shown = figures.percent(fraction, digits)
        assert (float(shown.removesuffix(" %").lstrip("<>")) == 0) == (fraction == 0)
        assert shown.startswith("100") == (fraction == 1)
