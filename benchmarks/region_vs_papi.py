"""What an empty region costs: `with armprof.region(...)` in Python, and PAPI's high-level region in C.

    python benchmarks/region_vs_papi.py

Both count task_clock and page_faults, which every Linux has, on the same CPU, in turns: armprof first in one round, PAPI
first in the next. Each region is timed by itself with the monotonic clock, whose own cost is in both; that of Python's clock
is about twice C's. Needs a C compiler and libpapi-dev.
"""

from __future__ import annotations

import argparse
import gc
import os
import subprocess
import sys
import tempfile
from array import array
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter_ns

import numpy as np

import armprof
from armprof import cpu

EVENTS = ("task_clock", "page_faults")
PAPI_EVENTS = "perf::TASK-CLOCK,perf::PAGE-FAULTS"
SOURCE = Path(__file__).with_name("region_papi.c")

Timed = Callable[[int], "array[int]"]


@contextmanager
def papi() -> Iterator[Timed]:
    """A function that times N regions of PAPI."""
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder, "region_papi")
        subprocess.run(["cc", "-O2", str(SOURCE), "-o", str(program), "-lpapi"], check=True)
        environment = os.environ | {"PAPI_EVENTS": PAPI_EVENTS, "PAPI_OUTPUT_DIRECTORY": folder}
        pipe = subprocess.PIPE
        with subprocess.Popen([program], stdin=pipe, stdout=pipe, env=environment) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            to, back = process.stdin, process.stdout

            def timed(regions: int) -> array[int]:
                to.write(f"{regions}\n".encode())
                to.flush()
                durations = array("Q")
                durations.frombytes(back.read(regions * durations.itemsize))
                return durations

            yield timed


def ours(regions: int) -> array[int]:
    """Times N regions of armprof."""
    region = armprof.region("empty", EVENTS)
    durations = array("Q", bytes(8 * regions))
    clock = perf_counter_ns
    for i in range(regions):
        start = clock()
        with region:
            pass
        durations[i] = clock() - start
    return durations


def compare(rounds: int, regions: int) -> dict[str, list[np.ndarray]]:
    found: dict[str, list[np.ndarray]] = {"armprof, Python": [], "PAPI high level, C": []}
    gc.disable()
    with papi() as theirs:
        pairs = list(zip(found, (ours, theirs), strict=True))
        for _, timed in pairs:
            timed(regions)  # opens the counters and warms up
        for _ in range(rounds):
            for name, timed in pairs:
                found[name].append(np.array(timed(regions), dtype=np.int64))
            pairs.reverse()
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--regions", type=int, default=2000, help="in each round (default: 2000)")
    args = parser.parse_args()
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    found = compare(args.rounds, args.regions)
    print(cpu.host().describe())
    print(f"{args.rounds} rounds in turns, {args.regions:,} regions each; nanoseconds for one")
    print(f"{'':20} {'median':>8} {'p99':>8}   median of the rounds' medians, least to most")
    medians = {}
    for name, all_rounds in found.items():
        each = [float(np.median(r)) for r in all_rounds]
        together = np.concatenate(all_rounds)
        medians[name] = float(np.median(together))
        print(
            f"{name:20} {medians[name]:8,.0f} {np.percentile(together, 99):8,.0f}"
            f"   {np.median(each):,.0f}, {min(each):,.0f} to {max(each):,.0f}"
        )
    first, second = medians.values()
    print(f"ratio of the medians: PAPI takes {second / first:.2f} times as long")
    return 0


if __name__ == "__main__":
    sys.exit(main())
