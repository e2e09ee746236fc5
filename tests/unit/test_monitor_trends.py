"""Trends: the right verdict on histories with a known truth, and predictions that say how sure they are."""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import replace

import numpy as np
import planted
import pytest
from contract import described
from monitored import TENTH, GivenScope, GivenTarget, S, counted
from planted import BEGIN, QUARTER, STEP_AT, past

from armprof import cli
from armprof.counters.standing import row_of
from armprof.errors import ArmprofError, CannotCount
from armprof.monitor import performance_trends
from armprof.monitor.analysis import analyze
from armprof.monitor.history import History, Stretch
from armprof.monitor.latencies import Distribution
from armprof.monitor.rules import Figure, Rule
from armprof.monitor.sampler import Sample
from armprof.monitor.store import Session, Store, connect
from armprof.monitor.trends import DAY, HOUR, STEPS, crossing, kind_of, step_for, trend

pytest.importorskip("statsmodels")


def of(make, seed: int = 1):
    values, step = make(np.random.default_rng(seed))
    return trend(past(values, step), step)


@pytest.mark.parametrize("make", planted.EXPECTED)
def test_the_verdict_on_a_planted_history_is_the_truth(make):
    found = of(make)
    assert found.verdict in planted.EXPECTED[make]
    assert (found.daily is not None) == (make is planted.daily)
    assert bool(found.changes) == (make is planted.step)


def test_a_change_is_told_with_its_time_and_size():
    (change,) = of(planted.step).changes
    assert abs(change.at_ns - (BEGIN + STEP_AT * QUARTER)) <= 2 * QUARTER
    assert change.change == pytest.approx(0.1, abs=0.03)


def test_a_slope_comes_with_an_interval_around_the_truth():
    found = of(planted.leak)
    low, high = found.slope_interval
    assert low < planted.LEAK * DAY / QUARTER < high
    assert low < found.slope < high


def test_a_daily_pattern_is_taken_out_before_a_leak_is_sought():
    values, step = planted.daily(np.random.default_rng(3))
    found = trend(past(values + 0.2 * np.arange(len(values)), step), step)
    assert found.verdict == "rising"
    assert found.daily == pytest.approx(20, rel=0.25)


def test_a_crossing_is_predicted_within_an_interval():
    found = trend(past(100 + np.random.default_rng(1).standard_normal(96) + 0.2 * np.arange(96), QUARTER), QUARTER)
    told = crossing(found, "leak", 130.0, above=True)
    assert told.earliest_ns < BEGIN + 150 * QUARTER < told.latest_ns
    assert told.earliest_ns < told.at_ns < told.latest_ns
    assert crossing(found, "x", 90.0, above=True).reason == "it is beyond the threshold now"
    assert crossing(found, "x", 90.0, above=False).reason == "it moves away from the threshold"
    assert "10 times the observed time" in str(crossing(found, "x", 1e6, above=True).reason)


@pytest.mark.parametrize("make", [planted.noise, planted.drift])
def test_nothing_is_predicted_where_nothing_changes(make):
    for threshold, above in ((110.0, True), (90.0, False)):
        told = crossing(of(make), "x", threshold, above)
        assert told.at_ns is None
        assert told.reason


def test_too_few_values_are_no_trend():
    found = trend(past(np.arange(5.0), QUARTER), QUARTER)
    assert (found.verdict, found.slope) == ("unknown", None)
    assert found.reason == "5 values of 900 s, and 16 are the least"
    assert crossing(found, "x", 100.0, True).reason == found.reason


def test_a_figure_that_never_varies_is_steady():
    found = trend(past(np.full(50, 7.0), QUARTER), QUARTER)
    assert (found.verdict, found.slope) == ("steady", 0.0)


def test_figures_that_are_0_or_below_are_no_trouble():
    values = np.random.default_rng(0).standard_normal(60) * 0.1
    values[30:] += 5
    (change,) = trend(past(values, QUARTER), QUARTER).changes
    assert change.at_ns == past(values, QUARTER).at_ns[30]


