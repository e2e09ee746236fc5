"""What units of a program keep in files of their own (-gsplit-dwarf): one file for each (.dwo), or all in one (.dwp)."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from armprof.binary.elf import Elf
from armprof.binary.separate import folders
from armprof.errors import ArmprofError

PACKAGE = ".dwp"

# The columns of a package's index: what they are of, in GNU's format (2) and in DWARF 5's (section 7.3.5).
INFO, TEXTS = "info", "str"
COLUMNS = {
    2: {1: INFO, 3: "abbrev", 4: "line", 6: "str_offsets"},
    5: {1: INFO, 3: "abbrev", 4: "line", 6: "str_offsets", 8: "rnglists"},
}


class Skeleton(NamedTuple):
    """A unit whose entries are elsewhere: the file as it was compiled, and the folder that this was done in."""

    id: int
    name: str
    folder: str


class Split(NamedTuple):
    """The sections of one such file that a unit is in, those of a package cut to what is the unit's."""

    id: int
    sections: Mapping[str, memoryview]


def files(skeletons: Sequence[Skeleton], programs: Sequence[Path]) -> tuple[list[Path], list[Path]]:
    """The packages beside the programs, and the single files, as far as they are there."""
    packages = [path for program in programs if _is_file(path := Path(f"{program}{PACKAGE}"))]
    single = (next(filter(_is_file, _places(one, programs)), None) for one in skeletons)
    return packages, list(dict.fromkeys(path for path in single if path is not None))


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # a name that is too long, or none
        return False


def stamp(skeletons: Sequence[Skeleton], programs: Sequence[Path]) -> list[list[Any]]:
    """What changes when one of the files does, or comes, or goes."""
    packages, single = files(skeletons, programs)
    told = ((path, os.stat(path)) for path in (*packages, *single))
    return [[str(path), file.st_size, file.st_mtime_ns] for path, file in told]


def read(skeletons: Sequence[Skeleton], programs: Sequence[Path]) -> list[Split]:
    """What is there of the units: from packages, and of what is in none from single files."""
    packages, single = files(skeletons, programs)
    left = {one.id for one in skeletons}
    found: list[Split] = []
    for path in packages:
        units = [unit for unit in _package(path) if unit.id in left]
        left -= {unit.id for unit in units}
        found += units
    there, by_file = frozenset(single), dict[Path, list[int]]()
    for one in skeletons:
        own = next((place for place in _places(one, programs) if place in there), None) if one.id in left else None
        if own is not None:
            by_file.setdefault(own, []).append(one.id)
    for path, ids in by_file.items():
        file = _opened(path)
        if file is not None:
            sections = {name: file.debug(name) for name in (*COLUMNS[5].values(), TEXTS)}
            found += [Split(id, sections) for id in ids]
    return found


def _places(one: Skeleton, programs: Sequence[Path]) -> Iterator[Path]:
    """Where it was compiled to; or, as files that were moved, beside the program and below the folders for such files."""
    if not one.name:
        return
    yield Path(one.folder, one.name)
    for folder in (*(program.parent for program in programs), *folders()):
        if not os.path.isabs(one.name):
            yield folder / one.name
        yield folder / Path(one.name).name


def _opened(path: Path) -> Elf | None:
    try:
        return Elf(path, is_split=True)
    except (ArmprofError, OSError, ValueError):
        return None


def _package(path: Path) -> Iterator[Split]:
    """The units of a package that its index names."""
    file = _opened(path)
    index = b"" if file is None else bytes(file.bytes_of(file.section(".debug_cu_index")))
    if file is None or len(index) < 16:
        return
    version, columns, rows, slots = np.frombuffer(index, "<u4", 4).tolist()
    names = COLUMNS.get(version & 0xFFFF)
    at = 16 + 12 * slots
    if names is None or len(index) < at + 4 * columns * (1 + 2 * rows):
        return
    ids = np.frombuffer(index, "<u8", slots, 16).tolist()
    id_of = dict(zip(np.frombuffer(index, "<u4", slots, 16 + 8 * slots).tolist(), ids, strict=True))
    kinds = np.frombuffer(index, "<u4", columns, at).tolist()
    starts, sizes = np.frombuffer(index, "<u4", 2 * rows * columns, at + 4 * columns).reshape(2, rows, columns)
    known = {names[kind]: column for column, kind in enumerate(kinds) if kind in names}
    whole = {name: file.debug(name) for name in known}
    # units have their parts for themselves: where many are all of the file, it would be read that many times
    if any(int(sizes[:, column].sum(dtype=np.uint64)) > len(whole[name]) for name, column in known.items()):
        return
    texts = file.debug(TEXTS)
    for row, (first, size) in enumerate(zip(starts.tolist(), sizes.tolist(), strict=True), 1):
        if row in id_of:
            cut = {name: whole[name][first[c] : first[c] + size[c]] for name, c in known.items()}
            yield Split(id_of[row], {**cut, TEXTS: texts})
