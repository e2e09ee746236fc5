"""What a rule has to say: a recommendation with what it may gain, or why it stays silent."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from armprof.counters.reading import Reading
from armprof.metrics import Confidence


class OptimizationType(StrEnum):
    """What kind of change is advised: of the layout of data, of branches, of how memory is accessed, of the layout of code, of
    what the core computes, of what threads share; or to do less.
    """

    CACHE_LAYOUT = "CacheLayout"
    BRANCH_OPTIMIZATION = "BranchOptimization"
    MEMORY_ACCESS = "MemoryAccess"
    CODE_LAYOUT = "CodeLayout"
    CORE_BOUND = "CoreBound"
    SYNCHRONIZATION = "Synchronization"
    LESS_WORK = "LessWork"


class ImplementationEffort(StrEnum):
    """Low: a flag or a hint; medium: the build or a data structure; high: how the code goes about memory."""

    LOW = "Low"
    MEDIUM = "Medium"
    HIGH = "High"

    @property
    def rank(self) -> int:
        """0 for low, 2 for high."""
        return ("Low", "Medium", "High").index(self.value)


class ImplementationRisk(StrEnum):
    """Low: interfaces and data stay; medium: data structures or interfaces change; high: results may."""

    LOW = "Low"
    MEDIUM = "Medium"
    HIGH = "High"


class Judgement(StrEnum):
    """Whether the counts allow a judgement."""

    JUDGED = "judged"
    NOT_JUDGED = "not judged"


@dataclass(frozen=True, slots=True)
class Improvement:
    """What a change may gain, in percent of ``unit`` ("latency": less of it; "throughput": more of it).

    ``ceiling`` is what it can gain at most, None where that cannot be told; low and high never exceed it.
    ``basis`` says where each of the three comes from.
    """

    low: float
    high: float
    ceiling: float | None
    unit: str
    basis: str

    @property
    def expected(self) -> float:
        """The middle of low and high, in percent of the time that goes away, whatever the unit."""
        return self.saved((self.low + self.high) / 2)

    def saved(self, gain: float) -> float:
        """A gain in the unit as percent of the time that goes away."""
        return gain if self.unit == "latency" else 100 * gain / (100 + gain)

    def to_dict(self) -> dict[str, Any]:
        """As it stands in the JSON contract."""
        return {name: getattr(self, name) for name in self.__slots__}

    def __str__(self) -> str:
        ceiling = "ceiling unknown" if self.ceiling is None else f"ceiling {self.ceiling:.1f} %"
        return f"{self.low:.3g}-{self.high:.3g} % {self.unit}, {ceiling}"


Bound = tuple[str, float]  # a cause, and what all changes against it can gain together at most, in percent of the time


@dataclass(frozen=True, slots=True)
class Recommendation:
    """One piece of advice: ``rank`` from 1, ``evidence`` a sentence per fact.

    ``expected_improvement`` has ``low``, ``high`` and ``ceiling`` in percent of its ``unit``, and says what they rest on.
    ``location`` is the function, the file and the line that it is about, where they are known. ``rule`` names the row of the
    tables that it is from; ``depends_on`` the rules whose advice should be followed before; ``verify`` is the command that
    shows whether it helped, with CMD for the program before the change and after.
    """

    rank: int
    rule: str
    type: OptimizationType
    title: str
    description: str
    expected_improvement: Improvement
    effort: ImplementationEffort
    risk: ImplementationRisk
    confidence: Confidence
    evidence: tuple[str, ...]
    score: float = 0.0  # what it is ranked by: the expected gain, by how sure it is, over what it takes
    location: dict[str, Any] | None = None
    depends_on: tuple[str, ...] = ()
    verify: tuple[str, ...] = ()
    bounds: tuple[
        Bound, ...
    ] = ()  # of the cause that it is against and of those around it; empty where that is not known

    def order(self) -> tuple[bool, float]:
        """What it is sorted by: the highest score first, and last what could not be weighed in cycles."""
        return self.expected_improvement.ceiling is None, -self.score

    def to_dict(self) -> dict[str, Any]:
        """The entry of ``recommendations[]`` in the JSON contract."""
        return {
            "rank": self.rank,
            "rule": self.rule,
            "type": str(self.type),
            "title": self.title,
            "description": self.description,
            "expected_improvement": self.expected_improvement.to_dict(),
            "effort": str(self.effort),
            "risk": str(self.risk),
            "confidence": str(self.confidence),
            "evidence": list(self.evidence),
            "score": self.score,
            "location": self.location,
            "depends_on": list(self.depends_on),
            "verify": list(self.verify),
        }


@dataclass(frozen=True, slots=True)
class Silent:
    """A rule that was considered and raised nothing. ``value`` is what its metric was."""

    rule: str
    type: OptimizationType
    metric: str
    value: float | None
    reason: str

    def to_dict(self) -> dict[str, Any]:
        return {
            "rule": self.rule,
            "type": str(self.type),
            "metric": self.metric,
            "value": self.value,
            "reason": self.reason,
        }


def verify(watch: tuple[str, ...], reading: Reading) -> tuple[str, ...]:
    """The commands that show what a change did: to the time, and to these metrics."""
    source = f" --source model --core {reading.core}" if reading.source == "model" and reading.core else ""
    compared = () if source else ("armprof ab -- CMD_BEFORE -- CMD_AFTER",)
    return (*compared, f"armprof stat{source} -m {','.join(watch)} -- CMD_AFTER")
