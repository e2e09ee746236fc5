"""The names of places in files, from their symbols and debug information."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from armprof.errors import ArmprofError
from armprof.samples.profile import Frame

if TYPE_CHECKING:
    from armprof.binary import Frame as Found


def frames_at(module: str, offsets: Sequence[int]) -> list[tuple[Frame, ...]]:
    """For each offset in the file its frames, what is inlined first. What is no ELF file ([vdso], //anon) has no names."""
    import numpy as np

    from armprof.binary import Binary

    try:
        if not module.startswith("/") or module.startswith("//"):
            raise ArmprofError(f"{module} is no file")
        binary = Binary(Path(module))
    except ArmprofError:
        return [(Frame(module, offset),) for offset in offsets]
    addresses = binary.elf.addresses_of_offsets(np.array(offsets, np.uint64)).tolist()
    return [_frames(module, binary.frames(address), address) for address in addresses]


def _frames(module: str, found: Sequence[Found], address: int) -> tuple[Frame, ...]:
    frames = []
    for depth, (function, line) in enumerate(found, 1):
        name = None if function == "?" else function
        file, number = line if line else (None, None)
        frames.append(Frame(module, address, name, file, number, depth < len(found)))
    return tuple(frames) or (Frame(module, address),)
