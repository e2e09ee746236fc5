"""How long the chain of dependent instructions is that an iteration of a loop adds to.

The loop is run with as many units as it wants: each instruction begins when its operands are there. Where ways meet, a
register is there when it is on average, by how often each way is gone. What is left is how much later everything
is there with each iteration: the latency of the chain that goes through all iterations.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from armprof.binary.a64 import REGISTERS, Instruction
from armprof.binary.flow import CALL_CLOBBERS, CELLS, Flow, Piece

ROUNDS = 12  # chains that come back after one, two, three, four, six or twelve iterations

Latency = Callable[[Instruction], tuple[float, float]]  # to the result, and to it from an accumulator


@dataclass(frozen=True)
class Chain:
    """``cycles`` for each iteration, and the share of them of each instruction by its number."""

    cycles: float
    shares: Mapping[int, float]
    registers: frozenset[int]  # that it goes through


# An instruction's number, when it was done, and what it waited for.
_Link = tuple[int, float, "_Link | None"]
_State = tuple[list[float], list["_Link | None"]]  # of each register when it is there, and since when


def chain(flow: Flow, latency: Latency) -> Chain:
    """The longest chain of the loop. ``latency`` is a core's."""
    runner = _Runner(flow, latency)
    state: _State = [0.0] * runner.size, [None] * runner.size
    for _ in range(ROUNDS):
        state = runner.iteration(*state)
    marked = list(state[0])
    for _ in range(ROUNDS):
        state = runner.iteration(*state)
    times, links = state
    grown = [after - before for after, before in zip(times, marked, strict=True)]
    register = max(range(runner.size), key=grown.__getitem__)
    if grown[register] <= 0:
        return Chain(0.0, {}, frozenset())
    shares: dict[int, float] = {}
    link, end = links[register], times[register]
    begin = end - grown[register]
    while link is not None and link[1] > begin:
        number, done, before = link
        since = max(begin, before[1] if before is not None else begin)
        shares[number] = shares.get(number, 0.0) + max(0.0, done - since)
        link = before
    total = sum(shares.values()) or 1.0
    through = frozenset(r for n in shares for r in runner.writes.get(n, ()))
    return Chain(grown[register] / ROUNDS, {n: share / total for n, share in shares.items()}, through)


class _Runner:
    def __init__(self, flow: Flow, latency: Latency) -> None:
        self.size = REGISTERS + len(flow.cells)
        self.pieces = flow.pieces
        self.writes: dict[int, tuple[int, ...]] = {}
        self.steps = [self._steps(piece, flow, latency) for piece in flow.pieces]

    def _steps(
        self, piece: Piece, flow: Flow, latency: Latency
    ) -> list[tuple[int, tuple[tuple[int, float], ...], tuple[int, ...]]]:
        """Each instruction as its number, what it waits for with the latency from there, and what it makes."""
        steps = []
        for number, instruction in piece.instructions:
            full, late = latency(instruction)
            cell = flow.cell_of.get(number)
            cell = None if cell is None else cell - CELLS + REGISTERS
            waits = [(r, late if r in instruction.late else full) for r in instruction.reads]
            waits += [(r, full) for r in instruction.addresses]
            made = list(instruction.writes)
            memory = instruction.memory
            if instruction.kind == "call":
                waits, made = [], list(CALL_CLOBBERS)
            elif memory is not None and cell is not None:
                waits += [(cell, full)] * memory.load
                made += [cell] * memory.store
            self.writes[number] = tuple(made)
            if made:
                steps.append((number, tuple(waits), tuple(made)))
            if memory is not None and memory.step != 0 and memory.base is not None:
                steps.append((number, ((memory.base, 1.0),), (memory.base,)))
        return steps

    def iteration(self, times: list[float], links: list[_Link | None]) -> _State:
        leaving: list[_State] = []
        for at, piece in enumerate(self.pieces):
            ways = [(leaving[before], often) for before, often in piece.before if before < at]
            begin = _met(ways) if ways else (list(times), list(links))
            leaving.append(_executed(begin, self.steps[at]))
        again = [(leaving[at], piece.again) for at, piece in enumerate(self.pieces) if piece.again]
        return _met(again) if again else leaving[-1]


def _executed(state: _State, steps: Sequence[tuple[int, tuple[tuple[int, float], ...], tuple[int, ...]]]) -> _State:
    times, links = state
    for number, waits, made in steps:
        done, since = 0.0, None
        for register, latency in waits:
            then = times[register] + latency
            if then > done:
                done, since = then, links[register]
        link: _Link = (number, done, since)
        for register in made:
            times[register], links[register] = done, link
    return state


def _met(ways: Sequence[tuple[_State, float]]) -> _State:
    """When registers are there on average, where ways meet."""
    if len(ways) == 1:
        times, links = ways[0][0]
        return list(times), list(links)
    total = sum(often for _, often in ways) or 1.0
    times = [sum(column) for column in zip(*([t * often / total for t in s[0]] for s, often in ways), strict=True)]
    links = max(ways, key=lambda way: way[1])[0][1]
    return times, list(links)
