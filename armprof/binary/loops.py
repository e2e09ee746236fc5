"""Loops of code that was executed: blocks, the ways between them and how often each was gone, and what goes round.

A loop is a strongly connected part of the blocks; its header is the block that it is entered by most often. What is strongly
connected without the ways back to the header are the loops within it. So code that no compiler made has loops too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

Edges = Mapping[int, Mapping[int, float]]  # from block to block, how often


@dataclass(eq=False)
class NaturalLoop:
    """``order`` holds its blocks, and for each loop within it that loop's header, so that ways lead forward."""

    header: int
    blocks: frozenset[int]
    order: tuple[int, ...]
    iterations: float
    entries: float
    parent: NaturalLoop | None = None
    inner: list[NaturalLoop] = field(default_factory=list)

    @property
    def own(self) -> tuple[int, ...]:
        """The blocks that are in no loop within it."""
        headers = {loop.header for loop in self.inner}
        return tuple(block for block in self.order if block not in headers)

    @property
    def trips(self) -> float:
        """Iterations for each time that it is entered."""
        return self.iterations / max(1.0, self.entries)


def loops(edges: Edges, executed: Sequence[float]) -> list[NaturalLoop]:
    """All loops, each before those within it."""
    found: list[NaturalLoop] = []
    work: list[tuple[frozenset[int], NaturalLoop | None, int | None]] = [(frozenset(edges), None, None)]
    while work:
        blocks, parent, header = work.pop()
        for part in _connected(edges, blocks, header):
            loop = _loop(edges, executed, part, parent)
            found.append(loop)
            if parent is not None:
                parent.inner.append(loop)
            work.append((part, loop, loop.header))
    for loop in found:
        loop.order = tuple(_forward(edges, loop))
    return found


def _loop(edges: Edges, executed: Sequence[float], part: frozenset[int], parent: NaturalLoop | None) -> NaturalLoop:
    back = dict.fromkeys(part, 0.0)
    for block in part:
        for to, times in edges.get(block, {}).items():
            if to in part:
                back[to] += times
    entered = {block: max(0.0, executed[block] - back[block]) for block in part}
    most = max(entered.values())
    often = [block for block in sorted(part) if entered[block] >= most / 2]
    header = min(often, key=executed.__getitem__)  # of the outer and the inner header of a nest the outer
    iterations = executed[header]
    return NaturalLoop(header, part, (), iterations, max(0.0, iterations - back[header]), parent)


def _connected(edges: Edges, blocks: frozenset[int], header: int | None) -> Iterator[frozenset[int]]:
    """The strongly connected parts that go round (Tarjan), without the ways to the header."""
    index: dict[int, int] = {}
    low: dict[int, int] = {}
    stack: list[int] = []
    waiting: set[int] = set()

    def ways(block: int) -> Iterator[int]:
        return (to for to in edges.get(block, ()) if to in blocks and to != header)

    for root in sorted(blocks):
        if root in index:
            continue
        path: list[tuple[int, Iterator[int]]] = [(root, ways(root))]
        index[root] = low[root] = len(index)
        stack.append(root)
        waiting.add(root)
        while path:
            block, rest = path[-1]
            to = next(rest, None)
            if to is not None:
                if to not in index:
                    index[to] = low[to] = len(index)
                    stack.append(to)
                    waiting.add(to)
                    path.append((to, ways(to)))
                elif to in waiting:
                    low[block] = min(low[block], index[to])
                continue
            path.pop()
            if path:
                low[path[-1][0]] = min(low[path[-1][0]], low[block])
            if low[block] == index[block]:
                part = _popped(stack, block)
                waiting -= part
                if len(part) > 1 or block in ways(block):
                    yield part


def _popped(stack: list[int], block: int) -> frozenset[int]:
    at = stack.index(block)
    part = frozenset(stack[at:])
    del stack[at:]
    return part


def _forward(edges: Edges, loop: NaturalLoop) -> Iterable[int]:
    """The loop's own blocks, and the headers of the loops within it in place of those, in topological order."""
    stands_for = {block: inner.header for inner in loop.inner for block in inner.blocks}
    ways: dict[int, set[int]] = {}
    for block in loop.blocks:
        place = stands_for.get(block, block)
        ahead = ways.setdefault(place, set())
        for to in edges.get(block, ()):
            if to in loop.blocks and to != loop.header and stands_for.get(to, to) != place:
                ahead.add(stands_for.get(to, to))
    order: list[int] = []
    seen = {stands_for.get(loop.header, loop.header)}
    path = [(next(iter(seen)), iter(sorted(ways[next(iter(seen))])))]
    while path:
        block, rest = path[-1]
        ahead_of = next(rest, None)
        if ahead_of is None:
            order.append(block)
            path.pop()
        elif ahead_of not in seen:
            seen.add(ahead_of)
            path.append((ahead_of, iter(sorted(ways[ahead_of]))))
    return reversed(order)
