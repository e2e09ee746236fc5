"""How much memory the modelled core takes: the emulator's resident memory with the plugin, less that without it, over time.

    python benchmarks/model_memory.py [--minutes N] [queens | wide | phases ...]

The programs are those of model_memory.c. Each runs for so long on the model, and for a tenth of that without it. Where a
program starts threads, the emulator itself keeps some memory of each, with and without the plugin: what it takes is then
compared at the same round of the program. Every 30 seconds a line on standard error tells the time, the round and the
resident memory; the table at the end tells what the plugin takes, in MiB.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from armprof.counters.model import emulator
from armprof.counters.model.geometry import geometry

PROJECT = Path(__file__).parents[1]
PROGRAMS = ("queens", "wide", "phases")
EVERY = 30  # seconds


@dataclass(frozen=True)
class Sample:
    seconds: float
    round: int
    resident: float  # MiB


def resident(process: int) -> float:
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


def sampled(command: list[str], seconds: float, out: Path) -> list[Sample]:
    """What the command has resident over that time, and the round that it had printed last."""
    found: list[Sample] = []
    with out.open("wb") as file:
        process = subprocess.Popen(command, stdout=file)
    began = time.monotonic()
    try:
        while (passed := time.monotonic() - began) < seconds:
            time.sleep(min(EVERY, seconds / 20))
            rounds = out.read_text().split()
            found.append(Sample(passed, int(rounds[-1]) if rounds else 0, resident(process.pid)))
            print(f"{passed:6.0f} s  round {found[-1].round:5}  {found[-1].resident:7.1f} MiB", file=sys.stderr)
    finally:
        process.kill()
        process.wait()
    return found


def slope(points: list[tuple[float, float]]) -> float:
    """0 where nothing changes along the first coordinate."""
    first = [x for x, _ in points]
    return statistics.linear_regression(first, [y for _, y in points]).slope if len(set(first)) > 1 else 0.0


def taken(having: list[Sample], without: list[Sample]) -> tuple[list[tuple[float, float]], float]:
    """What the plugin takes, by hours; and what the emulator keeps of each round by itself.

    Of both the first tenth is left out: the program makes its data then.
    """
    having, without = having[len(having) // 10 :], without[len(without) // 10 :]
    of_round = slope([(s.round, s.resident) for s in without])
    base = statistics.median(s.resident - of_round * s.round for s in without)
    return [(s.seconds / 3600, s.resident - base - of_round * s.round) for s in having], of_round


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10, metavar="N", help="how long each runs (default: 10)")
    parser.add_argument("programs", nargs="*", metavar="PROGRAM", help=f"of {', '.join(PROGRAMS)} (default: all)")
    args = parser.parse_args()
    if unknown := set(args.programs) - set(PROGRAMS):
        parser.error(f"no program {min(unknown)!r}: choose from {', '.join(PROGRAMS)}")
    seconds = 60 * args.minutes
    modelled = geometry("neoverse-n1")
    settings = ",".join(f"{name}={value}" for name, value in modelled.settings.items())
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        binary, counts, out = (Path(folder, name) for name in ("binary", "counts", "out"))
        csrc = PROJECT / "csrc"
        sources = [Path(__file__).with_suffix(".c"), *sorted((csrc / "counters").glob("*.c"))]
        flags = ["-O1", "-std=gnu17", "-static", f"-I{csrc}/include", "-o", binary, "-lpthread"]
        subprocess.run(["aarch64-linux-gnu-gcc", *sources, *flags], check=True)
        qemu = [emulator.require(), "-cpu", emulator.seen_as(modelled.core)]
        plugin = ["-plugin", f"{emulator.PLUGIN},counts={counts},{settings}"]
        for name in args.programs or PROGRAMS:
            print(f"{name}, without the plugin", file=sys.stderr)
            without = sampled([*qemu, str(binary), name], max(seconds / 10, 20), out)
            counts.unlink(missing_ok=True)
            counts.touch()
            print(f"{name}, with the plugin", file=sys.stderr)
            found, of_round = taken(sampled([*qemu, *plugin, str(binary), name], seconds, out), without)
            sizes = [size for _, size in found]
            rows.append((name, of_round, sizes[0], sizes[len(sizes) // 2], sizes[-1], max(sizes), slope(found)))
    print(
        f"{'MiB':8} {'emulator, each round':>20} {'plugin: 10 %':>12} {'50 %':>7} {'100 %':>7} {'most':>7} {'an hour':>8}"
    )
    for name, of_round, early, middle, late, most, hourly in rows:
        print(f"{name:8} {of_round:20.2f} {early:12.1f} {middle:7.1f} {late:7.1f} {most:7.1f} {hourly:+8.1f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
