"""What to open for the events that are to be sampled: which interrupts, and which are only read when another one does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from armprof.counters.machine import EventTarget, Machine, canonical_events
from armprof.counters.plan import CYCLES, Capacity
from armprof.counters.refusal import Refusal
from armprof.errors import ArmprofError, CannotCount

CLOCK = "cpu_clock"


@dataclass(frozen=True, slots=True)
class SamplingPlan:
    """``targets`` are to be opened; in a group the first one interrupts, and the others are read at each of its samples."""

    targets: tuple[EventTarget, ...]
    refused: dict[str, Refusal]
    group: bool = False
    notes: tuple[str, ...] = ()

    @property
    def leader(self) -> str | None:
        """At whose samples the others are read; None where each event interrupts for itself."""
        return self.targets[0].name if self.group else None


def plan(machine: Machine, events: Sequence[str] | None, group: bool) -> SamplingPlan:
    """For the events, or for cycles where none are named. ``group``: the first is to lead the others; without it they are a
    group where they do not interrupt. Raises ArmprofError for an unknown event, CannotCount for what cannot be a group.
    """
    targets: list[EventTarget] = []
    refused: dict[str, Refusal] = {}
    for name in canonical_events(events) if events is not None else [CYCLES]:
        target = machine.resolve(name)
        if isinstance(target, Refusal):
            refused[name] = target
        else:
            targets.append(target)
    silent = [target for target in targets if not machine.interrupts(target)]
    if group:
        return _led(machine, targets, refused, silent)
    return _joined(machine, targets, refused, silent) if silent else SamplingPlan(tuple(targets), refused)


def clock(machine: Machine, why: Refusal) -> SamplingPlan:
    """Time instead of cycles."""
    target = machine.resolve(CLOCK)
    assert isinstance(target, EventTarget)
    return SamplingPlan((target,), {}, notes=(f"the CPU's clock is sampled: time, not cycles ({why})",))


def _led(
    machine: Machine, targets: list[EventTarget], refused: dict[str, Refusal], silent: list[EventTarget]
) -> SamplingPlan:
    if len(targets) + len(refused) < 2:
        raise ArmprofError("a group is of two events or more: the first interrupts, the others are read at its samples")
    for name, refusal in refused.items():
        raise CannotCount(f"{name} cannot be counted here: {refusal.reason}", refusal.remedy)
    if targets[0] in silent:
        raise CannotCount(f"{targets[0].name} does not interrupt here, and cannot lead a group", "put cycles first")
    return _fitting(machine, SamplingPlan(tuple(targets), refused, group=True))


def _joined(
    machine: Machine, targets: list[EventTarget], refused: dict[str, Refusal], silent: list[EventTarget]
) -> SamplingPlan:
    """A group led by cycles; by the CPU's clock where not even they interrupt."""
    cycles, time = machine.resolve(CYCLES), machine.resolve(CLOCK)
    assert isinstance(time, EventTarget)
    leader = cycles if isinstance(cycles, EventTarget) and machine.interrupts(cycles) else time
    read = [target for target in targets if target.name != leader.name]
    names = ", ".join(target.name for target in silent)
    note = f"{names} cannot interrupt on this PMU: read at the samples of {leader.name}"
    return _fitting(machine, SamplingPlan((leader, *read), refused, group=True, notes=(note,)))


def _fitting(machine: Machine, made: SamplingPlan) -> SamplingPlan:
    """Raises CannotCount where the group is larger than the PMU: it would never count."""
    budget = machine.budget()
    counting = [target for target in made.targets if not target.is_software]
    if any(len(target.attrs) > 1 for target in counting):
        raise CannotCount("cores of several kinds count these events: no group is of them all", "taskset on one kind")
    if isinstance(budget, Capacity) and sum(budget.takes(target.name) for target in counting) > budget.counters:
        raise CannotCount(
            f"{len(counting)} events at once, of which the PMU can count {budget.counters + budget.cycles_besides} together",
            "ask for fewer",
        )
    return made
