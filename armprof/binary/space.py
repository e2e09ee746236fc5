"""The address space of a process: which file is mapped where, and so what the code at an address was made from."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from armprof.binary.binary import Binary, Line
from armprof.errors import ArmprofError

# start-end permissions offset device inode path, as /proc/PID/maps has it
MAPS = re.compile(r"([0-9a-f]{1,16})-([0-9a-f]{1,16}) ([-r][-w][-x][-ps]) ([0-9a-f]{1,16}) \S+ \d+ *(.*)")


class Mapping(NamedTuple):
    """From start up to, not including, end is the file from ``offset`` on. What is no file has a name in brackets, or none."""

    start: int
    end: int
    offset: int
    path: str


class ModulePlace(NamedTuple):
    """A function of a module, the path of a file. What is not told is None."""

    module: str | None
    function: str | None
    line: Line | None


UNMAPPED = ModulePlace(None, None, None)
LAST = 2**64 - 1  # address


def of_process(text: str) -> list[Mapping]:
    """The mappings that /proc/PID/maps tells. Raises ArmprofError where a line is none of such a file."""
    found = []
    for number, line in enumerate(filter(None, text.split("\n")), 1):  # a name may hold what else ends a line
        match = MAPS.fullmatch(line)
        if match is None:
            raise ArmprofError(f"line {number} of the memory map is not as in /proc/PID/maps: {line[:60]!r}")
        start, end, _, offset, path = match.groups()
        found.append(Mapping(int(start, 16), int(end, 16), int(offset, 16), path))
    return found


class Space:
    """Mappings in the order in which they were made: a later one replaces what it covers."""

    def __init__(self, mappings: Iterable[Mapping]) -> None:
        self.mappings: Sequence[Mapping] = _apart(mappings)
        self._starts = np.array([m.start for m in self.mappings], np.uint64)
        self._ends = np.array([min(m.end, LAST) for m in self.mappings], np.uint64)  # a recording may say anything
        self._binaries: dict[str, Binary | None] = {}

    def places(self, addresses: Any) -> list[ModulePlace]:
        """What is at each address."""
        addresses = np.asarray(addresses, np.uint64)
        found = [UNMAPPED] * len(addresses)
        for path, which, offsets in self.offsets(addresses):
            binary = self.binary(path)
            nothing = [(None, None)] * len(which)
            at = nothing if binary is None else binary.places(binary.elf.addresses_of_offsets(offsets))
            for i, (function, line) in zip(which.tolist(), at, strict=True):
                found[i] = ModulePlace(path, function, line)
        return found

    def variable(self, address: int) -> tuple[str, int] | None:
        """The variable there, and how far into it the address is: of any file that is mapped not far before it.

        Variables that begin as zero are in no file: they lie behind the last mapping of theirs.
        """
        for mapping in self.mappings:
            binary = self.binary(mapping.path)
            own = None if binary is None else binary.elf.address_of_offset(mapping.offset)
            found = None if binary is None or own is None else binary.variable(address - mapping.start + own)
            if found is not None:
                return found
        return None

    def binary(self, path: str) -> Binary | None:
        """The file; None where it is none, is gone, or tells nothing."""
        if path not in self._binaries:
            try:
                self._binaries[path] = Binary(Path(path)) if path.startswith("/") else None
            except ArmprofError:
                self._binaries[path] = None
        return self._binaries[path]

    def offsets(self, addresses: Any) -> Iterator[tuple[str, Any, Any]]:
        """Each mapping's file with the numbers of the addresses in it, and where in the file they are."""
        number = np.searchsorted(self._starts, addresses, "right").astype(np.int64) - 1
        if len(self.mappings):
            number[self._ends[number] <= addresses] = -1
        for one in np.unique(number[number >= 0]).tolist():
            mapping, which = self.mappings[one], np.flatnonzero(number == one)
            yield mapping.path, which, addresses[which] - np.uint64(mapping.start) + np.uint64(mapping.offset)


def _apart(mappings: Iterable[Mapping]) -> list[Mapping]:
    """Sorted, each cut to what no later one covers."""
    given = [m for m in mappings if m.start < m.end]
    ordered = sorted(given)
    if all(left.end <= right.start for left, right in pairwise(ordered)):
        return ordered
    kept: list[Mapping] = []
    for new in given:
        kept = [part for old in kept for part in _without(old, new)]
        kept.append(new)
    return sorted(kept)


def _without(old: Mapping, new: Mapping) -> Iterator[Mapping]:
    if old.start < min(new.start, old.end):
        yield old._replace(end=min(new.start, old.end))
    start = max(new.end, old.start)
    if start < old.end:
        yield old._replace(start=start, offset=old.offset + start - old.start)
