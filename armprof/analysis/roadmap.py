"""The plan: what to do in which order, from recommendations, what endangers stability, and the headroom.

Priorities are those of the design that this project began with: stability first, then the use of the headroom, then
micro-optimizations. The horizon follows from priority and effort, and no step comes before one that it depends on.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from armprof.analysis.joint import joint
from armprof.analysis.result import Bound, ImplementationEffort, ImplementationRisk, Improvement, Recommendation


class Priority(StrEnum):
    """What a step serves, the first first."""

    STABILITY = "system stability"
    HEADROOM = "use of headroom"
    MICRO = "micro-optimizations"

    @property
    def rank(self) -> int:
        return list(Priority).index(self)


class Horizon(StrEnum):
    """When."""

    IMMEDIATE = "immediate"
    SHORT = "short term"
    MEDIUM = "medium term"

    @property
    def rank(self) -> int:
        return list(Horizon).index(self)

    @property
    def span(self) -> str:
        return {"immediate": "1-2 weeks", "short term": "1 month", "medium term": "2 months"}[self]


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do. ``component`` is "" where it concerns the whole; ``benefit`` is the expected gain by its cost."""

    priority: Priority
    component: str
    title: str
    reason: str
    rule: str | None = None  # of the recommendation that it follows
    impact: Improvement | None = None
    effort: ImplementationEffort | None = None
    risk: ImplementationRisk | None = None
    benefit: float | None = None
    depends_on: tuple[str, ...] = ()
    verify: tuple[str, ...] = ()
    bounds: tuple[Bound, ...] = ()  # of its impact beside those of others

    def to_dict(self) -> dict[str, Any]:
        return {
            "priority": str(self.priority),
            "component": self.component or None,
            "title": self.title,
            "reason": self.reason,
            "rule": self.rule,
            "impact": None if self.impact is None else self.impact.to_dict(),
            "effort": None if self.effort is None else str(self.effort),
            "risk": None if self.risk is None else str(self.risk),
            "benefit": self.benefit,
            "depends_on": list(self.depends_on),
            "verify": list(self.verify),
        }


@dataclass(frozen=True, slots=True)
class Impact:
    """What the steps of a phase gain together for a component, in percent of its time."""

    component: str
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Phase:
    """The steps of one horizon, by priority and benefit."""

    number: int
    horizon: Horizon
    steps: tuple[Step, ...]

    @property
    def title(self) -> str:
        """What it is about: its first priority."""
        return str(self.steps[0].priority)

    @property
    def impacts(self) -> tuple[Impact, ...]:
        """What its recommendations may gain together, component by component."""
        by_component: dict[str, list[tuple[Improvement, tuple[Bound, ...]]]] = {}
        for step in self.steps:
            if step.impact is not None:
                by_component.setdefault(step.component, []).append((step.impact, step.bounds))
        return tuple(
            Impact(
                name,
                joint((gain.saved(gain.low), bounds) for gain, bounds in gains),
                joint((gain.saved(gain.high), bounds) for gain, bounds in gains),
            )
            for name, gains in by_component.items()
        )

    def to_dict(self) -> dict[str, Any]:
        """The entry of ``roadmap[]`` in the JSON contract."""
        return {
            "phase": self.number,
            "title": self.title,
            "horizon": str(self.horizon),
            "span": self.horizon.span,
            "steps": [step.to_dict() for step in self.steps],
            "impact": [{"component": i.component or None, "low": i.low, "high": i.high} for i in self.impacts],
        }


@dataclass(frozen=True, slots=True)
class Concern:
    """What endangers stability: a budget that is exceeded, a target that is missed, a figure that was not measured."""

    component: str
    title: str
    reason: str


@dataclass(frozen=True, slots=True)
class Room:
    """A part of the headroom that may be used. ``later`` is what serves the system rather than what it computes."""

    title: str
    reason: str
    later: bool = False


