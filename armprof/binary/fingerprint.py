"""The hash of machine code: whether two builds run the same instructions, wherever the linker has put them and their data.

On ARM64 it is that of a function and of all functions that it calls or jumps to by name, without what depends on the place:
the targets of calls, the pages of `adrp` and the offsets into them. What is reached through pointers or in other libraries
is not in it. Code of another architecture cannot be told apart so easily: there it is that of all code of the file, byte by
byte, and the same code in another place is another.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

# What reading a damaged file raises besides ELFError: pyelftools expects some damages, and others surprise it.
DAMAGE = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)

LENGTH = 16  # hexadecimal digits: two codes among a million are as rarely the same by chance as one in 10 million
SHF_EXECINSTR = 4


def of_file(path: Path, function: str | None = None) -> str | None:
    """The hash of the function's code, or of all code of the file where that cannot be had. None where it is no ELF file."""
    from elftools.common.exceptions import ELFError
    from elftools.elf.elffile import ELFFile

    try:
        elf = ELFFile(io.BytesIO(path.read_bytes()))
        if function is not None and elf["e_machine"] == "EM_AARCH64":
            found = _reached(elf, function)
            if found:
                return of_functions(found)
        sections = [(s.name, s.data()) for s in elf.iter_sections() if s["sh_flags"] & SHF_EXECINSTR]
    except (OSError, ELFError, *DAMAGE):
        return None
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


def _reached(elf: Any, function: str) -> list[tuple[str, range, list[int]]]:
    """The function and what it calls or jumps to by name, and so on; nothing where the file has no such function."""
    spans = _spans(elf)
    named = {name: start for start, (name, _) in spans.items()}
    if function not in named:
        return []
    found: dict[int, tuple[str, range, list[int]]] = {}
    waiting = [named[function]]
    while waiting:
        start = waiting.pop()
        if start in found or start not in spans:
            continue
        name, size = spans[start]
        code = _code_at(elf, start, size)
        addresses = range(start, start + len(code) // 4 * 4, 4)
        words = [int.from_bytes(code[at : at + 4], "little") for at in range(0, len(code) - 3, 4)]
        found[start] = name, addresses, words
        branches = (one for one in zip(addresses, words, strict=True) if _is(one[1], _CALL) or _is(one[1], _JUMP))
        waiting += [address + _signed(word, 26) * 4 for address, word in branches]
    return list(found.values())


def _spans(elf: Any) -> dict[int, tuple[str, int]]:
    """By address the name of each function, of several the shortest, and its size."""
    from elftools.elf.sections import SymbolTableSection

    spans: dict[int, tuple[str, int]] = {}
    for section in elf.iter_sections():
        if isinstance(section, SymbolTableSection):
            for symbol in section.iter_symbols():
                start, size = int(symbol["st_value"]), int(symbol["st_size"])
                known = spans.get(start, ("", 0))[0]
                is_code = symbol["st_info"]["type"] == "STT_FUNC" and symbol["st_shndx"] != "SHN_UNDEF" and size
                if is_code and (not known or (len(symbol.name), symbol.name) < (len(known), known)):
                    spans[start] = symbol.name, size
    return spans


def _code_at(elf: Any, address: int, size: int) -> bytes:
    for segment in elf.iter_segments():
        start = int(segment["p_vaddr"])
        if segment["p_type"] == "PT_LOAD" and start <= address < start + int(segment["p_filesz"]):
            data: bytes = segment.data()
            return data[address - start : address - start + size]
    return b""
