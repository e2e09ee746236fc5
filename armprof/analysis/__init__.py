"""From metrics to advice: rules as data, gated by evidence, ranked by the cycles at stake."""

from armprof.analysis.bottlenecks import PerformanceBottleneck, Where, bottlenecks
from armprof.analysis.judge import analyze
from armprof.analysis.result import (
    Analysis,
    ImplementationEffort,
    ImplementationRisk,
    Improvement,
    OptimizationType,
    Recommendation,
    Silent,
    Verdict,
)

__all__ = [
    "Analysis",
    "ImplementationEffort",
    "ImplementationRisk",
    "Improvement",
    "OptimizationType",
    "PerformanceBottleneck",
    "Recommendation",
    "Silent",
    "Verdict",
    "Where",
    "analyze",
    "bottlenecks",
]
