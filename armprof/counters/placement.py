"""On which NUMA node a program's memory lies, and on which it ran: local pages over all, from /proc/self/numa_maps.

Where that cannot be read or would take long, the kernel is asked for single pages (`armprof.counters.pages`). A page says
where its data is, not how often it was used. Where a core counts remote accesses those say more.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from armprof.counters.pages import PAGE, look
from armprof.counters.reading import Fact
from armprof.cpu.nodes import current_cpu, memory_nodes
from armprof.cpu.sysfs import text

# The kernel walks every page table entry for that file, some 10 ns each with 4 KiB pages.
MOST_RESIDENT = 4 << 30

LEAST = 100  # pages of a sample, for it to mean something

ONE_NODE = "this machine has one NUMA node: all its memory is local"
NOT_ACCESSES = 0.5  # as an uncertainty: half of the accesses may go to few of the pages

_ON_NODE = re.compile(r"\bN(\d+)=(\d+)")
_PAGE_KB = re.compile(r"\bkernelpagesize_kB=(\d+)")


def pages_by_node(numa_maps: str) -> Counter[int]:
    """KiB of a process's own memory by node, shared memory included; files that it only reads, such as libraries, are not."""
    found: Counter[int] = Counter()
    for line in numa_maps.splitlines():
        if " file=" in line and " anon=" not in line and " dirty=" not in line:
            continue
        size = _PAGE_KB.search(line)
        for node, pages in _ON_NODE.findall(line):
            found[int(node)] += int(pages) * (int(size[1]) if size else 4)
    return found


def local_share(by_node: Counter[int], nodes: Iterable[int]) -> float | None:
    """The share of the memory that lies on these nodes; None where there is no memory at all."""
    total = sum(by_node.values())
    return sum(by_node[node] for node in set(nodes)) / total if total else None


def placement(whole_process: bool, command: bool = False, root: Path = Path("/")) -> Fact:
    """How much of this process's memory is local to the threads that were counted: this one, or all."""
    nodes = _nodes(root)
    if len(nodes) == 1:
        return Fact(1.0, "fraction", ONE_NODE)
    if not nodes:
        return Fact(None, "fraction", "this kernel shows no NUMA nodes")
    if command:
        return Fact(
            None, "fraction", "a command's pages are gone when it has ended; count remote_access where the core has it"
        )
    proc = root / "proc"
    tasks = sorted((proc / "self/task").glob("*")) if whole_process else [proc / "thread-self"]
    node_of = {cpu: node for node, cpus in nodes.items() for cpu in cpus}
    ran = {node_of.get(current_cpu(stat)) for task in tasks if (stat := text(task / "stat"))} - {None}
    if len(ran) != 1:
        return Fact(None, "fraction", "threads ran on several nodes: where a page lies does not say who used it")
    node = next(node for node in ran if node is not None)
    resident = text(proc / "self/statm").split()[1:2]
    large = bool(resident) and int(resident[0]) * PAGE > MOST_RESIDENT
    by_node, how = Counter[int]() if large else pages_by_node(text(proc / "self/numa_maps")), ""
    if not by_node:
        try:
            by_node, how = _asked(text(proc / "self/maps"))
        except OSError as error:
            why = f"move_pages: {error.strerror or error}"
            if large:
                looking = f"more than {MOST_RESIDENT >> 30} GiB of memory: looking where each page lies would take long"
                return Fact(None, "fraction", f"{looking}, and {why}; `numastat -p PID` does it")
            return Fact(None, "fraction", f"the kernel does not show where the pages lie (/proc/self/numa_maps, {why})")
    return _local(node, by_node, how)


def placement_of(address: int, size: int, root: Path = Path("/")) -> Fact:
    """How much of these bytes of this process is local to the CPU that the calling thread is on.

    Of an array of numpy the address is ``array.ctypes.data``, the size ``array.nbytes``.
    """
    nodes = _nodes(root)
    if len(nodes) == 1:
        return Fact(1.0, "fraction", ONE_NODE)
    cpu = current_cpu(text(root / "proc/thread-self/stat"))
    node = next((node for node, cpus in nodes.items() if cpu in cpus), None)
    if node is None:
        return Fact(None, "fraction", "this kernel shows no NUMA nodes")
    try:
        looked = look([(address, address + size)])
    except OSError as error:
        why = f"move_pages: {error.strerror or error}"
        return Fact(None, "fraction", f"the kernel does not say where the pages lie ({why})")
    return _local(node, looked.kib, looked.how)


def _asked(maps: str) -> tuple[Counter[int], str]:
    """KiB by node of what the process may write to, and how that was found. Raises OSError."""
    looked = look(writable(maps))
    if looked.pages < (LEAST if looked.every > 1 else 1):
        raise OSError(f"only {looked.pages} of the pages asked for are in memory")
    return looked.kib, looked.how


def writable(maps: str) -> list[tuple[int, int]]:
    """From and to of the mappings in /proc/PID/maps that a process has data of its own in."""
    lines = (line.split(None, 2)[:2] for line in maps.splitlines())
    spans = (span.split("-") for span, flags in lines if "w" in flags)
    return [(int(start, 16), int(end, 16)) for start, end in spans]


def _local(node: int, by_node: Counter[int], how: str) -> Fact:
    share = local_share(by_node, [node])
    if share is None:
        return Fact(None, "fraction", "no page of this memory was ever touched, so that it lies nowhere")
    told = ", ".join(f"node {node} {kib >> 10:,} MiB" for node, kib in sorted(by_node.items()))
    origin = f"placement of pages, not accesses: ran on node {node}, the memory is on {told}{how}"
    return Fact(share, "fraction", origin, NOT_ACCESSES)


@cache
def _nodes(root: Path) -> dict[int, tuple[int, ...]]:
    return dict(memory_nodes(root))
