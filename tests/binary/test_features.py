"""What cores and architectures have, beside what the compilers that are installed let a program for them use."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from functools import cache
from importlib.resources import files

import pytest
from building import ARM64

from armprof.cpu import features

# What GCC and clang define where the feature may be used (Arm C Language Extensions); others have no macro in all of them.
MACROS = {
    "crc": "CRC32",
    "lse": "ATOMICS",
    "rdm": "QRDMX",
    "fp16": "FP16_VECTOR_ARITHMETIC",
    "dotprod": "DOTPROD",
    "sve": "SVE",
    "sve2": "SVE2",
    "bf16": "BF16_VECTOR_ARITHMETIC",
    "i8mm": "MATMUL_INT8",
}
# Debian's, which know no core that is younger than they are, and zig's clang, which writes names in its own way.
ZIG = (sys.executable, "-m", "ziglang", "cc", "-target", "aarch64-linux-gnu")
COMPILERS = {"gcc": (ARM64,), "clang": ("clang", "--target=aarch64-linux-gnu"), "zig": ZIG}
TABLE = tomllib.loads(files("armprof.cpu").joinpath("features.toml").read_text())


@cache
def allowed(compiler: str, flag: str) -> frozenset[str] | None:
    """The features that the compiler uses with the flag; None where it does not know it, or is missing."""
    command = [*COMPILERS[compiler], flag, "-dM", "-E", "-x", "c", "/dev/null"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return None
    defined = {line.split()[1] for line in done.stdout.splitlines() if line.startswith("#define")}
    return None if done.returncode else frozenset(f for f, m in MACROS.items() if f"__ARM_FEATURE_{m}" in defined)


def zigs(architecture: str) -> str:
    """armv8.2-a in zig's words."""
    return f"-mcpu=generic+{architecture.removeprefix('arm').replace('-a', 'a').replace('.', '_')}"


@pytest.mark.parametrize("core", TABLE["cores"])
def test_a_core_has_what_compilers_use_on_it(core: str) -> None:
    name = features.mcpu(core)
    known = [
        found
        for compiler in COMPILERS
        if (found := allowed(compiler, f"-mcpu={name.replace('-', '_') if compiler == 'zig' else name}")) is not None
    ]
    if not known:
        pytest.skip(f"no compiler here knows {name}")
    # each leaves out something that a later version of it has: together they are complete
    assert features.of_core(core) & MACROS.keys() == frozenset().union(*known)


@pytest.mark.parametrize("name", TABLE["brings"])
def test_an_architecture_lets_use_what_compilers_use(name: str) -> None:
    known = [found for found in (allowed("gcc", f"-march={name}"), allowed("zig", zigs(name))) if found is not None]
    if not known:
        pytest.skip(f"no compiler here knows {name}")
    assert all(features.of_flag(f"-march={name}") & MACROS.keys() == found for found in known)


def test_every_core_is_of_an_architecture_of_the_table() -> None:
    for core in TABLE["cores"]:
        assert TABLE["cores"][core][1] in TABLE["brings"]
        assert features.of_flag(f"-mcpu={features.mcpu(core)}") == features.of_core(core)
