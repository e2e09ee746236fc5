"""The debug information of a file, read by the C code in csrc/dwarf into arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from armprof.binary.elf import Elf
from armprof.errors import ArmprofError

SECTIONS = ("info", "abbrev", "line", "str", "line_str", "ranges", "rnglists", "addr", "str_offsets")

# As in csrc/dwarf/dwarf.h, which says what they mean.
ROW = np.dtype([("address", "<u8"), ("file", "<u4"), ("line", "<u4")])
SCOPE = np.dtype([("parent", "<u4"), ("name", "<u4"), ("file", "<u4"), ("line", "<u4")])
PIECE = np.dtype([("start", "<u8"), ("scope", "<u4"), ("padding", "<u4")])
UNIT = np.dtype([("name", "<u4"), ("producer", "<u4"), ("language", "<u4"), ("version", "<u4")])


def read(elf: Elf, alternate: Elf | None, code: Any) -> tuple[dict[str, Any], bool]:
    """The arrays, and whether all was read. ``code`` is where the program's code is."""
    try:
        from armprof import _dwarf
    except ImportError as error:
        raise ArmprofError(f"the native module is missing ({error}); install armprof from its built package") from None
    ffi, lib = _dwarf.ffi, _dwarf.lib
    files, kept = [ffi.new("dwarf_file *"), ffi.new("dwarf_file *")], []
    for file, source in zip(files, (elf, alternate), strict=True):
        for name in SECTIONS:
            data = source.debug(name) if source is not None else b""
            if len(data):
                buffer = ffi.from_buffer("uint8_t[]", data)
                kept.append(buffer)
                section = getattr(file, name)
                section.bytes, section.size = buffer, len(data)
    spans = ffi.from_buffer("dwarf_span[]", np.ascontiguousarray(code, np.uint64)) if len(code) else ffi.NULL
    made = lib.dwarf_index_make(files[0], files[1], spans, len(code))
    if made == ffi.NULL:
        raise MemoryError(f"no memory for the debug information of {elf.path}")
    try:

        def array(items: Any, count: int, dtype: Any) -> Any:
            size = count * dtype.itemsize
            return np.frombuffer(ffi.buffer(items, size), dtype).copy() if size else np.empty(0, dtype)

        arrays = {
            "rows": array(made.rows, made.row_count, ROW),
            "scopes": array(made.scopes, made.scope_count, SCOPE),
            "pieces": array(made.pieces, made.piece_count, PIECE),
            "units": array(made.units, made.unit_count, UNIT),
            "texts": array(made.texts, made.texts_size, np.dtype("u1")),
            "text_starts": array(made.text_starts, made.text_count, np.dtype("<u8")),
        }
        return arrays, bool(made.complete)
    finally:
        lib.dwarf_index_free(made)
