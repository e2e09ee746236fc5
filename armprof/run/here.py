"""A Run of this machine, made now."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

import armprof
from armprof.cpu import Host
from armprof.run.record import Component, Run


def run_here(components: Iterable[Component], notes: Iterable[str] = ()) -> Run:
    """The components as a Run, with what this machine is and the time."""
    from armprof import cpu

    return Run(
        components=tuple(components),
        host=described(cpu.host()),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        armprof_version=armprof.__version__,
        notes=tuple(notes),
    )


def described(host: Host) -> dict[str, str | int | float | None]:
    """The machine as a Run describes it."""
    return {
        "description": host.describe(),
        "arch": host.arch,
        "kernel": host.kernel,
        "model": host.model,
        "cpus": host.cpus,
        "core": host.core.name if host.core else None,
        "perf_event_paranoid": host.perf_event_paranoid,
        "perf_user_access": host.perf_user_access,
    }