def roadmap(
    recommended: Sequence[tuple[str, Recommendation]], concerns: Sequence[Concern] = (), rooms: Sequence[Room] = ()
) -> tuple[Phase, ...]:
    """The phases that have steps. ``recommended`` are the components' names, each with a recommendation for it.

    What a component that is of concern is recommended belongs to stability. Where there is headroom to be used, mere
    micro-optimizations wait for it: they come a phase later than their effort alone would have them.
    """
    endangered = {concern.component for concern in concerns}
    planned = [(Horizon.IMMEDIATE, Step(Priority.STABILITY, c.component, c.title, c.reason)) for c in concerns]
    for room in rooms if not concerns else ():
        horizon = Horizon.SHORT if room.later else Horizon.IMMEDIATE
        planned.append((horizon, Step(Priority.HEADROOM, "", room.title, room.reason)))
    micro = [_step(name, r, Priority.STABILITY if name in endangered else Priority.MICRO) for name, r in recommended]
    delay = 1 if rooms and not concerns else 0
    planned += _placed(micro, delay)
    return _phases(planned)


def _step(name: str, recommendation: Recommendation, priority: Priority) -> Step:
    r = recommendation
    return Step(
        priority=priority,
        component=name,
        title=r.title,
        reason=r.evidence[0] if r.evidence else r.description,
        rule=r.rule,
        impact=r.expected_improvement,
        effort=r.effort,
        risk=r.risk,
        benefit=r.score,
        depends_on=r.depends_on,
        verify=r.verify,
        bounds=r.bounds,
    )


def _placed(steps: Sequence[Step], delay: int) -> list[tuple[Horizon, Step]]:
    """Each step at the horizon of its effort, and none before what it depends on."""
    horizons = list(Horizon)
    at: dict[tuple[str, str | None], int] = {}
    for step in steps:
        assert step.effort is not None
        own = step.effort.rank + (delay if step.priority is Priority.MICRO else 0)
        at[step.component, step.rule] = min(own, len(horizons) - 1)
    waiting = [step for step in steps if step.depends_on]
    for _ in waiting:  # a chain of dependencies is no longer than that
        for step in waiting:
            before = [at[step.component, rule] for rule in step.depends_on if (step.component, rule) in at]
            key = (step.component, step.rule)
            at[key] = max([at[key], *before])
    return [(horizons[at[step.component, step.rule]], step) for step in steps]


def _phases(planned: Sequence[tuple[Horizon, Step]]) -> tuple[Phase, ...]:
    by_horizon: Mapping[Horizon, list[Step]] = {
        horizon: _in_order([step for at, step in planned if at is horizon]) for horizon in Horizon
    }
    phases = [Phase(0, horizon, tuple(steps)) for horizon, steps in by_horizon.items() if steps]
    return tuple(replace(phase, number=number) for number, phase in enumerate(phases, start=1))


def _in_order(steps: Sequence[Step]) -> list[Step]:
    """By priority and benefit, what a step depends on before it; in a circle the first begins."""
    wanted = sorted(steps, key=lambda s: (s.priority.rank, -(s.benefit or 0.0)))
    left: Counter[tuple[str, str | None]] = Counter((s.component, s.rule) for s in wanted)
    waits = {
        at: missing
        for at, s in enumerate(wanted)
        if (missing := {(s.component, rule) for rule in s.depends_on if rule != s.rule and (s.component, rule) in left})
    }
    waited_for: dict[tuple[str, str | None], list[int]] = {}
    for at, missing in waits.items():
        for key in missing:
            waited_for.setdefault(key, []).append(at)
    free = [at for at in range(len(wanted)) if at not in waits]
    ordered: list[Step] = []
    while free or waits:
        at = heapq.heappop(free) if free else min(waits)
        waits.pop(at, None)
        ordered.append(wanted[at])
        done = (wanted[at].component, wanted[at].rule)
        left[done] -= 1
        for other in waited_for.get(done, ()) if not left[done] else ():
            if other in waits:
                waits[other].discard(done)
                if not waits[other]:
                    del waits[other]
                    heapq.heappush(free, other)
    return ordered
