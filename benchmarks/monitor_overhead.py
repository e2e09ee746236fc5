"""What `armprof monitor` takes of one core and of memory, beside `perf stat -I 100` on the same events.

python benchmarks/monitor_overhead.py [SECONDS] [EVENT,...]
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SOFTWARE = "task_clock,cpu_clock,page_faults,minor_faults,major_faults,context_switches,cpu_migrations,alignment_faults"


def cost(command: list[str], seconds: float, cwd: str) -> tuple[float, float]:
    """The share of one core that the command took, its start left out, and the most memory that it had, in MiB."""
    process = subprocess.Popen(command, cwd=cwd, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(3)
    before, begin = spent(process.pid), time.monotonic()
    time.sleep(seconds)
    share = (spent(process.pid) - before) / (time.monotonic() - begin)
    status = Path(f"/proc/{process.pid}/status").read_text()
    process.terminate()
    process.wait()
    return share, int(status.partition("VmHWM:")[2].split()[0]) / 1024


def spent(pid: int) -> float:
    """Seconds of CPU. The scheduler's own sum, where ticks of 10 ms would tell nothing of half a millisecond."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9


def main(seconds: float, events: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        listed = ", ".join(f'"{event}"' for event in events.split(","))
        Path(folder, "armprof.toml").write_text(f"[monitor]\nevents = [{listed}]\n")
        ours = cost(["armprof", "monitor", "--quiet", "--store", "m.db"], seconds, folder)
        names = events.replace("_", "-")
        theirs = cost(["perf", "stat", "-a", "-A", "-I", "100", "-x;", "-e", names, "-o", "perf.csv"], seconds, folder)
        stored = os.path.getsize(Path(folder, "m.db")) / seconds
        print(f"armprof monitor: {100 * ours[0]:.3f} % of one core, {ours[1]:.1f} MiB, {stored / 1000:.1f} kB/s stored")
        print(
            f"perf stat -I 100: {100 * theirs[0]:.3f} % of one core, {theirs[1]:.1f} MiB; ratio {ours[0] / theirs[0]:.2f}"
        )


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 60, sys.argv[2] if len(sys.argv) > 2 else SOFTWARE)
