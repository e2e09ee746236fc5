"""Nodes, caches and memory of this machine as sysfs and procfs show them, and the CPU that a thread is on."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from armprof.cpu.sysfs import number, numbers, parse_cpus, text

_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}


def memory_nodes(root: Path = Path("/")) -> Mapping[int, tuple[int, ...]]:
    """Node -> its CPUs, of the nodes that have memory. Empty where nothing tells; a node may have no CPU."""
    folder = root / "sys/devices/system/node"
    listed = parse_cpus(text(folder / "has_memory")) or numbers(folder, r"node(\d+)")
    return {node: parse_cpus(text(folder / f"node{node}/cpulist")) for node in listed}


def cache_sizes(root: Path = Path("/"), cpu: int = 0) -> Mapping[str, int]:
    """Bytes of the caches that hold data of this CPU: ``l1d``, ``l2``, ``l3``. Guests may show none."""
    folder = root / f"sys/devices/system/cpu/cpu{cpu}/cache"
    found: dict[str, int] = {}
    for index in numbers(folder, r"index(\d+)"):
        each = folder / f"index{index}"
        level, size = number(each / "level"), re.fullmatch(r"(\d{1,9})([KMG]?)", text(each / "size"))
        if level is None or size is None or text(each / "type") == "Instruction":
            continue
        found["l1d" if level == 1 else f"l{level}"] = int(size[1]) * _UNITS[size[2]]
    return found


def line_bytes(root: Path = Path("/")) -> int | None:
    """Length of a cache line, as the kernel shows it of the first CPU that tells."""
    return number(root / "sys/devices/system/cpu/cpu0/cache/index0/coherency_line_size")


def memory_bytes(field: str, root: Path = Path("/")) -> int | None:
    """A field of /proc/meminfo: ``MemTotal``, ``MemAvailable``."""
    found = re.search(rf"^{field}:\s*(\d+) kB$", text(root / "proc/meminfo"), re.MULTILINE)
    return int(found[1]) << 10 if found else None


def current_cpu(stat: str) -> int:
    """The CPU in a thread's /proc/.../stat: field 39, counted behind the name, which may hold anything."""
    return int(stat.rpartition(")")[2].split()[36])
