"""How long `armprof` takes to start, beside Python itself.

python benchmarks/startup.py
"""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
from pathlib import Path
from time import perf_counter

from armprof import cpu

ROUNDS = 30
COMMAND = shutil.which("armprof", path=str(Path(sys.executable).parent)) or "armprof"
INSTALLED = [sys.executable, "-P", "-c"]  # -P: not the sources in the current folder
COMMANDS = {
    "python -c pass": [sys.executable, "-c", "pass"],
    "armprof --version": [COMMAND, "--version"],
    "import armprof": [*INSTALLED, "import armprof"],
    "armprof.measure()": [*INSTALLED, "import armprof\nwith armprof.measure(): pass"],
    "armprof doctor": [COMMAND, "doctor"],
}


def main() -> int:
    times: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for round_ in range(ROUNDS + 1):
        for name, command in COMMANDS.items():
            start = perf_counter()
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            if round_ > 0:  # the first one reads the files from disk
                times[name].append(perf_counter() - start)
    print(cpu.host().describe())
    print(f"{ROUNDS} rounds in turns; milliseconds from start to end, median and least")
    bare = statistics.median(times["python -c pass"])
    for name, each in times.items():
        median = statistics.median(each)
        print(f"{name:18} {1e3 * median:7.1f} {1e3 * min(each):7.1f}   {median / bare:4.1f} times a bare Python")
    return 0


if __name__ == "__main__":
    sys.exit(main())
