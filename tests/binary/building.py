"""Programs that the tests build, once for all of them."""

from __future__ import annotations

import functools
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

PROGRAMS = Path(__file__).parent / "programs"
ARM64 = "aarch64-linux-gnu-gcc"


def run(*command: str | Path, **more: object) -> str:
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, check=False, **more)
    assert done.returncode == 0, f"{command}\n{done.stderr}"
    return done.stdout


def needs(*programs: str) -> None:
    missing = [p for p in programs if shutil.which(p) is None]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")


@functools.cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="armprof-binary-")


@functools.cache
def build_split(compiler: str, source: str, *flags: str) -> Path:
    """The program in a folder of its own, which has what its unit keeps elsewhere, too."""
    needs(compiler)
    folder = Path(tempfile.mkdtemp(dir=_folder().name))
    run(compiler, *flags, "-gsplit-dwarf", PROGRAMS / source, "-o", "program", cwd=folder)
    return folder / "program"


@functools.cache
def build(compiler: str, source: str, *flags: str) -> Path:
    """The program (or library) of programs/SOURCE; the test is skipped where the compiler is missing."""
    needs(compiler)
    out = Path(tempfile.mkdtemp(dir=_folder().name)) / "program"
    run(compiler, *flags, PROGRAMS / source, "-o", out)
    return out
