"""Where in the source something is, as code review takes it: a path relative to the repository, and a line."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from pathlib import Path, PurePath

from armprof.report.harmless import printable

LONGEST = 1000  # characters of a path or a name
LAST_LINE = 2**31 - 1
MOST_FILES = 200_000  # that are looked through


@dataclass(frozen=True, slots=True)
class Location:
    """``file`` is relative to the repository's root, with slashes, and never leads out of it."""

    file: str
    line: int
    function: str = ""


def located(file: str | None, line: int | None = None, function: str | None = None) -> Location | None:
    """The location as seen from the repository around the working directory.

    Compilers name files by what they were called with, often by no more than a name: then it is the one file of the
    repository whose path ends so. None where there is no such file or more than one: nothing is put where it may not be.
    Without a line it is the first one.
    """
    if not file or not file.isprintable() or len(file) > LONGEST:
        return None
    root = repository(Path.cwd())
    found = _within(root, file) or _ending(root, file)
    if found is None:
        return None
    return Location(found, line if line and 1 <= line <= LAST_LINE else 1, printable(function or "")[:LONGEST])


def repository(folder: Path) -> Path:
    """The repository that the folder is in; the folder itself where it is in none."""
    return next((one for one in (folder, *folder.parents) if (one / ".git").exists()), folder)


def _within(root: Path, file: str) -> str | None:
    """The path from the root, of a file that is there."""
    inside = os.path.relpath(os.path.abspath(file), root)
    return inside if inside.split(os.sep)[0] != os.pardir and os.path.isfile(file) else None


def _ending(root: Path, file: str) -> str | None:
    """The one file of the repository that has most of the name's last parts. An absolute name is of another machine."""
    parts = [part for part in PurePath(file).parts if part != os.pardir]
    if os.path.isabs(file) or not parts:
        return None
    alike = [(_shared(path.split("/"), parts), path) for path in _files(root).get(parts[-1], ())]
    best = [path for shared, path in alike if shared == max(alike)[0]]
    return best[0] if len(best) == 1 else None


def _shared(path: Sequence[str], name: Sequence[str]) -> int:
    """How many of the last parts are the same."""
    pairs = zip(reversed(path), reversed(name), strict=False)
    return next((i for i, (one, other) in enumerate(pairs) if one != other), min(len(path), len(name)))


@lru_cache(maxsize=1)
def _files(root: Path) -> dict[str, list[str]]:
    """The files of the repository by their names. What is hidden is no source, and a checkout within it is another's."""
    found: dict[str, list[str]] = {}
    for path in islice(_walked(root), MOST_FILES):
        found.setdefault(path.rpartition("/")[2], []).append(path)
    return found


def _walked(root: Path) -> Iterator[str]:
    for folder, folders, names in os.walk(root):
        kept = (name for name in folders if not name.startswith(".") and not os.path.exists(f"{folder}/{name}/.git"))
        folders[:] = sorted(kept)
        yield from (os.path.relpath(os.path.join(folder, name), root) for name in names)
