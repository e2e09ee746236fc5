"""What the memory of this machine was measured to do, kept between runs.

The measurement takes seconds and is made on request alone (`armprof.components.memory`). Its result is a file in the user's
cache, one for each machine: a home that many machines share keeps them apart, and a file that is broken, or of a machine
with another core, kernel, number of CPUs or memory, is as good as none.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any

from armprof.cpu import Host, host
from armprof.cpu.nodes import memory_bytes
from armprof.output import write_text

FORMAT = "armprof-memory"
VERSION = 1
STREAMS = ("copy", "scale", "add", "triad")
HOW = "armprof doctor --measure"

Curve = list[tuple[int, float]]


@dataclass(frozen=True)
class Memory:
    """Rates in bytes per second, as STREAM counts bytes; times in nanoseconds per load of a dependent chain."""

    machine: Mapping[str, str]  # what the figures hold for
    measured: str  # ISO 8601, UTC
    line_bytes: int
    array_bytes: int  # of each of the three arrays, all threads together
    cpus: int  # that ran at once
    one_core: Mapping[str, float]  # STREAMS -> the best pass
    all_cores: Mapping[str, float]
    spread: float  # how far the median pass of the fastest kernel on all cores lies below its best, 0 to 1
    huge_share: float  # of the memory under `loads`, in huge pages
    loads: Curve  # working set in bytes -> ns a load, one per line, huge pages where they could be had
    small_page_loads: Curve  # the same on small pages, which programs have: page table walks are in it
    walks: Curve  # pages -> ns that a load takes longer when each is on a page of its own
    page_bytes: int
    loads_spread: float  # how far the median sample of the largest working set lies above the best

    @property
    def one_core_peak(self) -> float:
        """The most that one core reached."""
        return max(self.one_core.values())

    @property
    def peak(self) -> float:
        """The most that was reached, which a single core may do where all of them are in each other's way."""
        return max(*self.all_cores.values(), self.one_core_peak)

    @property
    def idle_latency_ns(self) -> float:
        """A load from memory when nothing else runs."""
        return self.loads[-1][1]


def machine_key(here: Host, root: Path = Path("/")) -> dict[str, str]:
    """What a measurement holds for."""
    return {
        "core": ", ".join(here.cores) or here.model or here.arch,
        "model": here.model,
        "kernel": here.kernel,
        "cpus": str(here.cpus),
        "memory": str(memory_bytes("MemTotal", root) or "unknown"),
    }


def path_of(machine: Mapping[str, str]) -> Path:
    """Where the measurement of that machine is kept: below XDG_CACHE_HOME, or ~/.cache."""
    told = os.environ.get("XDG_CACHE_HOME", "")
    folder = Path(told) if os.path.isabs(told) else Path("~/.cache").expanduser()  # the standard ignores a relative one
    digest = hashlib.sha256(json.dumps(dict(machine), sort_keys=True).encode()).hexdigest()
    return folder / "armprof" / f"memory-{digest[:16]}.json"


def save(memory: Memory) -> Path:
    """Keeps a measurement, and says where. Raises ArmprofError where that cannot be done."""
    path = path_of(memory.machine)
    with contextlib.suppress(OSError):  # writing says better what is wrong
        path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, json.dumps({"format": FORMAT, "version": VERSION, **asdict(memory)}, indent=1) + "\n")
    here.cache_clear()
    return path


def load(machine: Mapping[str, str]) -> Memory | None:
    """The measurement of that machine; None where there is none that can be believed."""
    try:
        data = json.loads(path_of(machine).read_text(encoding="utf-8"))
        if data.pop("format") != FORMAT or repr(data.pop("version")) != repr(VERSION) or data["machine"] != machine:
            return None
        return _checked(
            Memory(**{**data, **{name: _curve(data[name]) for name in ("loads", "small_page_loads", "walks")}})
        )
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None


def _curve(data: Any) -> Curve:
    if not isinstance(data, list):
        raise ValueError(data)
    return [(int(x), _positive(ns, zero=True)) for x, ns in data]


def _positive(value: Any, zero: bool = False) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(value)
    if value < 0 or (value == 0 and not zero):
        raise ValueError(value)
    return float(value)


def _checked(memory: Memory) -> Memory:
    """The same, or ValueError: a file that somebody wrote by hand must not become a number in a report."""
    for field in fields(memory):
        value = getattr(memory, field.name)
        if field.type in ("int", "float"):
            _positive(value, zero=field.name in ("spread", "loads_spread", "huge_share"))
    for rates in (memory.one_core, memory.all_cores):
        if sorted(rates) != sorted(STREAMS):
            raise ValueError(rates)
        for rate in rates.values():
            _positive(rate)
    if not memory.loads or not memory.small_page_loads or not isinstance(memory.measured, str):
        raise ValueError("incomplete")
    return memory


@cache
def here() -> Memory | None:
    """The measurement of this machine, read once; None before it was made."""
    return load(machine_key(host()))
