"""Compiles C for the guest, against the guest's own headers and libraries (its libpapi among them)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from . import cache
from .rootfs import root

COMPILER = "aarch64-linux-gnu-gcc"


def sysroot_flags(sysroot: Path) -> list[str]:
    """Flags that keep the cross-compiler off its own C library, which may be newer than the guest's."""
    includes = [f"{sysroot}/usr/include/aarch64-linux-gnu", f"{sysroot}/usr/include"]
    return [f"--sysroot={sysroot}", *(f"-isystem{include}" for include in includes)]


def compile_c(arguments: Sequence[str | Path], out: Path, cwd: Path | None = None) -> Path:
    """Compiles and links `out` with `arguments` (sources, -static, -lpapi and the like), run in `cwd`.

    Raises MissingError without a cross-compiler, BuildError where the sources do not compile.
    """
    compiler = cache.need_tool(COMPILER, "gcc-aarch64-linux-gnu")
    command = [compiler, *sysroot_flags(root().folder), *map(str, arguments), "-o", str(out)]
    cache.run(command, what=f"compiling {out.name} for the guest", cwd=cwd)
    return out
