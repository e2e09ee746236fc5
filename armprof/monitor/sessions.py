"""A monitor put together from its settings: whom to sample, the metrics, the store."""

from __future__ import annotations

import platform
import resource
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, Literal

from armprof import __version__
from armprof.counters.machine import machine
from armprof.metrics.wanted import wanted
from armprof.monitor.loop import Latencies, Loop
from armprof.monitor.settings import Settings
from armprof.monitor.store import Session, Store
from armprof.monitor.targets import Cgroup, Cpus, Own, Process, Scope

OWN: Final = "own"  # the calling program
Whom = int | Path | Literal["own"] | None  # a process, a cgroup's folder, this program, or the machine


def open_scope(settings: Settings, whom: Whom = None) -> Scope:
    """The counters on whom is named."""
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
