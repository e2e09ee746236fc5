"""One ELF file as its tables: sections, segments, symbols, notes. What lies outside the file is left out."""

from __future__ import annotations

import mmap
import os
import stat
import zlib
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from armprof.errors import ArmprofError

# What e_machine says of the machines that this project meets.
ARM64, X86_64 = 183, 62
MACHINES = {ARM64: "ARM64", X86_64: "x86-64", 3: "x86", 40: "32-bit ARM", 243: "RISC-V", 21: "PowerPC", 22: "S/390"}
KINDS = {1: "an object file, which has no addresses yet: link it", 4: "a core dump"}

ET_EXEC = 2  # at the addresses that the file itself has
PT_LOAD, PT_NOTE, PT_GNU_EH_FRAME = 1, 4, 0x6474E550
SHT_SYMTAB, SHT_NOTE, SHT_NOBITS, SHT_DYNSYM, SHT_RELA = 2, 7, 8, 11, 4
SHF_ALLOC, SHF_EXECINSTR, SHF_COMPRESSED = 2, 4, 0x800
PF_X = 1
STT_NOTYPE, STT_OBJECT, STT_FUNC, STT_GNU_IFUNC = 0, 1, 2, 10

SECTION = np.dtype("<u4,<u4,<u8,<u8,<u8,<u8,<u4,<u4,<u8,<u8")
SECTION.names = ("name", "type", "flags", "address", "offset", "size", "link", "info", "align", "entry")
SEGMENT = np.dtype("<u4,<u4,<u8,<u8,<u8,<u8,<u8,<u8")
SEGMENT.names = ("type", "flags", "offset", "address", "physical", "file_size", "size", "align")
SYMBOL = np.dtype("<u4,u1,u1,<u2,<u8,<u8")
SYMBOL.names = ("name", "info", "other", "section", "value", "size")
RELA = np.dtype("<u8,<u4,<u4,<i8")
RELA.names = ("offset", "type", "symbol", "addend")

# No compiler's debug information is packed better than this, and no file may ask for any amount of memory.
MOST_PACKED = 100

MOST_READ = 16 << 20  # bytes of a file that is not mapped into memory
LONGEST = 1 << 16  # bytes of a name: those of C++ templates take thousands


class Section(NamedTuple):
    """A section that is within the file. Its bytes are those of the program: unpacked where they are packed."""

    name: str
    type: int
    flags: int
    address: int
    offset: int
    size: int
    link: int


class Note(NamedTuple):
    """An entry of a note: who defined it, and what it says."""

    owner: str
    type: int
    bytes: bytes


