"""What the loops of a program look like where it decides what can be done about them: facts of the code, none of the core.

Sparse: a strided access in a loop that uses less than half of the bytes of the lines that it goes through. Wide: one that
steps over whole lines, while the loop around it goes to their neighbours, when they are gone: it steps over more lines than
a quarter of L1D holds, or misses in half of its executions. Scalar: a loop without vector instructions that could have them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from armprof.binary.a64 import FLAGS, VECTOR, Instruction, words
from armprof.binary.flow import FIXED, LINE, STRIDED, Access
from armprof.counters.model.code import LoopBody

FAR = 2 * LINE  # a stride that leaves lines out

# What may carry a value from one iteration to the next in a loop that is made of vectors: done in any order, the same.
_REDUCTIONS = words(
    "add sub mul madd msub and orr eor fadd fsub fmul fmadd fmsub fmin fmax fminnm fmaxnm smaddl umaddl"
)
_NO_VECTOR = ("divide", "divide_long", "call", "atomic", "load_exclusive", "store_exclusive", "barrier")


@dataclass(frozen=True, slots=True)
class Seen:
    """What was counted of accesses, by number, and what it is held against."""

    far: frozenset[int]  # leave their line in half, or their page in an eighth of their executions
    lost: frozenset[int]  # miss L1D in half of them
    lines: float  # of L1D


def wide(body: LoopBody, bodies: Mapping[int, LoopBody], seen: Seen) -> set[int]:
    """The strided accesses that are wide."""
    stays = body.loop.trips < seen.lines / 4  # until the loop around comes to the neighbours
    return {
        a.number
        for a in _strided(body)
        if _is_far(a, seen) and _has_neighbours(a, body, bodies) and (not stays or a.number in seen.lost)
    }


def _is_far(access: Access, seen: Seen) -> bool:
    """A step that is in a register is not known: then the counts tell."""
    return access.number in seen.far if access.stride is None else abs(access.stride) >= FAR


def _has_neighbours(access: Access, body: LoopBody, bodies: Mapping[int, LoopBody]) -> bool:
    """Whether the loop around moves the access's first address by less than a line."""
    parent = body.loop.parent
    if parent is None or access.address.terms is None:
        return False
    flow = bodies[parent.header].flow
    begin = flow.begins(parent.order.index(body.loop.header), access.address)
    regular, step = flow.stride(begin)
    return regular and step is not None and 0 < abs(step) < LINE


def sparse(body: LoopBody, bodies: Mapping[int, LoopBody], seen: Seen) -> set[int]:
    """The strided accesses that are sparse, and not wide."""
    others = wide(body, bodies, seen)
    groups: dict[object, list[Access]] = {}
    for access in _strided(body):
        if access.stride and access.number not in others:
            groups.setdefault((access.address.terms, access.stride), []).append(access)
    return {a.number for group in groups.values() if _is_sparse(group) for a in group}


def _is_sparse(group: Sequence[Access]) -> bool:
    stride, used = _used(group)
    first = min(a.address.constant for a in group)
    lines = {(at - first % stride) % stride // LINE for at in used}
    return len(used) < min(stride, LINE * len(lines)) / 2


def is_scalar(body: LoopBody) -> bool:
    """Whether the loop has no vector instructions and could have them.

    It is an inner loop whose loads and stores go from element to element, whose end no load decides, and in which nothing
    but sums and counters goes from one iteration to the next.
    """
    instructions = list(body.instructions)
    if body.loop.inner or any(i.vector or i.kind in _NO_VECTOR for _, i in instructions):
        return False
    accesses = body.flow.accesses
    if not any(a.kind == STRIDED for a in accesses) or not _goes_by_elements(accesses):
        return False
    if any(body.flow.waits_for(body.flow.conditions[n]) for n in body.exits if n in body.flow.conditions):
        return False
    return all(_may_be_split(body, instructions, register) for register in body.flow.after)


def _goes_by_elements(accesses: Sequence[Access]) -> bool:
    """Whether all are at the same place or, together with their neighbours, leave no byte out."""
    groups: dict[object, list[Access]] = {}
    for access in accesses:
        if access.kind == FIXED and not access.memory.store:
            continue
        if access.kind != STRIDED or not access.stride:
            return False
        groups.setdefault((access.address.terms, access.stride), []).append(access)
    return all(len(used) == stride for stride, used in map(_used, groups.values()))


def _used(group: Sequence[Access]) -> tuple[int, set[int]]:
    """The stride that accesses have in common, and which bytes of it they touch."""
    stride = abs(group[0].stride or 0)
    places = (range(a.address.constant, a.address.constant + a.memory.bytes) for a in group)
    return stride, {at % stride for place in places for at in place}


def _may_be_split(body: LoopBody, instructions: Sequence[tuple[int, Instruction]], register: int) -> bool:
    """Whether vectors may hold the register: it counts, it begins anew in each iteration, or it is a sum."""
    flow = body.flow
    if register == FLAGS or register not in flow.after[register].heads or flow.step(register)[0]:
        return True
    readers = [i for _, i in instructions if register in i.reads or register in i.addresses]
    return (
        register < VECTOR + 32
        and len(readers) == 1
        and readers[0].name in _REDUCTIONS
        and register in readers[0].writes
    )


def _strided(body: LoopBody) -> list[Access]:
    return [a for a in body.flow.accesses if a.kind == STRIDED]
