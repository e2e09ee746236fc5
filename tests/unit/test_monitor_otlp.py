"""Export by OTLP, to a receiver that decodes the protocol's own messages."""

from __future__ import annotations

import errno
import http.server
import logging
import re
import threading
import time
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest
from monitored import START, TENTH, GivenScope, GivenTarget, counted, report, sample

from armprof.counters.standing import Interval, row_of
from armprof.monitor.exported import Exported
from armprof.monitor.latencies import Distribution
from armprof.monitor.loop import Loop
from armprof.monitor.settings import Otlp

pytest.importorskip("opentelemetry.exporter.otlp.proto.http.metric_exporter")
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from armprof.monitor.otlp import LOGGERS, Sender, _Overheard

HOUR = Otlp("", 3_600_000_000_000).every_ns  # nothing is sent but at the end


class Receiver:
    """Takes what is sent to /v1/metrics, or answers with the status that it is told to."""

    def __init__(self) -> None:
        self.requests: list[Any] = []
        self.headers: list[dict[str, str]] = []
        self.status = 200
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if outer.status == 200 and self.path == "/v1/metrics":
                    outer.requests.append(ExportMetricsServiceRequest.FromString(body))
                    outer.headers.append(dict(self.headers))
                self.send_response(outer.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def receiver():
    with closing(Receiver()) as made:
        yield made


@pytest.fixture
def exported():
    scope = GivenScope(GivenTarget("cpu0"), levels={"machine": {"busy": 1.5, "memory_bytes": 2e9}})
    with Loop(scope, TENTH) as loop:
        yield Exported(loop)


def fill(exported: Exported) -> None:
    one = sample(exported.scope, START, 100, 50)
    one.counts[0] = (exported.scope.targets[0], row_of([counted(2**60 + 1), Interval(800.0, 200, TENTH, TENTH // 4)]))
    exported.add(one)
    found = {"parse": Distribution(3e9, {10**9: 3})}
    exported.see(report(exported.scope, [one], metrics_wanted=("ipc", "l1d_mpki"), latencies=found))


def metrics(request: Any) -> dict[str, Any]:
    (resource,) = request.resource_metrics
    (scope,) = resource.scope_metrics
    assert scope.scope.name == "armprof"
    return {metric.name: metric for metric in scope.metrics}


def attributes(of: Any) -> dict[str, Any]:
    return {one.key: one.value.string_value or one.value.int_value for one in of.attributes}


def until(true: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_counts_and_their_times_are_monotonic_sums_of_everything_since_the_start(receiver, exported):
    fill(exported)
    begin = time.time_ns()
    Sender(exported, Otlp(receiver.url, HOUR), print).close()
    found = metrics(receiver.requests[-1])
    for name in ("armprof.cpu_cycles", "armprof.enabled", "armprof.running", "armprof.late_samples"):
        assert found[name].sum.is_monotonic
        assert found[name].sum.aggregation_temporality == 2  # cumulative
    (cycles,) = found["armprof.cpu_cycles"].sum.data_points
    assert cycles.as_int == 2**60 + 1  # whole numbers stay whole
    assert attributes(cycles) == {"target": "cpu0", "pmu": "core", "scope": "all"}
    assert begin <= cycles.start_time_unix_nano < cycles.time_unix_nano
    (instructions,) = found["armprof.inst_retired"].sum.data_points
    assert instructions.as_int == 200  # as counted, not scaled
    running = {attributes(p)["event"]: p.as_double for p in found["armprof.running"].sum.data_points}
    assert running == {"cpu_cycles": pytest.approx(0.1), "inst_retired": pytest.approx(0.025)}
    assert found["armprof.running"].unit == "s"


def test_metrics_levels_and_regions_are_beside_them_and_what_has_no_value_is_absent(receiver, exported):
    fill(exported)
    Sender(exported, Otlp(receiver.url, HOUR), print).close()
    found = metrics(receiver.requests[-1])
    ipc = {attributes(point)["target"]: point.as_double for point in found["armprof.ipc"].gauge.data_points}
    assert set(ipc) == {"machine", "cpu0"}
    assert found["armprof.memory"].gauge.data_points[0].as_double == 2e9
    assert found["armprof.memory"].unit == "By"
    assert found["armprof.busy_cpus"].gauge.data_points[0].as_double == 1.5
    assert found["armprof.region_calls"].sum.data_points[0].as_int == 3
    assert found["armprof.region"].sum.data_points[0].as_double == 3
    assert "armprof.l1d_mpki" not in found


def test_the_resource_is_the_host_and_its_core_and_the_environment_goes_before_it(receiver, exported, monkeypatch):
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "service.instance.id=box-7,deployment.environment.name=test")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-scope-orgid=me")
    Sender(exported, Otlp(f"{receiver.url}/v1/metrics", HOUR), print).close()
    (resource,) = receiver.requests[-1].resource_metrics
    told = attributes(resource.resource)
    assert told["service.name"] == "armprof"
    assert told["service.instance.id"] == "box-7"
    assert told["deployment.environment.name"] == "test"
    assert told["host.name"]
    assert told["host.arch"] in ("amd64", "arm64")
    assert told["armprof.cpus"] >= 1
    assert "armprof.core" in told
    assert receiver.headers[-1]["x-scope-orgid"] == "me"


def test_it_is_sent_again_and_again_and_sums_grow(receiver, exported):
    with closing(Sender(exported, Otlp(receiver.url, 20_000_000), print)):
        fill(exported)
        until(lambda: receiver.requests and "armprof.inst_retired" in metrics(receiver.requests[-1]))
        sent = len(receiver.requests)
        fill(exported)
        until(lambda: len(receiver.requests) >= sent + 2)
    sums = [
        metrics(one)["armprof.inst_retired"].sum.data_points[0].as_int
        for one in receiver.requests
        if "armprof.inst_retired" in metrics(one)
    ]
    assert sums == sorted(sums)
    assert sums[-1] == 400


def test_a_receiver_that_refuses_is_told_once_and_so_is_its_return(receiver, exported, caplog):
    told: list[str] = []
    receiver.status = 403
    with closing(Sender(exported, Otlp(receiver.url, 20_000_000), told.append)), caplog.at_level(logging.DEBUG):
        until(lambda: told)
        time.sleep(0.1)
        receiver.status = 200
        until(lambda: len(told) == 2)
    assert re.fullmatch(r".*/v1/metrics does not take what is sent by OTLP: .*403.*Forbidden", told[0])
    assert told[1:] == [f"{receiver.url}/v1/metrics takes what is sent by OTLP again; sums have lost nothing"]
    assert not [record for record in caplog.records if record.name.startswith("opentelemetry.exporter")]


def test_where_nobody_listens_nothing_hangs(exported):
    told: list[str] = []
    begin = time.monotonic()
    with closing(Sender(exported, Otlp("http://127.0.0.1:1", 20_000_000), told.append)):
        time.sleep(0.5)  # in the middle of its retries
    assert time.monotonic() - begin < 30
    (line,) = told
    assert line.startswith("http://127.0.0.1:1/v1/metrics does not take what is sent by OTLP: ")


def test_the_reason_of_a_failure_is_the_innermost_error(exported):
    with _Overheard() as said:
        try:
            try:
                raise ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")
            except OSError:
                raise OSError("HTTPConnectionPool(host='x'): Max retries exceeded with url: /v1/metrics") from None
        except OSError as error:
            logging.getLogger(LOGGERS[0]).warning("Transient error %s, retrying in %.2fs.", error, 1.0)
    assert said.first == "Connection refused"


def test_what_the_program_itself_sends_keeps_its_log(exported, caplog):
    with _Overheard() as said:
        other = threading.Thread(target=lambda: logging.getLogger(LOGGERS[0]).error("not ours"))
        other.start()
        other.join()
        logging.getLogger(LOGGERS[0]).error("ours %s", "here")
    assert said.first == "ours here"
    assert [record.getMessage() for record in caplog.records] == ["not ours"]
