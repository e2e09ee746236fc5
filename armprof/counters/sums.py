"""What regions sum up in C, and what follows from it: Readings, and the mean, least and most of one call.

The same rules hold for the regions of this process and for those that a program has left in a file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from armprof.counters.combine import Difference, combined
from armprof.counters.machine import EventTarget, Machine
from armprof.counters.reading import Count, Fact, Reading, Status, uncounted
from armprof.counters.refusal import Refusal
from armprof.counters.suspect import mark_suspects

WITHDRAWN = "kernel.perf_user_access was switched off meanwhile: read() from then on, no count was lost"


@dataclass(frozen=True, slots=True)
class Extremes:
    """The sum of all calls, and the least and most of one."""

    total: int
    smallest: int
    largest: int


@dataclass(frozen=True, slots=True)
class Totals:
    """armprof_region_totals: a region's sums over all threads at one moment."""

    calls: int  # recursive ones too
    outermost: int  # the calls that the times are made of
    counted: int  # of those, the calls that the events are made of
    ns: Extremes
    enabled_ns: int
    lost_ns: tuple[int, ...]  # by group
    events: tuple[Extremes, ...]  # by counter


@dataclass(frozen=True, slots=True)
class Health:
    """armprof_regions_health: what must be known of the sums of all regions."""

    threads: int
    failed: int
    dropped: int
    mismatched: int
    inside: int
    withdrawn: int


@dataclass(frozen=True, slots=True)
class Spread:
    """What one call counted, less the cost of an empty region: the mean, the least and the most.

    The extremes are None where only sums are known: an event that was multiplexed, or that several PMUs count.
    """

    mean: float
    smallest: float | None
    largest: float | None


@dataclass(frozen=True, slots=True)
class Slot:
    """One counter as it was opened: by which group it counts and how it is read, or why it is not open."""

    group: int
    access: str  # "user64", "user32", "syscall"; "closed" where it is not open
    refusal: Refusal | None = None


@dataclass(frozen=True, slots=True)
class RegionCounters:
    """What the regions of a process count: each target with its counters, one for each core PMU of the machine."""

    machine: Machine
    names: Sequence[str]  # of all events, in order
    refused: Mapping[str, Refusal]
    targets: Mapping[str, EventTarget]
    slots: Mapping[str, tuple[int, ...]]  # by event, the counters of `opened`
    opened: Sequence[Slot]

    @property
    def mode(self) -> str:
        """In which mode of the core the hardware's events count."""
        hardware = [target for target in self.targets.values() if not target.is_software]
        kernel = [target.name for target in hardware if target.kernel]
        if not kernel:
            return "user mode"
        return (
            "user and kernel mode"
            if kernel == [t.name for t in hardware]
            else f"user mode, {', '.join(kernel)} in both"
        )

    def access(self, health: Health) -> str:
        """How the counters are read, in words; "" where none is open."""
        modes = {slot.access for slot in self.opened} - {"closed"}
        if "syscall" in modes or (modes and health.withdrawn):
            return "read()"
        return "user reads, fenced" if modes else ""


@dataclass(frozen=True, slots=True)
class Empty:
    """What an empty region counts at the least, by event, and takes."""

    cost: Mapping[str, float]
    cost_ns: int


class Sums:
    """A region's sums at one moment, and what follows from them. ``health`` is that of all regions, ``facts`` those of the
    machine that counted.
    """

    def __init__(
        self,
        name: str,
        counted: RegionCounters,
        totals: Totals,
        empty: Empty,
        health: Health,
        facts: Mapping[str, Fact] | None = None,
    ) -> None:
        self._counted, self._totals, self._empty = counted, totals, empty
        self.outermost = totals.outermost
        self.calls = totals.calls
        counts = {event: uncounted(event, r.status, str(r)) for event, r in counted.refused.items()}
        counts |= {event: self._count(target) for event, target in counted.targets.items()}
        self.reading = mark_suspects(
            Reading(
                counts={event: counts[event] for event in counted.names},
                source="pmu",
                core=counted.machine.core_name,
                duration_ns=max(0, totals.ns.total - self.outermost * empty.cost_ns),
                scope=f"region {name!r}, {times(self.calls)}, {counted.mode}",
                access=counted.access(health),
                overhead={
                    event: empty.cost[event] * self.outermost
                    for event in counted.names
                    if empty.cost.get(event) and counts[event].value is not None
                },
                notes=tuple(notes_of(health)),
                facts=facts or {},
            )
        )

    def _count(self, target: EventTarget) -> Count:
        slots = self._counted.slots[target.name]
        group = None if target.is_software else self._counted.opened[slots[0]].group
        if self.outermost == 0:
            return uncounted(
                target.name, Status.NOT_COUNTED, "the region was never left", unit=target.unit, group=group
            )
        enabled = self._totals.enabled_ns
        counters: list[Difference | Refusal] = []
        for slot in slots:
            opened = self._counted.opened[slot]
            if opened.refusal is not None:
                counters.append(opened.refusal)
                continue
            lost = self._totals.lost_ns[opened.group]
            counters.append(Difference(self._totals.events[slot].total, enabled, max(0, enabled - lost)))
        if self._totals.counted == 0 and any(isinstance(counter, Difference) for counter in counters):
            reason = "the counters could not be read in any of its calls"
            return uncounted(target.name, Status.NOT_COUNTED, reason, unit=target.unit, group=group)
        cost = self.outermost * self._empty.cost.get(target.name, 0)
        return combined(target.name, [counters], cost, target.unit, group)

    def spread(self, event: str) -> Spread | None:
        """Of one outermost call; ``event`` by its canonical name, or "ns"."""
        if self.outermost == 0:
            return None
        if event == "ns":
            return self._of_one_call(self._totals.ns, self._empty.cost_ns)
        count = self.reading.counts.get(event)
        if count is None or count.value is None:
            return None
        slots = self._counted.slots[event]
        if count.status != Status.COUNTED or len(slots) != 1:
            return Spread(count.value / self.outermost, None, None)
        return self._of_one_call(self._totals.events[slots[0]], self._empty.cost.get(event, 0))

    def _of_one_call(self, extremes: Extremes, cost: float) -> Spread:
        values = extremes.total / self.outermost, extremes.smallest, extremes.largest
        return Spread(*(max(0.0, value - cost) for value in values))


def empty_of(slots: Mapping[str, tuple[int, ...]], least: Sequence[int], ns: int) -> Empty:
    """What an empty region costs, from the least that each counter counted in one."""
    return Empty({event: float(sum(least[slot] for slot in own)) for event, own in slots.items()}, ns)


def times(calls: int) -> str:
    """The number of calls, in words."""
    return f"{calls:,} call{'s' * (calls != 1)}"


def notes_of(health: Health) -> list[str]:
    """What the reader of the sums must know, a sentence each."""
    notes = [WITHDRAWN] if health.withdrawn else []
    if health.failed:
        notes.append(
            f"{health.failed} of {health.threads} threads could not open these events; their times alone are in"
        )
    if health.dropped:
        notes.append(f"{health.dropped:,} calls were nested too deep to be counted")
    if health.mismatched:
        notes.append(f"{times(health.mismatched)} left in a thread that had not entered the region")
    return notes
