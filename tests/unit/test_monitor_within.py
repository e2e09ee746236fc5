"""The calling program, monitored from within, with the latencies of its regions."""

from __future__ import annotations

import re
import sqlite3
import threading
import time
import urllib.request
from contextlib import closing

import pytest
from processes import forked, python

import armprof
from armprof import regions
from armprof.errors import ArmprofError
from armprof.monitor import Monitor
from armprof.monitor.within import RegionLatencies

MS = 1_000_000


def spin(ns: int) -> None:
    end = time.perf_counter_ns() + ns
    while time.perf_counter_ns() < end:
        pass


@forked
def test_regions_give_the_latencies_of_each_stretch():
    parse = armprof.region("parse", ["task_clock"])
    with parse:
        spin(MS)
    found = RegionLatencies()  # what was before is not in it
    for _ in range(100):
        with parse:
            spin(MS)
    first = found()["parse"]
    assert first.calls == 100
    assert (first.percentile(0.5) or 0) > MS * 0.95
    assert first.total_ns >= 100 * MS * 0.99
    assert found()["parse"].calls == 0
    with parse:
        pass
    (one,) = found()["parse"].buckets
    assert one < MS


@forked
def test_threads_that_start_later_are_in_it():
    found = RegionLatencies()
    work = armprof.region("work", ["task_clock"])

    def run() -> None:
        for _ in range(50):
            with work:
                pass

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found()["work"].calls == 150
    assert sum(n for _, n in regions.latencies()["work"][1]) == 150


@forked
def test_a_program_is_sampled_and_its_regions_are_stored(tmp_path):
    reports = []
    parse = armprof.region("parse", ["task_clock"])
    monitor = Monitor(store=tmp_path / "app.db", interval="20ms", on_report=reports.append)
    with monitor:
        with pytest.raises(ArmprofError, match="runs already"):
            monitor.start()
        deadline = time.monotonic() + 60
        while not reports and time.monotonic() < deadline:
            with parse:
                spin(MS)
    assert reports[0].latencies["parse"].calls > 0
    with closing(sqlite3.connect(tmp_path / "app.db")) as db:
        ((name, calls),) = db.execute(
            "SELECT name, sum(calls) FROM latencies JOIN series ON id = series GROUP BY name"
        ).fetchall()
        assert name == "parse"
        assert calls == parse.calls
        assert db.execute("SELECT ended_ns IS NOT NULL FROM sessions").fetchall() == [(1,)]


@forked
def test_a_program_serves_what_prometheus_scrapes_while_it_is_monitored(tmp_path, capfd):
    pytest.importorskip("prometheus_client")
    config = tmp_path / "armprof.toml"
    config.write_text('[monitor.prometheus]\nlisten = "0"\n')
    parse = armprof.region("parse", ["task_clock"])
    with Monitor(config=config, interval="20ms"):
        port = re.search(r"serving Prometheus at 127\.0\.0\.1:(\d+)", capfd.readouterr().err)[1]
        deadline = time.monotonic() + 60
        page = b""
        while b'armprof_region_calls_total{region="parse"}' not in page and time.monotonic() < deadline:
            with parse:
                spin(MS)
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
                page = answer.read()
    assert b'armprof_region_calls_total{region="parse"}' in page
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics")


@forked
def test_an_alert_on_a_region_is_raised_in_the_program(tmp_path, capfd):
    config = tmp_path / "armprof.toml"
    config.write_text('[alerts.slow]\nfigure = "parse.p50_ns"\nabove = 500_000\nhold = "0s"\n')
    reports: list[object] = []
    parse = armprof.region("parse", ["task_clock"])
    monitor = Monitor(config=config, interval="20ms", on_report=reports.append)
    with monitor:
        deadline = time.monotonic() + 60
        while not monitor.alerts and time.monotonic() < deadline:
            with parse:
                spin(MS)
    assert [alert.cause for alert in monitor.alerts] == ["parse"]
    assert "ALERT slow: parse.p50_ns of process" in capfd.readouterr().err


def test_what_is_wrong_is_told_before_anything_starts(tmp_path):
    with pytest.raises(ArmprofError, match="interval: expected a duration"):
        Monitor(interval="soon")
    with pytest.raises(ArmprofError, match="cannot read"):
        Monitor(config=tmp_path / "nothing.toml")


def test_numpy_and_pandas_are_not_loaded_for_sampling():
    done = python(
        "import sys, armprof.monitor.within, armprof.commands.monitor\n"
        "import armprof.monitor.loop, armprof.monitor.store, armprof.monitor.watch\n"
        "print(sorted({'numpy', 'pandas', 'scipy', 'statsmodels', 'rich'} & set(sys.modules)))"
    )
    assert done.stdout.strip() == "[]", done.stdout + done.stderr
