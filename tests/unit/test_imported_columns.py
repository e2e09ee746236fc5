"""Long recordings are summed by columns: the same comes out as row by row."""

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from armprof.counters.imported import columns, parse

EVENTS = ("cycles", "instructions", "task-clock", "L1-dcache-load-misses")
UNITS = {"task-clock": "msec"}


def line(seconds, event, count, running, percent, sep=","):
    return sep.join(
        [f"{seconds:17.9f}", str(count), UNITS.get(event, ""), event, str(running), f"{percent:.2f}", "", ""]
    )


def recording(rows, sep=","):
    return "# started on Wed Nov 25 22:00:00 2026\n\n" + "".join(f"{line(*row, sep=sep)}\n" for row in rows)


def even(intervals, events=EVENTS):
    return [(0.1 * (i + 1), e, 1000 * (i + 1) + j, 10**8, 100) for i in range(intervals) for j, e in enumerate(events)]


def both(text, monkeypatch):
    monkeypatch.setattr(columns, "WORTH", 0)
    taken = columns.read(text, lambda done: None)
    by_columns = parse(text)
    monkeypatch.setattr(columns, "WORTH", 1 << 40)
    return taken, by_columns, parse(text)


def the_same(one, other):
    for event in other.total:
        a, b = one.total[event], other.total[event]
        assert a.stated_coverage == pytest.approx(b.stated_coverage)
        assert dataclasses.replace(a, stated_coverage=None) == dataclasses.replace(b, stated_coverage=None)
    assert list(one.total) == list(other.total)
    assert one.notes == other.notes
    assert one.total.duration_ns == other.total.duration_ns
    assert list(one.readings) == list(other.readings)
    assert one.groups == other.groups


@pytest.mark.parametrize("sep", [",", ";", "|"])
def test_an_even_recording_is_taken_and_comes_out_the_same(sep, monkeypatch):
    taken, by_columns, by_rows = both(recording(even(50), sep), monkeypatch)
    assert taken is not None
    the_same(by_columns, by_rows)
    assert len(by_columns.readings) == 50
    assert by_columns.readings[-1].scope.endswith("interval to 5.000 s")
    assert by_columns.readings[1:3] == tuple(by_rows.readings[1:3])


def test_the_same_event_twice_stays_two_lines(monkeypatch):
    taken, by_columns, by_rows = both(recording(even(20, ("cycles", "instructions", "cycles"))), monkeypatch)
    assert taken is not None
    the_same(by_columns, by_rows)


def test_what_was_cut_off_behind_whole_intervals_counts_too(monkeypatch):
    text = recording(even(20)[:-3])
    taken, by_columns, by_rows = both(text, monkeypatch)
    assert taken is not None
    the_same(by_columns, by_rows)


def test_events_that_never_count_and_those_that_sometimes_do_not(monkeypatch):
    rows = []
    for i in range(30):
        rows.append((0.1 * (i + 1), "cycles", 1000, 10**8, 100))
        rows.append(
            (
                0.1 * (i + 1),
                "instructions",
                500 if i % 3 else "<not counted>",
                10**7 if i % 3 else 0,
                10.0 * (i % 3 > 0),
            )
        )
        rows.append((0.1 * (i + 1), "L1-dcache-load-misses", "<not supported>", 0, 100))
    taken, by_columns, by_rows = both(recording(rows), monkeypatch)
    assert taken is not None
    the_same(by_columns, by_rows)


@pytest.mark.parametrize(
    "change",
    [
        lambda rows: [*rows[:8], *rows[9:]],  # an event is missing in one interval
        lambda rows: [*rows, *rows],  # two recordings
        lambda rows: [(r[0], r[1], r[2], r[3], 150.0 if r is rows[9] else r[4]) for r in rows],
        lambda rows: [(r[0], r[1], "<not supported>" if r is rows[9] else r[2], *r[3:]) for r in rows],
        lambda rows: [(r[0], "branches" if r is rows[9] else r[1], *r[2:]) for r in rows],
    ],
)
def test_what_is_not_regular_is_left_to_the_rows(change, monkeypatch):
    taken, by_columns, by_rows = both(recording(change(even(10))), monkeypatch)
    assert taken is None
    the_same(by_columns, by_rows)


@pytest.mark.parametrize("text", ["", "\n", "no perf output\n", "# started\n# again\n", "0.1,5,,cycles,1,100.00,,\n"])
def test_what_is_no_recording_is_none(text, monkeypatch):
    monkeypatch.setattr(columns, "WORTH", 0)
    assert columns.read(text, lambda done: None) is None


def test_who_waits_is_told_how_far_it_is(monkeypatch):
    monkeypatch.setattr(columns, "WORTH", 0)
    monkeypatch.setattr(columns, "_AT_ONCE", 20)
    told = []
    parse(recording(even(50)), progress=told.append)
    assert told == sorted(told)
    assert len(told) >= 10
    assert told[-1] <= 1


def test_short_recordings_are_not_worth_it():
    assert columns.read(recording(even(10)), lambda done: None) is None


COUNTS = st.one_of(st.integers(0, 10**15), st.just("<not counted>"))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(COUNTS, COUNTS, st.floats(0, 100), st.integers(0, 10**12)), min_size=2, max_size=12))
def test_whatever_the_numbers_are_the_sums_are_those_of_the_rows(intervals):
    rows = []
    for i, (a, b, percent, running) in enumerate(intervals):
        rows += [((i + 1) * 0.5, "cycles", a, running, percent), ((i + 1) * 0.5, "instructions", b, running, 100)]
    with pytest.MonkeyPatch.context() as patch:
        _, by_columns, by_rows = both(recording(rows), patch)
    the_same(by_columns, by_rows)
