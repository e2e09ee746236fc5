"""From addresses to names: a trace becomes Samples."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import TYPE_CHECKING, Any

from armprof.samples.names import frames_at, lacking
from armprof.samples.profile import NO_PLACE, Frame, Row, Samples, Thread
from armprof.samples.spaces import mapped
from armprof.samples.trace import BECAME, FORKED, NAMED, NOWHERE, Trace

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from armprof.binary import Space


def attribute(trace: Trace) -> Samples:
    """The trace with functions and lines, from the symbols and debug information of the files that are there now."""
    import numpy as np

    from armprof.binary import Space

    stack_of = np.zeros(len(trace.hits), np.int64)  # by hit: number in `stacks`
    stacks = _Numbers()  # of places, a tuple of numbers
    places = _Numbers()  # of frames: file and offset
    for hits, mappings in mapped(trace):
        used, which = np.unique(trace.hits["stack"][hits], return_inverse=True)
        rows = trace.stacks[used]
        at, lengths = _ranges(rows["first"], rows["depth"])
        ends = np.cumsum(lengths)
        # a return address stands behind the call, which may be the last instruction of its line or function
        addresses = trace.frames[at] - (np.arange(len(at)) != np.repeat(ends - lengths, lengths)).astype(np.uint64)
        place = _places(Space(mappings), addresses, places)
        mine = [stacks.of(tuple(part)) for part in (p.tolist() for p in np.split(place, ends[:-1]))]
        stack_of[hits] = np.array(mine, np.int64)[which]

    frames = _Numbers()
    of_place = [tuple(frames.of(frame) for frame in inlined) for inlined in _frames(list(places))]
    resolved = _Numbers()
    of_stack = np.array(
        [resolved.of(tuple(chain.from_iterable(map(of_place.__getitem__, stack)))) for stack in stacks], np.int64
    )
    threads, thread_of = _threads(trace)
    rows_found = _rows(trace.hits, of_stack[stack_of] if len(stack_of) else stack_of, thread_of)
    return Samples(
        events=trace.events,
        frames=tuple(frames),
        stacks=tuple(resolved),
        threads=threads,
        rows=tuple(rows_found),
        losses=trace.losses,
        duration_ns=trace.duration_ns,
        reading_ns=trace.reading_ns,
        command=trace.command,
        notes=(*trace.notes, *lacking(module for module, _ in places)),
        core=trace.core,
    )


class _Numbers(dict[Any, int]):
    """Each thing once, numbered in the order in which it was first met."""

    def of(self, thing: Any) -> int:
        return self.setdefault(thing, len(self))


def _places(space: Space, addresses: NDArray[np.uint64], places: _Numbers) -> NDArray[np.int64]:
    """The number of each address's place."""
    import numpy as np

    unique, which = np.unique(addresses, return_inverse=True)
    numbers = np.full(len(unique), -1, np.int64)
    for path, found, offsets in space.offsets(unique):
        numbers[found] = [places.of((path, offset)) for offset in offsets.tolist()]
    for i in np.flatnonzero(numbers < 0).tolist():
        numbers[i] = places.of(("", int(unique[i])) if unique[i] != NOWHERE else (NO_PLACE, 0))
    return numbers[which]


def _ranges(first: NDArray[np.uint32], length: NDArray[np.uint32]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The numbers first, first + 1, ... of each, one behind the other; and how many of each."""
    import numpy as np

    lengths = length.astype(np.int64)
    begins = np.repeat(first.astype(np.int64) - np.concatenate([[0], np.cumsum(lengths)[:-1]]), lengths)
    return begins + np.arange(int(lengths.sum())), lengths


def _frames(places: list[tuple[str, int]]) -> list[tuple[Frame, ...]]:
    """The frames of each place, what is inlined first: each file is asked once for all that lie in it."""
    by_module: dict[str, list[int]] = {}
    for number, (module, _) in enumerate(places):
        by_module.setdefault(module, []).append(number)
    found: list[tuple[Frame, ...]] = [()] * len(places)
    for module, numbers in by_module.items():
        for number, frames in zip(numbers, frames_at(module, [places[n][1] for n in numbers]), strict=True):
            found[number] = frames
    return found


def _threads(trace: Trace) -> tuple[tuple[Thread, ...], NDArray[np.int64]]:
    """Who ran, and which of them each hit is of. A thread bears the last name that it took."""
    import numpy as np

    # one number for both: numpy sorts pairs many times slower
    both, which = np.unique(trace.hits["pid"].astype(np.uint64) << 32 | trace.hits["tid"], return_inverse=True)
    pairs = list(zip((both >> 32).tolist(), (both & 0xFFFFFFFF).tolist(), strict=True))
    names: dict[tuple[int, int], str] = {}
    moves = trace.moves[np.argsort(trace.moves["time"], kind="stable")]
    for _, _, _, _, pid, tid, parent, text, kind, _ in moves.tolist():
        if kind in (NAMED, BECAME):
            names[pid, tid] = trace.text_at(text)
        elif kind == FORKED:  # a thread or a child begins with the name of who started it
            names.setdefault((pid, tid), names.get((parent, parent), ""))
    threads = tuple(Thread(pid, tid, names.get((pid, tid), "")) for pid, tid in pairs)
    return threads, which


def _rows(hits: Any, stacks: NDArray[np.int64], threads: NDArray[np.int64]) -> Iterator[Row]:
    """Hits that differ in nothing but their time, added up."""
    import numpy as np

    if not len(hits):
        return
    of_thread, of_stack = int(threads.max()) + 1, int(stacks.max()) + 1
    keys = (hits["event"].astype(np.int64) * of_thread + threads) * of_stack + stacks
    kinds, which, samples = np.unique(keys, return_inverse=True, return_counts=True)
    weights = np.zeros(len(kinds), np.uint64)
    np.add.at(weights, which, hits["period"])
    pairs, where = np.divmod(kinds, of_stack)
    events, who = np.divmod(pairs, of_thread)
    yield from map(Row, *(column.tolist() for column in (events, who, where, samples, weights)))
