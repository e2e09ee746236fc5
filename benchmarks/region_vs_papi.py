"""What an empty region costs: `with armprof.region` in Python beside PAPI's high-level region in C.

    python benchmarks/region_vs_papi.py

Both count task_clock and page_faults. Rounds of the two alternate in one run, and which goes first alternates too, so that
both meet the same machine. Needs Debian's libpapi-dev and a C compiler.
"""

from __future__ import annotations

import os
import platform
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np

import armprof

ROUNDS = 400
REGIONS = 500  # in a round
EVENTS = "perf::TASK-CLOCK,perf::PAGE-FAULTS"


def start_papi(folder: Path) -> subprocess.Popen[str]:
    program = folder / "papi_region"
    source = Path(__file__).with_name("papi_region.c")
    subprocess.run(["cc", "-O2", str(source), "-o", str(program), "-lpapi"], check=True)
    environment = dict(os.environ, PAPI_EVENTS=EVENTS, PAPI_OUTPUT_DIRECTORY=str(folder))
    return subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)


def papi_round(papi: subprocess.Popen[str]) -> float:
    assert papi.stdin is not None
    assert papi.stdout is not None
    papi.stdin.write(f"{REGIONS}\n")
    papi.stdin.flush()
    return float(papi.stdout.readline())


def armprof_round(region: armprof.Region) -> float:
    start = time.perf_counter_ns()
    for _ in range(REGIONS):
        with region:
            pass
    return (time.perf_counter_ns() - start) / REGIONS


def main() -> None:
    region = armprof.region("round", ["task_clock", "page_faults"])
    with tempfile.TemporaryDirectory() as folder:
        papi = start_papi(Path(folder))
        samples: dict[str, list[float]] = {"armprof, from Python": [], "PAPI high level, from C": []}
        for number in range(ROUNDS):
            order = [
                ("armprof, from Python", lambda: armprof_round(region)),
                ("PAPI high level, from C", lambda: papi_round(papi)),
            ]
            for name, once in order if number % 2 else reversed(order):
                samples[name].append(once())
        papi.communicate()
    print(f"{platform.machine()}, Linux {platform.release()}, {ROUNDS} rounds of {REGIONS} regions each, ns a region")
    medians = []
    for name, values in samples.items():
        median, high = np.percentile(values, [50, 99])
        medians.append(median)
        print(f"{name:26} median {median:8.0f}   p99 {high:8.0f}")
    print(f"ratio {medians[1] / medians[0]:.1f}")


if __name__ == "__main__":
    main()
