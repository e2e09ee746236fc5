"""The file that is inspected, with what the checks ask of it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from armprof.binary.a64 import text
from armprof.binary.binary import Binary, Line
from armprof.binary.checks.rules import Spot, TargetCore
from armprof.binary.code import Code, CodeLoop

VECTORS = {"NEON": ("vector", "vector_memory"), "SVE": ("sve",)}  # the kinds of their instructions


@dataclass(frozen=True)
class Subject:
    """A binary, its code, and the core that it is to run on, None where none was named."""

    binary: Binary
    code: Code
    target: TargetCore | None

    def spots(self, numbers: Sequence[int], details: Sequence[str] | None = None) -> tuple[Spot, ...]:
        """The places of instructions, by number."""
        addresses = self.code.addresses[np.asarray(numbers, np.int64)]
        places = self.binary.places(addresses)
        told = details or [""] * len(places)
        return tuple(
            Spot(function, int(address), line, detail)
            for (function, line), address, detail in zip(places, addresses, told, strict=True)
        )

    def loop_spots(self, loops: Sequence[CodeLoop], details: Sequence[str] | None = None) -> tuple[Spot, ...]:
        """The places of loops."""
        spots = self.spots([loop.header for loop in loops], details)
        return tuple(replace(spot, around=self._lines(loop)) for spot, loop in zip(spots, loops, strict=True))

    def innermost(self, functions: Collection[str]) -> Iterator[Spot]:
        """The places of the innermost loops of these functions, as far as lines of them are known; of loops over the same
        lines, as a compiler makes them of one in the source, the first, which tells of all.
        """
        numbers = {number for number, function in enumerate(self.code.functions) if function.name in functions}
        loops = [loop for loop in self.code.loops if loop.innermost and loop.function in numbers]
        same: dict[tuple[str | None, tuple[Line, ...]], list[Spot]] = {}
        for spot in self.loop_spots(loops, [self._size(loop) for loop in loops]):
            if spot.around:
                same.setdefault((spot.function, spot.around), []).append(spot)
        for first, *others in same.values():
            yield replace(first, detail=" and ".join(spot.detail for spot in (first, *others)))

    def _size(self, loop: CodeLoop) -> str:
        vectors = [title for title, kinds in VECTORS.items() if self.code.of_kind(*kinds)[loop.at].any()]
        return f"{len(loop.at)} instructions{f' with {listed}' if (listed := ' and '.join(vectors)) else ''}"

    def _lines(self, loop: CodeLoop) -> tuple[Line, ...]:
        rows = np.unique(self.binary.resolve(self.code.addresses[loop.at]).row).tolist()
        return tuple(dict.fromkeys(line for row in rows if (line := self.binary.line_of(row)) is not None))

    @cached_property
    def loop_of(self) -> Any:
        """Of each instruction the number of the innermost loop that it is in; -1: of none."""
        found = np.full(len(self.code.words), -1, np.int64)
        for number, loop in enumerate(self.code.loops):  # each before those within it
            found[loop.at] = number
        return found

    def in_loops(self, *kinds: str) -> list[int]:
        """The instructions of these kinds that are in a loop."""
        return np.flatnonzero(self.code.of_kind(*kinds) & (self.loop_of >= 0)).tolist()

    def loop(self, number: int) -> CodeLoop:
        """The innermost loop that the instruction is in."""
        return self.code.loops[int(self.loop_of[number])]

    def text(self, number: int) -> str:
        """The instruction as an assembler has it."""
        return text(int(self.code.words[number]), int(self.code.addresses[number]))
