"""What an element costs through the SPSC ring, and through queues of others, in one process and in turns.

    python benchmarks/ring_vs_peers.py

One thread pushes and pops an element at a time; two threads, each on a CPU of its own, hand elements over one at a time and
in batches. Needs two idle CPUs, a C and a C++ compiler, libreaderwriterqueue-dev and libboost-dev.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from armprof import cpu

HERE = Path(__file__).parent
KERNELS = HERE.parent / "csrc" / "kernels"
# Rounds of less than a millisecond: most then fall between two interruptions, on a machine that others use too.
HELP = "in each round and way (default: 30,000, less than a millisecond)"
FLAGS = ["-O3", "-DNDEBUG", f"-I{KERNELS}"]


def build(folder: Path) -> Path:
    objects = []
    for source in (HERE / "ring_peers.c", KERNELS / "spsc_ring.c"):
        objects.append(str(folder / f"{source.stem}.o"))
        subprocess.run(["cc", "-std=c17", *FLAGS, "-c", str(source), "-o", objects[-1]], check=True)
    program = folder / "ring_peers"
    source = str(HERE / "ring_peers.cpp")
    subprocess.run(["c++", "-std=c++17", *FLAGS, source, *objects, "-pthread", "-o", str(program)], check=True)
    return program


def measure(rounds: int, elements: int, cpus: list[int]) -> dict[tuple[str, str], list[float]]:
    """Nanoseconds an element of each round, by way and queue."""
    found: dict[tuple[str, str], list[float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        command = [build(Path(folder)), *map(str, (rounds, elements, *cpus))]
        lines = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()
    for queue, way, ns in (line.split("\t") for line in lines):
        found.setdefault((way, queue), []).append(float(ns))
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=1000)
    parser.add_argument("--elements", type=int, default=30_000, help=HELP)
    args = parser.parse_args()
    cpus = sorted(os.sched_getaffinity(0))[:2]
    if len(cpus) < 2:
        parser.error("two threads that hand elements over need two CPUs")
    found = measure(args.rounds, args.elements, cpus)
    print(cpu.host().describe())
    print(f"{args.rounds} rounds in turns, {args.elements:,} elements each; nanoseconds an element, millions a second")
    for way in dict.fromkeys(way for way, _ in found):
        print(f"\n{way:30} {'median':>7} {'M/s':>7}   rounds: least, quarter, three quarters, most")
        for (of, queue), ns in found.items():
            if of == way:
                spread = "  ".join(f"{value:6.2f}" for value in np.percentile(ns, [0, 25, 75, 100]))
                print(f"{queue:30} {np.median(ns):7.2f} {1e3 / np.median(ns):7.0f}   {spread}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
