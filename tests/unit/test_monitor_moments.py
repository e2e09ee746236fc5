"""When samples are due, and what the clocks tell of the time between them."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from armprof.monitor.moments import Clocks, Moments

MS = 1_000_000
START = Clocks(wall=1_700_000_000_000 * MS, monotonic=5_000 * MS, boot=9_000 * MS)


def later(at: Clocks, ms: float) -> Clocks:
    return Clocks(*(round(clock + ms * MS) for clock in (at.wall, at.monotonic, at.boot)))


def test_a_sample_that_is_taken_in_time_has_nothing_to_tell():
    moments = Moments(100 * MS, START)
    moment = moments.take(later(START, 100.2))
    assert moment.span_ns == 100.2 * MS
    assert moment.late_ns == 0.2 * MS
    assert moment.at_ns == later(START, 100.2).wall
    assert moment.marks == []


def test_delays_do_not_add_up():
    moments = Moments(100 * MS, START)
    for n in range(1, 6):
        moments.take(later(START, 100 * n + 30))
    assert moments.due_ns == START.monotonic + 600 * MS


def test_a_sample_that_is_late_by_intervals_covers_them_and_says_so():
    moments = Moments(100 * MS, START)
    moment = moments.take(later(START, 450))
    assert moment.span_ns == 450 * MS
    (mark,) = moment.marks
    assert (mark.kind, mark.text) == ("late", "woken 350 ms late: this sample covers 4 intervals")
    assert moments.due_ns == START.monotonic + 500 * MS


def test_time_in_which_the_machine_was_suspended_is_not_in_the_interval():
    moments = Moments(100 * MS, START)
    at = later(START, 100)
    hour = 3_600_000 * MS
    moment = moments.take(replace(at, wall=at.wall + hour, boot=at.boot + hour))
    assert moment.span_ns == 100 * MS
    assert [mark.text for mark in moment.marks] == ["the machine was suspended for 3,600.0 s"]


def test_a_clock_that_was_set_back_is_told_and_changes_no_interval():
    moments = Moments(100 * MS, START)
    at = later(START, 100)
    moment = moments.take(replace(at, wall=at.wall - 7_200_000 * MS))
    assert moment.span_ns == 100 * MS
    (mark,) = moment.marks
    assert mark.kind == "clock"
    assert mark.text.startswith("the wall clock was set back by 7,200.0 s")


def test_a_clock_that_is_slewed_is_no_news():
    moments = Moments(100 * MS, START)
    at = later(START, 100)
    assert moments.take(replace(at, wall=at.wall + 50_000)).marks == []


@given(st.lists(st.integers(1, 10_000), min_size=1, max_size=50))
def test_spans_add_up_to_the_time_that_passed_and_the_next_sample_is_always_ahead(waits):
    moments, at, spans = Moments(100 * MS, START), START, 0
    for wait in waits:
        at = later(at, wait)
        if at.monotonic < moments.due_ns:
            continue
        spans += moments.take(at).span_ns
        assert at.monotonic < moments.due_ns <= at.monotonic + 100 * MS
        assert (moments.due_ns - START.monotonic) % (100 * MS) == 0
        assert spans == at.monotonic - START.monotonic
