"""The exporter: what a scrape gets, and that a real Prometheus computes from it what the store holds."""

from __future__ import annotations

import json
import re
import sqlite3
import subprocess
import sys
import time
import urllib.request
from contextlib import closing
from itertools import accumulate

import pytest
from monitored import START, TENTH, GivenScope, GivenTarget, counted, report, sample
from prometheus import RULES, Prometheus, need_prometheus

from armprof.counters.standing import Interval, row_of
from armprof.errors import ArmprofError
from armprof.monitor.exported import Exported
from armprof.monitor.exporter import Server
from armprof.monitor.latencies import Distribution
from armprof.monitor.loop import Loop
from armprof.monitor.moments import Mark
from armprof.monitor.settings import Prometheus as At
from armprof.monitor.settings import address
from armprof.run.codec import MismatchError

pytest.importorskip("prometheus_client")


@pytest.fixture
def loop():
    made = Loop(
        GivenScope(GivenTarget("cpu0"), GivenTarget("cpu1"), levels={"machine": {"busy": 1.5, "memory_bytes": 2e9}}),
        TENTH,
    )
    yield made
    made.close()


def scraped(exported: Exported) -> str:
    with (
        closing(Server(exported, At(0))) as server,
        urllib.request.urlopen(f"http://127.0.0.1:{server.port}/metrics") as page,
    ):
        return page.read().decode()


def value_of(page: str, name: str, **labels: str) -> float | None:
    for line in page.splitlines():
        found = re.fullmatch(rf"{name}(?:\{{(.*)\}})? (\S+)", line)
        if found and all(f'{key}="{text}"' in (found[1] or "") for key, text in labels.items()):
            return float(found[2])
    return None


