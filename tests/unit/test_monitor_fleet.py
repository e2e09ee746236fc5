"""The fleet: who stands out among its kind, what most of it waits for, and what to do first."""

from __future__ import annotations

import http.server
import json
import statistics
import threading
import time

import pytest
import simulated_fleet
from contract import described
from hypothesis import given
from hypothesis import strategies as st
from prometheus import Prometheus, need_prometheus

from armprof import cli
from armprof.errors import ArmprofError
from armprof.monitor.fleet import FAR, robust_scores, survey
from armprof.monitor.promql import QueryServer
from armprof.report import fleet as report

HOSTS = 108
HOUR = 3600


@given(st.lists(st.integers(-(10**6), 10**6), min_size=5, max_size=50))
def test_robust_scores_are_distances_from_the_median(values):
    named = {str(n): value for n, value in enumerate(values)}
    median, scores = robust_scores(named)
    assert median == statistics.median(values)
    assert all((z > 0) == (named[name] > median) for name, z in scores.items())


def test_many_bad_hosts_do_not_hide_each_other():
    values = {f"good {n}": 1 + 0.01 * (n % 7) for n in range(70)} | {f"bad {n}": 5.0 for n in range(29)}
    _, scores = robust_scores(values)
    assert {name for name, z in scores.items() if z > FAR} == {f"bad {n}" for n in range(29)}


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory):
    need_prometheus()
    folder = tmp_path_factory.mktemp("fleet")
    end = int(time.time()) // 60 * 60 - 60
    simulated_fleet.write(folder, HOSTS, end, HOUR, 600)
    server = Prometheus(folder / "prometheus")
    yield server, end
    server.close()


def test_a_fleet_in_a_real_prometheus_has_its_planted_outliers_and_no_others(prometheus):
    server, end = prometheus
    found = survey(QueryServer(server.url), end, HOUR)
    assert len(found.hosts) == HOSTS
    planted = simulated_fleet.planted(HOSTS)
    assert {one.host for one in found.outliers} == set(planted)
    assert {one.metric for one in found.outliers if planted[one.host] == "cache"} >= {
        "l2_mpki",
        "cycles_per_instruction",
    }
    assert {one.metric for one in found.outliers if planted[one.host] == "branch"} >= {"branch_mpki"}


def test_kinds_are_compared_and_the_common_bottleneck_is_named(prometheus):
    server, end = prometheus
    found = survey(QueryServer(server.url), end, HOUR)
    medians = {kind.name: kind.medians["cycles_per_instruction"] for kind in found.kinds}
    assert medians["Amazon EC2 m7g.xlarge, neoverse-v1"] == pytest.approx(1.0, rel=0.03)
    assert medians["Amazon EC2 m6g.xlarge, neoverse-n1"] == pytest.approx(1.4, rel=0.03)
    term, share = found.bottleneck
    assert term in ("backend_stalled", "retiring")
    assert 0 < share <= 1
    assert found.core_hours == pytest.approx(2 * HOSTS, rel=0.2)  # one to three CPUs busy for an hour


def test_advice_is_ranked_by_core_hours(prometheus):
    server, end = prometheus
    found = survey(QueryServer(server.url), end, HOUR)
    hours = [one.core_hours for one in found.advice]
    assert hours == sorted(hours, reverse=True)
    slow = [one for one in found.advice if "take more cycles for an instruction than their kind" in one.title]
    assert {host for one in slow for host in one.hosts} <= set(simulated_fleet.planted(HOSTS))
    for one in slow:
        assert 0 < one.core_hours < found.core_hours


def test_the_report_holds_in_80_columns_and_json_has_all(prometheus, capsys):
    server, end = prometheus
    assert cli.main(["fleet", "--prometheus", server.url, "--at", str(end)]) == 0
    text = capsys.readouterr().out
    assert max(map(len, text.splitlines())) <= 80
    for host in list(simulated_fleet.planted(HOSTS))[:2]:
        assert host in text
    assert cli.main(["fleet", "--prometheus", server.url, "--at", str(end), "--format", "json"]) == 0
    told = described(capsys.readouterr().out, "report/fleet")
    assert len(told["hosts"]) == HOSTS
    assert told["advice"][0]["rank"] == 1


def test_a_prometheus_without_monitors_is_one_line(prometheus, capsys):
    server, end = prometheus
    assert cli.main(["fleet", "--prometheus", server.url, "--at", str(end - 30 * 86400)]) == 2
    assert "has no series armprof_monitor_info of that time" in capsys.readouterr().err


# ---- servers that are none ----


@pytest.mark.parametrize("url", ["localhost:9090", "ftp://x", "http://", "http://[::1", "http://x:99999"])
def test_what_is_no_address_is_told(url):
    with pytest.raises(ArmprofError, match="is no address of a server"):
        QueryServer(url)


def test_nobody_there_is_one_line(capsys):
    assert cli.main(["fleet", "--prometheus", "http://127.0.0.1:1"]) == 2
    assert capsys.readouterr().err.startswith("armprof: http://127.0.0.1:1 does not answer as Prometheus does: ")


class Answering:
    """A server that gives this answer to everything, and keeps what it was asked."""

    def __init__(self, status: int, text: str) -> None:
        seen = self.seen = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                seen.append((self.path, dict(self.headers)))
                self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(status)
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, *_: object) -> None:
                pass

        self._server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def __enter__(self) -> Answering:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.mark.parametrize(
    ("status", "text", "told"),
    [
        (200, "<html>", "does not answer as Prometheus does: "),
        (200, "[]", "no data.result"),
        (200, "[" * 100_000, "does not answer as Prometheus does: "),
        (200, '{"data": {"result": [{"metric": {}, "value": [1]}]}}', "no data.result"),
        (400, '{"status": "error", "error": "parse error"}', "refuses a query: 400, parse error"),
        (401, "who are you", "refuses a query: 401 Unauthorized"),
    ],
)
def test_an_answer_that_is_none_is_one_line(status, text, told):
    with Answering(status, text) as server, pytest.raises(ArmprofError, match=told):
        QueryServer(f"http://127.0.0.1:{server.port}").query("up", 0)


def test_a_user_and_a_path_are_taken_from_the_address_and_a_token_before_them():
    with Answering(200, '{"data": {"result": []}}') as server:
        assert QueryServer(f"http://me:s%20e@127.0.0.1:{server.port}/mimir/").query("up", 0) == []
        QueryServer(f"http://127.0.0.1:{server.port}", token="abc").query("up", 0)
    (path, headers), (_, others) = server.seen
    assert path == "/mimir/api/v1/query"
    assert headers["Authorization"] == "Basic bWU6cyBl"
    assert others["Authorization"] == "Bearer abc"


def test_values_that_are_no_number_are_left_out():
    rows = [{"metric": {"instance": str(n)}, "value": [0, text]} for n, text in enumerate(("1", "NaN", "+Inf"))]
    with Answering(200, json.dumps({"data": {"result": rows}})) as server:
        assert [row.value for row in QueryServer(f"http://127.0.0.1:{server.port}").query("up", 0)] == [1.0]


def test_a_fleet_without_counters_says_so():
    rows = [{"metric": {"instance": "a", "model": "x", "event": "nothing(", "cpus": "2"}, "value": [0, "1"]}]
    with Answering(200, json.dumps({"data": {"result": rows}})) as server:
        found = survey(QueryServer(f"http://127.0.0.1:{server.port}"), 0, HOUR)
    assert found.bottleneck is None
    assert found.outliers == ()
    assert "no cycles and instructions were counted on 1 hosts: a" in found.notes
    assert "Nothing to advise" in "\n".join(report.text(found))
