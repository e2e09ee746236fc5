"""What `analyze` gives: recommendations, the rules that stayed silent, and whether it was judged at all."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from armprof.analysis.bottlenecks import PerformanceBottleneck
from armprof.metrics import ARM64Metrics, Confidence

if TYPE_CHECKING:
    import pandas as pd


class OptimizationType(StrEnum):
    """What kind of change is advised."""

    CACHE_LAYOUT = "CacheLayout"
    BRANCH_OPTIMIZATION = "BranchOptimization"
    MEMORY_ACCESS = "MemoryAccess"


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


class Verdict(StrEnum):
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

    def __str__(self) -> str:
        ceiling = "ceiling unknown" if self.ceiling is None else f"ceiling {self.ceiling:.1f} %"
        return f"{self.low:.3g}-{self.high:.3g} % {self.unit}, {ceiling}"


@dataclass(frozen=True, slots=True)
class Recommendation:
    """One piece of advice: ``rank`` from 1, ``evidence`` a sentence per fact."""

    rank: int
    type: OptimizationType
    title: str
    description: str
    expected_improvement: Improvement
    effort: ImplementationEffort
    risk: ImplementationRisk
    confidence: Confidence
    evidence: tuple[str, ...]
    location: dict[str, Any] | None = None
    depends_on: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The entry of ``recommendations[]`` in the JSON contract."""
        gain = self.expected_improvement
        return {
            "rank": self.rank,
            "type": str(self.type),
            "title": self.title,
            "description": self.description,
            "expected_improvement": {
                "low": gain.low,
                "high": gain.high,
                "ceiling": gain.ceiling,
                "unit": gain.unit,
                "basis": gain.basis,
            },
            "effort": str(self.effort),
            "risk": str(self.risk),
            "confidence": str(self.confidence),
            "evidence": list(self.evidence),
            "location": self.location,
            "depends_on": list(self.depends_on),
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


@dataclass(frozen=True, slots=True, repr=False)
class Analysis:
    """What follows from the metrics of one Reading. ``metrics`` is None where there was no Reading."""

    verdict: Verdict
    reason: str  # why it was judged or not, one sentence
    recommendations: tuple[Recommendation, ...]
    silent: tuple[Silent, ...]
    metrics: ARM64Metrics | None = None
    bottlenecks: tuple[PerformanceBottleneck, ...] = ()  # of a component that was timed stage by stage

    def to_dict(self) -> dict[str, Any]:
        """``verdict``, ``reason``, ``bottlenecks[]``, ``recommendations[]`` as in the JSON contract, and ``silent[]``."""
        return {
            "verdict": str(self.verdict),
            "reason": self.reason,
            "bottlenecks": [b.to_dict() for b in self.bottlenecks],
            "recommendations": [r.to_dict() for r in self.recommendations],
            "silent": [s.to_dict() for s in self.silent],
        }

    def to_frame(self) -> pd.DataFrame:
        """One row per recommendation, by rank; low, high and ceiling in percent of the unit."""
        import pandas as pd

        columns = [
            "rank",
            "type",
            "title",
            "low",
            "high",
            "ceiling",
            "unit",
            "effort",
            "risk",
            "confidence",
            "basis",
        ]
        rows = []
        for recommendation in self.recommendations:
            entry = recommendation.to_dict()
            entry |= entry["expected_improvement"]
            rows.append([entry[column] for column in columns])
        return pd.DataFrame(rows, columns=columns).astype({"ceiling": "float64"}).set_index("rank")

    def __repr__(self) -> str:
        lines = [f"Analysis: {self.verdict}, {self.reason}"]
        if self.verdict is Verdict.JUDGED and not self.recommendations:
            lines.append("  nothing to recommend")
        for r in self.recommendations:
            lines.append(f"  {r.rank}. {r.title} ({r.type})")
            lines.append(f"     {r.expected_improvement}; effort {r.effort}, risk {r.risk}, {r.confidence} confidence")
            lines += textwrap.wrap(r.description, 100, initial_indent=" " * 5, subsequent_indent=" " * 5)
            for fact in (*r.evidence, r.expected_improvement.basis):
                lines += textwrap.wrap(fact, 98, initial_indent="     - ", subsequent_indent=" " * 7)
        for s in self.silent:
            if s.reason == f"{Verdict.NOT_JUDGED}: {self.reason}":
                continue  # said in the first line
            lines += textwrap.wrap(
                f"{s.rule}: {s.reason}", 100, initial_indent="  silent: ", subsequent_indent=" " * 10
            )
        return "\n".join(lines)
