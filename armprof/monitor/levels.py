"""What the kernel tells in /proc and in cgroups beside counters: how busy, how much memory.

A level is the state at one moment, or over the stretch since it was asked for last. What cannot be read is absent.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from math import inf
from mmap import PAGESIZE
from pathlib import Path

from armprof.cpu.sysfs import number, text

# name -> unit, as it is stored
UNITS = {
    "busy": "CPUs",
    "memory_bytes": "bytes",
    "processes": "",
    "threads": "",
}

_IDLE = (3, 4)  # columns of /proc/stat: idle, and idle while a disk works
_TICKS = re.compile(r"^(cpu\d*) +((?:\d{1,20} ){7})", re.MULTILINE)
_SIZE = re.compile(r"^(MemTotal|MemAvailable): +(\d{1,20}) kB", re.MULTILINE)
_USAGE = re.compile(r"^usage_usec (\d{1,20})$", re.MULTILINE)


class Busy:
    """How many CPUs were busy since the last time, of each name, from seconds of work, which grow."""

    def __init__(self) -> None:
        self._last: dict[str, float] = {}
        self._at: float | None = None

    def since(self, seconds: Mapping[str, float], at: float) -> dict[str, float]:
        """Nothing the first time, nor of a name that was not there the last time, nor where seconds are gone.

        A child whose parent does not wait for it takes its seconds along.
        """
        last, before = self._last, self._at
        self._last, self._at = dict(seconds), at
        if before is None or at <= before:
            return {}
        return {name: (s - last[name]) / (at - before) for name, s in seconds.items() if s >= last.get(name, inf)}


def cpu_seconds(stat: str) -> dict[str, float]:
    """The seconds that each CPU has worked, by /proc/stat; "cpu" is their sum. Time that the host took away is no work."""
    found = {}
    for name, numbers in _TICKS.findall(stat):
        found[name] = _seconds(sum(int(n) for at, n in enumerate(numbers.split()) if at not in _IDLE))
    return found


def memory_used(meminfo: str) -> float | None:
    """Bytes that are not available to a new program, by /proc/meminfo."""
    sizes = {name: int(kib) * 1024 for name, kib in _SIZE.findall(meminfo)}
    return float(sizes["MemTotal"] - sizes["MemAvailable"]) if len(sizes) == 2 else None


def of_processes(pids: Iterable[int]) -> tuple[dict[str, float], float]:
    """Memory, processes and threads together, and the seconds that they have worked; of those that are there."""
    pages = threads = processes = ticks = 0
    for pid in pids:
        with suppress(OSError, ValueError, IndexError):
            # the name may hold anything, parentheses too
            fields = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
            ticks += sum(map(int, fields[11:15]))  # its own, and those of children that it waited for
            threads += int(fields[17])
            pages += int(fields[21])
            processes += 1
    if not processes:
        return {}, 0.0
    found = {"memory_bytes": float(pages * PAGESIZE), "processes": float(processes), "threads": float(threads)}
    return found, _seconds(ticks)


def of_cgroup(folder: Path) -> tuple[dict[str, float], float | None]:
    """The cgroup's memory and tasks, and the seconds that it has worked; what its controllers do not tell is absent."""
    found: dict[str, float] = {}
    for name in ("memory.current", "memory.usage_in_bytes"):
        if (used := number(folder / name)) is not None:
            found["memory_bytes"] = float(used)
    if (folder / "cgroup.procs").exists():
        found["processes"] = float(len(text(folder / "cgroup.procs").split()))
    if usage := _USAGE.search(text(folder / "cpu.stat")):
        return found, int(usage[1]) / 1e6
    worked = number(folder / "cpuacct.usage")
    return found, None if worked is None else worked / 1e9


def _seconds(ticks: int) -> float:
    return ticks / os.sysconf("SC_CLK_TCK")
