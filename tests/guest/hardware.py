"""Runs tests/hardware in a guest and reports each of them to the host."""

from __future__ import annotations

import os
import xml.etree.ElementTree as ElementTree
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from diagnosis.suite import HERE as DIAGNOSIS
from diagnosis.suite import SLOW, Builder, pair
from hardware.programs import DIAGNOSED, FLAGS, PLACED, PROGRAMS

from . import wheel
from .compile import COMPILER, compile_c, sysroot_flags
from .machine import Guest
from .rootfs import root

HARDWARE = Path(__file__).parents[1] / "hardware"
KERNELS = HARDWARE.with_name("kernels")
# What holds on every machine is tested there too: here, and beside the hardware tests in a guest.
EVERYWHERE = [KERNELS / "test_checksums.py"]
TESTS = sorted([*HARDWARE.glob("test_*.py"), *EVERYWHERE])
FIELD_DATA = os.environ.get("ARMPROF_FIELD_DATA")
TIMEOUT = 1800  # seconds; the emulator takes about 10 for the boot alone

# -v: where a test takes the interpreter down, the console ends with that test's name.
SCRIPT = """
export ARMPROF_MACHINE={machine} ARMPROF_PROGRAMS=/armprof/programs
[ ! -d field ] || export ARMPROF_FIELD_DATA=/armprof/field
exec python3 -m pytest -v --tb=short --rootdir=. -p no:cacheprovider --continue-on-collection-errors \
    --junitxml=$ARMPROF_OUT/junit.xml tests/hardware
"""


@dataclass(frozen=True)
class Outcome:
    """One test in the guest, with the reason where it was skipped and pytest's own words where it failed."""

    file: str
    name: str
    result: Literal["passed", "skipped", "failed"]
    text: str = ""


class NoReportError(Exception):
    """pytest ended without a report, as where a test kills the interpreter. The text is the console."""


def run_hardware_tests(guest: Guest, folder: Path) -> list[Outcome]:
    """Builds the project and the programs (in `folder`), boots the guest and runs every hardware test in it.

    Raises what Guest.run raises, BuildError where something does not compile, NoReportError without a report.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, arguments in PROGRAMS.items():
        compile_c([*FLAGS, *arguments], folder / name, cwd=wheel.PROJECT)
    suite = Builder(folder, (COMPILER, *sysroot_flags(root().folder)))
    for name in PLACED:
        for fixed in (SLOW, *(fixed for fixed, _ in pair(name).fixes if name in DIAGNOSED)):
            suite.program(pair(name), fixed)
    files = {**wheel.installed(), "armprof/programs": folder}
    for path in sorted(HARDWARE.rglob("*.py")):
        files[f"armprof/tests/hardware/{path.relative_to(HARDWARE)}"] = path
    for path in [*DIAGNOSIS.glob("*.py"), *DIAGNOSIS.glob("*.toml")]:
        files[f"armprof/tests/diagnosis/{path.name}"] = path
    files["armprof/tests/diagnosis/programs"] = DIAGNOSIS / "programs"  # whose marks tell where a cause is
    for path in [*EVERYWHERE, KERNELS / "checksums.h"]:
        files[f"armprof/tests/hardware/{path.name}"] = path
    if FIELD_DATA:
        files["armprof/field/itch"] = Path(FIELD_DATA) / "itch"
    result = guest.run(SCRIPT.format(machine=guest.machine), files, TIMEOUT)
    if "junit.xml" not in result.files or result.exit_status > 1:
        raise NoReportError(f"pytest in the guest ended with status {result.exit_status}\n{result.console[-6000:]}")
    return outcomes(result.files["junit.xml"])


def outcomes(junit: bytes) -> list[Outcome]:
    """The tests of a junit report, in its order. A file that cannot be collected is a test that failed."""
    found = []
    for case in ElementTree.fromstring(junit).iter("testcase"):
        # classname is `tests.hardware.test_file` with the class behind it; of a broken file it is empty
        # and the file's module stands in the name.
        words = f"{case.get('classname', '')}.{case.get('name', '')}".split(".")
        file = next((word for word in words if word.startswith("test_")), "")
        name = case.get("name", "")
        result: Literal["passed", "skipped", "failed"] = "passed"
        text = ""
        for child in case:
            if child.tag in ("failure", "error"):
                result, text = "failed", f"{text}{child.text or child.get('message', '')}\n"
            elif child.tag == "skipped":
                result, text = "skipped", child.get("message", "")
        found.append(Outcome(file, name, result, text))
    return found


def summary(tests: list[Outcome]) -> str:
    """`12 passed, 3 skipped`."""
    counts = Counter(test.result for test in tests)
    return ", ".join(f"{counts[result]} {result}" for result in ("failed", "passed", "skipped") if counts[result])
