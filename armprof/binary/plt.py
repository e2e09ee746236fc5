"""The procedure linkage table: which function of which library each of its entries jumps to."""

from __future__ import annotations

import numpy as np

from armprof.binary.elf import RELA, SHT_RELA, SYMBOL, Elf
from armprof.binary.encodings import of_kind

SECTIONS = (".plt", ".plt.sec", ".iplt")
ADRP, ADRP_MASK = 0x90000000, 0x9F000000
LOAD, LOAD_MASK = 0xF9400000, 0xFFC00000  # ldr x, [x, #offset]
MOST_WORDS = 6  # of an entry, up to its jump


def stubs(elf: Elf) -> dict[int, str]:
    """Entries by address. Each loads the address to jump to from a cell that a relocation fills."""
    cells = _cells(elf)
    found = {}
    for name in SECTIONS:
        section = elf.section(name)
        if section is None:
            continue
        data = elf.bytes_of(section)
        words = np.frombuffer(data, "<u4", len(data) // 4)
        start = 0
        for jump in np.flatnonzero(of_kind(words, "indirect_jump")).tolist():
            first = max(start, jump - MOST_WORDS + 1)
            start = jump + 1
            while start < len(words) and words[start] == 0xD503201F:  # nop
                start += 1
            for at in range(first, jump):
                adrp, load = int(words[at]), int(words[at + 1])
                if adrp & ADRP_MASK == ADRP and load & LOAD_MASK == LOAD:
                    address = section.address + 4 * at
                    cell = page(address, adrp) + 8 * (load >> 10 & 0xFFF)
                    # a landing pad for indirect branches may stand before
                    entry = address - 4 if at > first and of_kind(words[at - 1 : at], "bti")[0] else address
                    if cell in cells:
                        found[entry] = cells[cell]
    return found


def page(address: int, word: int) -> int:
    """What the instruction adrp there puts into its register."""
    offset = (word >> 5 & 0x7FFFF) << 2 | word >> 29 & 3
    offset -= (offset & 1 << 20) << 1
    return (address & ~0xFFF) + (offset << 12)


def _cells(elf: Elf) -> dict[int, str]:
    """What each relocated cell holds when the program runs: the address of that symbol."""
    found = {}
    headers = elf.section_headers
    for section in elf.sections:
        if section.type != SHT_RELA or section.link >= len(headers):
            continue
        data = elf.bytes_of(section)
        relocations = np.frombuffer(data, RELA, len(data) // RELA.itemsize)
        table = elf.sections[section.link]
        data = elf.bytes_of(table)  # of another length than its header says where it is packed, or not in the file
        symbols = np.frombuffer(data, SYMBOL, len(data) // SYMBOL.itemsize)
        names = elf.bytes_of(elf.sections[table.link]) if table.link < len(headers) else memoryview(b"")
        for relocation in relocations[relocations["symbol"] > 0].tolist():
            if relocation[2] < len(symbols):
                start = int(symbols["name"][relocation[2]])
                name = bytes(names[start : start + 512]).partition(b"\0")[0].decode(errors="replace")
                if name:
                    found[relocation[0]] = name
    return found
