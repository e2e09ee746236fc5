"""Attributing a million samples with many distinct stacks, and finding which instructions they come from.

    python benchmarks/samples_stacks.py BINARY [--stacks N] [--depth N] [--functions N]

Made up samples: those of the N largest functions of an ARM64 binary, at 5,000 places, called from 20,000 others. CPU time.
"""

from __future__ import annotations

import argparse
import resource
import time
from pathlib import Path
from typing import Any

import numpy as np

from armprof.binary import Binary
from armprof.counters.reading import Count, Status
from armprof.samples import joined
from armprof.samples.attribute import attribute
from armprof.samples.trace import HIT, MAPPED, MOVE, STACK, Losses, Sampled, Trace

SAMPLES, PLACES, CALLS = 1_000_000, 5_000, 20_000
START, PID, PERIOD = 1 << 40, 7, 10_007
PT_LOAD, EXECUTABLE = 1, 1


def made_up(path: Path, number: int, depth: int, functions: int) -> Trace:
    binary, random = Binary(path), np.random.default_rng(1)

    def some(spans: list[tuple[int, int]], count: int) -> Any:
        chosen = np.array(spans, np.uint64)[random.integers(0, len(spans), count)]
        return (chosen[:, 0] + (random.random(count) * chosen[:, 1]).astype(np.uint64)) & ~np.uint64(3)

    spans = sorted(((f.start, f.end - f.start) for f in binary.functions if f.end > f.start), key=lambda one: -one[1])
    places, calls = some(spans[:functions], PLACES), some(spans, CALLS)
    frames = calls[random.integers(0, CALLS, (number, depth))]
    frames[:, 0] = places[random.integers(0, PLACES, number)]
    segments = binary.elf.segments
    code = segments[(segments["type"] == PT_LOAD) & (segments["flags"] & EXECUTABLE != 0)][0]
    stacks = np.zeros(number, STACK)
    stacks["first"], stacks["depth"] = np.arange(number) * depth, depth
    hits = np.zeros(SAMPLES, HIT)
    hits["stack"], hits["period"], hits["time"] = random.integers(0, number, SAMPLES), PERIOD, np.arange(SAMPLES) + 1
    moves = np.zeros(1, MOVE)
    moves["start"], moves["length"], moves["kind"] = START, path.stat().st_size, MAPPED
    for rows in (hits, moves):
        rows["pid"] = rows["tid"] = PID
    cycles = float(SAMPLES * PERIOD)
    event = Sampled(
        "cpu_cycles", Count("cpu_cycles", cycles, cycles, 1, 1, Status.COUNTED), f"every {PERIOD:,} events", ""
    )
    at = frames.reshape(-1) + np.uint64(START + int(code["offset"]) - int(code["address"]))
    return Trace((event,), hits, stacks, at, moves, f"{path}\0".encode(), Losses(), 10**9, 0, path.name)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("binary", type=Path)
    parser.add_argument("--stacks", type=int, default=50_000)
    parser.add_argument("--depth", type=int, default=30)
    parser.add_argument("--functions", type=int, default=30)
    args = parser.parse_args()
    trace = made_up(args.binary.resolve(), args.stacks, args.depth, args.functions)
    began = time.process_time()
    samples = attribute(trace)
    attributed = time.process_time()
    where = joined.where(samples)
    took = time.process_time() - attributed
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{SAMPLES:,} samples, {args.stacks:,} stacks of {args.depth}: attributed in {attributed - began:.2f} s,")
    print(f"{len(where.lines):,} lines and their origins in {took:.2f} s, {peak:.0f} MiB")


if __name__ == "__main__":
    main()
