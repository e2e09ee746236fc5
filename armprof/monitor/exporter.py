"""Export to Prometheus, which scrapes it: over TLS and to those who know a password, where the settings say so."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from armprof.errors import ArmprofError, CannotCount
from armprof.monitor.exported import Exported
from armprof.monitor.passwords import Guard, read

if TYPE_CHECKING:
    from prometheus_client.core import Metric

    from armprof.monitor.settings import Prometheus

SUFFIXES = {"s": "_seconds", "By": "_bytes", "": ""}


class Collector:
    """What prometheus_client asks for a scrape: it has `collect`, which is all that is asked of one."""

    def __init__(self, exported: Exported) -> None:
        self._exported = exported

    def collect(self) -> Iterator[Metric]:
        """Everything there is now, by Prometheus' rules for names."""
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily

        kinds: dict[str, Any] = {"counter": CounterMetricFamily, "gauge": GaugeMetricFamily, "info": InfoMetricFamily}
        for family in self._exported.families():
            name = f"armprof_{family.name}{SUFFIXES[family.unit]}"
            if family.kind == "info":
                ((values, _),) = family.points
                yield InfoMetricFamily(name, family.help, value=dict(zip(family.labels, values, strict=True)))
                continue
            made = kinds[family.kind](name, family.help, labels=family.labels)
            for values, number in family.points:
                made.add_metric(values, number)
            yield made


class Server:
    """Serves what is exported over HTTP, until `close`."""

    def __init__(self, exported: Exported, at: Prometheus) -> None:
        try:
            from prometheus_client import CollectorRegistry, start_http_server
        except ImportError as missing:
            raise CannotCount(
                f"exporting needs prometheus_client ({missing})", "pip install 'armprof[prometheus]'"
            ) from None
        users = read(at.passwords) if at.passwords is not None else {}
        registry = CollectorRegistry(auto_describe=False)
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
        if users:
            application = self._server.get_app()
            assert application is not None
            self._server.set_app(Guard(application, users))
        registry.register(Collector(exported))  # only now: who asked before got an empty page

    def close(self) -> None:
        """Serves nobody any more."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
