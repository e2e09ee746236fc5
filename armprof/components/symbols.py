"""Functions in shared libraries as components.

The library is looked at as a file first, so that what cannot work is said before anything is measured; loading it, which
runs its constructors, is left to the process that benches it.
"""

from __future__ import annotations

import ctypes
import difflib
import os
from pathlib import Path
from typing import Any

from armprof.binary import fingerprint
from armprof.components.failure import Failed
from armprof.components.work import Definition, Loop, Work
from armprof.counters.machine import native
from armprof.errors import ArmprofError

# What ELF calls the machines that armprof runs on.
MACHINES = {"aarch64": "EM_AARCH64", "x86_64": "EM_X86_64"}
FUNCTIONS = ("STT_FUNC", "STT_LOOS")  # the second is GNU's IFUNC
SHF_EXECINSTR = 4
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
    from elftools.common.exceptions import ELFError
    from elftools.elf.elffile import ELFFile
    from elftools.elf.sections import SymbolTableSection

    try:
        with library.open("rb") as file:
            if file.read(4) != b"\x7fELF":
                raise ArmprofError(f"{library} is no shared library: it does not start as an ELF file does")
            elf = ELFFile(file)
            here = os.uname().machine
            if here in MACHINES and elf["e_machine"] != MACHINES[here]:
                raise ArmprofError(f"{library} is built for {elf.get_machine_arch()}, and this machine is {here}")
            if elf["e_type"] != "ET_DYN":
                raise ArmprofError(f"{library} is no shared library: link it with -shared")
            table = elf.get_section_by_name(".dynsym")
            symbols = table.iter_symbols() if isinstance(table, SymbolTableSection) else ()
            return sorted({one.name for one in symbols if _is_function(elf, one)})
    except OSError as error:
        raise ArmprofError(f"cannot read {library}: {error.strerror}") from None
    except (ELFError, *fingerprint.DAMAGE) as error:
        raise ArmprofError(f"{library} is a damaged ELF file ({type(error).__name__}: {error})") from None


def _is_function(elf: Any, symbol: Any) -> bool:
    """Whether a symbol is defined here and is code: in assembly many a function is left without a type."""
    section, kind = symbol["st_shndx"], symbol["st_info"]["type"]
    if not isinstance(section, int) or not symbol.name:
        return False
    return kind in FUNCTIONS or (kind == "STT_NOTYPE" and bool(elf.get_section(section)["sh_flags"] & SHF_EXECINSTR))


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


class _Called(Loop):
    """A loop of which nobody has said that what it returns is a checksum."""

    def run(self, operations: int) -> None:
        super().run(operations)
