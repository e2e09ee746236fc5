"""Functions in shared libraries as components.

The library is looked at as a file first, so that what cannot work is said before anything is measured; loading it, which
runs its constructors, is left to the process that benches it.
"""

from __future__ import annotations

import ctypes
import difflib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from armprof.binary import fingerprint
from armprof.components.failure import Failed
from armprof.components.work import CLoop, Definition, Work
from armprof.counters.machine import native
from armprof.errors import ArmprofError

if TYPE_CHECKING:
    from armprof.binary.elf import Elf

ET_DYN = 3
SHN_LORESERVE = 0xFF00  # from here on a symbol's section is a special one: of absolute, of common symbols
LISTED = 8


def symbol(library: Path, name: str, loop: bool, called: str, title: str, operation: str, origin: str) -> Definition:
    """The function of that name in the library, ``void f(void)``, or the loop ``uint64_t f(void *state, uint64_t n)``.

    Raises ArmprofError where there is none that this machine could call.
    """
    exported = functions(library)
    if name not in exported:
        close = difflib.get_close_matches(name, exported, n=3)
        others = f"did you mean {' or '.join(close)}?" if close else f"it exports {listed(exported)}"
        raise ArmprofError(f"{library} exports no function {name!r}; {others}")
    creates = loop and f"{name}_create" in exported

    def set_up(seed: int, input: Path | None) -> Work:
        return _loaded(library, name, loop, creates, seed)

    operation = operation or ("operation" if loop else "call")
    return Definition(
        called, title, "symbol", operation, set_up, origin=origin, code=lambda: fingerprint.of_file(library, name)
    )


def functions(library: Path) -> list[str]:
    """The functions that a shared library for this machine exports. Raises ArmprofError where it is none."""
    from armprof.binary.elf import ARM64, SHT_DYNSYM, X86_64, Elf, text_at

    elf = Elf(library)
    here = os.uname().machine
    if elf.machine != {"aarch64": ARM64, "x86_64": X86_64}.get(here, elf.machine):
        raise ArmprofError(f"{library} is built for {elf.machine_name}, and this machine is {here}")
    if elf.type != ET_DYN:
        raise ArmprofError(f"{library} is no shared library: link it with -shared")
    if not elf.sections:
        raise ArmprofError(f"{library} is a damaged ELF file: its table of sections is not there")
    exported: set[str] = set()
    for symbols, names in elf.symbols((SHT_DYNSYM,)):
        texts = bytes(names)
        exported.update(text_at(texts, at) for at in symbols["name"][_is_function(elf, symbols)].tolist())
    return sorted(exported - {""})


def _is_function(elf: Elf, symbols: Any) -> Any:
    """Which symbols are defined here and are code: in assembly many a function is left without a type."""
    import numpy as np

    from armprof.binary.elf import SHF_EXECINSTR, STT_FUNC, STT_GNU_IFUNC, STT_NOTYPE

    kinds, section = symbols["info"] & 0xF, symbols["section"]
    code = [number for number, one in enumerate(elf.sections) if one.flags & SHF_EXECINSTR]
    function = (kinds == STT_FUNC) | (kinds == STT_GNU_IFUNC)
    defined = (section > 0) & (section < SHN_LORESERVE)
    return defined & (function | ((kinds == STT_NOTYPE) & np.isin(section, code)))


def listed(names: list[str]) -> str:
    """The names, of many the first."""
    if not names:
        return "none at all: static functions and those of hidden visibility are not"
    more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    return f"{', '.join(names[:LISTED])}{more}"


def _loaded(path: Path, name: str, loop: bool, creates: bool, seed: int) -> Work:
    try:
        library = ctypes.CDLL(str(path.resolve()))
    except OSError as error:  # what the loader says: a library that it needs is missing, a symbol is undefined
        raise ArmprofError(f"{path} cannot be loaded: {error}") from None
    ffi, lib = native().ffi, native().lib
    address = ctypes.cast(library[name], ctypes.c_void_p).value
    if not loop:
        work = _Called(ffi.addressof(lib, "ap_call_loop"), ffi.new("ap_function *", ffi.cast("ap_function", address)))
        work.notes = ("each operation is a call through a pointer, which is part of its time",)
        return work
    state = ffi.NULL
    if creates:
        create = library[f"{name}_create"]
        create.argtypes, create.restype = (ctypes.c_uint64,), ctypes.c_void_p
        made = create(seed)
        if made is None:
            raise Failed(f"{name}_create returned NULL")
        state = ffi.cast("void *", made)
    return _Called(ffi.cast("ap_loop", address), state)


class _Called(CLoop):
    """A loop of which nobody has said that what it returns is a checksum."""

    def run(self, operations: int) -> None:
        super().run(operations)
