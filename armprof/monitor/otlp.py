"""Export by OTLP: the same numbers, sent to an OpenTelemetry collector, or whatever takes its protocol, every few seconds.

What was counted adds up in `Exported` already, so it goes to the exporter as the sums and gauges that it is, and no
instruments count it once more. Headers, certificates, compression and timeout are those of the variables
OTEL_EXPORTER_OTLP_*; more attributes of the resource those of OTEL_RESOURCE_ATTRIBUTES and OTEL_SERVICE_NAME.
"""

from __future__ import annotations

import logging
import platform
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from armprof import __version__
from armprof.errors import ArmprofError, CannotCount
from armprof.monitor.exported import Exported, Family, facts

if TYPE_CHECKING:
    from opentelemetry.sdk.metrics.export import Metric, MetricsData
    from opentelemetry.sdk.resources import Resource

    from armprof.monitor.settings import Otlp

PATH = "/v1/metrics"
GRACE_S = 2
LOGGERS = ("opentelemetry.exporter.otlp.proto.http.metric_exporter", "opentelemetry.exporter.otlp.common.http")
ARCHITECTURES = {"aarch64": "arm64", "x86_64": "amd64"}  # as OpenTelemetry calls them


class Sender:
    """Sends what is exported until `close`. ``tell`` gets a line when that fails, and one when it goes on."""

    def __init__(self, exported: Exported, to: Otlp, tell: Callable[[str], None]) -> None:
        try:
            from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
        except ImportError as missing:
            raise CannotCount(
                f"sending by OTLP needs opentelemetry's SDK and exporter ({missing})", "pip install 'armprof[otlp]'"
            ) from None
        self.url = to.endpoint if to.endpoint.endswith(PATH) else to.endpoint.rstrip("/") + PATH
        self._exported, self._every_s, self._tell = exported, to.every_ns / 1e9, tell
        self._began_ns = time.time_ns()
        self._resource = _resource(exported)
        try:
            self._exporter = OTLPMetricExporter(endpoint=self.url)
        except (ValueError, OSError) as error:
            raise ArmprofError(f"a variable OTEL_EXPORTER_OTLP_* is not understood: {error}") from None
        self._failing = False
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="armprof-otlp", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Sends once more, and ends; what is being tried again is given up after a moment."""
        self._stopping.set()
        self._thread.join(GRACE_S)
        self._exporter.shutdown()  # ends its retries
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.wait(self._every_s):
            self._send()
        if not self._failing:
            self._send()

    def _send(self) -> None:
        from opentelemetry.sdk.metrics.export import MetricExportResult

        sent, why = False, ""
        with _Overheard() as said:
            try:
                sent = self._exporter.export(self._data(time.time_ns())) is MetricExportResult.SUCCESS
            except OSError as error:  # requests' own errors are some
                why = str(error)
        if not sent and not self._failing:
            self._tell(f"{self.url} does not take what is sent by OTLP: {said.first or why or 'it gives no reason'}")
        if sent and self._failing:
            self._tell(f"{self.url} takes what is sent by OTLP again; sums have lost nothing")
        self._failing = not sent

    def _data(self, now_ns: int) -> MetricsData:
        from opentelemetry.sdk.metrics.export import MetricsData, ResourceMetrics, ScopeMetrics
        from opentelemetry.sdk.util.instrumentation import InstrumentationScope

        metrics = [self._metric(family, now_ns) for family in self._exported.families()]
        scope = ScopeMetrics(InstrumentationScope("armprof", __version__), metrics, "")
        return MetricsData([ResourceMetrics(self._resource, [scope], "")])

    def _metric(self, family: Family, now_ns: int) -> Metric:
        from opentelemetry.sdk.metrics.export import AggregationTemporality, Gauge, Metric, NumberDataPoint, Sum

        points = [
            NumberDataPoint(dict(zip(family.labels, values, strict=True)), self._began_ns, now_ns, number)
            for values, number in family.points
        ]
        sums = family.kind == "counter"
        data = Sum(points, AggregationTemporality.CUMULATIVE, True) if sums else Gauge(points)
        name = f"armprof.{family.name}_info" if family.kind == "info" else f"armprof.{family.name}"
        return Metric(name, family.help, family.unit, data)


def _resource(exported: Exported) -> Resource:
    """Whose numbers they are. What the user says in the environment goes before it."""
    from opentelemetry.sdk.resources import OTELResourceDetector, Resource

    known, host = facts(exported.scope), platform.node()
    whole = exported.scope.whole
    attributes: dict[str, str | int] = {
        "service.name": "armprof",
        "service.version": __version__,
        "service.instance.id": host if whole == "machine" else f"{host}/{whole}",
        "host.name": host,
        "host.arch": ARCHITECTURES.get(known["arch"], known["arch"]),
        "host.type": known["model"],
        "armprof.core": known["core"],
        "armprof.cpus": int(known["cpus"]),
        "armprof.whole": whole,
    }
    return Resource(attributes).merge(OTELResourceDetector().detect())


class _Overheard(logging.Filter):
    """What the exporter says of this thread's failure is kept here, and told once by the sender instead of each time."""

    def __enter__(self) -> _Overheard:
        self.first = ""
        self._thread = threading.get_ident()
        for name in LOGGERS:
            logging.getLogger(name).addFilter(self)
        return self

    def __exit__(self, *raised: object) -> None:
        for name in LOGGERS:
            logging.getLogger(name).removeFilter(self)

    def filter(self, record: logging.LogRecord) -> bool:
        if record.thread != self._thread:
            return True  # the program's own use of OpenTelemetry
        self.first = self.first or _why(record)
        return False


def _why(record: logging.LogRecord) -> str:
    """The innermost error that a record tells of, else its words."""
    given: Any = record.args if isinstance(record.args, tuple) else ()
    for error in given:
        if isinstance(error, BaseException):
            while error.__context__ is not None:
                error = error.__context__
            return getattr(error, "strerror", None) or str(error)
    return " ".join(record.getMessage().split())
