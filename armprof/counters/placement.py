"""On which NUMA node a program's memory lies, and on which it ran: local pages over all, from /proc/PID/numa_maps.

A page says where its data is, not how often it was used. Where a core counts remote accesses those say more.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from armprof.counters.reading import Fact
from armprof.cpu.nodes import current_cpu, memory_nodes
from armprof.cpu.sysfs import text

# The kernel walks every page table entry for that file, some 10 ns each with 4 KiB pages.
MOST_RESIDENT = 4 << 30

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
        return Fact(1.0, "fraction", "this machine has one NUMA node: all its memory is local")
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
    resident = text(proc / "self/statm").split()[1:2]
    if resident and int(resident[0]) * 4096 > MOST_RESIDENT:
        return Fact(
            None,
            "fraction",
            f"more than {MOST_RESIDENT >> 30} GiB of memory: looking where each page lies would take long; "
            "`numastat -p PID` does it",
        )
    by_node = pages_by_node(text(proc / "self/numa_maps"))
    ran_on = [node for node in ran if node is not None]
    share = local_share(by_node, ran_on)
    if share is None:
        return Fact(None, "fraction", "the kernel does not show where the pages lie (/proc/self/numa_maps)")
    told = ", ".join(f"node {node} {kib >> 10:,} MiB" for node, kib in sorted(by_node.items()))
    origin = f"placement of pages, not accesses: ran on node {ran_on[0]}, the memory is on {told}"
    return Fact(share, "fraction", origin, NOT_ACCESSES)


@cache
def _nodes(root: Path) -> dict[int, tuple[int, ...]]:
    return dict(memory_nodes(root))
