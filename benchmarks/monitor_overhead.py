"""What `armprof monitor` takes of one core and of memory, beside `perf stat -I 100` on the same events in the same groups.

python benchmarks/monitor_overhead.py [SECONDS]

Where there is no PMU its events are stood in for by clocks (stand_in_pmu.py), of which one group counts, as it is with a PMU
that has six counters: what is measured is reading, storing and judging as many counters, in as many groups, of which reading
the register itself is the least part.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from itertools import pairwise
from pathlib import Path
from statistics import fmean

from stand_in_pmu import Clock, stand_in

from armprof.counters.machine import machine
from armprof.counters.refusal import Refusal
from armprof.metrics.wanted import wanted
from armprof.monitor.sessions import open_scope
from armprof.monitor.settings import METRICS, parse

SETTLE_S = 5
SETTINGS = (
    f"[monitor]\nmetrics = {[*METRICS, 'sharing']}\n"  # what is counted by default, and some more: 30 metrics and three
)
COUNTING = "cpu-clock"  # in the group that counts, task-clock in those that wait
STAND_IN = [sys.executable, "-P", str(Path(__file__).with_name("stand_in_pmu.py"))]


def cost(command: list[str], begun: Callable[[], None], seconds: int, cwd: str) -> tuple[list[float], float]:
    """The shares of one core that the command took in each second, its start left out, and the most memory that it had, in
    MiB. Where other programs fill the caches between its samples the least of them tells what it takes by itself.
    """
    process = subprocess.Popen(command, cwd=cwd, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    begun()
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


def groups_of_perf() -> tuple[list[list[str]], int]:
    """The monitor's groups as perf spells them, the kernel's own last, and how many metrics they make. Where clocks stand in
    for the PMU's events it is another clock in the group that counts.
    """
    settings = parse(tomllib.loads(SETTINGS), Path())
    scope = open_scope(settings)
    groups, events = scope.targets[0].groups, scope.targets[0].events
    scope.close()
    found: dict[int, list[str]] = {}
    for event in events:
        group, target = groups[event], machine().resolve(event)
        assert not isinstance(target, Refusal)
        clock = "task-clock" if found and group != min(found) else COUNTING
        code = clock if isinstance(target, Clock) else f"r{target.attrs[0][1]:x}"
        found.setdefault(len(events) if group is None else group, []).append(
            event.replace("_", "-") if group is None else code
        )
    return [found[group] for group in sorted(found)], len(wanted(settings.metrics, machine().core).metrics)


def perf(groups: Sequence[Sequence[str]], folder: str, stands_in: bool) -> tuple[list[str], Callable[[], None]]:
    """The command, and what is to be done once it runs: where clocks stand in all are off at first, and on come those that
    would count on a PMU too.
    """
    spelled = ",".join("{" + ",".join(group) + "}" for group in groups)
    command = ["perf", "stat", "-a", "-A", "-I", "100", "-x;", "-e", spelled, "-o", "perf.csv"]
    if not stands_in:
        return command, lambda: None
    control = Path(folder, "control")
    os.mkfifo(control)

    def enable() -> None:
        for leader in (COUNTING, groups[-1][0]):
            control.write_text(f"enable {leader}\n")

    return [*command, "-D", "-1", "--control", f"fifo:{control}"], enable


def main(seconds: int) -> None:
    has_pmu = bool(machine().host.pmus)
    machine.cache_clear()
    with nullcontext() if has_pmu else stand_in(), tempfile.TemporaryDirectory() as folder:
        Path(folder, "armprof.toml").write_text(SETTINGS)
        groups, metrics = groups_of_perf()
        command = ["armprof"] if has_pmu else STAND_IN
        ours = cost([*command, "monitor", "--quiet", "--store", "m.db"], lambda: None, seconds, folder)
        theirs = cost(*perf(groups, folder, not has_pmu), seconds, folder)
        stored = os.path.getsize(Path(folder, "m.db")) / (SETTLE_S + seconds)
        events = f"{sum(map(len, groups))} events in {len(groups)} groups"
        print(f"{events} on each of {os.cpu_count()} CPUs, {metrics} metrics; load {os.getloadavg()[0]:.1f}")
        print(f"stored: {stored / 1000:.1f} kB/s")
        for name, (shares, memory) in (("armprof monitor", ours), ("perf stat -I 100", theirs)):
            told = f"{100 * fmean(shares):.3f} %, {100 * min(shares):.3f} % in its least second"
            print(f"{name}: {told}, of one core; {memory:.1f} MiB")
        print(
            f"ratio {fmean(ours[0]) / fmean(theirs[0]):.2f}, of the least seconds {min(ours[0]) / min(theirs[0]):.2f}"
        )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 60)
