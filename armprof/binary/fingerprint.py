"""The hash of machine code: whether two builds run the same instructions, wherever the linker has put them and their data.

On ARM64 it is that of a function and of all functions that it calls or jumps to by name, without what depends on the place:
the targets of calls, the pages of `adrp` and the offsets into them. What is reached through pointers or in other libraries
is not in it. Code of another architecture cannot be told apart so easily: there it is that of all code of the file, byte by
byte, and the same code in another place is another.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from armprof.errors import ArmprofError

if TYPE_CHECKING:
    from armprof.binary.elf import Elf

LENGTH = 16  # hexadecimal digits: two codes among a million are as rarely the same by chance as one in 10 million


def of_file(path: Path, function: str | None = None) -> str | None:
    """The hash of the function's code, or of all code of the file where that cannot be had. None where it is no ELF file."""
    from armprof.binary.elf import ARM64, SHF_EXECINSTR, Elf

    try:
        elf = Elf(path)
    except ArmprofError:
        return None
    if function is not None and elf.machine == ARM64:
        found = _reached(elf, function)
        if found:
            return of_functions(found)
    sections = [(s.name, elf.bytes_of(s)) for s in elf.sections if s.flags & SHF_EXECINSTR]
    content = b"".join(f"{name} {len(code)} ".encode() + code for name, code in sections)
    return _digest((function or "").encode() + content) if sections else None


def of_functions(functions: Iterable[tuple[str, Sequence[int], Sequence[int]]]) -> str:
    """The hash of functions, each its name, the addresses of its instructions and the instructions."""
    parts = sorted((name, unplaced(addresses, words)) for name, addresses, words in functions)
    return _digest(b"".join(f"{name} {len(code)} ".encode(errors="replace") + code for name, code in parts))


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:LENGTH]


# ---- what does not depend on the place ------------------------------------------------------------------------------

# (mask, value) of an encoding, and the bits of it that hold a place: Arm Architecture Reference Manual, C4.1.
_CALL = (0xFC000000, 0x94000000, 0x03FFFFFF)  # bl
_JUMP = (0xFC000000, 0x14000000, 0x03FFFFFF)  # b
_PAGE = (0x9F000000, 0x90000000, 0x60FFFFE0)  # adrp
_NEAR = (0x9F000000, 0x10000000, 0x60FFFFE0)  # adr
_LITERAL = (0x3B000000, 0x18000000, 0x00FFFFE0)  # ldr of a constant beside the code
_ADD = (0xFF800000, 0x91000000, 0x003FFC00)  # add, immediate
_OFFSET = (0x3B000000, 0x39000000, 0x003FFC00)  # loads and stores with an unsigned offset


def unplaced(addresses: Sequence[int], words: Sequence[int]) -> bytes:
    """The instructions of one function without what depends on where it and its data are."""
    own = set(addresses)
    pages: set[int] = set()  # registers that hold the page of something
    out = bytearray()
    for address, word in zip(addresses, words, strict=True):
        target, based = word & 31, word >> 5 & 31
        if _is(word, _CALL):
            pages.clear()  # the called function may use them
        if _is(word, _JUMP) and address + _signed(word, 26) * 4 in own:
            pass  # within the function, which keeps its shape
        elif place := next((kind for kind in (_CALL, _JUMP, _NEAR, _LITERAL) if _is(word, kind)), None):
            word &= ~place[2]
        elif _is(word, _PAGE):
            word &= ~_PAGE[2]
            pages.add(target)
            out += word.to_bytes(4, "little")
            continue
        elif based in pages and (place := next((kind for kind in (_ADD, _OFFSET) if _is(word, kind)), None)):
            word &= ~place[2]
        pages.discard(target)
        out += word.to_bytes(4, "little")
    return bytes(out)


def _is(word: int, kind: tuple[int, int, int]) -> bool:
    return word & kind[0] == kind[1]


def _signed(word: int, bits: int) -> int:
    value = word & ((1 << bits) - 1)
    return value - (1 << bits) if value >> (bits - 1) else value


# ---- what a function reaches -----------------------------------------------------------------------------------------


def _reached(elf: Elf, function: str) -> list[tuple[str, range, list[int]]]:
    """The function and what it calls or jumps to by name, and so on; nothing where the file has no such function, or
    functions that overlap to more code than it has.
    """
    spans = _spans(elf)
    named = {name: start for start, (name, _) in spans.items()}
    if function not in named:
        return []
    found: dict[int, tuple[str, range, list[int]]] = {}
    waiting = [named[function]]
    length = 0
    while waiting:
        start = waiting.pop()
        if start in found or start not in spans:
            continue
        name, size = spans[start]
        code = elf.read(start, size)
        length += len(code)
        if length > elf.size:
            return []
        addresses = range(start, start + len(code) // 4 * 4, 4)
        words = [int.from_bytes(code[at : at + 4], "little") for at in range(0, len(code) - 3, 4)]
        found[start] = name, addresses, words
        branches = (one for one in zip(addresses, words, strict=True) if _is(one[1], _CALL) or _is(one[1], _JUMP))
        waiting += [address + _signed(word, 26) * 4 for address, word in branches]
    return list(found.values())


def _spans(elf: Elf) -> dict[int, tuple[str, int]]:
    """By address the name of each function, of several the shortest, and its size."""
    from armprof.binary.elf import STT_FUNC, text_at

    spans: dict[int, tuple[str, int]] = {}
    for table, names in elf.symbols():
        functions = table[(table["info"] & 0xF == STT_FUNC) & (table["section"] != 0) & (table["size"] != 0)]
        texts = bytes(names)
        for at, start, size in zip(*(functions[field].tolist() for field in ("name", "value", "size")), strict=True):
            name, known = text_at(texts, at), spans.get(start, ("", 0))[0]
            if not known or (len(name), name) < (len(known), known):
                spans[start] = name, size
    return spans
