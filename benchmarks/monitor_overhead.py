"""What `armprof monitor` takes of one core and of memory, beside `perf stat -I 100` on the same events in the same groups.

python benchmarks/monitor_overhead.py [SECONDS]

Where there is no PMU its events are stood in for by clocks (stand_in_pmu.py): what is measured is reading, storing and
judging as many counters, in as many groups, of which reading the register itself is the least part.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import nullcontext
from itertools import pairwise
from pathlib import Path
from statistics import fmean

from stand_in_pmu import stand_in

from armprof.counters.machine import machine
from armprof.metrics.wanted import wanted
from armprof.monitor.sessions import open_scope
from armprof.monitor.settings import parse

SETTLE_S = 5
STAND_IN = [sys.executable, "-P", str(Path(__file__).with_name("stand_in_pmu.py"))]


def cost(command: list[str], seconds: int, cwd: str) -> tuple[list[float], float]:
    """The shares of one core that the command took in each second, its start left out, and the most memory that it had, in
    MiB. Where other programs fill the caches between its samples the least of them tells what it takes by itself.
    """
    process = subprocess.Popen(command, cwd=cwd, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(SETTLE_S)
    moments = [(spent(process.pid), time.monotonic())]
    for _ in range(seconds):
        time.sleep(1)
        moments.append((spent(process.pid), time.monotonic()))
    status = Path(f"/proc/{process.pid}/status").read_text()
    process.terminate()
    process.wait()
    shares = [(cpu - cpu0) / (at - at0) for (cpu0, at0), (cpu, at) in pairwise(moments)]
    return shares, int(status.partition("VmHWM:")[2].split()[0]) / 1024


def spent(pid: int) -> float:
    """Seconds of CPU, of all threads: the scheduler's own sum, as ticks of 10 ms tell nothing of half a millisecond."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9


def events_of_perf() -> tuple[str, int, int]:
    """The monitor's groups as perf spells them, how many events these are, and how many metrics they make."""
    settings = parse({}, Path())
    scope = open_scope(settings)
    groups, events = scope.targets[0].groups, scope.targets[0].events
    scope.close()
    sizes = Counter(group for group in groups.values() if group is not None)
    clocks = ["{" + ",".join(["task-clock"] * n) + "}" for n in sizes.values()]
    software = [event.replace("_", "-") for event in events if groups[event] is None]
    return ",".join([*clocks, *software]), len(events), len(wanted(settings.metrics, machine().core).metrics)


def main(seconds: int) -> None:
    has_pmu = bool(machine().host.pmus)
    machine.cache_clear()
    with nullcontext() if has_pmu else stand_in(), tempfile.TemporaryDirectory() as folder:
        spelled, events, metrics = events_of_perf()
        command = ["armprof"] if has_pmu else STAND_IN
        ours = cost([*command, "monitor", "--quiet", "--store", "m.db"], seconds, folder)
        theirs = cost(
            ["perf", "stat", "-a", "-A", "-I", "100", "-x;", "-e", spelled, "-o", "perf.csv"], seconds, folder
        )
        stored = os.path.getsize(Path(folder, "m.db")) / (SETTLE_S + seconds)
        print(f"{events} events on each of {os.cpu_count()} CPUs, {metrics} metrics; load {os.getloadavg()[0]:.1f}")
        print(f"stored: {stored / 1000:.1f} kB/s")
        for name, (shares, memory) in (("armprof monitor", ours), ("perf stat -I 100", theirs)):
            told = f"{100 * fmean(shares):.3f} %, {100 * min(shares):.3f} % in its least second"
            print(f"{name}: {told}, of one core; {memory:.1f} MiB")
        print(
            f"ratio {fmean(ours[0]) / fmean(theirs[0]):.2f}, of the least seconds {min(ours[0]) / min(theirs[0]):.2f}"
        )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 60)
