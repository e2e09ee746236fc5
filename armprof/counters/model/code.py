"""The code that was executed, by address: its instructions, its blocks and its loops.

The emulator's blocks overlap: one begins where a loop is entered, another where it goes round. Here each instruction is
once, with all that was counted of it, and a block is what is always executed together.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from armprof.binary import a64
from armprof.binary.flow import Flow, pieces
from armprof.binary.loops import NaturalLoop, loops
from armprof.counters.model import counts as file
from armprof.counters.model.counts import Counts

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

HOT = 0.999999  # so much of what was executed is looked at: what goes around a long loop is little of it
MOST = 30_000  # instructions that are looked at

ONLY = 0.95  # of the calls of a function from one place: then it is a part of what calls it

_JUMP = a64.Instruction("bl", "branch", writes=(30,))
_FALLS_ON = (file.FALLS_THROUGH, file.CONDITIONAL, file.CALL, file.INDIRECT_CALL)


@dataclass(frozen=True, slots=True)
class LoopBody:
    """A loop and what an iteration does; ``frequency`` is how often an instruction is executed in one, by its number."""

    loop: NaturalLoop
    flow: Flow
    frequency: Mapping[int, float]
    exits: frozenset[int]  # the numbers of the branches that may leave it

    @property
    def instructions(self) -> Iterator[tuple[int, a64.Instruction]]:
        return (pair for piece in self.flow.pieces for pair in piece.instructions)


class ExecutedCode:
    """Numbers of instructions are places in `address`, which is in order."""

    def __init__(self, counts: Counts, executed: NDArray[np.int64], taken: NDArray[np.int64]) -> None:
        """``executed`` and ``taken`` are by block of the counts."""
        import numpy as np

        self.counts = counts
        hot = _hot(counts, executed)
        sizes = counts.blocks["size"][hot].astype(np.int64)
        within = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        block = np.repeat(hot, sizes)
        every = counts.blocks["address"][block] + 4 * within.astype("u8")
        self.address, first, which = np.unique(every, return_index=True, return_inverse=True)
        self.word = counts.words[counts.blocks["words"][block] + within][first]
        number = len(self.address)
        self.executed = np.bincount(which, weights=executed[block], minlength=number)
        ends = within == np.repeat(sizes, sizes) - 1
        self.taken = np.bincount(which[ends], weights=taken[block[ends]], minlength=number)
        self.ending = np.zeros(number, np.int64)
        self.target = np.zeros(number, "u8")
        self.ending[which[ends]] = counts.blocks["ending"][block[ends]]
        self.target[which[ends]] = counts.blocks["target"][block[ends]]
        self._ends = np.zeros(number, bool)
        self._ends[which[ends]] = True
        self._starts = np.zeros(number, bool)
        self._starts[which[within == 0]] = True

    def instruction(self, number: int) -> a64.Instruction:
        """What stands there; for a call that is followed the jump that it is."""
        return _JUMP if number in self._followed_calls else a64.instruction(int(self.word[number]))

    @cached_property
    def _blocks(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The numbers of the first instruction of each block, and of the last."""
        import numpy as np

        starts = self._starts.copy()
        starts[0:1] = True
        targets = np.searchsorted(self.address, self.target[self._ends])
        targets = targets[targets < len(self.address)]
        starts[targets[np.isin(self.address[targets], self.target[self._ends])]] = True
        starts[1:] |= self._ends[:-1] | (np.diff(self.address) != 4)
        first = np.flatnonzero(starts)
        return first, np.append(first, len(starts))[1:] - 1

    @cached_property
    def _block_at(self) -> dict[int, int]:
        """Blocks by address."""
        return {int(address): block for block, address in enumerate(self.address[self._blocks[0]])}

    @cached_property
    def edges(self) -> dict[int, dict[int, float]]:
        """The ways between blocks, and how often each was gone.

        A call that is followed leads into the function and back from there; another one to where it returns to.
        """
        first, last = self._blocks
        found = {block: dict(ways) for block, ways in self._over_calls.items()}
        for site, (into, back) in self._followed.items():
            (behind,) = found[site]
            found[site] = {into: float(self.executed[last[site]])}
            for block in back:
                found[block][behind] = float(self.executed[first[block]])
        return found

    @cached_property
    def _followed(self) -> dict[int, tuple[int, list[int]]]:
        """Of the blocks that end in a call of what nothing else calls: the block called, and those that return from it."""
        first, last = self._blocks
        followed = {}
        for site in self._over_calls:
            into = self._block_at.get(int(self.target[last[site]])) if self.ending[last[site]] == file.CALL else None
            if into is None or len(self._over_calls[site]) != 1:
                continue
            times = float(self.executed[last[site]])
            if times < ONLY * self.executed[first[into]]:
                continue
            within = _reached(self._over_calls, into)
            back = [block for block in within if self.ending[last[block]] == file.RETURN]
            returned = sum(float(self.executed[first[block]]) for block in back)
            if site not in within and ONLY * times <= returned <= times / ONLY:
                followed[site] = into, back
        return followed

    @cached_property
    def _followed_calls(self) -> frozenset[int]:
        """The numbers of the calls that are followed."""
        return frozenset(int(self._blocks[1][site]) for site in self._followed)

    @cached_property
    def _over_calls(self) -> dict[int, dict[int, float]]:
        """The ways between blocks when each call leads to where it returns to."""
        first, last = self._blocks
        at = self._block_at
        found: dict[int, dict[int, float]] = {block: {} for block in range(len(first))}
        rows = zip(
            self.address[last].tolist(), self.ending[last].tolist(), self.target[last].tolist(),
            self.executed[last].tolist(), self.taken[last].tolist(), strict=True,
        )  # fmt: skip
        for block, (address, ending, target, executed, taken) in enumerate(rows):
            ways = [(target, executed)] if ending == file.JUMP else []
            if ending in _FALLS_ON:
                ways.append((address + 4, executed - taken if ending == file.CONDITIONAL else executed))
            if ending == file.CONDITIONAL:
                ways.append((target, taken))
            for to, times in ways:
                if to in at and times > 0:
                    found[block][at[to]] = found[block].get(at[to], 0.0) + times
        return found

    @cached_property
    def bodies(self) -> tuple[LoopBody, ...]:
        """All loops, each before those within it."""
        first, _ = self._blocks
        executed = self.executed[first].tolist()
        return tuple(self._body(loop) for loop in loops(self.edges, executed))

    def _body(self, loop: NaturalLoop) -> LoopBody:
        flow = Flow(pieces(loop, self.edges, self._content))
        last = [int(self._blocks[1][block]) for block in loop.own]
        exits = frozenset(number for number in last if self._leaves(number, loop))
        frequency = {
            n: self.executed[n] / max(1.0, loop.iterations) for piece in flow.pieces for n, _ in piece.instructions
        }
        return LoopBody(loop, flow, frequency, exits)

    def _content(self, block: int) -> Iterator[tuple[int, a64.Instruction]]:
        first, last = self._blocks
        return ((number, self.instruction(number)) for number in range(int(first[block]), int(last[block]) + 1))

    def executed_in(self, loop: NaturalLoop) -> float:
        """Instructions of the loop, with those of the loops within it."""
        first, last = self._blocks
        return sum(float(self.executed[first[b]]) * int(last[b] - first[b] + 1) for b in loop.blocks)

    def _leaves(self, number: int, loop: NaturalLoop) -> bool:
        """Whether the block that ends there may lead out of the loop, even if it never did."""
        if self.ending[number] != file.CONDITIONAL:
            return False
        ways = int(self.target[number]), int(self.address[number]) + 4
        return any(self._block_at.get(way) not in loop.blocks for way in ways)


def _reached(edges: Mapping[int, Mapping[int, float]], start: int) -> set[int]:
    """The blocks that ways lead to from there."""
    found, work = {start}, [start]
    while work:
        new = set(edges[work.pop()]) - found
        found |= new
        work += new
    return found


def _hot(counts: Counts, executed: NDArray[np.int64]) -> Any:
    """The blocks that matter, the most executed instructions first; and those that share code with them."""
    import numpy as np

    blocks = counts.blocks
    sizes = blocks["size"].astype(np.int64)
    weight = executed * sizes
    order = np.argsort(-weight, kind="stable")
    sums = np.cumsum(weight[order])
    if not len(sums) or sums[-1] == 0:
        return order[:0]
    enough = np.searchsorted(sums, HOT * sums[-1]) + 1
    room = np.searchsorted(np.cumsum(sizes[order]), MOST)
    hot = order[: max(1, min(enough, room))]
    # A block overlaps those whose first address lies in it, and those in which its own first address lies.
    starts, ends = np.sort(blocks["address"][hot]), np.sort(blocks["next"][hot])
    begun, ended = np.searchsorted(starts, blocks["next"]), np.searchsorted(ends, blocks["address"], side="right")
    return np.flatnonzero((begun > ended) & (executed > 0))
