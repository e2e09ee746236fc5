"""Export to Prometheus: raw counts with their enabled and running times as counters, metrics and levels as gauges.

Raw, so that the counters only ever grow: a scaled count may fall when multiplexing changes, which a scrape takes for a
restart. Rates and ratios of any window then follow exactly,

    rate(raw) * rate(enabled) / rate(running)

and the gauges beside them are those of the last report. A gauge without a value is absent: it is never 0 for want of a count.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from operator import add
from typing import TYPE_CHECKING, Any

from armprof import __version__
from armprof.errors import ArmprofError, CannotCount
from armprof.monitor.latencies import Distribution
from armprof.monitor.loop import Loop
from armprof.monitor.moments import Mark
from armprof.monitor.reports import Report
from armprof.monitor.sampler import Sample

if TYPE_CHECKING:
    from prometheus_client.core import Metric

    from armprof.monitor.settings import Prometheus

LABELS = ("target", "pmu", "scope")
UNITS = {"busy": "busy_cpus"}  # levels whose unit is not in their name
HOST = "127.0.0.1"


class Exporter:
    """Collects from a loop what a scrape gets. Samples and reports come from the loop's thread, scrapes from others."""

    def __init__(self, loop: Loop) -> None:
        self._lock = threading.Lock()
        self._scope = loop.scope
        self._totals: dict[
            str, tuple[tuple[str, ...], list[int]]
        ] = {}  # by target: events; raw, enabled, running of each
        self._late = 0
        self._report: Report | None = None
        self._latencies: dict[str, Distribution] = {}
        loop.each_sample.append(self.add)
        loop.listeners.append(self.see)

    def add(self, sample: Sample) -> None:
        """Takes in a sample."""
        with self._lock:
            self._late += any(mark.kind == "late" for mark in sample.marks)
            for target, found in sample.counts:
                numbers = [number for one in found for number in one[1:]]
                known = self._totals.get(target.name)
                if known is None or known[0] != target.events:
                    self._totals[target.name] = (target.events, numbers)
                else:
                    known[1][:] = map(add, known[1], numbers)

    def see(self, report: Report) -> list[Mark]:
        """Takes in a report."""
        metrics = [
            report.metrics(target) for target in ("", *(t.name for t in report.scope.targets))
        ]  # formed here, not there
        assert metrics
        with self._lock:
            self._report = report
            for name, found in report.latencies.items():
                self._latencies[name] = self._latencies.get(name, Distribution()) + found
        return []

    def collect(self) -> Iterator[Metric]:
        """What a scrape gets: called by prometheus_client."""
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily

        with self._lock:
            totals = {name: (events, list(numbers)) for name, (events, numbers) in self._totals.items()}
            report, late, latencies = self._report, self._late, dict(self._latencies)
        yield _info(InfoMetricFamily, self._scope)
        yield CounterMetricFamily(
            "armprof_late_samples", "samples that were taken an interval late or more", value=late
        )
        counters: dict[str, Any] = {}
        times = {
            kind: CounterMetricFamily(f"armprof_{kind}_seconds", text, labels=("event", *LABELS))
            for kind, text in (
                ("enabled", "how long an event wanted to count"),
                ("running", "how long an event counted"),
            )
        }
        for target, (events, numbers) in totals.items():
            groups = next((t.groups for t in self._scope.targets if t.name == target), {})
            units = next((t.units for t in self._scope.targets if t.name == target), {})
            for at, event in enumerate(events):
                raw, enabled, running = numbers[3 * at : 3 * at + 3]
                labels = (target, "software" if groups.get(event) is None else "core", self._scope.mode)
                seconds = units.get(event) == "ns"
                name = f"armprof_{event}_seconds" if seconds else f"armprof_{event}"
                family = counters.setdefault(
                    name, CounterMetricFamily(name, f"counts of {event}, not scaled", labels=LABELS)
                )
                family.add_metric(labels, raw / 1e9 if seconds else raw)
                times["enabled"].add_metric((event, *labels), enabled / 1e9)
                times["running"].add_metric((event, *labels), running / 1e9)
        yield from counters.values()
        yield from times.values()
        yield from _gauges(GaugeMetricFamily, report)
        yield from _calls(CounterMetricFamily, latencies)


def _info(family: Any, scope: Any) -> Metric:
    host = scope.machine.host
    known = {
        "version": __version__,
        "core": scope.machine.core_name or "unknown",
        "model": host.model,
        "arch": host.arch,
        "cpus": str(host.cpus),
        "whole": scope.whole,
    }
    made: Metric = family("armprof_monitor", "the monitor and its machine", value=known)
    return made


def _gauges(family: Any, report: Report | None) -> Iterator[Metric]:
    if report is None:
        return
    found: dict[str, Any] = {}
    for target in dict.fromkeys((report.scope.whole, *(t.name for t in report.scope.targets))):
        for name, metric in report.metrics(target).items():
            if metric.value is not None:
                gauge = found.setdefault(
                    name, family(f"armprof_{name}", f"{metric.title}, {metric.unit}", labels=("target",))
                )
                gauge.add_metric((target,), metric.value)
        for name, value in report.levels.get(target, {}).items():
            name = UNITS.get(name, name)
            gauge = found.setdefault(name, family(f"armprof_{name}", "at the last report", labels=("target",)))
            gauge.add_metric((target,), value)
    yield from found.values()


def _calls(family: Any, latencies: dict[str, Distribution]) -> Iterator[Metric]:
    """Regions: calls and their time, of which rates give throughput and mean latency."""
    if not latencies:
        return
    calls = family("armprof_region_calls", "calls of a region", labels=("region",))
    seconds = family("armprof_region_seconds", "time in a region", labels=("region",))
    for name, found in latencies.items():
        calls.add_metric((name,), found.calls)
        seconds.add_metric((name,), found.total_ns / 1e9)
    yield from (calls, seconds)


class Server:
    """Serves an exporter over HTTP, until `close`."""

    def __init__(self, exporter: Exporter, at: Prometheus) -> None:
        try:
            from prometheus_client import CollectorRegistry, start_http_server
        except ImportError as missing:
            raise CannotCount(
                f"exporting needs prometheus_client ({missing})", "pip install 'armprof[prometheus]'"
            ) from None
        registry = CollectorRegistry(auto_describe=False)
        registry.register(exporter)  # it has `collect`, which is all that is asked of it
        tls: dict[str, Any] = {}
        if at.certfile is not None:
            tls = {"certfile": str(at.certfile), "keyfile": str(at.keyfile or at.certfile)}
            if at.client_cafile is not None:
                tls |= {"client_cafile": str(at.client_cafile), "client_auth_required": True}
        try:
            self._server, self._thread = start_http_server(at.port, at.host, registry, **tls)
        except (OSError, OverflowError) as error:
            why = getattr(error, "strerror", None) or str(error)
            raise ArmprofError(f"cannot serve Prometheus at {at.host}:{at.port}: {why}") from None
        self.port: int = self._server.server_port

    def close(self) -> None:
        """Serves nobody any more."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
