"""A program or library: its functions, and what the code at an address was made from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from armprof.binary import split
from armprof.binary.elf import Elf
from armprof.binary.index import NONE, index, skeletons, text
from armprof.binary.names import readable
from armprof.binary.split import Skeleton


class Line(NamedTuple):
    """A line of source, its file with the path that the compiler was given."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{Path(self.file).name}:{self.line}"


class SourceFrame(NamedTuple):
    """A function, and the line in it: where the instruction is from, or where the next inner frame was called."""

    function: str
    line: Line | None


class Function(NamedTuple):
    """A function with code of its own, up to, not including, ``end``."""

    name: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Resolved:
    """Of each address the numbers of its function, line and scope in the tables of a `Binary`; -1 where there is none.

    Equal numbers are equal places, so that samples can be summed by them.
    """

    function: Any  # a row of functions
    row: Any  # a row of lines
    scope: Any  # the innermost function that was inlined there, or the function itself, as the debug information has it


class Binary:
    """Addresses are those that the file itself speaks of (p_vaddr). What a file does not tell is None.

    Raises ArmprofError where the file is no 64-bit ELF file, or cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.elf = Elf(path)
        self._arrays, facts = index(self.elf)
        self.debug: str | None = facts["debug"]  # the file that the lines are from
        self.complete: bool = facts["complete"]  # False: the debug information is damaged, and some was left out
        self._names: dict[int, str] = {}

    # ---- Many addresses ---------------------------------------------------------------------------------------------

    def resolve(self, addresses: Any) -> Resolved:
        """What is at each address, looked up all at once."""
        wanted, which = np.unique(np.asarray(addresses, np.uint64), return_inverse=True)
        rows, pieces = self._arrays["rows"], self._arrays["pieces"]
        row = _last_before(rows["address"], wanted)
        if len(rows):
            row[rows["file"][row] == NONE] = -1
        piece = _last_before(pieces["start"], wanted)
        scope = pieces["scope"][piece].astype(np.int64) if len(pieces) else np.full(len(wanted), -1)
        scope[(piece < 0) | (scope == NONE)] = -1
        return Resolved(self._span_at("functions", wanted)[which], row[which], scope[which])

    def places(self, addresses: Any) -> list[tuple[str | None, Line | None]]:
        """The function and the line of each address: the function that the linker knows, whatever was inlined into it."""
        found = self.resolve(addresses)
        numbers = zip(found.function.tolist(), found.scope.tolist(), found.row.tolist(), strict=True)
        return [(self.function_name(function, scope), self.line_of(row)) for function, scope, row in numbers]

    def frames_of(self, addresses: Any) -> list[tuple[SourceFrame, ...]]:
        """The `frames` of each address."""
        found = self.resolve(addresses)
        numbers = list(zip(found.function.tolist(), found.scope.tolist(), found.row.tolist(), strict=True))
        frames = {one: self._frames(*one) for one in dict.fromkeys(numbers)}
        return [frames[one] for one in numbers]

    def function_name(self, function: int, scope: int = -1) -> str | None:
        """The name of a function that `resolve` gave; its address where it has none.

        Where there is no symbol, the debug information may know the function of the scope.
        """
        own = self._arrays["functions"][function] if function >= 0 else None
        if own is not None and int(own["name"]) != NONE:
            return self._text(int(own["name"]))
        scopes = list(self._scopes(scope))
        if scopes:
            return self._text(int(scopes[-1]["name"]))
        return None if own is None else f"{int(own['start']):#x}"

    def line_of(self, row: int) -> Line | None:
        """The line of source of a row that `resolve` gave."""
        return self._line(self._arrays["rows"][row]) if row >= 0 else None

    def functions_at(self, addresses: Any) -> list[Function | None]:
        """The function of each address; None where nothing tells it."""
        table, rows = self._arrays["functions"], self._span_at("functions", np.asarray(addresses, np.uint64)).tolist()
        known = {
            row: Function(self.function_name(row) or "?", int(table["start"][row]), int(table["end"][row]))
            for row in dict.fromkeys(rows)
            if row >= 0
        }
        return [known.get(row) for row in rows]

    # ---- One address ------------------------------------------------------------------------------------------------

    def function(self, address: int) -> str | None:
        """The name of the function with code there: the one that the linker knows, whatever was inlined into it."""
        return self.places([address])[0][0]

    def line(self, address: int) -> Line | None:
        """The line of source that the instruction there was made from."""
        return self.places([address])[0][1]

    def frames(self, address: int) -> tuple[SourceFrame, ...]:
        """The function that the instruction is from, the one it was inlined into, and so on; empty where nothing tells."""
        return self.frames_of([address])[0]

    def variable(self, address: int) -> tuple[str, int] | None:
        """The name of the variable there, and how far into it the address is."""
        number = int(self._span_at("variables", np.array([address], np.uint64))[0])
        if number < 0:
            return None
        found = self._arrays["variables"][number]
        return self._text(int(found["name"])) or "?", address - int(found["start"])

    # ---- The whole --------------------------------------------------------------------------------------------------

    @cached_property
    def functions(self) -> Sequence[Function]:
        """All functions that have code, by address."""
        table = self._arrays["functions"]
        spans = enumerate(zip(table["start"].tolist(), table["end"].tolist(), strict=True))
        return [Function(self.function_name(n) or "?", start, end) for n, (start, end) in spans]

    def producers(self) -> Iterator[tuple[str, str]]:
        """Of each unit of compilation its source file, and what the compiler says of itself and its flags."""
        for unit in self._arrays["units"]:
            yield self._text(int(unit["name"])) or "?", self._text(int(unit["producer"])) or ""

    @cached_property
    def skeletons(self) -> Sequence[Skeleton]:
        """The units that keep their debug information in files of their own."""
        return skeletons(self._arrays)

    @property
    def lacking(self) -> str | None:
        """What is not known for want of such files, and what to do; None where they are all there."""
        table = self._arrays["skeletons"]
        missing = [one for one, found in zip(self.skeletons, table["found"].tolist(), strict=True) if not found]
        if not missing:
            return None
        program, package = self.path.name, f"{self.path.name}{split.PACKAGE}"
        # tools that do not know a unit's version leave it out, and say nothing
        is_there = bool(split.files((), [self.path])[0])
        files = (
            f"{package} has nothing of them: put the .dwo files" if is_there else f"put the .dwo files, or {package},"
        )
        return (
            f"{len(missing):,} of {len(table):,} units keep their debug information in files that are not there "
            f"({missing[0].name} in {missing[0].folder or '?'}), so their inlined calls, structures and flags are not known; "
            f"{files} beside {program}"
        )

    # ---- The tables -------------------------------------------------------------------------------------------------

    def _span_at(self, table: str, addresses: Any) -> Any:
        spans = self._arrays[table]
        number = _last_before(spans["start"], addresses)
        if len(spans):
            number[spans["end"][number] <= addresses] = -1
        return number

    def _frames(self, function: int, scope: int, row: int) -> tuple[SourceFrame, ...]:
        line = self.line_of(row)
        frames = []
        for one in self._scopes(scope):
            frames.append(SourceFrame(self._text(int(one["name"])) or "?", line))
            line = self._line(one)
        own = self.function_name(function, scope)
        if not frames:
            return (SourceFrame(own or "?", line),) if own or line else ()
        return (*frames[:-1], SourceFrame(own or "?", frames[-1].line))

    def _scopes(self, number: int) -> Iterator[Any]:
        """The scope and those around it."""
        scopes = self._arrays["scopes"]
        while 0 <= number < len(scopes):
            yield scopes[number]
            outer = int(scopes[number]["parent"])
            number = outer if outer < number else -1  # a scope is read after those around it

    def _line(self, row: Any) -> Line | None:
        file = self._text(int(row["file"]), False)
        return Line(file, int(row["line"])) if file is not None and row["line"] else None

    def _text(self, number: int, name: bool = True) -> str | None:
        if number not in self._names:
            found = text(self._arrays, number)
            if found is None:
                return None
            self._names[number] = readable(found) if name else found
        return self._names[number]


def _last_before(starts: Any, addresses: Any) -> Any:
    """The last of the sorted starts that is not behind the address; -1 where all are."""
    return np.searchsorted(starts, addresses, "right").astype(np.int64) - 1
