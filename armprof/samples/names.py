"""The names of places in files, from their symbols and debug information."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from armprof.errors import ArmprofError
from armprof.samples.profile import Frame

if TYPE_CHECKING:
    from armprof.binary import Binary, SourceFrame


def frames_at(module: str, offsets: Sequence[int]) -> list[tuple[Frame, ...]]:
    """For each offset in the file its frames, what is inlined first. What is no ELF file ([vdso], //anon) has no names."""
    import numpy as np

    binary = binary_of(module)
    if binary is None:
        return [(Frame(module, offset),) for offset in offsets]
    addresses = binary.elf.addresses_of_offsets(np.array(offsets, np.uint64))
    return frames_of(binary, module, addresses.tolist())


def frames_of(binary: Binary, module: str, addresses: Sequence[int]) -> list[tuple[Frame, ...]]:
    """For each address in the binary its frames, what is inlined first."""
    pairs = zip(binary.frames_of(addresses), addresses, strict=True)
    return [_frames(module, found, address) for found, address in pairs]


def lacking(modules: Iterable[str]) -> Iterator[str]:
    """What is not known of these files because their debug information is in others that are not there, a sentence each."""
    for module in dict.fromkeys(modules):
        binary = binary_of(module)
        if binary is not None and binary.lacking is not None:
            yield binary.lacking


def binary_of(module: str) -> Binary | None:
    """The file; None where it is no ELF file, or is gone."""
    from armprof.binary import Binary

    try:
        return Binary(Path(module)) if module.startswith("/") and not module.startswith("//") else None
    except ArmprofError:
        return None


def _frames(module: str, found: Sequence[SourceFrame], address: int) -> tuple[Frame, ...]:
    frames = []
    for depth, (function, line) in enumerate(found, 1):
        name = None if function == "?" else function
        file, number = line if line else (None, None)
        frames.append(Frame(module, address, name, file, number, depth < len(found)))
    return tuple(frames) or (Frame(module, address),)
