"""Running an ARM64 program under qemu-aarch64 with the model as a plugin."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from armprof.counters.command import run_command
from armprof.counters.model import counts
from armprof.counters.model.counts import Counts
from armprof.counters.model.geometry import Geometry
from armprof.cpu import Core
from armprof.errors import ArmprofError, CannotCount

EMULATORS = ("qemu-aarch64", "qemu-aarch64-static")
PLUGIN = Path(__file__).parents[2] / "plugin" / "model.so"
SYSROOTS = ("/usr/aarch64-linux-gnu",)  # where Debian's cross compilers keep the libraries

# All that the program sees is then the same in every run: its addresses whatever the kernel randomises, its random bytes.
_REPEATABLE = ("-R", "0x8000000000", "-seed", "1")

# The CPU that the program sees. The emulator's best one has SVE, which is on few of the modelled cores, and whose accesses
# the plugin is not told of; a core that the emulator has not is seen as a Neoverse N1.
SEEN_AS = {name: name for name in ("cortex-a53", "cortex-a57", "cortex-a72", "cortex-a76", "neoverse-n1")}
SEEN_ELSE = "neoverse-n1"

_ARM64, _LITTLE_64 = 183, b"\x7fELF\x02\x01"
_MACHINES = {3: "x86 (32 bit)", 40: "ARM (32 bit)", 62: "x86-64", 243: "RISC-V", 21: "PowerPC", 22: "S390"}


@dataclass(frozen=True)
class Emulated:
    """What the plugin counted, and how the program ended: its exit status, 128 + N where signal N ended it."""

    counts: Counts
    status: int


def require() -> str:
    """The emulator's path. Raises CannotCount where there is none, or where armprof was installed without the model."""
    found = next(filter(None, map(shutil.which, EMULATORS)), None)
    if found is None:
        for path in (Path(folder, EMULATORS[0]) for folder in os.get_exec_path()):
            if path.is_file():
                raise CannotCount(f"{path}, to run ARM64 programs in, is no program that may be run")
        raise CannotCount("there is no qemu-aarch64 to run ARM64 programs in", "install it: apt install qemu-user")
    if not PLUGIN.is_file():
        raise CannotCount(f"armprof was installed without the model: {PLUGIN} is missing")
    return found


def run(command: Sequence[str], geometry: Geometry, sysroot: str | None = None, out: int | None = None) -> Emulated:
    """Runs the command with its own stdin, stdout and stderr; ``out`` is a descriptor to take the place of stdout.

    Raises ArmprofError for what is no ARM64 program, CannotCount where there is no emulator with plugins.
    """
    if not command or not command[0]:
        raise ArmprofError("there is no command to count")
    emulator = require()
    program = _program(command[0])
    libraries = ["-L", sysroot] if sysroot else _libraries(program)
    with tempfile.TemporaryDirectory(prefix="armprof-") as folder:
        file = Path(folder, "counts")
        file.touch()
        settings = ",".join(f"{name}={value}" for name, value in geometry.settings.items())
        plugin = ",".join((_escaped(PLUGIN), f"counts={_escaped(file)}", settings))
        options = ["-cpu", seen_as(geometry.core), *_REPEATABLE, *libraries, "-plugin", plugin]
        status = run_command([emulator, *options, str(program), *command[1:]], out)
        if not file.stat().st_size:
            raise CannotCount(_not_loaded(emulator, status), "install one with them: apt install qemu-user")
        found = counts.read(file)
    if len(found.blocks) <= 1:
        raise CannotCount(f"{program} did not begin under {Path(emulator).name}, which ended with status {status}")
    return Emulated(found, status)


def _not_loaded(emulator: str, status: int) -> str:
    """Why the emulator ended before the plugin began: Debian's static one and those before 6.0 cannot load it."""
    told = subprocess.run([emulator, "--version"], capture_output=True, text=True, errors="replace", check=False)
    version = next(iter(told.stdout.splitlines()), "").partition(" (")[0] or "of no version"
    return (
        f"{emulator} ({version}) did not load the model and ended with status {status}: it has to be QEMU 7.2 or newer, "
        "with plugins"
    )


def _escaped(path: Path) -> str:
    """The path as a part of QEMU's option."""
    return str(path).replace(",", ",,")


def seen_as(core: Core) -> str:
    """The CPU that a program sees on the model of this core."""
    return SEEN_AS.get(core.name, SEEN_ELSE)


def _program(name: str) -> Path:
    """The file that the name means, as a shell finds it. Raises ArmprofError where it is not an ARM64 program."""
    found = shutil.which(name)
    if found is None:
        what = "is no program that may be run" if Path(name).exists() else "is not there"
        raise ArmprofError(f"cannot run {name!r}: it {what}")
    with open(found, "rb") as file:
        head = file.read(64)
    if head[:2] == b"#!":
        raise ArmprofError(f"{found} is a script: name its interpreter, an ARM64 program, and the script after it")
    if head[:4] != b"\x7fELF" or len(head) < 64:
        raise ArmprofError(f"{found} is not an ARM64 program: it is no ELF file")
    kind = struct.unpack_from("<H", head, 18)[0]
    if head[:6] != _LITTLE_64 or kind != _ARM64:
        machine = _MACHINES.get(kind, f"ELF machine {kind}")
        raise ArmprofError(f"{found} is not an ARM64 program but one for {machine}: compile it for aarch64")
    return Path(found)


def _libraries(program: Path) -> list[str]:
    """Where a dynamically linked program finds its loader, if not in its own place."""
    loader = _loader(program)
    if loader is None or os.environ.get("QEMU_LD_PREFIX"):
        return []
    if Path(loader).exists():
        return []
    for sysroot in SYSROOTS:
        if Path(sysroot + loader).exists():
            return ["-L", sysroot]
    raise ArmprofError(
        f"{program} is linked dynamically and {loader} is not here: name the folder that has it by --sysroot"
    )


def _loader(program: Path) -> str | None:
    """The ELF interpreter, None in a static program."""
    with program.open("rb") as file:
        head = file.read(64)
        offset, size, number = (
            struct.unpack_from("<Q", head, 32)[0],
            struct.unpack_from("<H", head, 54)[0],
            struct.unpack_from("<H", head, 56)[0],
        )
        for i in range(number):
            file.seek(offset + i * size)
            entry = file.read(56)
            if len(entry) == 56 and struct.unpack_from("<I", entry)[0] == 3:  # PT_INTERP
                start, length = struct.unpack_from("<Q", entry, 8)[0], struct.unpack_from("<Q", entry, 32)[0]
                file.seek(start)
                return file.read(min(length, 4096)).rstrip(b"\0").decode(errors="replace")
    return None
