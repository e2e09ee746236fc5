"""The names of functions as people write them, by LLVM's demangler: C++ and Rust."""

from __future__ import annotations

MANGLED = ("_Z", "__Z", "_R", "___Z")


def readable(name: str) -> str:
    """``std::sort(int*, int*)`` for what the linker calls ``_ZSt4sortPiS_``; other names as they are.

    What a compiler adds to the clones that it makes (``.constprop.0``, ``.cold``) stays, in brackets.
    """
    if not name.startswith(MANGLED):
        return name
    try:
        from pydemumble import demangle
    except ImportError:  # there is none for Windows
        return name
    return demangle(name) or name
