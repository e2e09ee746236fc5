"""The names of places in files: the one module that asks `armprof.binary`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from armprof.binary import Binary
from armprof.samples.profile import Frame


def frames_at(module: str, offsets: Sequence[int]) -> list[tuple[Frame, ...]]:
    """For each offset in the file its frames, what is inlined first. What is no file ([vdso], //anon) has no names."""
    if not module.startswith("/") or module.startswith("//"):
        return [(Frame(module, offset),) for offset in offsets]
    binary = Binary(Path(module))
    return [_frames(module, binary, offset) for offset in offsets]


def _frames(module: str, binary: Binary, offset: int) -> tuple[Frame, ...]:
    address = binary.address_of_offset(offset)
    if address is None:
        return (Frame(module, offset),)
    line = binary.line(address)
    function = binary.function(address)
    return (Frame(module, address, function, line.file if line else None, line.line if line else None),)
