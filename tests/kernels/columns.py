"""Messages by the hundred thousand: a C array's rows and their bytes on the wire as numpy arrays, compared field by field."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from armprof import _native

ffi = _native.ffi

Array = NDArray[Any]
EXTREMES = np.array([0, 1, 127, 128, 255], dtype=np.uint8)


def wire(fields: list[tuple[str, str]]) -> np.dtype[Any]:
    """The type of packed big-endian fields, each a name and the struct letters of its type."""
    return np.dtype([(name, _on_the_wire(letters)) for name, letters in fields])


def _on_the_wire(letters: str) -> Any:
    return {"H": ">u2", "I": ">u4", "Q": ">u8"}.get(letters, ("u1", (int(letters[:-1] or 1),)))


def native(structure: str, part: str) -> np.dtype[Any]:
    """The type of a C structure's own fields and, side by side with them, those of a structure in it."""
    whole = dict(ffi.typeof(structure).fields)
    fields = [(name, field, field.offset) for name, field in whole.items()]
    fields += [(name, field, whole[part].offset + field.offset) for name, field in whole[part].type.fields]
    flat = [(name, _in_c(field.type), offset) for name, field, offset in fields if field.type.kind != "struct"]
    names, formats, offsets = zip(*flat, strict=True)
    spec = {"names": names, "formats": formats, "offsets": offsets, "itemsize": ffi.sizeof(structure)}
    return np.dtype(spec)  # type: ignore[call-overload]


def _in_c(kind: Any) -> Any:
    is_text = kind.kind == "array" or kind.cname == "char"
    return ("u1", (ffi.sizeof(kind),)) if is_text else f"u{ffi.sizeof(kind)}"


def rows(memory: Any, kind: np.dtype[Any]) -> Array:
    """A C array as rows of this type, in the same memory."""
    return np.frombuffer(ffi.buffer(memory), dtype=kind)


def random_rows(draw: np.random.Generator, count: int, kind: np.dtype[Any]) -> Array:
    """Rows of random bytes, a quarter of them such as shifts and signs go wrong at."""
    found = draw.integers(0, 256, (count, kind.itemsize), dtype=np.uint8)
    extreme = draw.random(found.shape) < 0.25
    found[extreme] = draw.choice(EXTREMES, int(extreme.sum()))
    return found.view(kind)[:, 0]
