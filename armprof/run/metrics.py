"""ComponentMetrics: what there is to say of one component of a run in a dozen figures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from armprof.counters.reading import Reading
from armprof.metrics import ARM64Metrics, compute
from armprof.run.record import Component

# The figures and their units; latencies and counts are of one operation.
UNITS: Mapping[str, str] = {
    "avg_latency": "ns",
    "p50_latency": "ns",
    "p95_latency": "ns",
    "p99_latency": "ns",
    "p999_latency": "ns",
    "max_latency": "ns",
    "throughput": "operations per second",
    "cache_miss_rate": "fraction of L1 data cache accesses",
    "branch_miss_rate": "fraction of branches",
    "cycles_per_operation": "cycles",
    "instructions_per_operation": "instructions",
}

_LATENCIES = {"avg_latency": "mean_ns", **{f"{p}_latency": f"{p}_ns" for p in ("p50", "p95", "p99", "p999", "max")}}
_MISSES = {"cache_miss_rate": "l1_cache_hit_rate", "branch_miss_rate": "branch_prediction_accuracy"}
_COUNTS = {"cycles_per_operation": "cpu_cycles", "instructions_per_operation": "inst_retired"}

_Told = tuple[float | None, str | None]  # a value, or why there is none; with a value, what must be known of it


@dataclass(frozen=True, slots=True)
class ComponentMetrics:
    """One component's latency in ns, its throughput per second, its miss rates from 0 to 1, its cycles and instructions.

    What was not measured is None. ``reasons`` says why, by the name of the figure, and of some values what must be known.
    """

    avg_latency: float | None
    p50_latency: float | None
    p95_latency: float | None
    p99_latency: float | None
    p999_latency: float | None
    max_latency: float | None
    throughput: float | None
    cache_miss_rate: float | None
    branch_miss_rate: float | None
    cycles_per_operation: float | None
    instructions_per_operation: float | None
    reasons: Mapping[str, str]

    @classmethod
    def of(cls, component: Component, metrics: ARM64Metrics | None = None) -> ComponentMetrics:
        """The figures of a run's component. ``metrics`` are those of its counts, where they are computed already."""
        if metrics is None and component.reading is not None:
            metrics = compute(component.reading, groups=component.groups)
        told = dict(_figures(component, metrics))
        reasons = {name: reason for name, (_, reason) in told.items() if reason}
        return cls(**{name: value for name, (value, _) in told.items()}, reasons=reasons)

    def to_dict(self) -> dict[str, dict[str, Any]]:
        """The figures as they stand in the JSON contract."""
        return {
            name: {"value": getattr(self, name), "unit": unit, "reason": self.reasons.get(name)}
            for name, unit in UNITS.items()
        }


def _figures(component: Component, metrics: ARM64Metrics | None) -> Iterator[tuple[str, _Told]]:
    untimed = component.failure or "it was not timed"
    latency, throughput = component.latency, component.throughput_per_s
    for name, field in _LATENCIES.items():
        value = getattr(latency, field) if latency else None
        yield name, (value, None if value is not None else (latency and latency.reason) or untimed)
    yield "throughput", (throughput, None if throughput is not None else untimed)
    uncounted = component.failure or "nothing was counted"
    for name, hits in _MISSES.items():
        yield name, (None, uncounted) if metrics is None else _missed(metrics, hits)
    for name, event in _COUNTS.items():
        yield (
            name,
            (None, uncounted) if metrics is None else _each(metrics.reading, event, component.reading_operations),
        )


def _missed(metrics: ARM64Metrics, hits: str) -> _Told:
    value = metrics[hits].value
    return None if value is None else 1 - value, metrics[hits].reason


def _each(reading: Reading, event: str, operations: int | None) -> _Told:
    if event not in reading.counts:
        return None, f"{event} is not among the events that were counted"
    count = reading.counts[event]
    if count.value is None:
        return None, count.reason
    if not operations:
        return None, "it is not known how many operations were counted"
    return count.value / operations, None
