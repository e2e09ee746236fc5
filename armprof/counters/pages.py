"""On which NUMA nodes pages of this process lie: move_pages(), which moves none where it is given no nodes."""

from __future__ import annotations

import os
import platform
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from mmap import PAGESIZE
from typing import NamedTuple

PAGE = PAGESIZE
MOST = 1 << 16  # pages that are asked for; the kernel looks up each, some 0.2 us

# Its number; glibc has no function for it.
_CALLS = {"aarch64": 239, "x86_64": 279}


class Looked(NamedTuple):
    """``kib`` by node, from so many ``pages`` that are in memory; ``every`` so many were looked at."""

    kib: Counter[int]
    pages: int
    every: int

    @property
    def how(self) -> str:
        """In words, where not all pages were looked at."""
        return f" (from {self.pages:,} pages, one of {self.every} looked at)" if self.every > 1 else ""


def look(ranges: Sequence[tuple[int, int]], most: int = MOST) -> Looked:
    """Where the pages of these ranges of addresses (from, to) lie; those that nobody touched lie nowhere.

    Of more than ``most`` pages that many are looked at, at equal distances. Raises OSError where the kernel does not answer.
    """
    total = sum(-(-end // PAGE) - start // PAGE for start, end in ranges)
    every = max(1, -(-total // most))
    found = Counter(node for node in _nodes(list(_addresses(ranges, every))) if node >= 0)
    kib = Counter({node: pages * every * PAGE >> 10 for node, pages in found.items()})
    return Looked(kib, found.total(), every)


def _addresses(ranges: Sequence[tuple[int, int]], every: int) -> Iterator[int]:
    """Each so many pages, counted through all ranges."""
    skip = 0
    for start, end in ranges:
        pages = range(start // PAGE + skip, -(-end // PAGE), every)
        yield from (page * PAGE for page in pages)
        skip = pages.start + len(pages) * every - -(-end // PAGE)


def _nodes(addresses: Sequence[int]) -> Iterable[int]:
    """The node of each page; less than 0 where there is none: nobody touched it, or it is all zeros."""
    import ctypes

    number = _CALLS.get(platform.machine())
    if number is None:
        raise OSError(f"its number on {platform.machine()} is not known")
    count = len(addresses)
    pages, nodes = (ctypes.c_void_p * count)(*addresses), (ctypes.c_int * count)()
    call = ctypes.CDLL(None, use_errno=True).syscall
    call.restype = ctypes.c_long
    if call(ctypes.c_long(number), 0, ctypes.c_ulong(count), pages, None, nodes, 0):
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
    return nodes
