"""The source text that places stand on, as it is on disk now: lines that are harmless to show, and excerpts of them."""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePath

from armprof.report.harmless import printable
from armprof.report.location import located, repository

LARGEST = 8 << 20  # bytes of a file that are read
LONGEST = 200  # characters of a line that are shown
TAB = 4
AROUND = 2  # lines before and behind one that an excerpt is about
# What files of source code are called; headers of the C++ library have no suffix, below a folder `include`.
# fmt: off
SUFFIXES = frozenset((
    ".adb", ".ads", ".asm", ".c", ".c++", ".cc", ".cl", ".cpp", ".cu", ".cuh", ".cxx", ".d", ".def", ".f",
    ".f03", ".f08", ".f90", ".f95", ".for", ".go", ".h", ".h++", ".hh", ".hpp", ".hs", ".hxx", ".i", ".ii",
    ".inc", ".inl", ".ipp", ".ispc", ".java", ".jl", ".kt", ".l", ".ll", ".m", ".ml", ".mm", ".nim", ".pas",
    ".pxd", ".pxi", ".py", ".pyx", ".rs", ".s", ".scala", ".sx", ".swift", ".tcc", ".tpp", ".v", ".vala", ".y",
    ".zig",
))
# fmt: on


@dataclass(frozen=True, slots=True)
class Source:
    """The lines of a file, or why there are none."""

    lines: Sequence[str] = ()
    reason: str | None = None

    def titled(self, name: str) -> str:
        """The name of the file; why there is no text of it where there is none."""
        return name if self.reason is None else f"{name}: no source text: {self.reason}"

    def line(self, number: int | None) -> str | None:
        """The line of that number, from 1, without its indentation; None where it is not there or empty."""
        found = self.lines[number - 1].strip() if number and 1 <= number <= len(self.lines) else ""
        return found or None


@dataclass(frozen=True, slots=True)
class Row:
    """A line of an excerpt, and what there is to say of it; without a number lines are left out at that place."""

    number: int | None = None
    cells: tuple[str, ...] = ()
    content: str = ""
    hot: bool = False


def excerpt(found: Source, told: Mapping[int, tuple[str, ...]], hot: Collection[int]) -> Iterator[Row]:
    """The lines that something is told of, as many cells of each, and those around them."""
    nothing = tuple("" for cells in list(told.values())[:1] for _ in cells)
    before = 0
    for number in _with_neighbours(told, len(found.lines)):
        if before and number > before + 1:
            yield Row()
        before = number
        content = found.lines[number - 1] if 1 <= number <= len(found.lines) else ""  # a file may say anything
        yield Row(number, told.get(number, nothing), content, number in hot)


def _with_neighbours(lines: Collection[int], last: int) -> list[int]:
    near = {number + step for number in lines for step in range(-AROUND, AROUND + 1)}
    return sorted({number for number in near if 1 <= number <= last} | set(lines))


def source(file: str, public: bool = False) -> Source:
    """The text of a file as debug information names it: there, or the one file of the repository that it may mean.

    Files of counts come from anywhere, and name what they like: what is not called as source is (a key, a password file, the
    .git/config that holds a CI's token) is not read. ``public`` is for reports that others read: it shows no file from
    outside the repository.
    """
    at = located(file)
    root = os.path.realpath(repository(Path.cwd()))
    inside = None if at is None else os.path.realpath(f"{root}/{at.file}")
    if inside is not None and inside.startswith(f"{root.rstrip('/')}/"):
        return _read(inside)
    if public:
        return Source(reason="it is not in this repository")
    if not os.path.isabs(file):
        return Source(reason="there is no such file here, or there are several")
    return _read(file)


@lru_cache(maxsize=64)
def _read(path: str) -> Source:
    try:
        named = PurePath(os.path.realpath(path))
        if named.suffix.lower() not in SUFFIXES and (named.suffix or "include" not in named.parts):
            return Source(reason="its name is not one of source code")
        # what is no file may never end; without O_NONBLOCK a pipe waits for its writer
        with open(named, "rb", opener=lambda path, flags: os.open(path, flags | getattr(os, "O_NONBLOCK", 0))) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                return Source(reason="it is no file")
            content = file.read(LARGEST + 1)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        return Source(reason=f"it cannot be read: {getattr(error, 'strerror', None) or error}")
    if len(content) > LARGEST:
        return Source(reason=f"it is larger than {LARGEST >> 20} MiB")
    if b"\0" in content:
        return Source(reason="it is no text")
    return Source(tuple(map(_shown, content.decode("utf-8", "replace").split("\n"))))


def _shown(line: str) -> str:
    """Printable, and cut where it is absurdly long."""
    line = printable(line[: 2 * LONGEST].rstrip().expandtabs(TAB))
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 3]}..."
