"""The store: a folder of run files. Each is written once and whole under a name of its own, so that any number of writers
lose nothing, and whoever is stopped half way leaves what was there.

    .armprof/runs/20261125T101500Z-3f2a9c01b7.json
    .armprof/baselines/main.json

A run's name is its time and the hash of its content: the same run kept twice is one file. Nothing else is kept: what there
is, is what the folders hold.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote

from armprof.errors import ArmprofError
from armprof.output import write_text
from armprof.run import file
from armprof.run.record import Run

FOLDER = Path(".armprof")
UNDATED = "00000000T000000Z"  # a run that does not tell when it was made is the oldest
LONGEST = 100  # characters of a baseline's name

_TIME = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(\.\d+)?(\+00:00|Z)")


@dataclass(frozen=True, slots=True)
class Kept:
    """A run of the store; ``name`` is what it is called there."""

    name: str
    path: Path
    run: Run


class RunStore:
    """The runs and baselines of a folder, which is made when something is kept."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self.folder = folder
        self._runs, self._baselines = folder / "runs", folder / "baselines"

    def add(self, run: Run) -> str:
        """Keeps the run; returns what it is called. Raises ArmprofError where it cannot be written."""
        content = file.render(run)
        made = _TIME.fullmatch(run.created)
        time = "{}{}{}T{}{}{}Z".format(*made.groups()[:6]) if made else UNDATED
        name = f"{time}-{hashlib.sha256(content.encode(errors='backslashreplace')).hexdigest()[:10]}"
        self._write(self._runs / f"{name}.json", content)
        return name

    def runs(self) -> Iterator[Kept]:
        """All runs, the oldest first. Raises ArmprofError at one that cannot be read."""
        for path in _files(self._runs):
            with suppress(FileNotFoundError):  # pruned meanwhile
                path.stat()
                yield Kept(path.stem, path, file.read(path))

    def approve(self, name: str, run: Run) -> None:
        """Makes the run the baseline of that name, in place of the one before."""
        self._write(self._baseline(name), file.render(run))

    def baseline(self, name: str) -> Run:
        """The run that was approved under that name. Raises ArmprofError where none was."""
        path = self._baseline(name)
        if not path.exists():
            known = ", ".join(self.baselines()) or "none"
            raise ArmprofError(
                f"{self.folder} has no baseline {name!r}, but {known}; `armprof history approve {name} RUN` makes it"
            )
        return file.read(path)

    def baselines(self) -> list[str]:
        """Their names."""
        return sorted(unquote(path.stem) for path in _files(self._baselines))

    def forget(self, name: str) -> None:
        """Removes the baseline. Raises ArmprofError where there is none."""
        if name not in self.baselines():
            self.baseline(name)
        self._remove(self._baseline(name))

    def prune(self, keep: int) -> int:
        """Removes the oldest runs, so that so many are left; returns how many went. Baselines stay."""
        paths = _files(self._runs)
        gone = paths[: max(0, len(paths) - keep)]
        for path in gone:
            self._remove(path)
        return len(gone)

    def _baseline(self, name: str) -> Path:
        if not name or len(name) > LONGEST or not name.isprintable():
            raise ArmprofError(
                f"{name[:LONGEST]!r} is no name of a baseline: 1 to {LONGEST} characters that can be printed"
            )
        return self._baselines / f"{quote(name, safe='')}.json"

    def _write(self, path: Path, content: str) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ArmprofError(f"cannot write {path}: {error.strerror}") from None
        write_text(path, content)

    def _remove(self, path: Path) -> None:
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise ArmprofError(f"cannot remove {path}: {error.strerror}") from None


def _files(folder: Path) -> list[Path]:
    """The run files of the folder, by name. What a writer has not finished has another ending."""
    try:
        return sorted(path for path in folder.iterdir() if path.suffix == ".json")
    except FileNotFoundError:
        return []
    except OSError as error:
        raise ArmprofError(f"cannot read {folder}: {error.strerror}") from None