class Elf:
    """A 64-bit little-endian file. Raises ArmprofError where it is none, or cannot be read.

    ``is_split``: it has the debug information of units of a program (.dwo, .dwp), in sections whose names say so.
    """

    def __init__(self, path: Path, is_split: bool = False) -> None:
        self.path = path
        self._suffix = ".dwo" if is_split else ""
        try:
            mode = path.stat().st_mode
            if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):  # which may have no end, or wait for one
                raise ValueError("it is a device or a pipe")
            with path.open("rb") as file:
                self.size = os.fstat(file.fileno()).st_size
                # a mapping keeps a descriptor, and files of single units are many
                is_mapped = self.size > (MOST_READ if is_split else 0)
                self.data: Any = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if is_mapped else file.read()
        except (OSError, ValueError) as error:
            raise ArmprofError(f"cannot read {path}: {getattr(error, 'strerror', None) or error}") from None
        if self.data[:4] != b"\x7fELF":
            raise ArmprofError(f"{path} is no program or library: it does not start as an ELF file does")
        if self.size < 64 or self.data[4] != 2 or self.data[5] != 1:
            raise ArmprofError(f"{path} is no 64-bit little-endian ELF file, as those of ARM64 are, or ends too early")
        self.type, self.machine = self._number(16, 2), self._number(18, 2)
        if self.type in KINDS and not is_split:
            raise ArmprofError(f"{path} is {KINDS[self.type]}")

    @property
    def machine_name(self) -> str:
        return MACHINES.get(self.machine, f"machine {self.machine}")

    def _number(self, at: int, size: int) -> int:
        return int.from_bytes(self.data[at : at + size], "little")

    def _table(self, dtype: Any, offset: int, count: int, step: int) -> Any:
        """As many of the entries as the file has."""
        if step != dtype.itemsize or offset >= self.size:
            return np.empty(0, dtype)
        return np.frombuffer(self.data, dtype, min(count, (self.size - offset) // step), offset)

    @cached_property
    def segments(self) -> Any:
        return self._table(SEGMENT, self._number(32, 8), self._number(56, 2), self._number(54, 2))

    @cached_property
    def section_headers(self) -> Any:
        offset, step, count = self._number(40, 8), self._number(58, 2), self._number(60, 2)
        if offset == 0:
            return np.empty(0, SECTION)
        if count == 0:  # more than fit into 16 bits: the first entry has the number
            first = self._table(SECTION, offset, 1, step)
            count = int(first["size"][0]) if len(first) else 0
        return self._table(SECTION, offset, count, step)

    @cached_property
    def sections(self) -> tuple[Section, ...]:
        """Those whose bytes are in the file, and those that have none."""
        headers = self.section_headers
        number = self._number(62, 2)
        if number == 0xFFFF and len(headers):
            number = int(headers["link"][0])
        names = bytes(self._bytes(headers[number])) if number < len(headers) else b""
        found = []
        for header in headers.tolist():
            name, type_, flags, address, offset, size, link = header[:7]
            inside = type_ == SHT_NOBITS or (offset <= self.size and size <= self.size - offset)
            found.append(Section(text_at(names, name), type_, flags, address, offset, size if inside else 0, link))
        return tuple(found)

    def section(self, name: str) -> Section | None:
        return next((s for s in self.sections if s.name == name), None)

    def _bytes(self, header: Any) -> memoryview:
        start, size = int(header["offset"]), int(header["size"])
        if header["type"] == SHT_NOBITS or start > self.size or size > self.size - start:
            return memoryview(b"")
        return memoryview(self.data)[start : start + size]

    def bytes_of(self, section: Section | None) -> memoryview:
        """What is in the section: nothing where it is none, or cannot be unpacked."""
        if section is None or section.type == SHT_NOBITS:
            return memoryview(b"")
        packed = memoryview(self.data)[section.offset : section.offset + section.size]
        if section.flags & SHF_COMPRESSED:
            kind, size = int.from_bytes(packed[:4], "little"), int.from_bytes(packed[8:16], "little")
            return _unpacked(packed[24:], size) if kind == 1 else memoryview(b"")
        if section.name.startswith(".zdebug") and bytes(packed[:4]) == b"ZLIB":
            return _unpacked(packed[12:], int.from_bytes(packed[4:12], "big"))
        return packed

    def debug(self, name: str) -> memoryview:
        """The section of DWARF of that name (``info``)."""
        name += self._suffix
        return self.bytes_of(self.section(f".debug_{name}") or self.section(f".zdebug_{name}"))

    @cached_property
    def code(self) -> Any:
        """Where code is: an array of starts and ends, sorted and apart."""
        spans = [
            (s.address, s.address + s.size)
            for s in self.sections
            if s.flags & SHF_ALLOC and s.flags & SHF_EXECINSTR and s.size
        ]
        if not spans:
            executed = self.segments[(self.segments["type"] == PT_LOAD) & (self.segments["flags"] & PF_X != 0)]
            spans = [(int(s["address"]), int(s["address"]) + int(s["size"])) for s in executed]
        merged: list[list[int]] = []
        for start, end in sorted(s for s in spans if s[0] < s[1] < 1 << 64):
            if merged and start <= merged[-1][1]:
                merged[-1][1] = max(end, merged[-1][1])
            else:
                merged.append([start, end])
        return np.array(merged, np.uint64).reshape(-1, 2)

    def symbols(self, kinds: tuple[int, ...] = (SHT_SYMTAB, SHT_DYNSYM)) -> Iterator[tuple[Any, memoryview]]:
        """Each table of symbols of these kinds, and the texts that its names are in."""
        headers = self.section_headers
        for section in self.sections:
            if section.type in kinds and section.link < len(headers):
                table = self._table(SYMBOL, section.offset, section.size // SYMBOL.itemsize, SYMBOL.itemsize)
                yield table, self._bytes(headers[section.link])

    @cached_property
    def notes(self) -> tuple[Note, ...]:
        """From sections, or from segments where there are none."""
        places = [(s.offset, s.size) for s in self.sections if s.type == SHT_NOTE]
        if not places:
            noted = self.segments[self.segments["type"] == PT_NOTE]
            places = [(int(s["offset"]), int(s["file_size"])) for s in noted]
        return tuple(note for start, size in places for note in _notes(bytes(self.data[start : start + size])))

    @cached_property
    def build_id(self) -> str | None:
        ids = (n.bytes.hex() for n in self.notes if n.owner == "GNU" and n.type == 3)
        return next((i for i in ids if len(i) >= 4), None)

    @cached_property
    def _loaded(self) -> list[tuple[int, int, int]]:
        loaded = self.segments[self.segments["type"] == PT_LOAD]
        return [(int(s["offset"]), int(s["file_size"]), int(s["address"])) for s in loaded]

    def address_of_offset(self, offset: int) -> int | None:
        """Where the byte at that place of the file is loaded."""
        return next(
            (address + offset - start for start, size, address in self._loaded if start <= offset < start + size), None
        )

    def addresses_of_offsets(self, offsets: Any) -> Any:
        """Where the bytes at those places of the file are loaded; the last address there is for what is not loaded."""
        found = np.full(len(offsets), 2**64 - 1, np.uint64)
        for start, size, address in reversed(self._loaded):
            inside = (offsets >= np.uint64(start)) & (offsets - np.uint64(start) < np.uint64(size))
            found[inside] = offsets[inside] - np.uint64(start) + np.uint64(address)
        return found

    def read(self, address: int, size: int) -> bytes:
        """The bytes that are loaded there, as many as the file has."""
        for start, length, first in self._loaded:
            if first <= address < first + length:
                offset = start + address - first
                return bytes(self.data[offset : offset + min(size, first + length - address)])
        return b""


def text_at(texts: bytes, start: int) -> str:
    """The text that starts there; so much of it as a name may have."""
    end = texts.find(b"\0", start, start + LONGEST)
    return texts[start : end if end >= 0 else start + LONGEST].decode(errors="replace")


def _unpacked(packed: memoryview, size: int) -> memoryview:
    if not 0 < size <= MOST_PACKED * len(packed):
        return memoryview(b"")
    try:
        return memoryview(zlib.decompressobj().decompress(packed, size))
    except zlib.error:
        return memoryview(b"")


def _notes(data: bytes) -> Iterator[Note]:
    at = 0
    while at + 12 <= len(data):
        name_size, size, type_ = (int.from_bytes(data[at + i : at + i + 4], "little") for i in (0, 4, 8))
        start = at + 12 + (name_size + 3 & ~3)
        if start + size > len(data):
            return
        yield Note(
            data[at + 12 : at + 12 + name_size].rstrip(b"\0").decode(errors="replace"),
            type_,
            data[start : start + size],
        )
        at = start + (size + 3 & ~3)
