"""Following a store that another monitor writes."""

from __future__ import annotations

import signal
import subprocess
import sys
from contextlib import closing

import pytest
from monitored import START, TENTH, GivenScope, GivenTarget, S, sample

from armprof.counters.standing import Interval, row_of
from armprof.errors import ArmprofError
from armprof.monitor import follow
from armprof.monitor.alerts import Alert
from armprof.monitor.figures import value
from armprof.monitor.follow import Follower
from armprof.monitor.latencies import Distribution
from armprof.monitor.moments import Mark
from armprof.monitor.rules import Figure
from armprof.monitor.store import Session, Store

METRICS = ("ipc", "l1d_mpki")
PARSE = Distribution(3e5, {1000: 250, 40_000: 10})


@pytest.fixture
def path(tmp_path):
    return tmp_path / "app.db"


@pytest.fixture
def store(path):
    made = Store(path, Session("h", None, "machine", "2 CPUs", "all", TENTH, "1"), START, print)
    yield made
    made.close(START)


SCOPE = GivenScope(GivenTarget("cpu0"), GivenTarget("cpu1"))


def write(
    store: Store, n: int, cycles: float = 200, level: float = 1.5, samples: int = 10, report: bool = True
) -> None:
    """The samples of a second, and where ``report`` what belongs to all of it."""
    for at in range(samples):
        tick = store.sample(sample(SCOPE, START + n * S + at * TENTH, cycles, 100))
    if report:
        store.levels(tick, {"machine": {"busy": level}}, {})
        store.latencies(tick, "machine", [("parse", PARSE.calls, PARSE.total_ns, PARSE.to_json())])
    store.commit(0, 0)


def test_reports_are_those_that_the_monitor_saw(store, path):
    write(store, 0)
    with closing(Follower(path, METRICS)) as follower:
        first = follower.poll()
        assert first is not None
        assert follower.poll() is None  # nothing new
        write(store, 1, cycles=400, level=0.5)
        second = follower.poll()
    assert second is not None
    report = second.report
    assert report.span_ns == S
    assert [target.name for target in report.scope.targets] == ["cpu0", "cpu1"]
    assert value(report, Figure("metric", "ipc")) == 0.25
    assert value(report, Figure("metric", "ipc"), "cpu1") == 0.25
    assert value(report, Figure("event", "cpu_cycles", "per_s")) == 8000
    assert value(report, Figure("level", "busy")) == 0.5
    assert report.latencies == {"parse": PARSE}
    assert value(first.report, Figure("level", "busy")) == 1.5


def test_samples_whose_report_is_not_there_yet_wait_for_it(store, path):
    write(store, 0)
    with closing(Follower(path, METRICS)) as follower:
        follower.poll()
        write(store, 1, report=False, samples=4)
        assert follower.poll() is None
        write(store, 2, samples=6)
        seen = follower.poll()
    assert seen is not None
    assert seen.report.span_ns == S


def test_what_was_multiplexed_or_not_counted_is_told_as_it_was(store, path):
    one = sample(SCOPE, START, 1, 1)
    one.counts[0] = (SCOPE.targets[0], row_of([Interval(None, 0, TENTH, 0), Interval(20.0, 10, TENTH, TENTH // 2)]))
    tick = store.sample(one)
    store.levels(tick, {"machine": {"busy": 1}}, {})
    store.refused("cpu0", {"l1d_cache": ("unsupported", "not on this core")})
    store.commit(0, 0)
    with closing(Follower(path, METRICS)) as follower:
        seen = follower.poll()
    assert seen is not None
    counts = seen.report.reading("cpu0").counts
    assert counts["cpu_cycles"].value is None
    assert (counts["inst_retired"].value, counts["inst_retired"].coverage) == (20.0, 0.5)
    assert (counts["l1d_cache"].status, counts["l1d_cache"].reason) == ("unsupported", "not on this core")


def test_alerts_and_marks_come_once_and_alerts_end(store, path):
    write(store, 0)
    with closing(Follower(path, METRICS)) as follower:
        follower.poll()
        alert = Alert("busy", "too busy", "machine", START, 1.9, "busy of machine is 1.9")
        store.alert(alert)
        store.marks([Mark(START, "cpu1", "offline", "CPU 1 was taken off-line")])
        write(store, 1)
        began = follower.poll()
        write(store, 2)
        goes_on = follower.poll()
        alert.ended_ns = START + S
        store.alert(alert)
        write(store, 3)
        ended = follower.poll()
    assert began is not None
    assert goes_on is not None
    assert ended is not None
    assert [str(one) for one in began.changed] == ["busy of machine is 1.9"]
    assert [mark.kind for mark in began.report.marks] == ["offline"]
    assert (len(goes_on.standing), goes_on.changed, goes_on.report.marks) == (1, [], [])
    assert (ended.standing, [one.cause for one in ended.changed]) == ([], ["busy"])


def test_a_writer_that_is_silent_or_has_ended_is_known(store, path, monkeypatch):
    write(store, 0)
    with closing(Follower(path, METRICS)) as follower:
        follower.poll()
        follower.poll()
        assert not follower.is_silent
        monkeypatch.setattr(follow, "SILENT_NS", 0)
        follower.poll()
        assert follower.is_silent
        write(store, 1)
        follower.poll()
        assert not follower.is_silent
        assert not follower.has_ended
        store.close(START)
        follower.poll()
        assert follower.has_ended
    with pytest.raises(ArmprofError, match=r"the monitor that wrote .* has ended; `armprof trends"):
        Follower(path, METRICS)
    with pytest.raises(ArmprofError, match="there is no store"):
        Follower(path.with_name("nothing.db"), METRICS)


FOLLOW = [sys.executable, "-P", "-m", "armprof", "monitor", "--follow", "--store", "app.db"]


def test_the_verb_shows_components_against_their_budgets_and_alerts_until_the_monitor_ends(store, path):
    (path.parent / "armprof.toml").write_text("[budgets.parse]\np50_ns = 500\n")
    store.alert(Alert("busy", "too busy", "machine", START, 1.9, "busy of machine is 1.9"))
    write(store, 0)
    following = subprocess.Popen(FOLLOW, cwd=path.parent, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    heading, row = (following.stdout.readline() for _ in range(2))
    assert "parse p50" in heading
    assert "1.02 us 203 %" in row
    store.close(START)
    _, err = following.communicate(timeout=60)
    assert following.returncode == 0
    assert "following 2 CPUs" in err
    assert "ALERT busy of machine is 1.9" in err
    assert err.splitlines()[-1] == "armprof: the monitor that wrote app.db has ended"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it(store, path, number):
    write(store, 0)
    following = subprocess.Popen(FOLLOW, cwd=path.parent, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    following.stdout.readline()
    following.send_signal(number)
    _, err = following.communicate(timeout=60)
    assert following.returncode == 0, err
    assert "Traceback" not in err
