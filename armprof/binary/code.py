"""The A64 code of a file: its words, by function, and the loops in them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from armprof.binary.binary import Binary, Function
from armprof.binary.elf import SHF_EXECINSTR, SHT_NOBITS
from armprof.binary.encodings import TARGETS, of_kind, offsets
from armprof.binary.loops import Edges, NaturalLoop, loops
from armprof.binary.plt import stubs

WORD = 4
# Loops are not looked for in larger programs and functions, where they would take minutes.
MOST_WORDS = 16_000_000
MOST_BLOCKS = 20_000  # of a function

# Functions of the C and C++ libraries that do not come back. Those in the file itself are seen not to return.
NEVER_RETURN = {
    "abort", "exit", "_exit", "_Exit", "quick_exit", "pthread_exit", "thrd_exit", "longjmp", "_longjmp",
    "siglongjmp", "__longjmp_chk", "__assert_fail", "__assert_perror_fail", "__assert", "__stack_chk_fail",
    "__fortify_fail", "__chk_fail", "__libc_fatal", "__libc_start_main", "err", "errx", "verr", "verrx",
    "__cxa_throw", "__cxa_rethrow", "__cxa_throw_bad_array_new_length", "__cxa_bad_cast", "__cxa_pure_virtual",
    "_Unwind_Resume", "_ZSt9terminatev", "_ZSt17__throw_bad_allocv", "_ZSt16__throw_bad_castv",
    "_ZSt20__throw_length_errorPKc", "_ZSt19__throw_logic_errorPKc", "_ZSt20__throw_out_of_rangePKc",
    "_ZSt24__throw_out_of_range_fmtPKcz",
}  # fmt: skip


@dataclass(frozen=True)
class CodeLoop:
    """A loop of a function. ``at`` are its instructions, by number, in order."""

    function: int  # its number in `Code.functions`
    at: Any
    header: int
    innermost: bool


@dataclass(frozen=True)
class Shape:
    """The blocks of a function by their first instructions, with the end of the last one; the ways between them; its loops,
    each before those within it, or None where it has too many blocks to look for them.
    """

    bounds: list[int]
    edges: Edges
    loops: list[NaturalLoop] | None


class Code:
    """Instructions have numbers: their places in ``words`` and ``addresses``. What is data in between is none of them."""

    def __init__(self, binary: Binary, only: Sequence[Function] | None = None) -> None:
        """``only`` some functions of it, in the order of their addresses: what others do is not known then."""
        self.binary = binary
        self.functions: list[Function] = [f for f in (binary.functions if only is None else only) if f.end > f.start]
        spans = _spans(binary) if only is None else list(_cut(_spans(binary), self.functions))
        self.words = np.concatenate([words for _, words in spans] or [np.empty(0, np.uint32)])
        self.addresses = np.concatenate(
            [first + WORD * np.arange(len(w), dtype=np.uint64) for first, w in spans] or [np.empty(0, np.uint64)]
        )
        self.passed_over = 0  # functions with branches back whose `loops` were not looked for
        self._kinds: dict[tuple[str, ...], Any] = {}
        self._starts = np.array([f.start for f in self.functions], np.uint64)
        self._ends = np.array([f.end for f in self.functions], np.uint64)

    def of_kind(self, *kinds: str) -> Any:
        """Whether each instruction is of one of the kinds."""
        if kinds not in self._kinds:
            self._kinds[kinds] = of_kind(self.words, *kinds)
        return self._kinds[kinds]

    @cached_property
    def function(self) -> Any:
        """The number of each instruction's function, -1 where nothing tells it."""
        found = np.searchsorted(self._starts, self.addresses, "right").astype(np.int64) - 1
        if len(self._ends):
            found[self._ends[found] <= self.addresses] = -1
        return found

    @cached_property
    def targets(self) -> Any:
        """The address that each direct branch or call leads to; 0 for other instructions."""
        found = np.zeros(len(self.words), np.uint64)
        for kind in TARGETS:
            which = np.flatnonzero(self.of_kind(kind))
            ahead = WORD * offsets(self.words[which], kind)
            found[which] = (self.addresses[which].astype(np.int64) + ahead).astype(np.uint64)
        return found

    def name_at(self, address: int) -> str | None:
        """The name of the function that begins there."""
        number = int(np.searchsorted(self._starts, np.uint64(address)))
        return self.functions[number].name if number < len(self.functions) and self._starts[number] == address else None

    def number_at(self, address: int) -> int | None:
        """The number of the instruction there."""
        number = int(np.searchsorted(self.addresses, np.uint64(address)))
        return number if number < len(self.addresses) and self.addresses[number] == address else None

    @cached_property
    def stubs(self) -> dict[int, str]:
        """The entries of the procedure linkage table, by address, and what they call."""
        return stubs(self.binary.elf)

    @cached_property
    def _never_returns(self) -> Any:
        """Whether each instruction is a call of a function that ends the program, or leaves by another way."""
        leaves = self.of_kind("return", "indirect_jump") | self.of_kind("jump") & ~self.within
        returning = np.unique(self.function[leaves & (self.function >= 0)])
        ends = np.setdiff1d(np.arange(len(self.functions)), returning)
        addresses = [int(self._starts[f]) for f in ends.tolist()]
        addresses += [f.start for f in self.functions if f.name in NEVER_RETURN]
        addresses += [address for address, name in self.stubs.items() if name in NEVER_RETURN]
        return self.of_kind("call") & np.isin(self.targets, np.array(addresses, np.uint64))

    @cached_property
    def within(self) -> Any:
        """Whether each branch leads to where its own function is."""
        place = np.searchsorted(self._starts, self.targets, "right").astype(np.int64) - 1
        found = (place == self.function) & (place >= 0)
        found[found] = self.targets[found] < self._ends[place[found]]
        return found

    @cached_property
    def loops(self) -> tuple[CodeLoop, ...]:
        """The loops of all functions that have branches back. A jump by a register leads out of every loop."""
        back = (self.targets > 0) & (self.targets <= self.addresses) & ~self.of_kind("call") & self.within
        wanted = np.unique(self.function[back]).tolist()
        if len(self.words) > MOST_WORDS:
            self.passed_over = len(wanted)
            return ()
        return tuple(loop for f in wanted for loop in self._loops_of(f))

    def span(self, function: int) -> tuple[int, int]:
        """The number of the function's first instruction, and that behind its last."""
        first, last = np.searchsorted(self.addresses, [self._starts[function], self._ends[function]])
        return int(first), int(last)

    def shape(self, function: int) -> Shape:
        """What is in the function. A call leads to where it returns to."""
        first, last = self.span(function)
        starts, edges = self._blocks(first, last)
        bounds = [*starts, last]
        if len(starts) > MOST_BLOCKS:
            return Shape(bounds, edges, None)
        # of a loop's blocks the header is entered from outside most often: by the ways that lead there
        entered = [0.0] * len(starts)
        for ways in edges.values():
            for to in ways:
                entered[to] += 1
        if entered:
            entered[0] += 1
        return Shape(bounds, edges, loops(edges, entered))

    def _loops_of(self, function: int) -> Iterator[CodeLoop]:
        shape = self.shape(function)
        if shape.loops is None:
            self.passed_over += 1
            return
        for loop in shape.loops:
            at = np.concatenate([np.arange(shape.bounds[b], shape.bounds[b + 1]) for b in sorted(loop.blocks)])
            yield CodeLoop(function, at, shape.bounds[loop.header], not loop.inner)

    def _blocks(self, first: int, last: int) -> tuple[list[int], Edges]:
        words, here = self.words[first:last], self.addresses[first:last]
        branch = of_kind(words, "jump", "conditional", "compare_branch", "test_branch")
        stops = of_kind(words, "jump", "indirect_jump", "return", "undefined") | self._never_returns[first:last]
        to = np.searchsorted(here, self.targets[first:last])
        to[~branch | (self.targets[first:last] < here[0]) | (self.targets[first:last] > here[-1])] = -1
        gap = np.flatnonzero(np.diff(here) != WORD)
        starts = sorted(
            {0, *(np.flatnonzero(branch | stops) + 1).tolist(), *to[to >= 0].tolist(), *(gap + 1).tolist()}
            - {len(here)}
        )
        edges: dict[int, dict[int, float]] = {}
        for block, end in enumerate([*(start - 1 for start in starts[1:]), len(here) - 1]):
            ways: dict[int, float] = {}
            if to[end] >= 0:
                ways[bisect_right(starts, int(to[end])) - 1] = 1.0
            if not stops[end] and block + 1 < len(starts) and here[end + 1] == here[end] + WORD:
                ways[block + 1] = 1.0
            edges[block] = ways
        return [first + start for start in starts], edges


