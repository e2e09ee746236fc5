"""From the stages of an operation to its bottlenecks: which of them are slow, and which are slow when p99 is slow."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from armprof.analysis.causes import Cause, walk
from armprof.analysis.terms import Terms
from armprof.counters.reading import Reading
from armprof.metrics import compute
from armprof.run.record import Component, CriticalPath, Stage

GROWS = 1.25  # a share in the tail so much larger than that in the median is worth a word

# Metrics of a stage that speak for or against it, where they have a value.
TELLING = ("cycles_per_instruction", "l1_cache_hit_rate", "branch_prediction_accuracy", "tlb_miss_rate")


class SlowedPart(StrEnum):
    """Which operations a stage slows down."""

    MEDIAN = "median"
    TAIL = "tail"
    BOTH = "median and tail"


@dataclass(frozen=True, slots=True)
class PerformanceBottleneck:
    """A stage that takes more than an even share of the time of an operation; ``evidence`` a sentence per fact.

    ``p50_share`` and ``p99_share`` are the stage's part, from 0 to 1, of the operations around the median and of those at
    and above the 99th percentile.
    """

    rank: int  # from 1, by the larger of the two shares
    component: str
    stage: str
    title: str
    where: SlowedPart
    p50_share: float  # 0 to 1, of the operations around the median
    p99_share: float  # of those at and above p99
    evidence: tuple[str, ...]
    causes: tuple[Cause, ...] = ()  # where the cycles of the stage go, where it was counted

    @property
    def largest_share(self) -> float:
        """What it is ranked by."""
        return max(self.p50_share, self.p99_share)

    def to_dict(self) -> dict[str, Any]:
        """The entry of ``bottlenecks[]`` in the JSON contract."""
        return {
            "rank": self.rank,
            "component": self.component,
            "stage": self.stage,
            "title": self.title,
            "where": str(self.where),
            "p50_share": self.p50_share,
            "p99_share": self.p99_share,
            "evidence": list(self.evidence),
            "causes": [cause.to_dict() for cause in self.causes],
        }


def bottlenecks(component: Component) -> tuple[PerformanceBottleneck, ...]:
    """The stages of the component that take more than an even share of p50 or of p99, the largest share first."""
    path = component.critical_path
    if path is None:
        return ()
    even = 1 / len(path.stages)
    found = [
        PerformanceBottleneck(
            rank=0,  # known once all are
            component=component.name,
            stage=stage.name,
            title=stage.title,
            where=_where(stage, even),
            p50_share=stage.p50_share,
            p99_share=stage.p99_share,
            evidence=tuple(_evidence(stage, path)),
            causes=_causes(stage),
        )
        for stage in path.stages
        if max(stage.p50_share, stage.p99_share) > even
    ]
    found.sort(key=lambda one: -one.largest_share)
    return tuple(replace(one, rank=rank) for rank, one in enumerate(found, start=1))


def _causes(stage: Stage) -> tuple[Cause, ...]:
    if stage.reading is None:
        return ()
    metrics = compute(stage.reading)
    return tuple(walk(Terms(metrics, metrics.core)).values())


def _where(stage: Stage, even: float) -> SlowedPart:
    if stage.p99_share <= even:
        return SlowedPart.MEDIAN
    return SlowedPart.BOTH if stage.p50_share > even else SlowedPart.TAIL


def _evidence(stage: Stage, path: CriticalPath) -> Iterator[str]:
    for share, name, whole, ticks, which in (
        (stage.p50_share, "p50", path.p50_ns, path.p50_operations, "around it"),
        (stage.p99_share, "p99", path.p99_ns, path.p99_operations, "at and above it"),
    ):
        yield (
            f"{100 * share:.1f} % of {name}, {share * whole:.0f} of {whole:.0f} ns: the mean of {ticks:,} operations {which}"
        )
    if stage.p50_share == 0:
        yield "it is there in the tail alone"
    elif stage.p99_share > GROWS * stage.p50_share:
        yield f"it grows in the tail: {stage.p99_share / stage.p50_share:.1f} times its share of p50"
    elif stage.p50_share > GROWS * stage.p99_share:
        yield "its share shrinks in the tail: what makes p99 slow is elsewhere"
    if stage.reading is not None and path.reading_operations:
        yield from _counted(stage.reading, path.reading_operations)


def _counted(reading: Reading, operations: int) -> Iterator[str]:
    instructions = reading.value("inst_retired")
    if instructions is not None:
        yield f"{instructions / operations:.0f} instructions an operation, counted over {operations:,}"
    metrics = compute(reading)
    for name in TELLING:
        metric = metrics[name]
        if metric.value is not None:
            yield f"{name} {metric.value:.4g} ({metric.formula})"
