"""Which files the addresses of samples lay in, in an address space that changes while it is sampled."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from armprof.samples.trace import BECAME, ENDED, FORKED, MAPPED, Trace

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from armprof.binary import Mapping


def mapped(trace: Trace) -> Iterator[tuple[NDArray[np.int64], list[Mapping]]]:
    """The hits (their numbers) with what was mapped when they fell, in the order in which it was mapped.

    The kernel's records of several CPUs are in no order; time puts them into one.
    """
    import numpy as np

    from armprof.binary import Mapping

    mappings: dict[int, list[Mapping]] = {}
    left = _HitsByProcess(trace.hits)
    moves = trace.moves[np.argsort(trace.moves["time"], kind="stable")]
    for time, start, length, offset, pid, _, parent, text, kind, _ in moves.tolist():
        if kind not in (MAPPED, BECAME, FORKED, ENDED) or (kind in (FORKED, ENDED) and parent == pid):
            continue  # names, and threads
        before = left.take(pid, time)
        if len(before):
            yield before, list(mappings.get(pid, []))
        if kind == MAPPED:
            mappings.setdefault(pid, []).append(Mapping(start, start + length, offset, trace.text_at(text)))
        elif kind == BECAME:
            mappings[pid] = []
        elif kind == FORKED:
            mappings[pid] = list(mappings.get(parent, []))
    for pid, rest in left.rest():
        yield rest, mappings.get(pid, [])


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
