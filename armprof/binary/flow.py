"""What one iteration of a loop does with values: which registers step, and what each address is made of.

Each register's value is followed through an iteration, in terms of what the registers held when it began. A memory cell at
an address that stays the same is one more register. From what an iteration leaves in them follow the steps of the
registers that count, and which loads an address waits for: of this iteration, or of those before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from armprof.binary.a64 import REGISTERS, SP, Instruction, MemoryOperand
from armprof.binary.loops import Edges, NaturalLoop

LINE = 64
NONE: frozenset[int] = frozenset()

FIXED, STRIDED, GATHERED, CHASED = "fixed", "strided", "gathered", "chased"


@dataclass(frozen=True)
class Piece:
    """A block of a loop's body; or a loop within it, of which ``clobbers`` alone is known, the registers that it writes."""

    instructions: tuple[tuple[int, Instruction], ...]  # each with its number
    before: tuple[tuple[int, float], ...]  # the pieces that lead here within an iteration, and how often
    again: float = 0  # how often it leads to the next iteration
    clobbers: frozenset[int] | None = None


def pieces(loop: NaturalLoop, edges: Edges, content: Callable[[int], Iterable[tuple[int, Instruction]]]) -> list[Piece]:
    """An iteration of the loop, from the instructions of its blocks and how often the ways between these are gone."""
    inner = {one.header: one for one in loop.inner}
    place = {block: at for at, block in enumerate(loop.order)}
    place |= {block: place[header] for header, within in inner.items() for block in within.blocks}
    before: dict[int, dict[int, float]] = {at: {} for at in range(len(loop.order))}
    again = dict.fromkeys(before, 0.0)
    for block in loop.blocks:
        for to, times in edges[block].items():
            if to == loop.header:
                again[place[block]] += times
            elif to in place and place[to] != place[block]:
                before[place[to]][place[block]] = before[place[to]].get(place[block], 0.0) + times
    found = []
    for at, block in enumerate(loop.order):
        blocks = inner[block].blocks if block in inner else (block,)
        piece = Piece(tuple(pair for one in blocks for pair in content(one)), tuple(before[at].items()), again[at])
        found.append(replace(piece, instructions=(), clobbers=_written([piece])) if block in inner else piece)
    return found


@dataclass(frozen=True)
class Value:
    """``terms`` and ``constant`` where it is a sum of what registers held, else terms is None.

    ``heads`` are the registers, ``loads`` the loads of this iteration that it depends on, by number.
    """

    terms: tuple[tuple[int, int], ...] | None
    constant: int = 0
    heads: frozenset[int] = NONE
    loads: frozenset[int] = NONE


ANYTHING = Value(None)


@dataclass(frozen=True)
class Access:
    """How the instruction's address moves from iteration to iteration. ``stride`` is None where it is not known."""

    number: int
    memory: MemoryOperand
    kind: str
    stride: int | None
    address: Value


