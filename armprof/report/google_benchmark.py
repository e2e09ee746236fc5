"""The JSON of google-benchmark: each round a repetition, counts of one operation as user counters."""

from __future__ import annotations

import json
from typing import Any

from armprof.run.record import Component, Latency, Round, Run

# Readers of the format want the time of the CPU beside the real one.
CPU_TIME = "cpu_time repeats real_time: armprof times by the wall clock"


def render(run: Run) -> str:
    """What was timed as JSON text, in ASCII; a component without a time is not in it."""
    context = {
        "date": run.created,
        "executable": f"armprof {run.armprof_version}",
        "num_cpus": run.host.get("cpus"),
        "host": run.host.get("description"),
        "note": CPU_TIME,
    }
    timed = [
        entry for component in run.components if component.latency for entry in _entries(component, component.latency)
    ]
    return json.dumps({"context": context, "benchmarks": timed}, indent=1, allow_nan=False) + "\n"


def _entries(component: Component, latency: Latency) -> list[dict[str, Any]]:
    rounds = [one for one in component.rounds if one.mean_ns > 0]
    each = latency.samples * latency.batch
    if not rounds:
        return [_entry(component, Round(latency.mean_ns, 0.0, 0.0), 0, 1, each)]
    return [_entry(component, one, i, len(rounds), each // len(rounds)) for i, one in enumerate(rounds)]


def _entry(component: Component, one: Round, index: int, repetitions: int, iterations: int) -> dict[str, Any]:
    own: dict[str, Any] = {
        "name": component.name,
        "run_name": component.name,
        "run_type": "iteration",
        "repetitions": repetitions,
        "repetition_index": index,
        "threads": 1,
        "iterations": iterations,
        "real_time": one.mean_ns,
        "cpu_time": one.mean_ns,
        "time_unit": "ns",
    }
    return {**_counters(component), **own}


def _counters(component: Component) -> dict[str, float]:
    if not (component.reading and component.reading_operations):
        return {}
    counts = component.reading.counts.values()
    return {one.event: one.value / component.reading_operations for one in counts if one.value is not None}