def _spans(binary: Binary) -> list[tuple[np.uint64, Any]]:
    """The addresses of stretches of code, and their words. A symbol ``$d`` begins data, ``$x`` code again."""
    marks = _marks(binary)
    found = []
    for section in binary.elf.sections:
        if not section.flags & SHF_EXECINSTR or section.type == SHT_NOBITS or section.address % WORD:
            continue
        data = binary.elf.bytes_of(section)
        words = np.frombuffer(data, "<u4", len(data) // WORD)
        end = section.address + WORD * len(words)
        cuts = [(a, code) for a, code in marks if section.address <= a < end and a % WORD == 0]
        start, code = section.address, True
        for address, is_code in [*cuts, (end, False)]:
            if code and address > start:
                found.append(
                    (np.uint64(start), words[(start - section.address) // WORD : (address - section.address) // WORD])
                )
            start, code = address, is_code
    return sorted(found, key=lambda span: span[0])


def _cut(spans: list[tuple[np.uint64, Any]], functions: Sequence[Function]) -> Iterator[tuple[np.uint64, Any]]:
    """What of the spans is in the functions, each word once."""
    starts = [function.start for function in functions]
    for function, following in zip(functions, [*starts[1:], 1 << 64][: len(starts)], strict=True):
        for start, words in spans:
            first, past = max(int(start), function.start), min(int(start) + WORD * len(words), function.end, following)
            if first < past:
                yield np.uint64(first), words[(first - int(start)) // WORD : (past - int(start)) // WORD]


def _marks(binary: Binary) -> list[tuple[int, bool]]:
    found = {}
    for table, names in binary.elf.symbols():
        texts = np.frombuffer(names, np.uint8)
        inside = table["name"].astype(np.int64) < len(texts) - 2
        table = table[inside & (table["info"] & 0xF == 0)]
        at = table["name"].astype(np.int64)
        marked = (
            table[
                (texts[at] == ord("$"))
                & np.isin(texts[at + 1], (ord("x"), ord("d")))
                & np.isin(texts[at + 2], (0, ord(".")))
            ]
            if len(table)
            else table
        )
        for symbol in marked.tolist():
            found[symbol[4]] = chr(texts[symbol[0] + 1]) == "x"
    return sorted(found.items())
