"""Where in the source something is, as code review takes it: a path relative to the repository, and a line."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from armprof.report.pieces import printable

LONGEST_PATH = 1000
LAST_LINE = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Location:
    """``file`` is relative to the repository's root, with slashes, and never leads out of it."""

    file: str
    line: int
    function: str = ""


def located(file: str | None, line: int | None = None, function: str | None = None) -> Location | None:
    """The location as seen from the repository around the working directory.

    None where the file is not known or not within the repository: nothing is annotated that nobody can see there. Without
    a line it is the first one.
    """
    if not file or not file.isprintable() or len(file) > LONGEST_PATH:
        return None
    root = repository(Path.cwd())
    inside = os.path.relpath(os.path.abspath(file), root)
    if inside == os.curdir or inside.split(os.sep)[0] == os.pardir:
        return None
    return Location(inside, line if line and 1 <= line <= LAST_LINE else 1, printable(function or "")[:LONGEST_PATH])


def repository(folder: Path) -> Path:
    """The repository that the folder is in; the folder itself where it is in none."""
    return next((one for one in (folder, *folder.parents) if (one / ".git").exists()), folder)
