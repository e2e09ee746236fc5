"""Where functions begin in a program without symbols: what it needs to unwind its stack says so."""

from __future__ import annotations

from typing import Any

import numpy as np

from armprof.binary.elf import PT_GNU_EH_FRAME, Elf, Section

# How the table of .eh_frame_hdr and the frames are encoded by every compiler here: 4 bytes, signed, relative to the
# table's or to their own place (Linux Standard Base, "DWARF Extensions").
TABLE = 0x3B
RELATIVE = 0x1B
ENTRY = np.dtype([("start", "<i4"), ("frame", "<i4")])
MOST_AUGMENTATION = 32
HIGHEST = 1 << 62  # addresses of user mode lie below, and their sums are no surprise


def functions(elf: Elf) -> Any:
    """Starts and ends, sorted; empty where nothing tells."""
    empty = np.empty((0, 2), np.uint64)
    headers = elf.segments[elf.segments["type"] == PT_GNU_EH_FRAME]
    if len(headers) != 1:
        return empty
    base = int(headers["address"][0])
    section = elf.section(".eh_frame")
    head = elf.read(base, 12)
    if section is None or max(base, section.address) >= HIGHEST or len(head) < 12:
        return empty
    if head[0] != 1 or head[1] != RELATIVE or head[3] != TABLE:
        return empty
    data = elf.read(base + 12, int.from_bytes(head[8:12], "little") * ENTRY.itemsize)
    table = np.frombuffer(data, ENTRY, len(data) // ENTRY.itemsize)
    starts = base + table["start"].astype(np.int64)
    sizes = _sizes(elf, section, base + table["frame"].astype(np.int64))
    found = np.stack([starts, starts + sizes], axis=1)[(sizes > 0) & (starts > 0)].astype(np.uint64)
    return found[np.argsort(found[:, 0], kind="stable")]


def _sizes(elf: Elf, section: Section, frames: Any) -> Any:
    """The sizes of the functions whose frames are there; 0 where a frame is not as expected."""
    data = np.frombuffer(elf.bytes_of(section), np.uint8)
    if len(data) < 16 or not len(frames):
        return np.zeros(len(frames), np.int64)
    at = frames - section.address
    inside = (at >= 0) & (at <= len(data) - 16)
    at = np.where(inside, at, 0)

    def field(offset: int) -> Any:
        places = at + offset
        return sum(data[places + i].astype(np.int64) << 8 * i for i in range(4))

    commons, which = np.unique(at + 4 - field(4), return_inverse=True)
    relative = np.array([_is_relative(data, int(common)) for common in commons])
    sizes = field(12)
    return np.where(inside & relative[which] & (sizes < 1 << 31), sizes, 0)


def _is_relative(data: Any, at: int) -> bool:
    """Whether the frames of this common entry have addresses of four bytes, relative to their own place."""
    if not 0 <= at <= len(data) - 12:
        return False
    text = bytes(data[at + 9 : at + 9 + MOST_AUGMENTATION])
    augmentation, end, rest = text.partition(b"\0")
    if not end or not augmentation.startswith(b"z"):
        return False
    for _ in range(3):  # alignments of code and data, the return address
        rest = _behind_number(rest)
    rest = _behind_number(rest)  # the size of what follows
    for letter in augmentation[1:].decode("latin-1"):
        if not rest:
            return False
        if letter == "R":
            return rest[0] == RELATIVE
        if letter == "P":  # a personality routine: its encoding, and 4 or 8 bytes
            rest = rest[1 + (4 if rest[0] & 0x0F in (0x03, 0x0B) else 8) :]
        elif letter == "L":
            rest = rest[1:]
    return False


def _behind_number(data: bytes) -> bytes:
    """What follows a number of 7 bits a byte."""
    return next((data[i + 1 :] for i, byte in enumerate(data) if byte < 0x80), b"")
