"""What ELF files say of their code: the functions, the variables, the source lines and inlined calls at an address.

A leaf: it knows ELF, DWARF and A64 code, and nothing of armprof but its errors and how files are written. Names are imported
when they are first used: whoever wants the hash of a function alone does not wait for numpy.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from armprof.binary.binary import Binary as Binary
    from armprof.binary.binary import Function as Function
    from armprof.binary.binary import Line as Line
    from armprof.binary.binary import Resolved as Resolved
    from armprof.binary.binary import SourceFrame as SourceFrame
    from armprof.binary.space import Mapping as Mapping
    from armprof.binary.space import ModulePlace as ModulePlace
    from armprof.binary.space import Space as Space

_HOME = {
    "Binary": "binary",
    "SourceFrame": "binary",
    "Function": "binary",
    "Line": "binary",
    "Resolved": "binary",
    "Mapping": "space",
    "ModulePlace": "space",
    "Space": "space",
}

__all__ = ["Binary", "Function", "Line", "Mapping", "ModulePlace", "Resolved", "SourceFrame", "Space"]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'armprof.binary' has no attribute {name!r}")
    value = getattr(import_module(f"armprof.binary.{_HOME[name]}"), name)
    globals()[name] = value
    return value
