"""One ELF file: functions and variables from its symbols, lines from its DWARF."""

from __future__ import annotations

import mmap
from bisect import bisect_right
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple


class Line(NamedTuple):
    """A line of source, as the compiler named its file."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


class _Span(NamedTuple):
    start: int
    end: int
    what: Any


class Binary:
    """Addresses are those that the file itself speaks of (p_vaddr). What a file does not tell is None."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @cached_property
    def _elf(self) -> Any:
        """The parsed file; None where it is no ELF file or not to be read."""
        from elftools.common.exceptions import ELFError
        from elftools.elf.elffile import ELFFile

        try:
            with self.path.open("rb") as file:
                mapped: Any = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
                return ELFFile(mapped)
        except (OSError, ValueError, ELFError):  # an empty file cannot be mapped
            return None

    def address_of_offset(self, offset: int) -> int | None:
        """Where the byte at that place of the file is loaded."""
        for start, size, address in self._segments:
            if start <= offset < start + size:
                return address + offset - start
        return None

    @cached_property
    def _segments(self) -> list[tuple[int, int, int]]:
        if self._elf is None:
            return []
        loaded = (s for s in self._elf.iter_segments() if s["p_type"] == "PT_LOAD")
        return [(int(s["p_offset"]), int(s["p_filesz"]), int(s["p_vaddr"])) for s in loaded]

    def function(self, address: int) -> str | None:
        """The name of the function there."""
        found = _at(self._functions, address)
        return None if found is None else str(found.what)

    def variable(self, address: int) -> tuple[str, int] | None:
        """The name of the variable there, and how far into it the address is."""
        found = _at(self._variables, address)
        return None if found is None else (str(found.what), address - found.start)

    def line(self, address: int) -> Line | None:
        """The line of source that the instruction there was made from."""
        found = _at(self._lines, address)
        return found.what if found else None

    @cached_property
    def _functions(self) -> list[_Span]:
        return self._symbols("STT_FUNC", "STT_LOOS")  # the latter: functions chosen when the program starts

    @cached_property
    def _variables(self) -> list[_Span]:
        return self._symbols("STT_OBJECT")

    def _symbols(self, *kinds: str) -> list[_Span]:
        from elftools.elf.sections import SymbolTableSection

        found: dict[int, _Span] = {}
        for section in self._elf.iter_sections() if self._elf else ():
            if isinstance(section, SymbolTableSection):
                for symbol in section.iter_symbols():
                    start, size = int(symbol["st_value"]), int(symbol["st_size"])
                    if symbol["st_info"]["type"] in kinds and symbol["st_shndx"] != "SHN_UNDEF" and symbol.name:
                        span = _Span(start, start + size, symbol.name)
                        # of several names the shortest: not __libc_malloc, but malloc
                        if start not in found or len(span.what) < len(found[start].what):
                            found[start] = span
        return sorted(found.values())

    @cached_property
    def _lines(self) -> list[_Span]:
        if self._elf is None or not self._elf.has_dwarf_info():
            return []
        spans: list[_Span] = []
        dwarf = self._elf.get_dwarf_info()
        for unit in dwarf.iter_CUs():
            program = dwarf.line_program_for_CU(unit)
            if program is not None:
                spans += _rows(program)
        return sorted(spans, key=lambda span: span.start)


def _rows(program: Any) -> Iterable[_Span]:
    """Each stretch of addresses between two rows of the table."""
    files: dict[int, str] = {}
    before = None
    for entry in program.get_entries():
        state = entry.state
        if state is None:
            continue
        if before is not None and state.address > before.address and not before.end_sequence:
            if before.file not in files:
                files[before.file] = _file_name(program, before.file)
            yield _Span(before.address, state.address, Line(files[before.file], before.line))
        before = None if state.end_sequence else state


def _file_name(program: Any, number: int) -> str:
    version = program["version"]
    entries = program["file_entry"]
    at = number if version >= 5 else number - 1
    if not 0 <= at < len(entries):
        return "?"
    name = entries[at].name
    return str(name.decode(errors="replace") if isinstance(name, bytes) else name)


def _at(spans: list[_Span], address: int) -> _Span | None:
    place = bisect_right(spans, address, key=lambda span: span.start) - 1
    return spans[place] if place >= 0 and address < spans[place].end else None
