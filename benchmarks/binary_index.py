"""Indexing a large binary beside pyelftools' plain loops; loading the index again; attributing a million samples.

    python benchmarks/binary_index.py BINARY [--peer]

The peer takes minutes for 100 MB: it is asked for. Both sides read every line program and every function and inlined call.
Each part runs in a process of its own, so that its peak of memory is its own.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SAMPLES = 1_000_000


def peer(path: Path) -> str:
    from elftools.elf.elffile import ELFFile

    rows = scopes = 0
    with path.open("rb") as file:
        dwarf = ELFFile(file).get_dwarf_info()
        for unit in dwarf.iter_CUs():
            program = dwarf.line_program_for_CU(unit)
            for entry in program.get_entries() if program else ():
                rows += entry.state is not None
            for entry in unit.iter_DIEs():
                if entry.tag in ("DW_TAG_subprogram", "DW_TAG_inlined_subroutine"):
                    scopes += "DW_AT_low_pc" in entry.attributes or "DW_AT_ranges" in entry.attributes
    return f"{rows:,} rows, {scopes:,} functions and inlined calls"


def indexed(path: Path) -> str:
    import numpy as np  # noqa: F401  # 0.1 s that no index can save

    from armprof.binary import Binary

    before = time.perf_counter()
    binary = Binary(path)
    took = time.perf_counter() - before
    return f"{took:.3f} s without imports, lines from {binary.debug}"


def attributed(path: Path) -> str:
    import numpy as np

    from armprof.binary import Binary

    binary = Binary(path)
    functions = np.array([(f.start, f.end - f.start) for f in binary.functions], np.uint64)
    random = np.random.default_rng(1)
    chosen = functions[random.integers(0, len(functions), SAMPLES)]
    samples = chosen[:, 0] + (random.random(SAMPLES) * chosen[:, 1]).astype(np.uint64)
    before = time.perf_counter()
    found = binary.resolve(samples)
    took = time.perf_counter() - before
    return f"{SAMPLES:,} samples in {took:.2f} s, {np.mean(found.row >= 0):.1%} with a line"


PARTS = {"pyelftools": peer, "made": indexed, "loaded": indexed, "attributed": attributed}


def run(part: str, path: Path, environment: dict[str, str]) -> None:
    command = [sys.executable, __file__, str(path), "--part", part]
    print(
        f"{part:12}",
        subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout,
        end="",
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("binary", type=Path)
    parser.add_argument("--peer", action="store_true", help="pyelftools, too")
    parser.add_argument("--part", choices=PARTS, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.part:
        before = time.perf_counter()
        told = PARTS[args.part](args.binary)
        took = time.perf_counter() - before
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"{took:8.2f} s  {peak:6.0f} MiB  {told}")
        return
    with tempfile.TemporaryDirectory() as cache:
        environment = os.environ | {"XDG_CACHE_HOME": cache}
        for part in PARTS:
            if part != "pyelftools" or args.peer:
                run(part, args.binary, environment)


if __name__ == "__main__":
    main()
