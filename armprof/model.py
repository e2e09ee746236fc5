"""Counts without a PMU: an ARM64 program run on a modelled core.

    import armprof

    counted = armprof.model.run(["./program", "argument"], core="neoverse-n1")
    counted.reading["l1d_cache_refill"]     # as from a PMU; counted.reading.source is "model"
    counted.region("parse")                 # the same of a region that the program marked with armprof.h
    counted.status                          # the program's exit status

The program is any ARM64 Linux program; it runs under `qemu-aarch64`, so this works on every machine. What runs in this
process is not seen: `armprof.measure` counts on the PMU alone.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from armprof.counters.machine import canonical_events
from armprof.counters.model import emulator, readings
from armprof.counters.model import events as naming
from armprof.counters.model.counts import Bank, Counts
from armprof.counters.model.geometry import Geometry, geometry
from armprof.counters.model.tally import Tally
from armprof.counters.model.where import Atlas, CountedPlace, totals
from armprof.counters.reading import Reading
from armprof.cpu import Core
from armprof.errors import ArmprofError

SCOPE = "the command and its children, user mode"


@dataclass(frozen=True, eq=False)
class Modelled:
    """What a run on the model gave. ``status`` is the program's exit status, 128 + N where signal N ended it."""

    reading: Reading
    status: int
    geometry: Geometry
    counts: Counts = field(repr=False)
    events: tuple[str, ...] = field(repr=False)

    @cached_property
    def tally(self) -> Tally:
        """The counts by instruction."""
        return Tally(self.counts)

    def functions(self, event: str, region: str | None = None) -> dict[str, float]:
        """The event by function, the most first; what has no name is "?". Of the region alone, where one is named."""
        return _ranked(self.where([event], region=region))

    def lines(self, event: str, region: str | None = None) -> dict[str, float]:
        """The event by line of source, the most first."""
        return _ranked(self.where([event], by_line=True, region=region))

    def where(
        self, events: Sequence[str], by_line: bool = False, region: str | None = None
    ) -> dict[CountedPlace, list[float]]:
        """The events by function or line, of the whole run or within a region.

        Raises CannotCount for an event that the model does not count, ArmprofError for a region that was not entered.
        """
        tally = self.tally if region is None else Tally(self.counts, self._within(region))
        values = [naming.by_instruction(tally, self.geometry, name) for name in canonical_events(events)]
        return totals(self.atlas, tally, values, by_line)

    @cached_property
    def atlas(self) -> Atlas:
        """Which code is where, and the lines that threads contend for."""
        return Atlas(self.counts)

    @property
    def regions(self) -> tuple[str, ...]:
        """The names of the regions that the program entered."""
        return readings.regions(self.counts)

    def region(self, name: str) -> Reading:
        """What was counted within the region, by all threads, regions within it included.

        Raises ArmprofError where the program entered none of that name.
        """
        banks = self._within(name)
        scope = f"region {name!r}, entered {readings.entered(self.counts, name):,} times, user mode"
        return readings.reading(self.counts, self.geometry, self.events, scope, banks)

    def _within(self, region: str) -> tuple[Bank, ...]:
        if region not in self.regions:
            known = f"; it entered: {', '.join(self.regions)}" if self.regions else ""
            raise ArmprofError(f"the program entered no region {region!r}{known}")
        return readings.within(self.counts, region)


def run(
    command: Sequence[str],
    core: Core | str | None = None,
    events: Sequence[str] | None = None,
    sysroot: str | None = None,
    **settings: int,
) -> Modelled:
    """Runs the ARM64 program on the model of a core and returns what it counted, with all that it started.

    ``core`` is this machine's where it has a known one, else a Neoverse N1. ``events`` are by default what the metrics
    need. ``sysroot`` is where a dynamically linked program finds its libraries. ``settings`` change the geometry
    (``l1d_bytes=32768``, ``prefetch=0``).

    Raises ArmprofError for what is no ARM64 program and for a setting that is none, CannotCount where there is no emulator.
    """
    names = tuple(canonical_events(events)) if events is not None else naming.DEFAULT
    modelled = geometry(core, settings)
    before = time.monotonic_ns()
    emulated = emulator.run(command, modelled, sysroot)
    took = time.monotonic_ns() - before
    reading = readings.reading(emulated.counts, modelled, names, SCOPE, duration_ns=took)
    return Modelled(reading, emulated.status, modelled, emulated.counts, names)


def _ranked(found: dict[CountedPlace, list[float]]) -> dict[str, float]:
    ranked = sorted(((str(place), values[0]) for place, values in found.items()), key=lambda row: -row[1])
    return {name: value for name, value in ranked if value}
