"""What `perf stat -j` would have printed: an object for each event, one a line. Numbers are texts in it."""

from __future__ import annotations

import json
from typing import Any

from armprof import cpu
from armprof.counters.reading import Count, Status
from armprof.errors import ArmprofError
from armprof.run.record import Run

UNCOUNTED = {Status.UNSUPPORTED: "<not supported>"}  # all others: "<not counted>"


def render(run: Run) -> str:
    """The counts of the one component that has any, in ASCII. Raises ArmprofError where there are none or several."""
    readings = [component.reading for component in run.components if component.reading]
    if len(readings) != 1:
        has = f"{len(readings)} components have counts" if readings else "nothing was counted"
        raise ArmprofError(f"perf's format holds the counts of one command: {has} in this run; bench one component")
    counts = readings[0].counts.values()
    return "".join(f"{json.dumps(_object(count, readings[0].duration_ns))}\n" for count in counts)


def _object(count: Count, duration_ns: int | None) -> dict[str, Any]:
    event = cpu.events().get(count.event)
    is_software = event is not None and event.kind == "software"
    value, unit = count.value, ""
    if value is not None and count.unit == "ns":
        value, unit = value / 1e6, "msec"
    missing = value is None
    running = 0 if missing else count.running_ns if count.running_ns is not None else duration_ns or 0
    coverage = 0.0 if missing else 1.0 if count.coverage is None else count.coverage
    return {
        "counter-value": UNCOUNTED.get(count.status, "<not counted>") if value is None else f"{value:.6f}",
        "unit": unit,
        "event": count.event.replace("_", "-") if is_software else count.event,
        "event-runtime": running,
        "pcnt-running": round(100 * coverage, 2),
    }
