"""Kernels counted on the modelled core, where no PMU counts: compiled for ARM64, their loops run as regions."""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path

from armprof.components.feed import GENERATED_MESSAGES
from armprof.components.work import Definition
from armprof.counters.model import emulator, events, readings
from armprof.counters.model.counts import Bank, Counts
from armprof.counters.model.geometry import Geometry, geometry
from armprof.counters.reading import Reading
from armprof.errors import CannotCount
from armprof.run.attribution import attributed
from armprof.run.record import Component

SOURCES = Path(__file__).parents[1] / "csrc"  # beside the package's modules, since it is compiled here
OPERATIONS = 1 << 17  # of each kernel, after as many that fill the caches
FLAGS = ("-std=c17", "-O3", "-DNDEBUG", "-g", "-static")  # the same optimisation as the native module


@dataclass(frozen=True)
class EmulatedCounts:
    """What a kernel counted on the model, over so many operations; ``banks`` are those of its loop."""

    reading: Reading
    operations: int
    counts: Counts
    geometry: Geometry
    banks: tuple[Bank, ...]

    def tell(self, component: Component) -> Component:
        """The component with all of it."""
        component = replace(component, reading=self.reading, reading_operations=self.operations)
        return attributed(component, self.counts, self.geometry, self.banks)


class Model:
    """A modelled core for the kernels, this machine's where it has a known one.

    Raises CannotCount where there is no emulator, or no compiler that makes the program.
    """

    def __init__(self, seed: int, input: Path | None) -> None:
        self.seed, self.input = seed, input
        self.program = program()
        self.geometry = geometry()
        self.title = self.geometry.core.title

    def count(self, kernel: Definition) -> EmulatedCounts:
        """What the kernel's loop counts.

        Raises CannotCount where the kernel does not run under the emulator, or gives another checksum there than here.
        """
        input = self.input if kernel.takes_input else None
        words = [
            kernel.name,
            str(self.seed),
            str(GENERATED_MESSAGES),
            str(OPERATIONS),
            *([str(input)] if input else []),
        ]
        with tempfile.TemporaryFile() as out:
            emulated = emulator.run([str(self.program), *words], self.geometry, out=out.fileno())
            out.seek(0)
            said = out.read().decode(errors="replace").split()
        if emulated.status != 0:
            raise CannotCount(f"{kernel.name} ended with exit status {emulated.status} under the emulator")
        here = f"{kernel.set_up(self.seed, input).run(OPERATIONS):016x}"
        if said[:1] != [here]:
            raise CannotCount(
                f"{kernel.name} gives the checksum {' '.join(said[:1])} under the emulator, and {here} here"
            )
        scope = f"{OPERATIONS:,} operations, after as many to warm up"
        banks = readings.within(emulated.counts, kernel.name)
        reading = readings.reading(emulated.counts, self.geometry, events.DEFAULT, scope, banks)
        return EmulatedCounts(reading, OPERATIONS, emulated.counts, self.geometry, banks)


def program() -> Path:
    """The kernels as an ARM64 program, compiled when they are first asked for and kept in the user's cache.

    Raises CannotCount where there is no compiler that makes one, or no emulator to run it in.
    """
    emulator.require()
    sources = sorted(path for path in SOURCES.rglob("*.[ch]"))
    content = hashlib.sha256("\0".join(FLAGS).encode())
    for path in sources:
        content.update(path.name.encode() + path.read_bytes())
    name = f"kernels-{content.hexdigest()[:16]}"
    kept = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "armprof")
    try:
        kept.mkdir(parents=True, exist_ok=True)
    except OSError:
        kept = Path(tempfile.gettempdir())
    if not (kept / name).is_file():
        _compile(sources, kept / name)
    return kept / name


def _compilers() -> list[list[str]]:
    """Those that may be here, the best first."""
    native = [["cc"]] if platform.machine() == "aarch64" else []
    zig = [[shutil.which("zig") or "zig", "cc", "-target", "aarch64-linux-musl"]]
    if find_spec("ziglang"):
        import sys

        zig.append([sys.executable, "-m", "ziglang", "cc", "-target", "aarch64-linux-musl"])
    return [words for words in (*native, ["aarch64-linux-gnu-gcc"], *zig) if shutil.which(words[0])]


def _compile(sources: Sequence[Path], out: Path) -> None:
    files = [str(path) for path in sources if path.suffix == ".c"]
    include = [f"-I{folder}" for folder in sorted({path.parent for path in sources})]
    why = "there is no C compiler for ARM64"
    for compiler in _compilers():
        with tempfile.TemporaryDirectory(dir=out.parent, prefix=".armprof-") as folder:
            made = Path(folder, "kernels")
            command = [*compiler, *FLAGS, *include, *files, "-o", str(made), "-lpthread", "-lm"]
            done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
            if done.returncode == 0:
                made.replace(out)
                return
            errors = [line for line in done.stderr.splitlines() if "error" in line] or done.stderr.splitlines()[-1:]
            why = f"{compiler[0]} does not compile the kernels for ARM64: {''.join(errors[:1])}"
    raise CannotCount(
        why, "install one: apt install gcc-aarch64-linux-gnu libc6-dev-arm64-cross, or pip install 'armprof[model]'"
    )
