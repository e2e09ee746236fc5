"""Bencher Metric Format: of each component its measures, with the noise of the rounds around those that have rounds."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from armprof.counters.reading import Status
from armprof.run.record import Component, Run

# Slugs that are in use there; any other event goes by its own name.
COUNTS = {"inst_retired": "instructions", "cpu_cycles": "cycles"}
LEAST_NS = 1e-9  # of what took a time at all

PERCENTILES = {"p95-latency": "p95_ns", "p99-latency": "p99_ns", "p999-latency": "p999_ns"}


def render(run: Run) -> str:
    """What was measured as JSON text, in ASCII; a component without a number is not in it. Of two of one name the last."""
    measured = {component.name: dict(_measures(component)) for component in run.components}
    return json.dumps({name: one for name, one in measured.items() if one}, indent=1, allow_nan=False) + "\n"


def _measures(component: Component) -> Iterator[tuple[str, dict[str, Any]]]:
    if latency := component.latency:
        if latency.p50_ns is None:
            yield "latency", {"value": latency.mean_ns}
        else:
            yield "latency", _measure(latency.p50_ns, [one.p50_ns for one in component.rounds])
        for slug, field in PERCENTILES.items():
            value = getattr(latency, field)
            if value is not None:
                rounds = [one.p95_ns for one in component.rounds] if field == "p95_ns" else []
                yield slug, _measure(value, rounds)
    if component.throughput_per_s is not None:
        rounds = [1e9 / one.mean_ns for one in component.rounds if one.mean_ns >= LEAST_NS]
        yield "throughput", _measure(component.throughput_per_s, rounds)
    if component.reading and component.reading_operations:
        for event, count in component.reading.counts.items():
            if count.value is not None and not count.unit:
                slug = COUNTS.get(event, event.replace("_", "-"))
                estimated = "estimated-" if count.status is Status.ESTIMATED else ""
                yield f"{estimated}{slug}", {"value": count.value / component.reading_operations}


def _measure(value: float, rounds: list[float]) -> dict[str, Any]:
    """The value between the least and the most of the rounds. The whole may lie outside: a p95 of all is none of a round."""
    return {"value": value} | ({"lower_value": min(rounds), "upper_value": max(rounds)} if rounds else {})
