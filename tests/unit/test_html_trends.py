"""The page of trends: the verdict first, every figure over time, what is predicted, or the reason why nothing is."""

from __future__ import annotations

from dataclasses import replace

import markup
import numpy as np
import planted
import pytest
from hypothesis import given, settings
from markup import headings, table, verdict
from planted import BEGIN, QUARTER, past

from armprof.monitor.rules import Figure
from armprof.monitor.trends import DAY, HOUR, Crossing, PerformanceTrends, Trend, crossing, trend
from armprof.report.html import page, series, trends

pytest.importorskip("statsmodels")

MEMORY, SLOW = Figure("level", "memory_bytes"), Figure("latency", "parse", "p99_ns")


def of(make, figure: Figure = MEMORY) -> Trend:
    values, step = make(np.random.default_rng(1))
    return trend(replace(past(values, step), figure=figure), step)


def shown(*found: Trend, crossings: tuple[Crossing, ...] = ()) -> markup.Element:
    made = PerformanceTrends("machine", BEGIN, BEGIN + DAY, QUARTER, found, crossings)
    return markup.plain("".join(page.render(trends.page(made))))


@pytest.fixture(scope="module")
def leak() -> Trend:
    return of(planted.leak)


@pytest.fixture(scope="module")
def stepped() -> Trend:
    return of(planted.step, SLOW)


def tips(read: markup.Element, look: str) -> list[str]:
    """What is told of the marks of that kind where one points at them."""
    return [one.all("title")[0].text for one in read.of_class(look) if one.tag == "g" and one.all("title")]


def test_a_crossing_that_is_predicted_is_the_verdict_with_its_interval_below(leak: Trend) -> None:
    read = shown(leak, crossings=(crossing(leak, "out of memory", 120.0, True),))
    assert headings(read)[0].startswith("Predicted for 2023-11-")
    assert headings(read)[0].endswith(": memory_bytes above 120 B (out of memory)")
    assert "bad" in (verdict(read).attributes["class"] or "")
    assert "memory_bytes above 120 B (out of memory): 2023-11-" in verdict(read).text
    assert "(95 %)" in verdict(read).text
    assert headings(read)[1] == "Predicted issues"
    (drawn,) = read.of_class("crossing")[:1]
    assert "between 2023-11-" in drawn.text


def test_no_prediction_has_its_reason(stepped: Trend) -> None:
    read = shown(stepped, crossings=(crossing(stepped, "slow", 300.0, True),))
    assert "no prediction" in read.with_id("predicted").text
    assert not tips(read, "crossing")


def test_a_threshold_that_is_crossed_already_is_the_verdict(stepped: Trend) -> None:
    read = shown(stepped, crossings=(crossing(stepped, "slow", 50.0, True),))
    assert headings(read)[0] == "Now: parse.p99_ns above 50.0 ns (slow): it is beyond the threshold now"
    assert "bad" in (verdict(read).attributes["class"] or "")


def test_without_a_threshold_what_moved_is_the_verdict(leak: Trend, stepped: Trend) -> None:
    read = shown(leak, stepped, of(planted.noise, Figure("metric", "ipc")))
    assert headings(read)[0] == "2 of 3 figures moved: memory_bytes rising, parse.p99_ns changed"
    assert "warn" in (verdict(read).attributes["class"] or "")
    assert "1 rising, 1 changed, 1 steady" in verdict(read).text
    assert "no threshold is configured" in read.with_id("predicted").text


def test_where_nothing_moved_it_says_so() -> None:
    read = shown(of(planted.noise))
    assert headings(read)[0] == "Nothing moved: 1 figure is steady"
    assert "good" in (verdict(read).attributes["class"] or "")


def test_too_few_values_are_told_of_and_not_drawn() -> None:
    read = shown(trend(past(np.arange(5.0), QUARTER), QUARTER))
    assert headings(read) == ["Too few values for a trend", "Predicted issues", "Not judged"]
    assert not read.of_class("plot")


def test_each_value_and_each_change_tells_its_time_and_number(stepped: Trend) -> None:
    read = shown(stepped)
    values = tips(read, "value")
    assert len(values) == planted.N
    assert values[0].startswith("2023-11-14 00:07: ")
    assert values[0].endswith(" ns")
    assert [tip for tip in tips(read, "moved") if tip.startswith("changed by +")]
    (drawn,) = [one for one in read.all("svg") if one.attributes.get("role") == "img"]
    assert drawn.attributes["aria-label"] == f"{drawn.all('title')[0].text}: {drawn.all('desc')[0].text}"
    assert "changed by +" in (drawn.attributes["aria-label"] or "")


def test_figures_are_in_a_table_and_the_steady_ones_unfold(stepped: Trend) -> None:
    read = shown(stepped, of(planted.noise, Figure("latency", "read", "p99_ns")))
    rows = table(read, "Latency: every figure")
    assert [row[0] for row in rows[1:]] == ["parse.p99_ns", "read.p99_ns"]
    assert rows[1][2] == "changed"
    assert read.all("summary")[0].text == "1 steady figure"
    assert [one.text for one in read.all("details")[0].all("h3")] == ["read.p99_ns steady"]


def test_lines_end_where_values_are_missing() -> None:
    found = of(planted.noise)
    gap = replace(found.past, at_ns=tuple(at + (at > found.past.at_ns[40]) * HOUR for at in found.past.at_ns))
    drawn = series.series(replace(found, past=gap), QUARTER).plot.marks
    assert sum(getattr(mark, "look", "") == "curve" for mark in drawn) == planted.N - 2


@settings(max_examples=20, deadline=None)
@given(name=markup.names)
def test_no_name_becomes_markup(name: str, leak: Trend) -> None:
    one = replace(leak, past=replace(leak.past, figure=Figure("latency", name, "p99_ns"), target=name), reason=name)
    told = (replace(crossing(one, name, 120.0, True), target=name), crossing(one, name, 0.0, True))
    made = PerformanceTrends(name, BEGIN, BEGIN + DAY, QUARTER, (one, replace(one, verdict="unknown")), told)
    markup.plain("".join(page.render(trends.page(made))))
