"""Counts by perf, the reference that ours are held against."""

from __future__ import annotations

import subprocess
from pathlib import Path


def perf_stat(events: list[str], *command: str | Path) -> dict[str, int]:
    """Counts of a command in user mode, as `perf stat` prints them: {event: count}."""
    names = ",".join(f"{event}:u" for event in events)
    # The layout of the address space decides how a program's start-up walks through the C library.
    program = ["setarch", "-R", "perf", "stat", "-x;", "-e", names, "--", *map(str, command)]
    done = subprocess.run(program, check=True, capture_output=True, text=True)
    rows = [line.split(";") for line in done.stderr.splitlines() if ";" in line]
    return {row[2].removesuffix(":u"): int(row[0]) for row in rows}


def environment_of_perf() -> dict[str, str]:
    """What a command finds in its environment under perf, which adds three variables: the C library looks at each of
    them when a program starts.
    """
    program = ["perf", "stat", "-o", "/dev/null", "--", "env", "-0"]
    done = subprocess.run(program, check=True, capture_output=True, text=True)
    return dict(pair.split("=", 1) for pair in done.stdout.split("\0") if pair)


def events_of_the_pmu() -> set[str]:
    """The events that sysfs lists for the core PMU."""
    (pmu,) = Path("/sys/bus/event_source/devices").glob("arm*/format/event")
    return {path.name for path in (pmu.parents[1] / "events").iterdir()}