def test_raw_counts_and_their_times_are_counters_that_add_up(loop):
    exported = Exported(loop)
    one = sample(loop.scope, START, 100, 50)
    one.counts[0] = (loop.scope.targets[0], row_of([counted(100), Interval(600.0, 200, TENTH, TENTH // 3)]))
    exported.add(one)
    exported.add(sample(loop.scope, START + TENTH, 100, 50))
    page = scraped(exported)
    where = {"target": "cpu0", "pmu": "core", "scope": "all"}
    assert value_of(page, "armprof_cpu_cycles_total", **where) == 200
    assert value_of(page, "armprof_inst_retired_total", **where) == 250  # as counted, not scaled
    assert value_of(page, "armprof_enabled_seconds_total", event="inst_retired", **where) == pytest.approx(0.2)
    assert value_of(page, "armprof_running_seconds_total", event="inst_retired", **where) == pytest.approx(
        0.4 / 3, rel=1e-6
    )


def test_metrics_and_levels_are_gauges_and_what_has_no_value_is_absent(loop):
    exported = Exported(loop)
    exported.see(report(loop.scope, [sample(loop.scope, START, 200, 100)], metrics_wanted=("ipc", "l1d_mpki")))
    page = scraped(exported)
    assert value_of(page, "armprof_ipc", target="machine") == 0.5
    assert value_of(page, "armprof_ipc", target="cpu1") == 0.5
    assert value_of(page, "armprof_busy_cpus", target="machine") == 1.5
    assert value_of(page, "armprof_memory_bytes", target="machine") == 2e9
    assert "l1d_mpki" not in page


def test_regions_are_calls_and_seconds(loop):
    exported = Exported(loop)
    for _ in range(2):
        found = {"parse": Distribution(3e9, {10**9: 3})}
        exported.see(report(loop.scope, [sample(loop.scope, START, 1, 1)], latencies=found))
    page = scraped(exported)
    assert value_of(page, "armprof_region_calls_total", region="parse") == 6
    assert value_of(page, "armprof_region_seconds_total", region="parse") == 6


def test_late_samples_are_counted_and_the_machine_is_told(loop):
    exported = Exported(loop)
    exported.add(sample(loop.scope, START, 1, 1, marks=[Mark(START, "", "late", "")]))
    page = scraped(exported)
    assert value_of(page, "armprof_late_samples_total") == 1
    assert value_of(page, "armprof_monitor_info", whole="machine") == 1


def test_it_binds_to_loopback_unless_told_otherwise():
    assert address("9464", "x") == ("127.0.0.1", 9464)
    assert address("0.0.0.0:9464", "x") == ("0.0.0.0", 9464)
    assert address("[::1]:9464", "x") == ("::1", 9464)


@pytest.mark.parametrize("text", ["", "x", "70000", ":9464", "a:b", "9464x"])
def test_what_is_no_address_is_told(text):
    with pytest.raises(MismatchError, match="x: expected a port or an address"):
        address(text, "x")


def test_a_port_that_is_taken_is_one_line(loop):
    with (
        closing(Server(Exported(loop), At(0))) as server,
        pytest.raises(
            ArmprofError, match=f"cannot serve Prometheus at 127.0.0.1:{server.port}: Address already in use"
        ),
    ):
        Server(Exported(loop), At(server.port))


def test_with_a_certificate_it_serves_tls(loop, tmp_path):
    import ssl

    made = subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost", "-addext",
         "subjectAltName=IP:127.0.0.1", "-keyout", tmp_path / "key.pem", "-out", tmp_path / "cert.pem"],
        capture_output=True,
    )  # fmt: skip
    if made.returncode:
        pytest.skip("openssl cannot make a certificate here")
    context = ssl.create_default_context(cafile=tmp_path / "cert.pem")
    at = At(0, certfile=tmp_path / "cert.pem", keyfile=tmp_path / "key.pem")
    with closing(Server(Exported(loop), at)) as server:
        with urllib.request.urlopen(f"https://127.0.0.1:{server.port}/metrics", context=context) as page:
            assert b"armprof_monitor_info" in page.read()
        with pytest.raises(OSError, match=r"."):
            urllib.request.urlopen(f"http://127.0.0.1:{server.port}/metrics", timeout=10)


# ---- a real Prometheus ----


def test_the_rules_are_right_to_promtool_and_the_metrics_too(loop):
    need_prometheus()
    subprocess.run(["promtool", "check", "rules", RULES], check=True, capture_output=True)
    exported = Exported(loop)
    exported.add(sample(loop.scope, START, 200, 100))
    exported.see(report(loop.scope, [sample(loop.scope, START, 200, 100)]))
    checked = subprocess.run(["promtool", "check", "metrics"], input=scraped(exported), text=True, capture_output=True)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def questions_of_the_dashboard() -> list[str]:
    """Its panels' expressions, with what Grafana puts in the place of its variables."""
    dashboard = json.loads((RULES.parent / "grafana.json").read_text())
    found = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    return [one.replace("$instance", ".*").replace("$__rate_interval", "1m") for one in found]


def test_the_dashboard_asks_for_what_there_is():
    recorded = set(re.findall(r"record: (\S+)", RULES.read_text()))
    for question in questions_of_the_dashboard():
        assert "$" not in question
        for name in re.findall(r"armprof:[\w:]+", question):
            assert name in recorded


SECONDS = 12


def test_a_real_prometheus_has_the_very_counts_of_the_store(tmp_path):
    need_prometheus()
    monitors, ports = [], []
    for n in range(2):
        command = [
            sys.executable,
            "-P",
            "-m",
            "armprof",
            "monitor",
            "--quiet",
            "--prometheus",
            "0",
            "--store",
            f"{n}.db",
        ]
        monitors.append(subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True))
        for line in monitors[-1].stderr:
            if found := re.search(r"serving Prometheus at 127\.0\.0\.1:(\d+)", line):
                ports.append(int(found[1]))
                break
    server = Prometheus(tmp_path / "prometheus", ports, RULES)
    try:
        time.sleep(SECONDS)
        at = time.time()
        raw = server.query("armprof_context_switches_total[1m]", at)
        rates = server.query(f"rate(armprof_task_clock_seconds_total[{SECONDS - 4}s])", at)
        up = server.query("up", at)
        for question in questions_of_the_dashboard():
            server.query(question, at)  # it refuses what it cannot parse
    finally:
        server.close()
        for monitor in monitors:
            monitor.terminate()
            monitor.communicate(timeout=60)
    assert [row["value"][1] for row in up] == ["1", "1"]
    assert len(raw) >= 2
    for row in raw:
        store = tmp_path / f"{ports.index(int(row['metric']['instance'].rpartition(':')[2]))}.db"
        with closing(sqlite3.connect(store)) as db:
            counts = db.execute(
                "SELECT raw FROM samples WHERE event = 'context_switches' AND target = ? ORDER BY at_ns",
                (row["metric"]["target"],),
            ).fetchall()
        sums = set(accumulate(n for (n,) in counts))
        assert len(row["values"]) >= 3
        assert {int(float(value)) for _, value in row["values"]} <= sums
    assert len(rates) == len(raw)
    for row in rates:  # a CPU's clock goes a second a second; benchmarks/monitor_prometheus.py holds it to a hundredth
        assert float(row["value"][1]) == pytest.approx(1, rel=0.2)
