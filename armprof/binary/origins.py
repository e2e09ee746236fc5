"""Which instruction what was sampled at an address can come from: the nearest of a kind before it.

An interrupt comes after the fact, some instructions late, and a count that is read now and then is of many rounds of a short
loop. What was sampled says in which loop an event is; the code says which of its instructions can cause it. `origins.toml` has
the kinds.
"""

from __future__ import annotations

import heapq
import re
import tomllib
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files

import numpy as np

from armprof.binary.a64 import Instruction, instruction
from armprof.binary.code import Code, Shape
from armprof.binary.flow import Flow, pieces
from armprof.binary.loops import NaturalLoop

MOST = 4_000  # instructions of a loop whose values are followed
REPEATED = "repeated"  # an access to a line that another one has brought in: none of the ways of `addresses`


@dataclass(frozen=True, slots=True)
class Kind:
    """A row of the table."""

    of: tuple[str, ...]
    says: str
    calls: str | None = None
    addresses: tuple[str, ...] = ()
    passes_by: bool = False


@cache
def kinds() -> Mapping[str, Kind]:
    """The table."""
    rows = tomllib.loads(files(__package__).joinpath("origins.toml").read_text(encoding="utf-8"))
    return {
        name: Kind(**{**row, "of": tuple(row["of"]), "addresses": tuple(row.get("addresses", ()))})
        for name, row in rows.items()
    }


