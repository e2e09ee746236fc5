"""Where marks stand, for any numbers at all, and what is said of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import pytest
import report_runs as runs
from hypothesis import example, given, settings
from hypothesis import strategies as st

from armprof.metrics import compute
from armprof.metrics.roofline import Roofline, roofline
from armprof.report.html import plots
from armprof.report.html.blocks import CaptionedPlot, Dot, Label, Mark, Plot, Rect, Stroke
from armprof.report.html.scale import MOST_TICKS, Scale, linear, logarithmic, thinned
from armprof.run.record import Latency, Round

amounts = st.floats(1e-9, 1e18)
shares = st.floats(0, 1)


def drawn(plot: Plot) -> Sequence[Mark]:
    """The marks, each of which is within the plot."""
    for mark in plot.marks:
        match mark:
            case Rect(x, y, width, height):
                ends = [x, x + width]
                assert min(y, height, width) >= 0
            case Stroke(x1, _, x2):
                ends = [x1, x2]
            case Dot(x) | Label(x):
                ends = [x]
        assert all(math.isfinite(end) and -0.01 <= end <= 100.01 for end in ends), mark
    assert plot.title
    return plot.marks


def latency(*ns: float, samples: int = 1000, batch: int = 1) -> Latency:
    p50, p95, p99, p999, largest = sorted(ns)
    return Latency(p50, p50, p95, p99, p999, largest, samples, batch, 0.0)


# ---- scales ----------------------------------------------------------------------------------------------------------


@given(st.lists(amounts, min_size=1, max_size=9), st.sampled_from([linear, logarithmic]))
@example([5e-324 * 2**60], logarithmic)
def test_values_keep_their_order_and_stand_within(values: list[float], make: object) -> None:
    scale = make(values)  # type: ignore[operator]
    places = [scale.at(value) for value in sorted(values)]
    assert places == sorted(places)
    assert places[0] >= 0
    assert places[-1] <= 100
    ticks = scale.ticks()
    assert len(ticks) <= 2 * MOST_TICKS
    assert all(scale.low * 0.999 <= tick <= scale.high * 1.001 for tick in ticks)


def test_what_is_outside_stands_at_the_end() -> None:
    assert Scale(0, 10, margin=0).at(-5) == 0
    assert Scale(0, 10, margin=0).at(50) == 100
    assert Scale(1, 100, log=True, margin=0).at(0) == 0
    assert Scale(1, 100, log=True, margin=0).at(10) == 50
    assert Scale(7, 7).at(7) == 50


def test_no_value_above_0_makes_no_logarithmic_scale() -> None:
    assert logarithmic([0.0, -1.0, math.inf, math.nan]) is None


def test_ticks_are_round_and_not_too_close() -> None:
    scale = Scale(0, 47, margin=0)
    assert scale.ticks() == [0, 10, 20, 30, 40]
    assert thinned(scale.ticks(), scale.at, 30) == [0, 20, 40]
    assert Scale(3, 2000, log=True).ticks() == [10, 30, 100, 300, 1000] or len(Scale(3, 2000, log=True).ticks()) <= 6


# ---- times -----------------------------------------------------------------------------------------------------------


@given(st.lists(amounts, min_size=5, max_size=5), st.integers(1, 10**9), st.sampled_from([1, 256]))
def test_any_distribution_can_be_drawn(ns: list[float], samples: int, batch: int) -> None:
    found = latency(*ns, samples=samples, batch=batch)
    scale = plots.times([found])
    assert scale is not None
    assert "p99 " in plots.spread("x", found, scale).says
    drawn(plots.spread("x", found, scale))
    tail = plots.tail("x", found)
    assert tail is not None
    drawn(tail.plot)


def test_a_tail_falls_from_half_to_the_slowest_of_all() -> None:
    figure = plots.tail("ring", latency(10, 20, 30, 40, 500, samples=50_000))
    assert figure is not None
    dots = [mark for mark in drawn(figure.plot) if isinstance(mark, Dot)]
    assert [dot.x for dot in dots] == sorted(dot.x for dot in dots)
    assert [dot.y for dot in dots] == sorted(dot.y for dot in dots)
    assert dots[-1].tip == "max: 500 ns; 1 in 50,000 take longer"
    assert "Of 50,000 samples: 50 % take longer than 10.0 ns; 5 % take longer than 20.0 ns" in figure.plot.says


def test_a_maximum_of_few_samples_is_no_point_beyond_their_percentiles() -> None:
    figure = plots.tail("ring", latency(10, 20, 30, 40, 500, samples=50))
    assert figure is not None
    assert "500 ns" not in figure.plot.says


def test_times_that_were_not_kept_are_no_tail() -> None:
    assert plots.tail("x", replace(latency(1, 2, 3, 4, 5), p50_ns=None, p95_ns=None, p99_ns=None, p999_ns=None)) is None


@given(st.lists(st.builds(Round, amounts, amounts, amounts), max_size=300))
def test_any_rounds_can_be_drawn(taken: list[Round]) -> None:
    figure = plots.rounds("x", taken)
    if len(taken) < 3:
        assert figure is None
        return
    assert figure is not None
    assert len([m for m in drawn(figure.plot) if isinstance(m, Dot)]) == 2 * min(len(taken), plots.MOST_ROUNDS)
    assert bool(figure.notes) == (len(taken) > plots.MOST_ROUNDS)


# ---- shares, gains, changes ------------------------------------------------------------------------------------------


@given(st.floats(-1, 100))
def test_a_bar_is_as_long_as_its_share(share: float) -> None:
    _, fill = drawn(plots.bar("x", share))
    assert isinstance(fill, Rect)
    assert fill.width == pytest.approx(100 * min(1, max(0, share)), abs=0.01)


@given(st.lists(shares, min_size=1, max_size=5))
def test_shares_stand_beside_each_other(parts: list[float]) -> None:
    rects = [m for m in drawn(plots.stacked("x", [("part1", "y", p) for p in parts])) if isinstance(m, Rect)][1:]
    for one, after in pairwise(rects):
        assert after.x == pytest.approx(min(100, one.x + one.width), abs=0.02)


@given(st.floats(0, 500), st.floats(0, 500), st.none() | st.floats(0, 500))
def test_a_gain_tells_its_ends_and_its_ceiling(low: float, more: float, ceiling: float | None) -> None:
    figure = plots.gain(low, low + more, ceiling, "less time")
    drawn(figure.plot)
    assert ("not known" in figure.caption) == (ceiling is None)


@given(st.floats(-0.99, 50), st.none() | st.tuples(st.floats(-0.99, 50), st.floats(-0.99, 50)))
def test_a_change_stands_on_its_side_of_no_change(value: float, ends: tuple[float, float] | None) -> None:
    interval = None if ends is None else (min(ends), max(ends))
    scale = plots.changes([(value, interval)], 0.1)
    marks = drawn(plots.change("x", value, interval, scale, "bad"))
    zero, dot = marks[0], marks[-1]
    assert isinstance(zero, Stroke)
    assert isinstance(dot, Dot)
    assert zero.x1 == 50
    assert (dot.x - 50) * value >= 0


# ---- memory ----------------------------------------------------------------------------------------------------------


def placed(**counts: float) -> Roofline | str:
    return roofline(compute(runs.reading(**counts)))


COUNTS = {"cpu_cycles": 1e6, "inst_retired": 2e6, "ll_cache_rd": 1e4}


def test_much_work_for_a_byte_stands_below_the_roof_of_the_core() -> None:
    found = placed(**COUNTS, ll_cache_miss_rd=10)
    assert isinstance(found, Roofline)
    assert found.instructions_per_byte == 2e6 / 640
    assert (found.instructions_per_cycle, found.roof, found.is_memory_bound) == (2, 4, False)


def test_little_work_for_a_byte_stands_below_the_roof_of_memory() -> None:
    found = placed(**COUNTS | {"inst_retired": 1e6}, ll_cache_miss_rd=1e5)
    assert isinstance(found, Roofline)
    assert found.is_memory_bound
    assert found.roof == pytest.approx(8.36 * 1e6 / 6.4e6)
    assert found.ridge == pytest.approx(4 / 8.36)


def test_the_nearest_to_memory_that_was_counted_is_taken_and_said() -> None:
    found = placed(**COUNTS, l2d_cache_refill=100)
    assert isinstance(found, Roofline)
    assert "l2d_cache_refill" in found.notes[0]
    assert "upper bound" in found.notes[0]


@pytest.mark.parametrize(
    ("counts", "why"),
    [
        ({"inst_retired": 1.0}, "instructions per cycle are not known"),
        (COUNTS, "what came from memory was not counted"),
        ({**COUNTS, "ll_cache_miss_rd": 0}, "nothing came from memory: ll_cache_miss_rd is 0"),
    ],
)
def test_without_what_it_needs_there_is_a_reason_and_no_point(counts: dict[str, float], why: str) -> None:
    found = placed(**counts)
    assert isinstance(found, str)
    assert why in found


def test_without_a_core_there_is_no_roof() -> None:
    found = roofline(compute(runs.reading(core=None, **COUNTS, ll_cache_miss_rd=10)))
    assert found == "how wide the core is is not known"


@settings(max_examples=50)
@given(st.lists(st.tuples(amounts, st.floats(1e-6, 8)), min_size=1, max_size=9))
def test_any_points_can_be_drawn_below_their_roofs(points: list[tuple[float, float]]) -> None:
    example = placed(**COUNTS, ll_cache_miss_rd=10)
    assert isinstance(example, Roofline)
    lines = [
        (str(n), replace(example, instructions_per_byte=b, instructions_per_cycle=c)) for n, (b, c) in enumerate(points)
    ]
    figure: CaptionedPlot = plots.roofline(lines)
    assert len([mark for mark in drawn(figure.plot) if isinstance(mark, Dot)]) == len(points)