def test_bins_grow_with_the_time_that_is_looked_at():
    assert step_for(60 * S) == S
    assert step_for(24 * HOUR) == QUARTER
    assert step_for(7 * DAY) == 2 * HOUR
    assert step_for(3650 * DAY) == STEPS[-1]


def test_without_statsmodels_it_says_what_to_install(monkeypatch):
    import builtins

    real = builtins.__import__

    def without(name, *rest, **more):
        if name.startswith("statsmodels"):
            raise ImportError("No module named 'statsmodels'")
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(CannotCount, match=r"pip install 'armprof\[trends\]'"):
        of(planted.noise)


@pytest.mark.parametrize(
    ("figure", "kind"),
    [
        (Figure("latency", "parse", "p99_ns"), "latency"),
        (Figure("latency", "parse", "calls_per_s"), "throughput"),
        (Figure("metric", "ipc"), "throughput"),
        (Figure("level", "memory_bytes"), "memory"),
        (Figure("metric", "l1_cache_hit_rate"), "cache"),
        (Figure("event", "page_faults", "per_s"), "other"),
    ],
)
def test_every_figure_is_of_a_kind(figure, kind):
    assert kind_of(figure) == kind


# ---- from a store ----

EVENTS = ("cpu_cycles", "inst_retired", "context_switches")


