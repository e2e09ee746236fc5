"""The measured memory in words, beside what the table of the core says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from armprof.counters.knees import Level, levels
from armprof.counters.memory import Curve, Memory
from armprof.cpu import Core

UNSTEADY = 0.1


def describe(memory: Memory, core: Core | None) -> Iterator[str]:
    """A sentence for each thing that was found."""
    fastest = max(memory.all_cores, key=memory.all_cores.__getitem__)
    yield (
        f"{memory.all_cores[fastest] / 1e9:.1f} GB/s on {memory.cpus} CPU{'s' * (memory.cpus > 1)} ({fastest}), "
        f"{memory.one_core_peak / 1e9:.1f} GB/s on one, measured {memory.measured[:10]}"
    )
    pages = "huge pages" if memory.huge_share > 0.9 else f"{memory.page_bytes >> 10} KiB pages, no huge ones to be had"
    found = levels(memory.loads)
    yield (
        f"a load in {pages}: "
        + ", ".join(f"{level.ns:.1f} ns up to {_bytes(level.size)}" for level in found[:-1])
        + f"{', ' * (len(found) > 1)}{memory.idle_latency_ns:.0f} ns from {_bytes(memory.loads[-1][0])}"
    )
    small = memory.small_page_loads[-1][1]
    reach = [f"{level.size:,} pages" for level in translations(memory)[:-1]]
    steps = f"; a page more costs time beyond {' and '.join(reach)}" if reach else ""
    yield f"the same in {memory.page_bytes >> 10} KiB pages, page table walks included: {small:.0f} ns{steps}"
    if core is not None:
        yield from differences(memory, core)
    if max(memory.spread, memory.loads_spread) > UNSTEADY:
        yield "the samples lay far apart: something else was running; measure again when the machine is idle"


def translations(memory: Memory) -> list[Level]:
    """The levels of address translation: sizes in pages."""
    return levels([(pages, memory.loads[0][1] + more) for pages, more in memory.walks])


def differences(memory: Memory, core: Core) -> Iterator[str]:
    """Where the knees are not at the sizes of the core's table: each is a size at which nothing was found."""
    sizes = {name: core.caches[name].size_kib for name in ("l1d", "l2") if name in core.caches}
    for name, kib in sizes.items():
        if kib and not _found(kib << 10, memory.loads, levels(memory.loads)):
            yield f"the table of {core.title} says {name} {kib:,} KiB, and no step was found there"
    for name in ("l1d", "l2"):
        tlb = core.tlbs.get(name)
        if tlb and not _found(tlb.entries, memory.walks, translations(memory)):
            yield f"the table of {core.title} says {tlb.entries:,} entries of the {name} TLB, and no step was found there"


def _found(size: int, curve: Curve, knees: Sequence[Level]) -> bool:
    """Whether a knee is at that size: it is the last point tried that fits, or one beside it. Ways and other users of a
    level make it seem smaller, prefetching and sharing larger.
    """
    tried = [x for x, _ in curve]
    fits = sum(x <= size for x in tried) - 1
    return any(abs(tried.index(level.size) - fits) <= 1 for level in knees[:-1])


def _bytes(size: int) -> str:
    return f"{size / (1 << 20):.3g} MiB" if size >= 1 << 20 else f"{size / 1024:.0f} KiB"
