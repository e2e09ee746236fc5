"""What `perf record -e arm_spe//` wrote: the bytes of SPE, and which files were mapped where.

The format is that of Linux's tools/perf/Documentation/perf.data-file-format.txt. Other samples in such a file are not read:
`perf script` prints them.
"""

from __future__ import annotations

import mmap
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from armprof.errors import ArmprofError

MAGIC = b"PERFILE2"
HEADER, ATTRIBUTE = 104, 64  # bytes, at least
MISC_BUILD_ID = 1 << 14  # of a mapping: it has a build id in place of the inode
MISC_EXEC = 1 << 13  # of a name: the process runs another program from here on

# Records (perf_event.h and tools/lib/perf/include/perf/event.h).
MMAP, COMM, FORK, MMAP2, AUX = 1, 3, 7, 10, 11
AUXTRACE_INFO, AUXTRACE, COMPRESSED, COMPRESSED2 = 70, 71, 81, 83
ARM_SPE = 4  # kind of AUXTRACE_INFO
TRUNCATED, COLLISION = 1, 8  # flags of AUX
NO_THREAD = 0xFFFFFFFF

BUILD_ID, CPUID = 2, 9  # features of the header


@dataclass(frozen=True, slots=True)
class Mapped:
    """A part of a file in a process, and the file's build id where it was recorded."""

    pid: int
    start: int
    length: int
    offset: int
    path: str
    build_id: str | None


class Chain(NamedTuple):
    """The last mapping, and those before it: a process that is forked has its parent's without a copy of them."""

    last: Mapped
    before: Chain | None


@dataclass
class Recorded:
    """``chunks`` are stretches of SPE's bytes, each with the thread that it is of, None where it is of a CPU.

    ``mappings`` are by process, and one that began another program has only those of that.
    """

    chunks: list[tuple[bytes, int | None]] = field(default_factory=list)
    mappings: dict[int, Chain | None] = field(default_factory=dict)
    names: dict[int, str] = field(default_factory=dict)  # by thread
    process_of: dict[int, int] = field(default_factory=dict)  # by thread
    period: int | None = None  # operations from sample to sample
    midr: int | None = None
    truncated: int = 0  # times that the buffer was full
    collisions: int = 0  # times that a sample was dropped because the one before was not done

    def mapped(self, pid: int) -> list[Mapped]:
        """The mappings of the process, in the order in which they were made."""
        found, at = [], self.mappings.get(pid)
        while at is not None:
            found.append(at.last)
            at = at.before
        return found[::-1]


def is_perf_data(path: Path) -> bool:
    """Whether the file begins as perf's do. Of a pipe nothing is read: it can be read but once."""
    try:
        if not path.is_file():
            return False
        with path.open("rb") as file:
            return file.read(len(MAGIC)) == MAGIC
    except (OSError, ValueError):
        return False  # whoever reads it next says why


def read(path: Path) -> Recorded:
    """Raises ArmprofError where the file is none of perf's, is damaged, or has nothing of SPE."""
    try:
        with path.open("rb") as file:
            data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except (OSError, ValueError) as error:
        raise ArmprofError(f"cannot read {path}: {getattr(error, 'strerror', None) or error}") from None
    try:
        found = _Reader(data).read()
    except (struct.error, LookupError, ValueError) as error:
        raise ArmprofError(f"{path} is damaged, or was not written to its end: {error}") from None
    if not found.chunks:
        raise ArmprofError(
            f"{path} has nothing of SPE in it: record with `perf record -e arm_spe//u -- CMD`; of other samples give what "
            f"`perf script -i {path}` prints"
        )
    return found