@dataclass
class Flow:
    """One iteration. ``after`` is what it leaves in the registers that it writes."""

    pieces: Sequence[Piece]
    after: dict[int, Value] = field(default_factory=dict)
    addresses: dict[int, tuple[MemoryOperand, Value]] = field(default_factory=dict)  # by number of the instruction
    conditions: dict[int, Value] = field(default_factory=dict)  # of conditional branches
    entering: dict[int, dict[int, Value]] = field(default_factory=dict)  # what a loop within begins with, by its piece
    cells: dict[tuple[object, int], int] = field(default_factory=dict)  # a memory cell's register
    cell_of: dict[int, int] = field(default_factory=dict)  # by number of the instruction

    def __post_init__(self) -> None:
        self._written = _written(self.pieces)
        leaving: list[dict[int, Value]] = []
        for at, piece in enumerate(self.pieces):
            state = _joined([leaving[before] for before, _ in piece.before if before < at])
            if piece.clobbers is not None:
                self.entering[at] = dict(state)
                state.update(dict.fromkeys(piece.clobbers, ANYTHING))
            for number, instruction in piece.instructions:
                self._execute(number, instruction, state)
            leaving.append(state)
        again = [leaving[at] for at, piece in enumerate(self.pieces) if piece.again]
        self.after = _joined(again or leaving[-1:])

    # ---- Execution ----

    def _execute(self, number: int, instruction: Instruction, state: dict[int, Value]) -> None:
        memory = instruction.memory
        if instruction.kind == "call":
            state.update(dict.fromkeys(CALL_CLOBBERS, ANYTHING))
        elif memory is not None:
            self._access(number, instruction, memory, state)
        elif instruction.linear is not None:
            value = _sum(((_held(state, r), f) for r, f in instruction.linear.terms), instruction.linear.constant)
            flags = _mixed([value])
            state.update((r, value if r < REGISTERS - 1 else flags) for r in instruction.writes)
        elif instruction.kind == "branch":
            self.conditions[number] = _mixed([_held(state, r) for r in instruction.reads])
        else:
            value = _mixed([_held(state, r) for r in instruction.reads])
            state.update(dict.fromkeys(instruction.writes, value))

    def _access(self, number: int, instruction: Instruction, memory: MemoryOperand, state: dict[int, Value]) -> None:
        base = Value((), 0) if memory.base is None else _held(state, memory.base)
        parts = [(base, 1)]
        if memory.index is not None:
            parts.append((_held(state, memory.index), memory.scale))
        address = _sum(parts, memory.offset)
        self.addresses[number] = memory, address
        data = [_held(state, r) for r in instruction.reads]
        moved = instruction.writes if memory.load else instruction.reads
        for place, register in enumerate(moved):
            cell = self._cell(address, place * memory.bytes // len(moved))
            if cell is not None and place == 0:
                self.cell_of[number] = cell
            if cell is not None and memory.store and not memory.load:
                state[cell] = _held(state, register)
            elif memory.load and cell is not None and not memory.store:
                state[register] = _held(state, cell)
            elif memory.load:
                waits = _mixed([address, *data])
                state[register] = Value(None, 0, waits.heads, waits.loads | {number})
        if not memory.load:
            state.update(dict.fromkeys(instruction.writes, ANYTHING))  # whether an exclusive store succeeded
        if memory.base is not None and memory.step is None:
            state[memory.base] = Value(None, 0, base.heads, base.loads)
        elif memory.base is not None and memory.step:
            state[memory.base] = _sum([(base, 1)], memory.step)

    def _cell(self, address: Value, offset: int) -> int | None:
        """The register that stands for the cell there, if the address stays the same. SP comes back to where it was."""
        if address.terms is None or any(r in self._written and r != SP for r, _ in address.terms):
            return None
        return self.cells.setdefault((address.terms, address.constant + offset), CELLS + len(self.cells))

    # ---- From iteration to iteration ----

    @cached_property
    def carried(self) -> Mapping[int, frozenset[int]]:
        """Of each register the loads of earlier iterations that what it holds at the beginning depends on."""
        found = {register: set(value.loads) for register, value in self.after.items()}
        changed = True
        while changed:
            changed = False
            for register, value in self.after.items():
                more = set().union(*(found.get(head, NONE) for head in value.heads)) - found[register]
                if more:
                    found[register] |= more
                    changed = True
        return {register: frozenset(loads) for register, loads in found.items()}

    def waits_for(self, value: Value) -> frozenset[int]:
        """The loads, of whatever iteration, that the value depends on."""
        return value.loads.union(*(self.carried.get(head, NONE) for head in value.heads))

    def step(self, register: int, depth: int = 4) -> tuple[bool, int | None]:
        """Whether the register moves by the same amount in each iteration, and by how much; None where not known."""
        value = self.after.get(register)
        if value is None:
            return True, 0
        if value.terms is None or not depth:
            return False, None
        others = [(r, f) for r, f in value.terms if r != register]
        if (register, 1) in value.terms:
            if all(self.after.get(r) in (None, _head(r)) for r, _ in others):
                return True, None if others else value.constant
            return False, None
        if not value.terms:
            return True, 0  # a constant, the same in each iteration
        if len(others) == 1 and others[0][1] == 1:
            return self.step(others[0][0], depth - 1)  # what another register held in the iteration before
        return False, None

    def stride(self, value: Value) -> tuple[bool, int | None]:
        """Whether the value moves by the same amount in each iteration, and by how much; None where not known."""
        if value.terms is None:
            return False, None
        total: int | None = 0
        for register, factor in value.terms:
            regular, step = self.step(register)
            if not regular:
                return False, None
            total = None if step is None or total is None else total + factor * step
        return True, total

    def begins(self, piece: int, value: Value) -> Value:
        """A value of the loop within that the piece stands for, as it is when that loop is entered."""
        state = self.entering.get(piece, {})
        return _sum(((_held(state, r), f) for r, f in value.terms or ()), value.constant)

    @cached_property
    def accesses(self) -> tuple[Access, ...]:
        found = []
        for number, (memory, address) in self.addresses.items():
            regular, stride = self.stride(address)
            if regular:
                kind = FIXED if stride == 0 else STRIDED
            else:
                kind = CHASED if self._is_chased(number, address) else GATHERED
            found.append(Access(number, memory, kind, stride, address))
        return tuple(_with_their_neighbours(found))

    @cached_property
    def repeated(self) -> frozenset[int]:
        """The accesses to a line that another access has brought in before, on each way through the iteration."""
        always: list[
            frozenset[int]
        ] = []  # of each piece those that are gone through before it, whichever way, and itself
        first: dict[object, list[int]] = {}
        found = set()
        known = {a.number: (a.address.terms, a.address.constant // LINE) for a in self.accesses if a.address.terms}
        for at, piece in enumerate(self.pieces):
            before = [always[one] for one, _ in piece.before if one < at]
            always.append(frozenset.intersection(*before) | {at} if before else frozenset((at,)))
            for number, _ in piece.instructions:
                if number in known:
                    places = first.setdefault(known[number], [])
                    if always[at].intersection(places):
                        found.add(number)
                    places.append(at)
        return frozenset(found)

    def _is_chased(self, number: int, address: Value) -> bool:
        return any(number in self.carried.get(head, NONE) for head in address.heads)


CELLS = 1000  # the first register that stands for a memory cell
# What a call may write: the procedure call standard, AAPCS64.
CALL_CLOBBERS = frozenset([*range(19), 30, *range(32, 40), *range(48, 64), REGISTERS - 1])


def _with_their_neighbours(found: Iterable[Access]) -> Iterable[Access]:
    """Accesses with those chased too that lie in the line of a chased one: the first of them brings it in."""
    found = list(found)
    chased = {(a.address.terms, a.address.constant // LINE) for a in found if a.kind == CHASED and a.address.terms}
    for access in found:
        near = (access.address.terms, access.address.constant // LINE) in chased
        kind = CHASED if near and access.kind == GATHERED else access.kind
        yield Access(access.number, access.memory, kind, access.stride, access.address)


def _written(pieces: Sequence[Piece]) -> frozenset[int]:
    found: set[int] = set()
    for piece in pieces:
        found |= piece.clobbers or NONE
        for _, instruction in piece.instructions:
            found.update(instruction.writes)
            if instruction.kind == "call":
                found |= CALL_CLOBBERS
            if instruction.memory is not None and instruction.memory.step != 0 and instruction.memory.base is not None:
                found.add(instruction.memory.base)
    return frozenset(found)


def _head(register: int) -> Value:
    return Value(((register, 1),), 0, frozenset((register,)))


def _held(state: Mapping[int, Value], register: int) -> Value:
    found = state.get(register)
    return _head(register) if found is None else found


def _sum(parts: Iterable[tuple[Value, int]], constant: int) -> Value:
    parts = list(parts)
    mixed = _mixed([value for value, _ in parts])
    if any(value.terms is None for value, _ in parts):
        return mixed
    factors: dict[int, int] = {}
    for value, factor in parts:
        constant += factor * value.constant
        for register, times in value.terms or ():
            factors[register] = factors.get(register, 0) + factor * times
    terms = tuple(sorted((r, f) for r, f in factors.items() if f))
    return Value(terms, constant, mixed.heads, mixed.loads)


def _mixed(values: Sequence[Value]) -> Value:
    """What depends on all of them, somehow."""
    heads = NONE.union(*(value.heads for value in values))
    return Value(None, 0, heads, NONE.union(*(value.loads for value in values)))


def _joined(states: Sequence[dict[int, Value]]) -> dict[int, Value]:
    """What registers hold where ways meet."""
    if len(states) <= 1:
        return dict(states[0]) if states else {}
    found: dict[int, Value] = {}
    for register in set().union(*states):
        values = {_held(state, register) for state in states}
        if len(values) == 1:
            found[register] = values.pop()
        else:
            mixed = _mixed(list(values))
            sums = {(value.terms, value.constant) for value in values}
            terms, constant = sums.pop() if len(sums) == 1 else (None, 0)
            found[register] = Value(terms, constant, mixed.heads, mixed.loads)
    return found
