"""Debug information kept in files of its own: by build id, or by the name and checksum that a program has."""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator
from pathlib import Path

from armprof.binary.elf import Elf
from armprof.errors import ArmprofError

# Where Debian and others install it; GDB's name for it is the debug-file-directory. Others are named by the user.
FOLDERS = "ARMPROF_DEBUG_PATH"
DEFAULT = "/usr/lib/debug"


def folders() -> list[Path]:
    told = [Path(part) for part in os.environ.get(FOLDERS, "").split(":") if part]
    return [*told, Path(DEFAULT)]


def with_debug(elf: Elf) -> Elf | None:
    """The file with the debug information of this one: itself, one of its own, or None."""
    return elf if elf.section(".debug_info") or elf.section(".zdebug_info") else debug_file(elf)


def debug_file(elf: Elf) -> Elf | None:
    """The file with the debug information of this one, which has none itself."""
    if elf.build_id is not None:
        for folder in folders():
            found = _opened(_by_build_id(folder, elf.build_id))
            if found is not None and found.build_id == elf.build_id:
                return found
    name, checksum = _link(bytes(elf.bytes_of(elf.section(".gnu_debuglink"))))
    for path in _linked(elf.path, name):
        found = _opened(path)
        if found is not None and zlib.crc32(found.data) == checksum:
            return found
    return None


def alternate_file(elf: Elf) -> Elf | None:
    """The file with what several files of debug information share, as dwz makes it."""
    name, _, build_id = bytes(elf.bytes_of(elf.section(".gnu_debugaltlink"))).partition(b"\0")
    if not name:
        return None
    written = os.fsdecode(name)
    paths = [elf.path.parent / written, *(_by_build_id(folder, build_id.hex()) for folder in folders())]
    found = (_opened(path) for path in paths)
    return next((one for one in found if one is not None and one.build_id == build_id.hex()), None)


def _by_build_id(folder: Path, build_id: str) -> Path:
    return folder / ".build-id" / build_id[:2] / f"{build_id[2:]}.debug"


def _link(section: bytes) -> tuple[str, int]:
    """The name of the file, and the CRC-32 of what is in it, at the next multiple of four."""
    name = section.partition(b"\0")[0]
    at = len(name) + 4 & ~3
    return os.fsdecode(name), int.from_bytes(section[at : at + 4], "little")


def _linked(path: Path, name: str) -> Iterator[Path]:
    """Where GDB looks for it, in its order."""
    if not name or "/" in name:
        return
    folder = Path(os.path.realpath(path)).parent
    yield folder / name
    yield folder / ".debug" / name
    for root in folders():
        yield root / folder.relative_to("/") / name


def _opened(path: Path) -> Elf | None:
    try:
        return Elf(path) if path.is_file() else None
    except (ArmprofError, OSError, ValueError):
        return None