class _Reader:
    """Reads one file."""

    def __init__(self, data: mmap.mmap) -> None:
        self.data = data
        self.found = Recorded()
        self.build_ids: dict[str, str] = {}
        self.is_spe = False

    def read(self) -> Recorded:
        if self.data[:8] != MAGIC or len(self.data) < HEADER:
            raise ValueError("it does not begin as a perf.data file of 64 bits does")
        own_size, attr_size, attrs, attrs_size, start, size = struct.unpack_from("<6Q", self.data, 8)
        if own_size < HEADER:
            raise ValueError("it was written to a pipe: record with perf record -o FILE")
        if attr_size < ATTRIBUTE:
            raise ValueError(f"descriptions of events of {attr_size} bytes")
        self._is_within("its samples", start, size)
        self._is_within("the descriptions of its events", attrs, attrs_size)
        if size == 0:
            raise ValueError("its header tells of no samples")
        self._features(start + size, struct.unpack_from("<4Q", self.data, 72)[0])
        kinds = {}  # of events: their periods
        for at in range(attrs, attrs + attrs_size, attr_size):
            kind, _, _, period = struct.unpack_from("<IIQQ", self.data, at)
            kinds[kind] = period
        at, end = start, start + size
        while at + 8 <= end:
            kind, misc, length = struct.unpack_from("<IHH", self.data, at)
            if length < 8:
                raise ValueError(f"a record of {length} bytes at {at:,}")
            at = self._record(kind, misc, at + 8, at + length, kinds)
        return self.found

    def _is_within(self, what: str, start: int, size: int) -> None:
        if start + size > len(self.data):
            raise ValueError(f"{what} would end at byte {start + size:,} of {len(self.data):,}")

    def _features(self, at: int, bits: int) -> None:
        """What the header says of the machine and of files: a table behind the samples, in the order of the bits."""
        for number in range(64):
            if not bits >> number & 1:
                continue
            start, size = struct.unpack_from("<2Q", self.data, at)
            at += 16
            self._is_within("what its header tells", start, size)
            if number == CPUID:
                text = self.data[start + 4 : start + size].partition(b"\0")[0]
                self.found.midr = int(text, 16) if text.startswith(b"0x") else None
            elif number == BUILD_ID:
                self._build_ids(start, start + size)

    def _build_ids(self, at: int, end: int) -> None:
        while at + 36 <= end:
            size = struct.unpack_from("<H", self.data, at + 6)[0]
            id_size = self.data[at + 32] or 20  # older ones do not say it, and have 20
            path = self.data[at + 36 : at + size].partition(b"\0")[0].decode(errors="replace")
            self.build_ids[path] = self.data[at + 12 : at + 12 + min(id_size, 20)].hex()
            at += max(size, 36)

    def _record(self, kind: int, misc: int, at: int, end: int, periods: dict[int, int]) -> int:
        """Reads the record between these bytes; where the next one begins."""
        found = self.found
        if kind in (MMAP, MMAP2):
            self._mapping(kind, misc, at, end)
        elif kind == COMM:
            pid, tid = struct.unpack_from("<II", self.data, at)
            found.names[tid] = self._text(at + 8, end)
            found.process_of[tid] = pid
            if misc & MISC_EXEC:
                found.mappings[pid] = None
        elif kind == FORK:
            pid, parent, tid, _ = struct.unpack_from("<IIII", self.data, at)
            found.process_of[tid] = pid
            if pid != parent:
                found.mappings[pid] = found.mappings.get(parent)
        elif kind == AUX:
            flags = struct.unpack_from("<Q", self.data, at + 16)[0]
            found.truncated += flags & TRUNCATED
            found.collisions += flags // COLLISION & 1
        elif kind == AUXTRACE_INFO:
            trace, _, event = struct.unpack_from("<IIQ", self.data, at)
            self.is_spe = trace == ARM_SPE
            found.period = periods.get(event) or None
        elif kind == AUXTRACE:
            size, _, _, _, tid = struct.unpack_from("<QQQII", self.data, at)
            if end + size > len(self.data):
                raise ValueError(f"{size:,} bytes of SPE at {end:,}, and the file has {len(self.data):,}")
            if self.is_spe:
                found.chunks.append((self.data[end : end + size], None if tid == NO_THREAD else tid))
            return end + int(size)
        elif kind in (COMPRESSED, COMPRESSED2):
            raise ValueError("it is packed with zstd (perf record -z): record without -z")
        return end

    def _mapping(self, kind: int, misc: int, at: int, end: int) -> None:
        pid, _, start, length, offset = struct.unpack_from("<IIQQQ", self.data, at)
        names = at + (64 if kind == MMAP2 else 32)
        path, own = self._text(names, end), None
        if kind == MMAP2 and misc & MISC_BUILD_ID:
            own = self.data[at + 36 : at + 36 + min(self.data[at + 32], 20)].hex()
        mapping = Mapped(pid, start, length, offset, path, own or self.build_ids.get(path))
        self.found.mappings[pid] = Chain(mapping, self.found.mappings.get(pid))

    def _text(self, at: int, end: int) -> str:
        return self.data[at:end].partition(b"\0")[0].decode(errors="replace")
