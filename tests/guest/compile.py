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


def compile_c(sources: Sequence[Path], out: Path, flags: Sequence[str] = ()) -> Path:
    """Compiles and links `sources` to `out` with `flags` (-static, -shared -fPIC, -lpapi); returns `out`."""
    compiler = cache.need_tool(COMPILER, "gcc-aarch64-linux-gnu")
    common = ["-std=gnu17", "-O2", "-Wall", "-Wextra", "-Werror", *sysroot_flags(root().folder)]
    out.parent.mkdir(parents=True, exist_ok=True)
    cache.run(
        [compiler, *common, *map(str, sources), "-o", str(out), *flags],
        what=f"compiling {out.name} for the guest",
    )
    return out
