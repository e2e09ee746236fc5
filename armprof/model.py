"""Counts without a PMU: an ARM64 program run on a modelled core.

    import armprof

    counted = armprof.model.run(["./program", "argument"], core="neoverse-n1")
    counted.reading["l1d_cache_refill"]     # as from a PMU; counted.reading.source is "model"
    counted.status                          # the program's exit status

The program is any ARM64 Linux program; it runs under `qemu-aarch64`, so this works on every machine. What runs in this
process is not seen: `armprof.measure` counts on the PMU alone.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from armprof.counters.machine import canonical_events
from armprof.counters.model import emulator, notes
from armprof.counters.model import events as naming
from armprof.counters.model.counts import Counts
from armprof.counters.model.geometry import Geometry, geometry
from armprof.counters.model.tally import Tally
from armprof.counters.reading import Reading
from armprof.cpu import Core

SCOPE = "the command and its children, user mode"


@dataclass(frozen=True)
class Modelled:
    """What a run on the model gave. ``status`` is the program's exit status, 128 + N where signal N ended it."""

    reading: Reading
    status: int
    geometry: Geometry
    counts: Counts

    @property
    def tally(self) -> Tally:
        """The counts by instruction."""
        return Tally(self.counts)


def run(
    command: Sequence[str],
    core: Core | str | None = None,
    events: Sequence[str] | None = None,
    sysroot: str | None = None,
    **settings: int,
) -> Modelled:
    """Runs the ARM64 program on the model of a core and returns what it counted, with all that it started.

    ``core`` is this machine's where it has a known one, else a Neoverse N1. ``events`` are by default
    what the metrics need. ``settings`` change the geometry (``l1d_bytes=32768``, ``prefetch=0``).

    Raises ArmprofError for what is no ARM64 program and for a setting that is none, CannotCount where there is no emulator.
    """
    names = canonical_events(events) if events is not None else naming.DEFAULT
    modelled = geometry(core, settings)
    before = time.monotonic_ns()
    emulated = emulator.run(command, modelled, sysroot)
    reading = Reading(
        counts=naming.counts(Tally(emulated.counts), modelled, names),
        source="model",
        core=modelled.core.name,
        duration_ns=time.monotonic_ns() - before,
        scope=SCOPE,
        access=f"{modelled.core.title} modelled under {emulator.EMULATORS[0]}",
        notes=tuple(notes.of(emulated.counts, modelled)),
    )
    return Modelled(reading, emulated.status, modelled, emulated.counts)
