"""Retention: old intervals are joined, very old ones go, and no count is lost or made up on the way."""

from __future__ import annotations

from contextlib import closing

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from monitored import START, TENTH, GivenScope, GivenTarget, S, sample

from armprof.counters.standing import Interval, interval, joined, row_of
from armprof.monitor.aging import Aging, Keep
from armprof.monitor.latencies import Distribution, from_json
from armprof.monitor.moments import Mark
from armprof.monitor.store import Session, Store, connect

MINUTE = 60 * S
DAY = 24 * 60 * MINUTE
BEGIN = START - START % MINUTE
KEEP = Keep(full_ns=MINUTE, seconds_ns=5 * MINUTE, minutes_ns=DAY)
SESSION = Session("host", None, "machine", "", "all", TENTH, "1")


def aged(store: Store, now_ns: int, keep: Keep = KEEP) -> None:
    store.commit(0, 0)
    aging = Aging(store, keep)
    while aging.work(now_ns):
        pass


def rows(store: Store, question: str) -> list[tuple[object, ...]]:
    return store.execute(question).fetchall()


@pytest.fixture
def store(tmp_path):
    opened = Store(tmp_path / "store.db", SESSION, BEGIN, print)
    yield opened
    opened.close(BEGIN)


def fill(store: Store, seconds: int, begin: int = BEGIN, value: float = 10) -> None:
    scope = GivenScope(GivenTarget("cpu0"))
    for n in range(10 * seconds):
        store.sample(sample(scope, begin + n * TENTH, value, value / 2))


def test_intervals_become_seconds_and_then_minutes_and_their_counts_add_up(store):
    fill(store, 120)
    aged(store, BEGIN + 3 * MINUTE)
    assert rows(store, "SELECT step_ns, span_ns, count(*) FROM ticks GROUP BY 1, 2") == [(S, S, 120)]
    aged(store, BEGIN + 10 * MINUTE)
    assert rows(store, "SELECT step_ns, span_ns, count(*) FROM ticks GROUP BY 1, 2") == [(MINUTE, MINUTE, 2)]
    assert (
        rows(store, "SELECT event, value, raw, enabled_ns, per_second FROM samples WHERE event = 'cpu_cycles'")
        == [("cpu_cycles", 6000.0, 6000, MINUTE, 100.0)] * 2
    )


def test_what_is_young_stays_as_it_was_sampled(store):
    fill(store, 120)
    aged(store, BEGIN + 2 * MINUTE)
    assert rows(store, "SELECT step_ns, count(*) FROM ticks GROUP BY 1") == [(TENTH, 600), (S, 60)]


def test_a_gap_is_never_joined_over(store):
    scope = GivenScope(GivenTarget("cpu0"), GivenTarget("cpu1"))
    for n in range(20):
        marks = [Mark(BEGIN + n * TENTH, "cpu1", "offline", "")] if n == 4 else []
        if marks:
            scope.targets[1].close()
        store.sample(sample(scope, BEGIN + n * TENTH, 10, 5, marks=marks))
    aged(store, BEGIN + 2 * MINUTE)
    joined_ticks = "SELECT span_ns, sum(event = 'cpu_cycles'), min(per_second) FROM samples GROUP BY at_ns"
    assert rows(store, joined_ticks) == [(4 * TENTH, 2, 50.0), (6 * TENTH, 1, 50.0), (S, 1, 50.0)]


def test_sessions_are_not_joined_with_each_other(tmp_path):
    path = tmp_path / "two.db"
    for n in range(2):
        store = Store(path, SESSION, BEGIN, print)
        fill(store, 1, BEGIN + n * 3 * TENTH)
        store.close(BEGIN)
    store = Store(path, SESSION, BEGIN, print)
    aged(store, BEGIN + 2 * MINUTE)
    assert rows(store, "SELECT session, count(*), sum(span_ns) FROM ticks GROUP BY 1") == [(1, 1, S), (2, 2, S)]
    store.close(BEGIN)


def test_levels_become_their_mean_and_latencies_one_distribution(store):
    scope = GivenScope(GivenTarget("cpu0"))
    for n, value in enumerate((100.0, 200.0, 600.0)):
        tick = store.sample(sample(scope, BEGIN + n * TENTH, 1, 1))
        store.levels(tick, {"machine": {"memory_bytes": value}}, {})
        found = Distribution(value, {100: n + 1, 64: 1})
        store.latencies(tick, "machine", [("parse", found.calls, found.total_ns, found.to_json())])
    aged(store, BEGIN + 2 * MINUTE)
    assert rows(store, "SELECT value FROM states") == [(300.0,)]
    ((calls, total, buckets),) = rows(store, "SELECT calls, total_ns, buckets FROM latencies")
    assert (calls, total) == (9, 900.0)
    assert from_json(900.0, str(buckets)).buckets == {64: 3, 100: 6}


def test_what_is_very_old_goes_with_all_its_rows(store):
    fill(store, 30)
    store.marks([Mark(BEGIN, "", "late", "")])
    aged(store, BEGIN + 2 * DAY)
    for table in ("ticks", "counts", "marks"):
        assert rows(store, f"SELECT count(*) FROM {table}") == [(0,)]


def test_a_large_store_is_aged_in_pieces(store):
    fill(store, 100)
    store.commit(0, 0)
    aging = Aging(store, KEEP)
    assert aging.work(BEGIN + 3 * MINUTE)
    assert rows(store, "SELECT count(*) FROM ticks WHERE step_ns = 1000000000") == [(20,)]


intervals = st.lists(
    st.tuples(st.integers(0, 10**6), st.integers(1, 10**8), st.integers(0, 10**8)).map(
        lambda row: interval(row[0] if row[2] else 0, row[1], min(row[1], row[2]))
    ),
    min_size=1,
    max_size=9,
)


@settings(max_examples=40)
@given(found=intervals)
def test_joining_in_the_store_is_the_same_as_joining_in_memory(found: list[Interval], tmp_path_factory):
    path = tmp_path_factory.mktemp("store") / "store.db"
    store = Store(path, SESSION, BEGIN, print)
    target = GivenTarget("cpu0", ["l1d_cache"])
    for n, one in enumerate(found):
        made = sample(GivenScope(target), BEGIN + n * TENTH, 0)
        made.counts[0] = (target, row_of([one]))
        store.sample(made)
    aged(store, BEGIN + 2 * MINUTE)
    store.close(BEGIN)
    expected = joined(found)
    with closing(connect(path)) as db:
        ((value, raw, enabled, running),) = db.execute(
            "SELECT value, raw, enabled_ns, running_ns FROM counts"
        ).fetchall()
    assert (raw, enabled, running) == (expected.raw, expected.enabled_ns, expected.running_ns)
    assert value == (None if expected.value is None else pytest.approx(expected.value))
