"""What `analyze` gives: causes, recommendations, the rules that stayed silent, and whether it was judged at all."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from armprof.analysis.bottlenecks import PerformanceBottleneck
from armprof.analysis.causes import Cause
from armprof.analysis.result import Judgement, Recommendation, Silent
from armprof.analysis.roadmap import Phase, roadmap
from armprof.display import Displayed
from armprof.metrics import ARM64Metrics

if TYPE_CHECKING:
    import pandas as pd


def _plain(thing: Cause | Silent) -> dict[str, Any]:
    return thing.to_dict()


@dataclass(frozen=True, slots=True, repr=False)
class Analysis(Displayed):
    """What follows from the metrics of one Reading: where the cycles go, and what to change.

    ``causes`` have the share of the cycles that each takes at most, 0 to 1, or the reason why that is not known.
    ``recommendations`` are ranked; what each may gain is in percent of the time, from ``low`` to ``high`` and never above
    ``ceiling``. ``silent`` has the rules that raised nothing, and why. ``metrics`` is None where there was no Reading.
    """

    verdict: Judgement
    reason: str  # why it was judged or not, one sentence
    recommendations: tuple[Recommendation, ...]
    silent: tuple[Silent, ...]
    metrics: ARM64Metrics | None = None
    causes: tuple[Cause, ...] = ()  # where the cycles go, parents before their children
    asides: tuple[Recommendation, ...] = ()  # what is no advice, and told when asked: that nothing is left in the core
    bottlenecks: tuple[PerformanceBottleneck, ...] = ()  # of a component that was timed stage by stage

    @property
    def roadmap(self) -> tuple[Phase, ...]:
        """What is recommended, in phases."""
        return roadmap([("", recommendation) for recommendation in self.recommendations])

    def to_dict(self, entry: Callable[[Cause | Silent], Any] = _plain) -> dict[str, Any]:
        """As it stands in the JSON contract; the roadmap there is that of all components.

        ``entry`` makes the entries of causes and of rules that stayed silent, which many components share.
        """
        return {
            "verdict": str(self.verdict),
            "reason": self.reason,
            "causes": [entry(c) for c in self.causes],
            "bottlenecks": [b.to_dict() for b in self.bottlenecks],
            "recommendations": [r.to_dict() for r in self.recommendations],
            "asides": [r.to_dict() for r in self.asides],
            "silent": [entry(s) for s in self.silent],
        }

    def to_frame(self) -> pd.DataFrame:
        """One row per recommendation, by rank; low, high and ceiling in percent of the unit."""
        import pandas as pd

        columns = [
            "rank",
            "rule",
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
        if self.verdict is Judgement.JUDGED and not self.recommendations:
            lines.append("  nothing to recommend")
        for r in self.recommendations:
            lines.append(f"  {r.rank}. {r.title} ({r.type})")
            lines.append(f"     {r.expected_improvement}; effort {r.effort}, risk {r.risk}, {r.confidence} confidence")
            lines += textwrap.wrap(r.description, 100, initial_indent=" " * 5, subsequent_indent=" " * 5)
            for fact in (*r.evidence, r.expected_improvement.basis, *(f"verify: {command}" for command in r.verify)):
                lines += textwrap.wrap(fact, 98, initial_indent="     - ", subsequent_indent=" " * 7)
        if self.silent:
            lines.append(f"  {len(self.silent)} rules stayed silent: `.silent` says why")
        return "\n".join(lines)
