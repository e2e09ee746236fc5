"""What the hardware tests run on: which machine this is, and the C programs built for it."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from .programs import FLAGS, PROGRAMS

PROJECT = Path(__file__).parents[2]
MACHINE = os.environ.get("ARMPROF_MACHINE", "real")  # the guests' are set by tests/guest

MARKERS = {
    "emulator_only": "counts what only the emulator's modelled PMU makes exact",
    "debian_only": "needs QEMU's own PMU, which counts cycles and instructions alone",
    "two_cpus": "needs two CPUs",
}


def pytest_configure(config: pytest.Config) -> None:
    for name, text in MARKERS.items():
        config.addinivalue_line("markers", f"{name}: {text}")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    if reason := _why_not(item):
        pytest.skip(reason)


def _why_not(item: pytest.Item) -> str | None:
    if os.environ.get("ARMPROF_HARDWARE") != "1":
        return "hardware tests run in the guests of tests/guest, or on an ARM64 Linux with ARMPROF_HARDWARE=1"
    if platform.machine() != "aarch64":
        return f"this machine is {platform.machine()}, not aarch64"
    for machine in ("emulator", "debian"):
        if item.get_closest_marker(f"{machine}_only") and machine != MACHINE:
            return f"for the machine '{machine}', this one is '{MACHINE}'"
    if item.get_closest_marker("two_cpus") and len(os.sched_getaffinity(0)) < 2:
        return "needs two CPUs, this machine has one"
    return None


@pytest.fixture(scope="session")
def machine() -> str:
    """`emulator` or `debian` in a guest, `real` elsewhere."""
    return MACHINE


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The path of a program by its name in `programs`. Guests bring them; elsewhere `cc` builds them."""
    ready = os.environ.get("ARMPROF_PROGRAMS")
    folder = Path(ready) if ready else tmp_path_factory.mktemp("programs")

    def build(name: str) -> Path:
        path = folder / name
        if not path.exists():
            subprocess.run(["cc", *FLAGS, *PROGRAMS[name], "-o", str(path)], check=True, cwd=PROJECT)
        return path

    return build
