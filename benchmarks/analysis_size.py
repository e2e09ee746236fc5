"""How long the analysis of something large takes: a recording of perf with so many intervals, a run file of so many megabytes.

python benchmarks/analysis_size.py [INTERVALS [MEGABYTES]]
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from armprof.counters.imported import parse
from armprof.counters.reading import Count, Reading, Status
from armprof.report import json, text
from armprof.report.document import document
from armprof.report.html import page
from armprof.report.html import run as pages
from armprof.run import file
from armprof.run.record import Component, Run

T = TypeVar("T")
COUNTS = {
    "cycles": 40_000_000,
    "instructions": 64_000_000,
    "stalled-cycles-frontend": 4_900_000,
    "stalled-cycles-backend": 13_600_000,
    "cache-misses": 467_000,
    "branch-misses": 118_000,
}
NAMES = ("cpu_cycles", "inst_retired", "stall_frontend", "stall_backend", "l1d_cache_refill", "br_mis_pred")


def main(intervals: int = 1_000_000, megabytes: int = 50) -> None:
    recording = "".join(
        f"{(i + 1) * 0.1:17.9f},{value + i % 1000},,{event},100000000,100.00,,\n"
        for i in range(intervals)
        for event, value in COUNTS.items()
    )
    print(f"{intervals:,} intervals of {len(COUNTS)} events, {len(recording) / 1e6:.0f} MB")
    total = timed("read and summed", lambda: parse(recording).total)
    timed("analyzed", lambda: document(Run((component("perf", replace(total, core="neoverse-n1")),))))

    one = len(file.render(Run((component("one", reading()),))))
    number = megabytes * 1_000_000 // one
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.json"
        file.write(Run(tuple(component(f"region {n}", reading()) for n in range(number))), path)
        print(f"a run file of {number:,} components, {path.stat().st_size / 1e6:.0f} MB")
        run = timed("read", lambda: file.read(path))
        found = timed("analyzed", lambda: document(run))
        timed("as text", lambda: text.render(found))
        timed("as JSON", lambda: json.render(found))
        made = timed("as HTML", lambda: "".join(page.render(pages.page(found))))
        print(f"  the page has {len(made) / 1e6:.1f} MB")


def component(name: str, counted: Reading) -> Component:
    return Component(name, "", "region", "pass", reading=counted, reading_operations=1000)


def reading() -> Reading:
    counts = {
        name: Count(name, value, value, 10**9, 10**9, Status.COUNTED)
        for name, value in zip(NAMES, map(float, COUNTS.values()), strict=True)
    }
    return Reading(counts, "pmu", "neoverse-n1", 10**9, scope="this thread, user mode", access="user reads")


def timed(what: str, work: Callable[[], T]) -> T:
    before = time.process_time()
    result = work()
    print(f"  {what:16} {time.process_time() - before:6.1f} s of one CPU")
    return result


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
