"""A monitor put together from its settings: whom to sample, the metrics, the store, where it all goes."""

from __future__ import annotations

import ipaddress
import platform
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Final, Literal

from armprof import __version__
from armprof.counters.machine import machine, native
from armprof.metrics.wanted import wanted
from armprof.monitor.loop import Latencies, Loop
from armprof.monitor.settings import Settings
from armprof.monitor.store import Session, Store
from armprof.monitor.targets import Cgroup, Cpus, Own, Process, Scope

OWN: Final = "own"  # the calling program
Whom = int | Path | Literal["own"] | None  # a process, a cgroup's folder, this program, or the machine


def open_scope(settings: Settings, whom: Whom = None) -> Scope:
    """The counters on whom is named."""
    native()  # where nothing is counted it says so; what follows is Linux's alone
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))  # a descriptor for each event of each thread or CPU
    sought = wanted(settings.metrics, machine().core)
    events = list(dict.fromkeys([*sought.events, *settings.events]))
    if isinstance(whom, Path):
        return Cgroup(whom, events, sought.together)
    if isinstance(whom, int):
        return Process(whom, events, sought.together)
    return Own(events, sought.together) if whom == OWN else Cpus(events, sought.together)


def open_loop(
    settings: Settings, scope: Scope, tell: Callable[[str], None], latencies: Latencies | None = None
) -> Loop:
    """The loop over that scope, with the store that the settings name. It closes both."""
    try:
        store = _store(settings.store, settings, scope, tell) if settings.store else None
    except BaseException:
        scope.close()
        raise
    metrics: Sequence[str] = wanted(settings.metrics, scope.machine.core).metrics
    return Loop(scope, settings.interval_ns, metrics, store, settings.keep, latencies=latencies)


@contextmanager
def exporting(loop: Loop, settings: Settings, tell: Callable[[str], None]) -> Iterator[None]:
    """Serves and sends what the loop samples, as the settings say."""
    with ExitStack() as stack:
        if settings.prometheus is None and settings.otlp is None:
            yield
            return
        from armprof.monitor.exported import Exported

        exported = Exported(loop)
        if (at := settings.prometheus) is not None:
            from armprof.monitor.exporter import Server

            server = stack.enter_context(closing(Server(exported, at)))
            tell(f"serving Prometheus at {at.host}:{server.port}")
            if at.passwords is not None and at.certfile is None and not is_loopback(at.host):
                tell("without TLS passwords are read by whoever sees the traffic: monitor.prometheus.certfile")
        if settings.otlp is not None:
            from armprof.monitor.otlp import Sender

            sender = stack.enter_context(closing(Sender(exported, settings.otlp, tell)))
            tell(f"sending by OTLP to {sender.url}")
        yield


def is_loopback(host: str) -> bool:
    """Whether nobody else can reach that address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _store(path: Path, settings: Settings, scope: Scope, tell: Callable[[str], None]) -> Store:
    session = Session(
        host=platform.node(),
        core=scope.machine.core_name,
        whole=scope.whole,
        scope=scope.title,
        mode=scope.mode,
        interval_ns=settings.interval_ns,
        version=__version__,
    )
    return Store(path, session, time.time_ns(), tell)
