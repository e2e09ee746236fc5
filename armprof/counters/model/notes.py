"""What the reader of the model's counts must know, a sentence each."""

from __future__ import annotations

from collections.abc import Iterator

from armprof.counters.model.counts import Counts
from armprof.counters.model.geometry import DEFAULT_CORE, Geometry
from armprof.cpu import core


def of(counts: Counts, geometry: Geometry) -> Iterator[str]:
    """The notes on one run."""
    yield f"modelled, not measured: {describe(geometry)}"
    if geometry.assumed:
        yield (
            f"not in the table of {geometry.core.title}, taken as on {core(DEFAULT_CORE).title}: "
            f"{', '.join(geometry.assumed)}"
        )
    header = counts.header
    if header["zeroed"]:
        yield (
            f"{header['zeroed']:,} `dc zva` were taken to clear the line after the last one stored to: "
            "the emulator does not tell their address"
        )
    if header["execs"]:
        yield f"{_times(header['execs'], 'exec')}: what a program becomes by exec is not counted"
    if header["forks"]:
        yield f"{_times(header['forks'], 'fork')}: the children are counted too"
    if header["exhausted"]:
        yield f"{header['exhausted']:,} blocks of code are not counted: there are more than the model has room for"


def describe(geometry: Geometry) -> str:
    """The geometry in words: "L1D 64 KiB 4-way, ..."."""
    s = geometry.settings
    caches = [
        f"{name} {s[f'{key}_bytes'] // 1024:,} KiB {s[f'{key}_ways']}-way" if s[f"{key}_bytes"] else f"no {name}"
        for name, key in (("L1I", "l1i"), ("L1D", "l1d"), ("L2", "l2"), ("last level", "ll"))
    ]
    tlbs = f"TLBs of {s['l1i_tlb']}, {s['l1d_tlb']} and {s['l2_tlb']} entries, pages of {(1 << s['page_bits']) // 1024} KiB"
    ahead = f"prefetching {s['prefetch']} lines ahead" if s["prefetch"] else "no prefetcher"
    return f"{', '.join(caches)}; {tlbs}; {ahead}"


def _times(number: int, what: str) -> str:
    return f"{number:,} {what}{'s' * (number != 1)}"
