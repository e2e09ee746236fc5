"""From metrics to advice: rules as data, gated by evidence, ranked by the cycles at stake."""

from armprof.analysis.bottlenecks import PerformanceBottleneck, SlowedPart, bottlenecks
from armprof.analysis.causes import Cause
from armprof.analysis.judge import analyze
from armprof.analysis.outcome import Analysis
from armprof.analysis.result import (
    ImplementationEffort,
    ImplementationRisk,
    Improvement,
    Judgement,
    OptimizationType,
    Recommendation,
    Silent,
)
from armprof.analysis.roadmap import Concern, Horizon, Phase, Priority, Room, Step, roadmap

__all__ = [
    "Analysis",
    "Cause",
    "Concern",
    "Horizon",
    "ImplementationEffort",
    "ImplementationRisk",
    "Improvement",
    "Judgement",
    "OptimizationType",
    "PerformanceBottleneck",
    "Phase",
    "Priority",
    "Recommendation",
    "Room",
    "Silent",
    "SlowedPart",
    "Step",
    "analyze",
    "bottlenecks",
    "roadmap",
]
