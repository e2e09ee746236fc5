"""The table of the suite, and its programs built: one library for all of them, one program for each way it is mended."""

from __future__ import annotations

import platform
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
PROGRAMS = HERE / "programs"
CSRC = HERE.parents[1] / "csrc"
SLOW = 0  # nothing is mended
FLAGS = ("-O2", "-g", "-std=gnu17", "-Wall", "-Wextra", "-Werror")
MARK = re.compile(r"/\* here: ([a-z0-9, -]+) \*/")


class BuildError(Exception):
    """What the compiler said, or that there is none."""


@dataclass(frozen=True)
class Pair:
    """A row of suite.toml, which says what the fields mean."""

    program: str
    rounds: int
    causes: Sequence[str] = ()
    fix: Sequence[str] = ()
    flags: Sequence[str] = ()
    slow: Sequence[str] = ()
    fixed: Sequence[str] = ()
    generate: str | None = None
    settings: Mapping[str, int] = field(default_factory=dict)
    fixed_settings: Mapping[str, int] = field(default_factory=dict)
    in_program: bool = True
    pmu: Sequence[str] = ()
    beyond: Sequence[str] = ()
    spread: str | None = None
    targets: Sequence[str] = ("aarch64", "x86_64")

    @property
    def fixes(self) -> Sequence[tuple[int, str]]:
        """What FIXED is where a cause is mended, and the cause."""
        return [(1 << number, cause) for number, cause in enumerate(self.causes)]

    def marked(self, cause: str) -> Sequence[int]:
        """The lines of the source that have it."""
        lines = (PROGRAMS / f"{self.program}.c").read_text(encoding="utf-8").splitlines()
        marks = ((number, MARK.search(line)) for number, line in enumerate(lines, 1))
        return [number for number, mark in marks if mark and cause in mark[1].split(", ")]

    def has(self, cause: str, location: Mapping[str, Any] | None) -> bool:
        """Whether the place is where the cause is: its line, give or take two, or the file that it is all over."""
        file, line = (location["file"], location["line"]) if location else (None, None)
        name = file and Path(file).name
        if self.spread:
            return bool(name == self.spread)
        near = line is not None and any(abs(line - mark) <= 2 for mark in self.marked(cause))
        return name == f"{self.program}.c" and near

    def settings_of(self, fixed: int) -> Mapping[str, int]:
        """The model's."""
        return {**self.settings, **self.fixed_settings} if fixed else self.settings


@cache
def table() -> Mapping[str, Any]:
    """suite.toml."""
    return tomllib.loads((HERE / "suite.toml").read_text(encoding="utf-8"))


def pairs() -> tuple[Pair, ...]:
    """Every row, in the order of the table."""
    return tuple(Pair(**row) for row in table()["pair"])


def pair(program: str) -> Pair:
    """The row of that program. Raises KeyError where there is none."""
    return {one.program: one for one in pairs()}[program]


@dataclass(frozen=True)
class Builder:
    """Compiles for one target into a folder, each thing once; `flags` come before a program's own."""

    folder: Path
    compiler: Sequence[str]
    flags: Sequence[str] = ("-static",)

    def program(self, pair: Pair, fixed: int = SLOW) -> Path:
        """The program, mended so far. Raises BuildError where it does not compile."""
        fixed = fixed if pair.in_program else SLOW
        out = self.folder / f"{pair.program}-{fixed}"
        if out.exists():
            return out
        own = [*pair.flags, *(pair.fixed if fixed else pair.slow)]
        if fixed:
            own.append(f"-DFIXED={fixed}")
        source = [f"-I{PROGRAMS}", f"-I{CSRC}/include", f"-I{self.folder}", str(PROGRAMS / f"{pair.program}.c")]
        if pair.generate:
            _run([sys.executable, str(PROGRAMS / "generate.py"), pair.generate, f"{self.folder}/{pair.generate}.inc"])
        self._compile([*FLAGS, *own, *source, str(self.library()), "-lpthread"], out)
        return out

    def library(self) -> Path:
        """armprof's C library, relocatable in one piece."""
        out = self.folder / "armprof.o"
        if not out.exists():
            sources = sorted(map(str, (CSRC / "counters").glob("*.c")))
            self._compile(["-O2", "-std=gnu17", f"-I{CSRC}/include", "-r", "-nostdlib", *sources], out)
        return out

    def _compile(self, arguments: Sequence[str], out: Path) -> None:
        made = out.with_suffix(f"{out.suffix}.new")
        _run([*self.compiler, *(self.flags if "-r" not in arguments else ()), *arguments, "-o", str(made)])
        made.rename(out)


def builder(folder: Path, target: str) -> Builder:
    """For "aarch64" or "x86_64". Raises BuildError where no compiler for it is found."""
    native = platform.machine() == target
    compiler = "cc" if native else f"{target}-linux-gnu-gcc"
    if shutil.which(compiler) is None:
        raise BuildError(f"there is no {compiler}" + ("" if native else f"; apt install gcc-{target}-linux-gnu"))
    folder.mkdir(parents=True, exist_ok=True)
    return Builder(folder, (compiler,))


def _run(command: Sequence[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise BuildError(f"{' '.join(command)}\n{done.stderr}")
