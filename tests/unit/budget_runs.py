"""Runs with given times, for the tests of budgets."""

from __future__ import annotations

from armprof.budget import defaults
from armprof.run.record import Component, Latency, Run


def timed(
    name: str,
    p50: float = 100.0,
    p99: float | None = None,
    throughput: float | None = None,
    title: str = "",
    batch: int = 1,
    samples: int = 10_000,
) -> Component:
    """A component with these times in nanoseconds; what is not given is the p50."""
    p99 = p50 if p99 is None else p99
    return Component(
        name=name,
        title=title or name,
        kind="kernel",
        operation="operation",
        latency=Latency(p50, p50, p50, p99, p99, p99, samples, batch, 0.0),
        throughput_per_s=throughput,
    )


def run(*components: Component) -> Run:
    return Run(components)


def founding_system() -> Run:
    """The run of a system that measures what the founding design states: the references of the defaults."""
    figures: dict[str, dict[str, float]] = {}
    for reference in defaults().references:
        figures.setdefault(reference.component, {})[reference.figure] = reference.value
    return run(
        *(
            timed(name, known["p50_ns"], known.get("p99_ns"), known.get("throughput_per_s"))
            for name, known in figures.items()
        )
    )
