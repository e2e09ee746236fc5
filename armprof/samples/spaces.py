"""Where in which file the addresses of samples lay, in an address space that changes while it is sampled."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from armprof.samples.trace import BECAME, ENDED, FORKED, MAPPED, Trace

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

NOWHERE = -1  # the module of an address at which nothing was mapped


@dataclass(frozen=True, slots=True)
class Space:
    """What a process had mapped during a stretch of time: by start, all of the same length."""

    starts: NDArray[np.uint64]
    ends: NDArray[np.uint64]
    offsets: NDArray[np.uint64]  # in the file, of the start
    modules: NDArray[np.int64]  # numbers

    def places(self, addresses: NDArray[np.uint64]) -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
        """The module and the offset in its file of each address; NOWHERE and the address where nothing is mapped."""
        import numpy as np

        modules = np.full(len(addresses), NOWHERE, np.int64)
        offsets = addresses.copy()
        if len(self.starts):
            at = np.searchsorted(self.starts, addresses, "right").astype(np.int64) - 1
            inside = (at >= 0) & (addresses < self.ends[at])
            modules[inside] = self.modules[at[inside]]
            offsets[inside] = addresses[inside] - self.starts[at[inside]] + self.offsets[at[inside]]
        return modules, offsets


class _Mapped(dict[int, tuple[int, int, int]]):
    """By start: end, offset, module. Later ones cut what they overlap."""

    def add(self, start: int, end: int, offset: int, module: int) -> None:
        overlapped = [(s, e, o, m) for s, (e, o, m) in self.items() if s < end and start < e]
        for s, e, o, m in overlapped:
            del self[s]
            if s < start:
                self[s] = (start, o, m)
            if e > end:
                self[end] = (e, o + end - s, m)
        self[start] = (end, offset, module)

    def space(self) -> Space:
        import numpy as np

        rows = sorted((start, *rest) for start, rest in self.items())
        columns = list(zip(*rows, strict=True)) or [(), (), (), ()]
        starts, ends, offsets = (np.array(column, np.uint64) for column in columns[:3])
        return Space(starts, ends, offsets, np.array(columns[3], np.int64))


def spaces(trace: Trace) -> tuple[list[str], list[tuple[NDArray[np.int64], Space]]]:
    """The files that were mapped, and the hits (their numbers) with the space that they fell into.

    The kernel's records of several CPUs are in no order; time puts them into one.
    """
    import numpy as np

    modules: dict[str, int] = {}
    mapped: dict[int, _Mapped] = {}
    found: list[tuple[NDArray[np.int64], Space]] = []
    left = _HitsByProcess(trace.hits)
    moves = trace.moves[np.argsort(trace.moves["time"], kind="stable")]
    for time, start, length, offset, pid, _, parent, text, kind, _ in moves.tolist():
        if kind not in (MAPPED, BECAME, FORKED, ENDED) or (kind in (FORKED, ENDED) and parent == pid):
            continue  # names, and threads
        mine = mapped.setdefault(pid, _Mapped())
        before = left.take(pid, time)
        if len(before):
            found.append((before, mine.space()))
        if kind == MAPPED:
            module = modules.setdefault(trace.text_at(text), len(modules))
            mine.add(start, start + length, offset, module)
        elif kind == BECAME:
            mine.clear()
        elif kind == FORKED:
            mapped[pid] = _Mapped(mapped.get(parent, {}))
    for pid, rest in left.rest():
        found.append((rest, mapped.get(pid, _Mapped()).space()))
    return list(modules), found


class _HitsByProcess:
    """The numbers of the hits of each process, by time."""

    def __init__(self, hits: Any) -> None:
        import numpy as np

        self._times: dict[int, NDArray[np.uint64]] = {}
        self._numbers: dict[int, NDArray[np.int64]] = {}
        self._taken: dict[int, int] = {}
        order = np.lexsort((hits["time"], hits["pid"]))
        pids = hits["pid"][order]
        cuts = np.flatnonzero(np.diff(pids)) + 1
        for numbers in np.split(order, cuts):
            if len(numbers):
                pid = int(hits["pid"][numbers[0]])
                self._times[pid], self._numbers[pid], self._taken[pid] = hits["time"][numbers], numbers, 0

    def take(self, pid: int, until: int) -> NDArray[np.int64]:
        """Those before that time that were not taken yet."""
        import numpy as np

        if pid not in self._times:
            return np.empty(0, np.int64)
        begin, end = self._taken[pid], int(np.searchsorted(self._times[pid], until))
        self._taken[pid] = max(begin, end)
        return self._numbers[pid][begin : max(begin, end)]

    def rest(self) -> Iterator[tuple[int, NDArray[np.int64]]]:
        """What is left, by process."""
        for pid, numbers in self._numbers.items():
            if len(numbers) > self._taken[pid]:
                yield pid, numbers[self._taken[pid] :]
