"""Measuring what the memory of this machine does: bandwidth of one core and of all, latency of each level."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from armprof.components.pinning import pinned
from armprof.counters.machine import native
from armprof.counters.memory import STREAMS, Memory, machine_key
from armprof.cpu import Host, host
from armprof.cpu.nodes import cache_sizes, line_bytes, memory_bytes
from armprof.errors import ArmprofError

Progress = Callable[[str, float], None]

LINE = 64  # of every core in the tables
# STREAM's rule: each array at least four times the last level cache. Where nothing tells how large that is, 32 MiB. Guests
# show the whole cache of a host of which they have a part; more than half a GiB takes long to be given by the kernel.
TIMES_THE_CACHE = 4
UNKNOWN_CACHE = 32 << 20
LARGEST_ARRAY = 512 << 20
PARTS_OF_MEMORY = 6  # so that the three arrays take half of what is available at most
PASSES = 6
LARGEST_CHASE = 256 << 20
SMALLEST_CHASE = 4 << 10
LOADS = (1 << 14, 1 << 17)  # of one sample
SAMPLES = 5
SEED = 1


def measure_memory(progress: Progress = lambda doing, done: None, array_bytes: int | None = None) -> Memory:
    """Measures, which takes some ten seconds and all CPUs that this process may use.

    ``array_bytes`` is the size of one array and of the largest working set; by default four times the last level cache.
    Raises CannotCount without the native module, ArmprofError where there is not enough memory.
    """
    here = host()
    wanted = array_bytes or _wanted_bytes(here)
    cpus = sorted(os.sched_getaffinity(0))
    progress("bandwidth of one core", 0.0)
    one, _ = bandwidth(cpus[:1], wanted)
    progress(f"bandwidth of {len(cpus)} CPUs", 0.2)
    both, spread = bandwidth(cpus, wanted)
    line = line_bytes() or LINE
    page = os.sysconf("SC_PAGE_SIZE")
    largest = min(max(wanted, SMALLEST_CHASE), LARGEST_CHASE)
    with pinned():
        progress("latency, huge pages", 0.4)
        with mapped(largest, huge=True) as memory:
            huge_share = _huge_share(memory, largest)
            sizes = working_sets(SMALLEST_CHASE, largest)
            sampled = [(size, chase(memory, size // line, line)) for size in sizes]
            pages = working_sets(8, max(8, largest // (page + line)))
            dense = [min(chase(memory, count, line)) for count in pages]
        progress("latency, small pages", 0.75)
        with mapped(largest, huge=False) as memory:
            apart = [min(chase(memory, count, page + line)) for count in pages]
            small = [(size, min(chase(memory, size // line, line))) for size in sizes[-1:]]
    progress("done", 1.0)
    return Memory(
        machine=machine_key(here),
        measured=datetime.now(UTC).isoformat(timespec="seconds"),
        line_bytes=line,
        array_bytes=wanted,
        cpus=len(cpus),
        one_core=one,
        all_cores=both,
        spread=spread,
        huge_share=huge_share,
        loads=[(size, min(samples)) for size, samples in sampled],
        small_page_loads=small,
        walks=[(count, max(0.0, far - near)) for count, far, near in zip(pages, apart, dense, strict=True)],
        page_bytes=page,
        loads_spread=median(sampled[-1][1]) / min(sampled[-1][1]) - 1,
    )


def _wanted_bytes(here: Host) -> int:
    table = here.core.caches.values() if here.core else ()
    told = [*cache_sizes().values(), *(cache.size_kib << 10 for cache in table if cache.size_kib)]
    wanted = TIMES_THE_CACHE * max([*told, UNKNOWN_CACHE])
    available = memory_bytes("MemAvailable") or LARGEST_ARRAY * PARTS_OF_MEMORY
    return min(wanted, LARGEST_ARRAY, available // PARTS_OF_MEMORY)


def bandwidth(cpus: Sequence[int], array_bytes: int) -> tuple[dict[str, float], float]:
    """The best pass of each kernel with a thread on each CPU, bytes per second, and the spread of the fastest one.

    The best, as STREAM takes it: others only ever slow it down.
    """
    ffi, lib = native().ffi, native().lib
    elements = max(1, array_bytes // 8 // len(cpus))
    out = ffi.new("uint64_t[]", PASSES * len(STREAMS))
    error = lib.ap_bandwidth_measure(ffi.new("int[]", list(cpus)), len(cpus), elements, PASSES, out)
    if error:
        raise ArmprofError(f"the memory bandwidth cannot be measured: {os.strerror(error)}")
    best, spread = {}, {}
    for i, stream in enumerate(STREAMS):
        times = list(out)[i :: len(STREAMS)]
        best[stream] = lib.ap_stream_bytes(i, elements) * len(cpus) * 1e9 / max(1, min(times))
        spread[stream] = 1 - min(times) / median(times)
    return best, spread[max(best, key=best.__getitem__)]


@contextmanager
def mapped(size: int, huge: bool) -> Iterator[Any]:
    """Memory for a chase, given back at the end."""
    ffi, lib = native().ffi, native().lib
    memory = lib.ap_chase_map(size, huge)
    if memory == ffi.NULL:
        raise ArmprofError(f"the memory latency cannot be measured: there are no {size >> 20} MiB of memory")
    try:
        yield memory
    finally:
        lib.ap_chase_unmap(memory, size)


def chase(memory: Any, cells: int, stride: int) -> list[float]:
    """Ns a load of several samples of a chase through that many cells."""
    ffi, lib = native().ffi, native().lib
    at = ffi.new("void ***", lib.ap_chase_lay(memory, max(1, cells), stride, SEED))
    loads = min(max(cells, LOADS[0]), LOADS[1])
    lib.ap_chase_time(at, loads)  # what fits into a cache is there afterwards
    return [lib.ap_chase_time(at, loads) / loads for _ in range(SAMPLES)]


def working_sets(smallest: int, largest: int) -> list[int]:
    """From one to the other, two for each doubling."""
    sizes = [int(smallest * 2 ** (i / 2)) for i in range(128)]
    return [*(size for size in sizes if size < largest / 1.01), largest]


def _huge_share(memory: Any, size: int) -> float:
    """The share of the memory that is in huge pages, as /proc/self/smaps has it."""
    start = int(native().ffi.cast("uintptr_t", memory))
    inside = False
    kib = 0
    for line in Path("/proc/self/smaps").read_text(errors="replace").splitlines():
        bounds = re.match(r"([0-9a-f]+)-([0-9a-f]+) ", line)
        if bounds:
            inside = int(bounds[1], 16) < start + size and int(bounds[2], 16) > start
        elif inside and line.startswith("AnonHugePages:"):
            kib += int(line.split()[1])
    return min(1.0, (kib << 10) / size)
