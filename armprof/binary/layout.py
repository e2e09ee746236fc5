"""The structures of a program, as its debug information has them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from armprof.binary import dwarf, split
from armprof.binary.binary import Binary, Line
from armprof.binary.index import text
from armprof.binary.names import readable
from armprof.binary.separate import alternate_file, with_debug


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


class DataLayout:
    """Structures, each once however many units know it, and the variables that have one."""

    def __init__(self, binary: Binary) -> None:
        source = with_debug(binary.elf) or binary.elf
        splits = split.read(binary.skeletons, [binary.path, source.path])
        self._arrays, self.complete = dwarf.layout(source, alternate_file(source), splits)
        self._texts: dict[int, str] = {}
        # many units know the same structures
        table = self._arrays["structures"]
        _, first, which = np.unique(table, return_index=True, return_inverse=True)
        made = dict(self._structures(first))
        self.structures: list[Structure] = list(dict.fromkeys(made[number] for number in sorted(made)))
        self.variables: list[Variable] = list(
            dict.fromkeys(
                Variable(self._text(name), address, made[int(first[which[number]])] if number < len(table) else None)
                for address, name, number in self._arrays["variables"].tolist()
            )
        )

    def _structures(self, wanted: Any) -> Iterator[tuple[int, Structure]]:
        members = self._arrays["members"]
        members = members[np.argsort(members["structure"], kind="stable")]
        starts = np.searchsorted(members["structure"], wanted)
        ends = np.searchsorted(members["structure"], wanted, "right")
        rows = zip(
            wanted.tolist(), starts.tolist(), ends.tolist(), self._arrays["structures"][wanted].tolist(), strict=True
        )
        for number, start, end, (size, align, name, file, line, irregular) in rows:
            own = members[["name", "offset", "size", "align"]][start:end].tolist()
            fields = tuple(Member(self._text(n), offset, bytes_, alignment) for n, offset, bytes_, alignment in own)
            path = self._text(file)
            place = Line(path, line) if path and line else None
            yield number, Structure(readable(self._text(name)), size, align, place, fields, not irregular)

    def _text(self, number: int) -> str:
        if number not in self._texts:
            self._texts[number] = text(self._arrays, number) or ""
        return self._texts[number]
