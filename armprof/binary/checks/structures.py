"""How structures lie in cache lines, and which functions write to the lines that variables lie in."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from armprof.binary.a64 import instruction
from armprof.binary.checks.rules import Finding, Spot, found
from armprof.binary.checks.subject import Subject
from armprof.binary.layout import DataLayout, Structure, Variable
from armprof.binary.plt import ADRP, ADRP_MASK, page

DEFAULT_LINE = 64
WORTH = 8  # bytes that another order must save
NEAR = 12  # instructions between the page of an address and the access that adds the rest


def check(subject: Subject) -> Iterator[Finding]:
    line = subject.target.line_bytes if subject.target is not None else DEFAULT_LINE
    layout = DataLayout(subject.binary)
    across = [spot for one in layout.structures for spot in straddling(one, line)]
    across += [spot for one in layout.variables for spot in packed(one, line)]
    if across:
        yield found("straddling-field", tuple(dict.fromkeys(across)))
    holes = {(spot.detail, str(spot.line)): spot for one in layout.structures if (spot := better_order(one, line))}
    if holes:
        yield found("structure-holes", tuple(holes.values()))
    yield from shared_lines(subject, layout, line)


def straddling(one: Structure, line: int) -> Iterator[Spot]:
    """The fields across lines of a structure that begins at a line. Texts and the like may lie anywhere."""
    if one.align < line or one.align % line:
        return
    for member in one.members:
        if 1 < member.size <= line and member.align > 1 and _across(member.offset, member.size, line):
            told = f"{one.name}.{member.name}, {member.size} bytes at offset {member.offset}"
            yield Spot(None, None, one.line, told, structure=one)


def packed(variable: Variable, line: int) -> Iterator[Spot]:
    """The numbers and pointers across lines of a variable whose structure is packed."""
    one = variable.structure
    for member in one.members if one is not None and one.size else ():
        first = variable.address + member.offset
        if member.size in (2, 4, 8, 16) and member.align == member.size and _across(first, member.size, line):
            told = f"{variable.name}.{member.name}, {member.size} bytes at offset {member.offset}"
            yield Spot(None, variable.address, one.line if one is not None else None, told, structure=one)


def _across(first: int, size: int, line: int) -> bool:
    return first // line != (first + size - 1) // line


def better_order(one: Structure, line: int) -> Spot | None:
    """What the order of alignment would save. Nothing is said where a type or a field is not known in full."""
    if not one.regular or len(one.members) < 2 or any(m.size == 0 for m in one.members) or reserved(one):
        return None
    align = max(1, one.align)
    packed = -(-sum(m.size for m in one.members) // align) * align
    saved = one.size - packed
    lines, fewer = -(-one.size // line), -(-packed // line)
    if saved < WORTH or not (fewer < lines or saved >= one.size / 8):
        return None
    ordered = sorted(one.members, key=lambda m: -m.align)
    at = 0
    for member in ordered:  # a field whose size is no multiple of its alignment may leave a hole all the same
        at = -(-at // max(1, member.align)) * max(1, member.align) + member.size
    if -(-at // align) * align > packed:
        return None
    told = f"{one.name or 'unnamed'}: {one.size} bytes, {packed} without its holes"
    return Spot(None, None, one.line, told, structure=one)


def reserved(one: Structure) -> bool:
    """Whether a hole is larger than alignment makes any: somebody wants it, to keep a layout or for later."""
    at = 0
    for member in sorted(one.members, key=lambda m: m.offset):
        if member.offset - at >= max(1, member.align):
            return True
        at = max(at, member.offset + member.size)
    return one.size - at >= max(1, one.align)


def shared_lines(subject: Subject, layout: DataLayout, line: int) -> Iterator[Finding]:
    """Lines of variables that more than one function writes to, each to bytes of its own."""
    written: dict[int, dict[int, dict[int, int]]] = {}  # line -> function -> address -> instruction
    for number, address in stores(subject):
        function = int(subject.code.function[number])
        if function >= 0 and _variable(subject, layout, address):
            written.setdefault(address // line, {}).setdefault(function, {}).setdefault(address, number)
    spots: list[Spot] = []
    count = 0
    for _, functions in sorted(written.items()):
        if len(functions) < 2 or len(set.union(*(set(a) for a in functions.values()))) < 2:
            continue
        own = [set(addresses) for addresses in functions.values()]
        if all(one == own[0] for one in own):
            continue
        count += 1
        numbers = [number for addresses in functions.values() for number in addresses.values()]
        told = [f"writes {_variable(subject, layout, a)}" for addresses in functions.values() for a in addresses]
        spots += subject.spots(numbers, told)
    if count:
        yield found("shared-line-writers", tuple(spots), total=count)


def _variable(subject: Subject, layout: DataLayout, address: int) -> str | None:
    at = subject.binary.variable(address)
    if at is None:
        return None
    name, into = at
    start = address - into
    structure = next((v.structure for v in layout.variables if v.address == start and v.structure), None)
    member = structure.member_at(into % structure.size) if structure is not None and structure.size else None
    if member is not None and structure is not None:
        index = f"[{into // structure.size}]" if into >= structure.size else ""
        return f"{name}{index}.{member.name}"
    return f"{name} + {into}" if into else name


def stores(subject: Subject) -> Iterator[tuple[int, int]]:
    """Stores to fixed addresses: a page in a register, perhaps an addition to it, and the store, with nothing in between
    that writes the register or branches away from there.
    """
    code = subject.code
    leaves = code.of_kind(
        "jump", "conditional", "compare_branch", "test_branch", "indirect_jump", "call", "indirect_call", "return"
    )
    targets = np.unique(code.targets)
    for start in np.flatnonzero((code.words & np.uint32(ADRP_MASK)) == np.uint32(ADRP)).tolist():
        word = int(code.words[start])
        held = {word & 31: page(int(code.addresses[start]), word)}
        for number in range(start + 1, min(start + NEAR, len(code.words))):
            if code.function[number] != code.function[start] or leaves[number] or not held:
                break
            if (at := np.searchsorted(targets, code.addresses[number])) < len(targets) and targets[
                at
            ] == code.addresses[number]:
                break  # others come here too
            one = instruction(int(code.words[number]))
            memory = one.memory
            if memory is not None and memory.store and not memory.load and memory.base in held and memory.index is None:
                yield number, held[memory.base] + memory.offset
            sums = one.linear
            added = None
            if (
                sums is not None
                and len(sums.terms) == 1
                and sums.terms[0][1] == 1
                and sums.terms[0][0] in held
                and one.name in ("add", "mov")
            ):
                added = held[sums.terms[0][0]] + sums.constant
            for register in one.writes:
                held.pop(register, None)
            if memory is not None and memory.step != 0 and memory.base is not None:
                held.pop(memory.base, None)
            if added is not None and one.writes:
                held[one.writes[0]] = added
