"""The debug information of a file, read by the C code in csrc/dwarf into arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from armprof.binary.elf import Elf
from armprof.binary.split import Split
from armprof.errors import ArmprofError

SECTIONS = ("info", "abbrev", "line", "str", "line_str", "ranges", "rnglists", "addr", "str_offsets")

# As in csrc/dwarf/dwarf.h, which says what they mean.
ROW = np.dtype([("address", "<u8"), ("file", "<u4"), ("line", "<u4")])
SCOPE = np.dtype([("parent", "<u4"), ("name", "<u4"), ("file", "<u4"), ("line", "<u4")])
PIECE = np.dtype([("start", "<u8"), ("scope", "<u4"), ("padding", "<u4")])
UNIT = np.dtype([("name", "<u4"), ("producer", "<u4"), ("language", "<u4"), ("version", "<u4")])
SKELETON = np.dtype([("id", "<u8"), ("name", "<u4"), ("directory", "<u4"), ("found", "<u4"), ("padding", "<u4")])

STRUCTURE = np.dtype(
    [("size", "<u8"), ("align", "<u8"), ("name", "<u4"), ("file", "<u4"), ("line", "<u4"), ("irregular", "<u4")]
)
MEMBER = np.dtype([("offset", "<u8"), ("size", "<u8"), ("align", "<u8"), ("structure", "<u4"), ("name", "<u4")])
VARIABLE = np.dtype([("address", "<u8"), ("name", "<u4"), ("structure", "<u4")])
TEXTS = np.dtype("u1")
STARTS = np.dtype("<u8")

# Of each array its name here, that of its count in C, and what it holds.
INDEX = {
    "rows": ("row_count", ROW),
    "scopes": ("scope_count", SCOPE),
    "pieces": ("piece_count", PIECE),
    "units": ("unit_count", UNIT),
    "skeletons": ("skeleton_count", SKELETON),
    "texts": ("texts_size", TEXTS),
    "text_starts": ("text_count", STARTS),
}
LAYOUT = {
    "structures": ("structure_count", STRUCTURE),
    "members": ("member_count", MEMBER),
    "variables": ("variable_count", VARIABLE),
    "texts": ("texts_size", TEXTS),
    "text_starts": ("text_count", STARTS),
}


def read(elf: Elf, alternate: Elf | None, splits: Sequence[Split], code: Any) -> tuple[dict[str, Any], bool]:
    """The arrays of the index, and whether all was read. ``code`` is where the program's code is."""
    ffi, lib = _native()
    files, _kept = _files(ffi, elf, alternate, splits)
    spans = ffi.from_buffer("dwarf_span[]", np.ascontiguousarray(code, np.uint64)) if len(code) else ffi.NULL
    return _arrays(ffi, elf, lib.dwarf_index_make(files, spans, len(code)), INDEX, lib.dwarf_index_free)


def layout(elf: Elf, alternate: Elf | None, splits: Sequence[Split]) -> tuple[dict[str, Any], bool]:
    """The arrays that tell of structures, and whether all was read."""
    ffi, lib = _native()
    files, _kept = _files(ffi, elf, alternate, splits)
    return _arrays(ffi, elf, lib.dwarf_layout_make(files), LAYOUT, lib.dwarf_layout_free)


def _native() -> tuple[Any, Any]:
    try:
        from armprof import _dwarf
    except ImportError as error:
        raise ArmprofError(
            f"debug information is read by a native module, and it is missing ({error}); install armprof from a wheel or with "
            "a C compiler, on Linux"
        ) from None
    return _dwarf.ffi, _dwarf.lib


def _files(ffi: Any, elf: Elf, alternate: Elf | None, splits: Sequence[Split]) -> tuple[Any, list[Any]]:
    """All files as C has them, and what must live as long."""
    files, units, kept = ffi.new("dwarf_files *"), ffi.new("dwarf_split[]", len(splits)), []

    def put(file: Any, name: str, data: memoryview) -> None:
        if len(data):
            kept.append(ffi.from_buffer("uint8_t[]", data))
            section = getattr(file, name)
            section.bytes, section.size = kept[-1], len(data)

    for file, source in ((files.main, elf), (files.alternate, alternate)):
        for name in SECTIONS:
            put(file, name, source.debug(name) if source is not None else memoryview(b""))
    for unit, split in zip(units, splits, strict=True):
        unit.id = split.id
        for name, data in split.sections.items():
            put(unit.file, name, data)
    files.splits, files.split_count = units, len(splits)
    return files, [units, *kept]


def _arrays(ffi: Any, elf: Elf, made: Any, told: dict[str, Any], free: Any) -> tuple[dict[str, Any], bool]:
    if made == ffi.NULL:
        raise MemoryError(f"no memory for the debug information of {elf.path}")
    try:
        arrays = {}
        for name, (count, dtype) in told.items():
            size = getattr(made, count) * dtype.itemsize
            data = np.frombuffer(ffi.buffer(getattr(made, name), size), dtype).copy() if size else np.empty(0, dtype)
            arrays[name] = data
        return arrays, bool(made.complete)
    finally:
        free(made)
