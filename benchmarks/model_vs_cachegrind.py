"""How fast the modelled core is: CPU time of programs on it, beside that of cachegrind on their native build.

    python benchmarks/model_vs_cachegrind.py [ROUNDS]

Interleaved: in each round every program runs once on each. Needs what tests/model needs, and valgrind. The last columns are
medians of the rounds: million emulated instructions a second, and the model's CPU time over cachegrind's.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from armprof.counters.model import emulator
from armprof.counters.model.geometry import geometry
from armprof.counters.model.tally import Tally

PROGRAM = Path(__file__).parents[1] / "tests/model/programs/golden.c"
NAMES = ("sieve", "sort", "matrix", "hash", "chase", "tree", "search", "stencil", "machine", "queens")
TIMES = "8"  # that each does its work: starting valgrind takes a quarter of a second
CACHEGRIND = ("valgrind", "--tool=cachegrind", "--cache-sim=yes", "--branch-sim=yes", "--cachegrind-out-file=/dev/null")


def cpu_seconds(work: Callable[[], object]) -> float:
    """Of the processes that the work starts and waits for."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    work()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def main() -> int:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    modelled = geometry("neoverse-n1")
    with tempfile.TemporaryDirectory() as folder, open(os.devnull, "w") as nowhere:
        builds = {"arm64": "aarch64-linux-gnu-gcc", "native": "cc"}
        for build, compiler in builds.items():
            flags = ["-static"] if build == "arm64" else []
            subprocess.run([compiler, "-O2", "-std=gnu17", *flags, PROGRAM, "-o", f"{folder}/{build}"], check=True)
        times: dict[str, list[tuple[float, float]]] = {name: [] for name in NAMES}
        instructions: dict[str, int] = {}
        for _ in range(rounds):
            for name in NAMES:
                runs: list[emulator.Emulated] = []
                ours = cpu_seconds(
                    lambda name=name, runs=runs: runs.append(
                        emulator.run([f"{folder}/arm64", name, TIMES], modelled, out=nowhere.fileno())
                    )
                )
                theirs = cpu_seconds(
                    lambda name=name: subprocess.run(
                        [*CACHEGRIND, f"{folder}/native", name, TIMES], stdout=nowhere, stderr=nowhere, check=True
                    )
                )
                times[name].append((ours, theirs))
                instructions[name] = int(Tally(runs[0].counts).executed.sum())
    print(f"{'':10} {'model':>9} {'cachegrind':>11} {'M instr/s':>10} {'ratio':>6}")
    ratios = []
    for name, pairs in times.items():
        ours, theirs = (statistics.median(column) for column in zip(*pairs, strict=True))
        ratio = statistics.median(a / b for a, b in pairs)
        ratios.append(ratio)
        print(f"{name:10} {ours:8.2f}s {theirs:10.2f}s {instructions[name] / ours / 1e6:10.0f} {ratio:6.2f}")
    print(f"{'in all':10} {'':9} {'':11} {'':10} {statistics.geometric_mean(ratios):6.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
