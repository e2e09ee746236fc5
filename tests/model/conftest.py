"""ARM64 programs for the model: compiled once for all tests, which are skipped where that cannot be."""

from __future__ import annotations

import platform
import shutil
import subprocess
from pathlib import Path

import pytest
from arm64_programs import Compile

from armprof.counters.model import emulator
from armprof.errors import CannotCount

PROGRAMS = Path(__file__).parent / "programs"
CSRC = Path(__file__).parents[2] / "csrc"


@pytest.fixture(scope="session")
def arm64(tmp_path_factory: pytest.TempPathFactory) -> Compile:
    """arm64("walks") compiles programs/walks.c statically, with armprof's C library; further words are flags."""
    compiler = "cc" if platform.machine() == "aarch64" else "aarch64-linux-gnu-gcc"
    try:
        emulator.require()
    except CannotCount as error:
        pytest.skip(f"the model is not tested: {error}")
    if shutil.which(compiler) is None:
        pytest.skip(f"the model is not tested: there is no {compiler}; apt install gcc-aarch64-linux-gnu")
    folder, made = tmp_path_factory.mktemp("arm64"), {}

    def compile_program(name: str, *flags: str) -> Path:
        if (name, flags) not in made:
            out = folder / f"{name}{len(made)}"
            linked = flags if "-shared" in flags or "-dynamic" in flags else ("-static", *flags)
            command = [
                compiler,
                "-O2",
                "-g",
                "-std=gnu17",
                *(f for f in linked if f != "-dynamic"),
                f"-I{CSRC}/include",
            ]
            sources = [PROGRAMS / f"{name}.c", *sorted((CSRC / "counters").glob("*.c"))]
            done = subprocess.run(
                [*command, *map(str, sources), "-o", str(out), "-lpthread"], capture_output=True, text=True, check=False
            )
            if done.returncode != 0 and "bits/libc-header-start.h" in done.stderr:
                pytest.skip("the model is not tested: no C library for ARM64; apt install libc6-dev-arm64-cross")
            assert done.returncode == 0, done.stderr
            made[name, flags] = out
        return made[name, flags]

    return compile_program
