"""What is built for the guest is kept outside the repository, and is either whole or not there."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from subprocess import PIPE, STDOUT

KEPT = 3  # of each kind: the current one, and those of other branches or checkouts


class MissingError(Exception):
    """The guest cannot be had on this machine. The text is one line: what is missing and how to get it."""


class BuildError(Exception):
    """A step of a build failed: which one, and the last lines of what its command said."""

    def __init__(self, what: str, output: str) -> None:
        self.what = what
        self.lines = output.strip().splitlines()[-60:]
        super().__init__("\n".join([f"{what} failed:", *self.lines]))

    @property
    def brief(self) -> str:
        """In one line, with the lines that speak of an error, or else the last ones."""
        errors = [line for line in self.lines if re.search(r"^E:|error", line, re.IGNORECASE)]
        return f"{self.what} failed: {' | '.join((errors or self.lines)[-3:])}"


def folder() -> Path:
    """The cache: $ARMPROF_CACHE, else `armprof` in the user's cache folder."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(os.environ.get("ARMPROF_CACHE") or Path(home) / "armprof").absolute()


def built(kind: str, key: str, build: Callable[[Path], None]) -> Path:
    """The folder `kind-key` of the cache; `build` fills it where it is not there yet.

    A lock keeps test runs side by side from building one thing twice.
    """
    place = folder() / f"{kind}-{key}"
    place.parent.mkdir(parents=True, exist_ok=True)
    with (folder() / f"{kind}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not place.exists():
            for killed in folder().glob(f"unfinished-{kind}-*"):
                shutil.rmtree(killed)
            with tempfile.TemporaryDirectory(prefix=f"unfinished-{kind}-", dir=folder()) as temporary:
                new = Path(temporary) / "new"
                new.mkdir()
                build(new)
                new.rename(place)
        os.utime(place)
        same_kind = sorted(folder().glob(f"{kind}-*"), key=lambda path: path.stat().st_mtime)
        for old in same_kind[:-KEPT]:
            shutil.rmtree(old)
    return place


def say(text: str) -> None:
    """One line of progress, on stderr."""
    print(f"guest: {text}", file=sys.stderr, flush=True)


def need_tool(program: str, package: str) -> str:
    """The full path of a program of this machine; raises MissingError with the package that brings it."""
    path = shutil.which(program)
    if path is None:
        raise MissingError(f"{program} is missing: apt install {package}")
    return path


def run(command: Sequence[str], what: str, cwd: Path | None = None, env: Mapping[str, str] | None = None) -> None:
    """Runs one command of a build; raises BuildError where its status is not 0."""
    done = subprocess.run(command, check=False, stdout=PIPE, stderr=STDOUT, cwd=cwd, env=env)
    if done.returncode:
        raise BuildError(what, done.stdout.decode(errors="replace"))
