"""The structures of a program, as its debug information has them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from armprof.binary import dwarf
from armprof.binary.binary import Binary, Line
from armprof.binary.names import readable
from armprof.binary.separate import alternate_file, debug_file


@dataclass(frozen=True, slots=True)
class Member:
    """A field, or a base class; its name is empty where it has none."""

    name: str
    offset: int
    size: int
    align: int


@dataclass(frozen=True, slots=True)
class Structure:
    """``regular`` is False where it has bit fields or virtual bases, which these fields do not tell of."""

    name: str
    size: int
    align: int
    line: Line | None
    members: tuple[Member, ...]
    regular: bool

    def member_at(self, offset: int) -> Member | None:
        return next((m for m in self.members if m.offset <= offset < m.offset + m.size), None)


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable at a fixed address; ``structure`` is what it is, or is an array of."""

    name: str
    address: int
    structure: Structure | None


class Layout:
    """Structures, each once however many units know it, and the variables that have one."""

    def __init__(self, binary: Binary) -> None:
        source = binary.elf if binary.elf.section(".debug_info") else debug_file(binary.elf) or binary.elf
        self._arrays, self.complete = dwarf.layout(source, alternate_file(source))
        self._made = list(self._structures())
        self.structures: list[Structure] = list(dict.fromkeys(self._made))
        self.variables: list[Variable] = list(dict.fromkeys(self._variables()))

    def _structures(self) -> Iterator[Structure]:
        members = self._arrays["members"]
        members = members[np.argsort(members["structure"], kind="stable")]
        table = self._arrays["structures"]
        bounds = np.searchsorted(members["structure"], np.arange(len(table) + 1))
        rows = members[["name", "offset", "size", "align"]].tolist()
        for number, (size, align, name, file, line, irregular) in enumerate(table.tolist()):
            own = rows[bounds[number] : bounds[number + 1]]
            fields = tuple(Member(self._text(n), offset, bytes_, alignment) for n, offset, bytes_, alignment in own)
            path = self._text(file)
            yield Structure(
                readable(self._text(name)),
                size,
                align,
                Line(path, line) if path and line else None,
                fields,
                not irregular,
            )

    def _variables(self) -> Iterator[Variable]:
        for address, name, number in self._arrays["variables"].tolist():
            yield Variable(self._text(name), address, self._made[number] if number < len(self._made) else None)

    def _text(self, number: int) -> str:
        starts = self._arrays["text_starts"]
        if number >= len(starts):
            return ""
        start = int(starts[number])
        text: bytes = self._arrays["texts"][start : start + 4096].tobytes().partition(b"\0")[0]
        return text.decode(errors="replace")