@pytest.fixture
def store(tmp_path):
    """A hundred minutes in which memory leaks, a component becomes slower at once, and the rest only varies."""
    path = tmp_path / "store.db"
    random = np.random.default_rng(5)
    opened = Store(path, Session("box", "neoverse-n1", "machine", "", "all", 60 * S, "1"), BEGIN, print)
    scope = GivenScope(GivenTarget("cpu0", EVENTS), GivenTarget("cpu1", EVENTS))
    for n in range(100):
        varied = 1 + 0.01 * random.standard_normal(8)
        counts = [
            (
                target,
                row_of(counted(v * 6e10, 60 * S) for v in (varied[at], 0.5 * varied[at + 2], 1e-6 * varied[at + 4])),
            )
            for at, target in enumerate(scope.targets)
        ]
        tick = opened.sample(Sample(BEGIN + n * 60 * S, 60 * S, 0, counts))
        opened.levels(tick, {"machine": {"memory_bytes": 1e9 * (1 + 0.001 * n + 0.001 * varied[6])}}, {})
        slow = 2 if n >= 50 else 1
        found = Distribution(slow * 1e6 * varied[7], {int(slow * 1000 * varied[7] // 16 * 16): 1000})
        opened.latencies(tick, "machine", [("parse", found.calls, found.total_ns, found.to_json())])
    opened.refused("cpu0", {"l1d_cache": ("unsupported", "not on this core")})
    opened.close(BEGIN)
    return path


LEAK = Rule("out of memory", Figure("level", "memory_bytes"), "", True, 1.3e9, 1.2e9, 0)


def test_a_store_gives_trends_of_every_kind(store):
    with closing(connect(store)) as db:
        found = analyze(History(db), DAY, [LEAK])
    verdicts = {str(one.figure): one.verdict for one in found.trends}
    assert verdicts["memory_bytes"] == "rising"
    assert verdicts["parse.p99_ns"] == "changed"
    assert verdicts["ipc"] == "steady"
    assert [str(one.figure) for one in found.memory_usage_trend] == ["memory_bytes"]
    assert "parse.p99_ns" in {str(one.figure) for one in found.latency_trend}
    assert {"ipc", "parse.calls_per_s"} <= {str(one.figure) for one in found.throughput_trend}
    assert found.cache_efficiency_trend == ()  # nothing of it was counted
    (issue,) = found.predicted_issues
    assert issue.at_ns == pytest.approx(BEGIN + 299 * 60 * S, abs=60 * S)


def test_figures_are_formed_from_counts_over_each_bin(store):
    with closing(connect(store)) as db:
        history = History(db)
        where = Stretch("machine", BEGIN, BEGIN + DAY)
        rate = history.past(Figure("event", "inst_retired", "per_s"), where, 600 * S)
        ipc = history.past(Figure("metric", "ipc"), where, 600 * S)
        one = history.past(Figure("event", "inst_retired", "per_s"), replace(where, target="cpu0"), 600 * S)
    assert len(rate) == len(ipc) == 10
    assert rate.values == pytest.approx([1e9] * 10, rel=0.02)
    assert one.values == pytest.approx([0.5e9] * 10, rel=0.02)
    assert ipc.values == pytest.approx([0.5] * 10, rel=0.02)


def test_a_baseline_is_the_median_of_the_minutes_before(store):
    with closing(connect(store)) as db:
        history = History(db)
        end = BEGIN + 100 * 60 * S
        assert history.baseline(Figure("metric", "ipc"), "", end, DAY) == pytest.approx(0.5, rel=0.01)
        assert history.baseline(Figure("metric", "ipc"), "", BEGIN + 3 * 60 * S, DAY) is None


def test_python_gets_them_in_one_call(store, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "armprof.toml").write_text('[alerts.leak]\nfigure = "memory_bytes"\nabove = 1_300_000_000\n')
    found = performance_trends(store)
    assert [issue.rule for issue in found.predicted_issues] == ["leak"]
    with pytest.raises(ArmprofError, match="since: expected a duration"):
        performance_trends(store, "yesterday")


def run(capsys, *words: str) -> tuple[int, str, str]:
    status = cli.main(["trends", *words])
    told = capsys.readouterr()
    return status, told.out, told.err


def test_the_report_holds_in_80_columns(store, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "armprof.toml").write_text('[alerts.leak]\nfigure = "memory_bytes"\nabove = 1_300_000_000\n')
    status, out, _ = run(capsys, "--store", str(store))
    assert status == 0
    assert "Memory use\n  memory_bytes" in out
    assert "rising" in out
    assert "Predicted issues\n  memory_bytes above 1.21 GiB (leak): 2023-11-1" in out
    assert max(len(line) for line in out.splitlines() if "between" not in line) <= 80


def test_json_and_html_have_the_same(store, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    _, out, _ = run(capsys, "--store", str(store), "--format", "json", "--figure", "memory_bytes,ipc")
    told = described(out, "report/trends")
    assert (told["format"], told["version"]) == ("armprof-trends", 1)
    assert {one["figure"]: one["verdict"] for one in told["trends"]} == {"memory_bytes": "rising", "ipc": "steady"}
    run(capsys, "--store", str(store), "--format", "html", "--output", str(tmp_path / "t.html"))
    page = (tmp_path / "t.html").read_text()
    assert page.startswith("<!doctype html>")
    assert "memory_bytes over time" in page


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--store", "nothing.db"], "there is no store nothing.db"),
        (["--since", "soon"], "--since: expected a duration"),
        (["--figure", "ipz"], "--figure: no metric and no group of metrics is called 'ipz'"),
        (["--target", "cpu00"], "the store has no target 'cpu00'; did you mean cpu0?"),
        (["--figure", "busy"], "the store has no value of busy for machine in that time"),
    ],
)
def test_what_is_wrong_is_one_line(store, capsys, tmp_path, monkeypatch, words, told):
    monkeypatch.chdir(tmp_path)
    status, _, err = run(capsys, *(["--store", str(store)] if "--store" not in words else []), *words)
    assert status == 2
    assert err.startswith(f"armprof: {told}")
    assert err.count("\n") == 1


def test_a_store_without_an_interval_is_one_line(tmp_path, capsys):
    Store(tmp_path / "s.db", Session("box", None, "machine", "", "all", TENTH, "1"), time.time_ns(), print).close(0)
    status, _, err = run(capsys, "--store", str(tmp_path / "s.db"))
    assert (status, err) == (2, "armprof: the store has no interval yet\n")