class Body:
    """The code of one function, by its number there; instructions by their numbers."""

    def __init__(self, code: Code, function: int) -> None:
        self.code, self.function, self._number = code, code.functions[function], function
        self._of_kind: dict[str, list[int]] = {}
        self._all: dict[str, Set[int]] = {}  # the blocks with any of a kind, wherever their addresses are
        self._fit: dict[str, Mapping[int, list[int]]] = {}
        self._in: dict[tuple[str, NaturalLoop | None], Mapping[int, list[int]]] = {}
        self._lead_to: dict[tuple[str, NaturalLoop | None], Mapping[int, int]] = {}
        self._scopes: dict[tuple[str, int], NaturalLoop | None] = {}
        self._flows: dict[NaturalLoop, Mapping[int, str]] = {}

    @cached_property
    def _shape(self) -> Shape:
        return self.code.shape(self._number)

    def of_kind(self, kind: str) -> list[int]:
        """The instructions of a kind of the table, wherever their addresses are."""
        if kind not in self._of_kind:
            row = kinds()[kind]
            found = self._encoded(*row.of)
            if row.calls:
                found += [number for number in self._encoded("call") if self._calls(number, row.calls)]
            self._of_kind[kind] = sorted(found)
        return self._of_kind[kind]

    def before(self, kind: str, number: int) -> int | None:
        """The instruction itself, if it is of that kind, or the nearest that leads there: in the innermost loop with any
        of them, or else in the function. Where none leads there it is the next one.

        None where there is none, and where the addresses of those of the loop go in other ways than the kind's.
        """
        block = self._block(number)
        scope = self._scope(kind, block)
        among = self._among(kind, scope)
        here = among.get(block, ())
        at = bisect_right(here, number)
        if at:
            return here[at - 1]
        if (kind, scope) not in self._lead_to:
            self._lead_to[kind, scope] = self._leading(among, None if scope is None else scope.blocks)
        found = self._lead_to[kind, scope].get(block)
        return self._next(among, number) if found is None else found

    def calls_to(self, address: int) -> list[int]:
        """The instructions that call the function there; those that call what a register has, where none does."""
        direct = [number for number in self._encoded("call") if int(self.code.targets[number]) == address]
        return direct or self._encoded("indirect_call")

    def called_at(self, number: int) -> int | None:
        """The address that the direct call leads to; None where it is none."""
        return int(self.code.targets[number]) if self.code.of_kind("call")[number] else None

    # ---- Which are of a kind ----

    def _encoded(self, *encodings: str) -> list[int]:
        first, end = self.code.span(self._number)
        return (np.flatnonzero(self.code.of_kind(*encodings)[first:end]) + first).tolist()

    def _calls(self, number: int, names: str) -> bool:
        (to,) = self.code.binary.functions_at([int(self.code.targets[number])])
        return to is not None and re.fullmatch(names, to.name) is not None

    def _among(self, kind: str, scope: NaturalLoop | None) -> Mapping[int, list[int]]:
        """The instructions of the kind in that loop, or in the whole function, by block."""
        if (kind, scope) not in self._in:
            found = self._fitting(kind)
            if scope is not None:
                found = {block: found[block] for block in scope.blocks if block in found}
                if kinds()[kind].passes_by:
                    stay = {
                        block: one for block, one in found.items() if self._shape.edges[block].keys() <= scope.blocks
                    }
                    found = stay or found
            self._in[kind, scope] = found
        return self._in[kind, scope]

    def _fitting(self, kind: str) -> Mapping[int, list[int]]:
        """Those of the kind in the whole function whose addresses go in the kind's ways, by block."""
        if kind not in self._fit:
            addresses = kinds()[kind].addresses
            by_block: dict[int, list[int]] = {}
            for number in self.of_kind(kind):
                by_block.setdefault(self._block(number), []).append(number)
            self._all[kind] = by_block.keys()
            if addresses:
                by_block = {at: [n for n in one if self._is_at(addresses, at, n)] for at, one in by_block.items()}
            self._fit[kind] = {block: numbers for block, numbers in by_block.items() if numbers}
        return self._fit[kind]

    def _is_at(self, addresses: Sequence[str], block: int, number: int) -> bool:
        """Whether the access goes from iteration to iteration in one of these ways, or it is not known how it goes."""
        loop = next(iter(self._around.get(block, ())), None)
        if loop is None:
            return True
        if loop not in self._flows:
            self._flows[loop] = self._flow(loop)
        known = self._flows[loop]
        return number not in known or known[number] in addresses

    def _flow(self, loop: NaturalLoop) -> Mapping[int, str]:
        """How the accesses of the loop go, those that are known; of a loop that is too large none."""
        if sum(self._shape.bounds[block + 1] - self._shape.bounds[block] for block in loop.blocks) > MOST:
            return {}
        flow = Flow(pieces(loop, self._shape.edges, self._content))
        return {a.number: REPEATED if a.number in flow.repeated else a.kind for a in flow.accesses}

    def _content(self, block: int) -> Iterator[tuple[int, Instruction]]:
        numbers = range(self._shape.bounds[block], self._shape.bounds[block + 1])
        return ((number, instruction(int(self.code.words[number]))) for number in numbers)

    # ---- Ways ----

    @cached_property
    def _around(self) -> Mapping[int, list[NaturalLoop]]:
        """The loops around each block, the innermost first."""
        found: dict[int, list[NaturalLoop]] = {}
        for loop in reversed(self._shape.loops or []):
            for block in loop.blocks:
                found.setdefault(block, []).append(loop)
        return found

    def _block(self, number: int) -> int:
        return bisect_right(self._shape.bounds, number) - 1

    def _scope(self, kind: str, block: int) -> NaturalLoop | None:
        """The innermost loop around the block with any of the kind; None: the function."""
        if (kind, block) not in self._scopes:
            self._fitting(kind)
            loops = (loop for loop in self._around.get(block, ()) if not self._all[kind].isdisjoint(loop.blocks))
            self._scopes[kind, block] = next(loops, None)
        return self._scopes[kind, block]

    def _next(self, among: Mapping[int, list[int]], number: int) -> int | None:
        every = sorted(one for numbers in among.values() for one in numbers)
        return next((one for one in every if one > number), every[-1] if every else None)

    def _leading(self, among: Mapping[int, list[int]], within: frozenset[int] | None) -> Mapping[int, int]:
        """Of each block the nearest of the instructions on a way to its beginning."""
        found: dict[int, int] = {}
        ways = [(self._shape.bounds[at + 1] - numbers[-1], numbers[-1], at) for at, numbers in among.items()]
        heapq.heapify(ways)
        while ways:
            distance, number, at = heapq.heappop(ways)
            for to in self._shape.edges[at]:
                if to in found or (within is not None and to not in within):
                    continue
                found[to] = number
                if to not in among:
                    heapq.heappush(ways, (distance + self._shape.bounds[to + 1] - self._shape.bounds[to], number, to))
        return found
