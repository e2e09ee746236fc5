"""Headroom: what is left of a budget, how it is divided, and whether something stays within what it was given."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from armprof.errors import ArmprofError

# The parts of the headroom, and what each is for.
PARTS: Mapping[str, str] = {
    "strategy_algorithm": "Strategy algorithms",
    "ml_processing": "Machine learning",
    "multi_agent_coordination": "Multi-agent coordination",
    "advanced_risk": "Advanced risk models",
    "monitoring_overhead": "Monitoring",
    "debugging_instrumentation": "Debugging instrumentation",
    "quality_assurance": "Quality assurance",
}

# Seven weights that are rounded to a tenth of a percent are 0.35 % off at most; a weight forgotten is more.
WEIGHTS_TOLERANCE = 0.005


@dataclass(frozen=True, slots=True)
class HeadroomAllocation:
    """``headroom_ns`` divided by weights, in nanoseconds. A negative headroom leaves nothing to allocate, and
    ``reason`` says so; otherwise the parts sum to the headroom.
    """

    headroom_ns: float
    reason: str | None = None
    strategy_algorithm_budget: float = 0.0
    ml_processing_budget: float = 0.0
    multi_agent_coordination_budget: float = 0.0
    advanced_risk_budget: float = 0.0
    monitoring_overhead_budget: float = 0.0
    debugging_instrumentation_budget: float = 0.0
    quality_assurance_budget: float = 0.0

    def __getitem__(self, part: str) -> float:
        """The part's nanoseconds, by its name in PARTS."""
        if part not in PARTS:
            raise KeyError(part)
        value: float = getattr(self, f"{part}_budget")
        return value

    def items(self) -> Iterator[tuple[str, float]]:
        """Each part's name with its nanoseconds."""
        return ((part, self[part]) for part in PARTS)


def check_weights(weights: Mapping[str, float]) -> None:
    """Raises ArmprofError where these are no weights of PARTS that sum to 1; a part without weight gets nothing."""
    for part, weight in weights.items():
        if part not in PARTS:
            raise ArmprofError(f"the headroom has no part {part!r}; its parts are {', '.join(PARTS)}")
        if not 0 <= weight <= 1:
            raise ArmprofError(f"the weight of {part} is {weight:g}, which is not from 0 to 1")
    total = math.fsum(weights.values())
    if abs(total - 1) > WEIGHTS_TOLERANCE:
        raise ArmprofError(f"the weights sum to {total:.6g}, not to 1")


def allocate(headroom_ns: float, weights: Mapping[str, float]) -> HeadroomAllocation:
    """The headroom divided in proportion to the weights.

    Raises ArmprofError where the weights do not sum to 1 within WEIGHTS_TOLERANCE, or the headroom is no number.
    """
    check_weights(weights)
    if not math.isfinite(headroom_ns):
        raise ArmprofError(f"a headroom of {headroom_ns} ns cannot be allocated")
    if headroom_ns < 0:
        reason = f"the budget is exceeded by {ns_text(-headroom_ns)}: there is no headroom to allocate"
        return HeadroomAllocation(headroom_ns, reason=reason)
    total = math.fsum(weights.values())
    parts = (headroom_ns * (weights.get(part, 0.0) / total) for part in PARTS)
    return HeadroomAllocation(headroom_ns, None, *parts)


@dataclass(frozen=True, slots=True)
class Validation:
    """A measured latency beside what was allocated to it, both in nanoseconds."""

    name: str
    measured_ns: float
    allocated_ns: float

    @property
    def within(self) -> bool:
        return self.measured_ns <= self.allocated_ns

    @property
    def utilization(self) -> float | None:
        """Measured / allocated; None where nothing was allocated."""
        return self.measured_ns / self.allocated_ns if self.allocated_ns > 0 else None

    @property
    def over_ns(self) -> float:
        """By how much the allocation is exceeded; 0 where it is not."""
        return max(0.0, self.measured_ns - self.allocated_ns)

    @property
    def over_percent(self) -> float | None:
        """The same in percent of the allocation; None where nothing was allocated."""
        return 100 * self.over_ns / self.allocated_ns if self.allocated_ns > 0 else None

    @property
    def alert(self) -> str | None:
        """One line that says by how much the allocation is exceeded; None where it is not."""
        if self.within:
            return None
        percent = "" if self.over_percent is None else f" ({percent_text(self.over_percent)})"
        return (
            f"{self.name}: {ns_text(self.measured_ns)} exceeds its budget of {ns_text(self.allocated_ns)} by "
            f"{ns_text(self.over_ns)}{percent}"
        )

    def to_dict(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "measured_ns": self.measured_ns,
            "allocated_ns": self.allocated_ns,
            "over_ns": self.over_ns,
            "over_percent": self.over_percent,
            "text": self.alert,
        }


def validate(name: str, measured_ns: float, allocated_ns: float) -> Validation:
    """Whether a latency stays within its allocation. Raises ArmprofError where either is no time."""
    for what, value in (("measured", measured_ns), ("allocated", allocated_ns)):
        if not (math.isfinite(value) and value >= 0):
            raise ArmprofError(f"{name}: {value} ns {what} is no time")
    return Validation(name, measured_ns, allocated_ns)


def ns_text(ns: float) -> str:
    """Nanoseconds with three digits at least: 2,310 ns, 11.8 ns, 0.048 ns. What is above 0 never shows as 0."""
    if 0 < ns < 0.0005:
        return "<0.001 ns"
    return f"{ns:,.0f} ns" if ns >= 99.95 else f"{ns:.3g} ns"


def percent_text(percent: float) -> str:
    """A percentage above 0 never shows as 0, nor one below 100 as 100."""
    if 0 < percent < 0.05:
        return "<0.1 %"
    return ">99.9 %" if 99.95 <= percent < 100 else f"{percent:,.1f} %"
