"""What the hardware tests run on: which machine this is, and the C programs built for it."""

from __future__ import annotations

import gc
import os
import platform
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from inspect import signature
from pathlib import Path

import pytest

from .programs import FLAGS, PROGRAMS

PROJECT = Path(__file__).parents[2]
MACHINE = os.environ.get("ARMPROF_MACHINE", "real")  # the guests' are set by tests/guest

MARKERS = {
    "emulator_only": "counts what only the emulator's modelled PMU makes exact",
    "debian_only": "needs QEMU's own PMU, which counts cycles and instructions alone",
    "two_cpus": "needs two CPUs",
    "one_cpu": "counts every instruction; QEMU gives one of two CPUs now and then what the other executed",
    "anywhere": "takes long and needs no more than cycles and instructions: of the guests the fastest runs it",
    "slow": "takes seconds in a guest, and is not repeated in the one with two CPUs",
}

ANYWHERE = ("test_checksums",)  # tests/guest lays it here: the instructions of the kernels are the same in every guest


def pytest_configure(config: pytest.Config) -> None:
    for name, text in MARKERS.items():
        config.addinivalue_line("markers", f"{name}: {text}")


def pytest_itemcollected(item: pytest.Item) -> None:
    if item.path.stem in ANYWHERE:
        item.add_marker("anywhere")


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
    if item.get_closest_marker("anywhere") and MACHINE == "emulator":
        return "left to the guest debian, which is faster"
    cpus = len(os.sched_getaffinity(0))
    if item.get_closest_marker("two_cpus") and cpus < 2:
        return "needs two CPUs, this machine has one"
    if item.get_closest_marker("one_cpu") and MACHINE != "real" and cpus > 1:
        return "counts every instruction, and QEMU counts those of its CPUs together"
    if item.get_closest_marker("slow") and MACHINE != "real" and cpus > 1:
        return "slow, and not repeated in the guest with two CPUs"
    return None


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool:
    """Calls each test on a thread of its own: regions keep the counters of their thread until it ends, and what
    comes after them there would have to share the PMU with them. Python collects no garbage meanwhile: a whole
    collection takes 3 million instructions, of whatever block it falls into.
    """
    arguments = {name: pyfuncitem.funcargs[name] for name in signature(pyfuncitem.obj).parameters}
    gc.collect()
    gc.disable()
    try:
        with ThreadPoolExecutor(1) as thread:
            thread.submit(pyfuncitem.obj, **arguments).result()
    finally:
        gc.enable()
    return True


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


LINE = 64
LINES = 16_384  # of 1 MiB
# Two walks that differ in nothing else: their sizes have as many bits, which is how long Python takes to convert them.
LONG_AND_SHORT = (16_000, 12_000)


@pytest.fixture(scope="session")
def walking(program: Callable[[str], Path]) -> Iterator[Callable[..., Callable[[], int]]]:
    """walking(lines) is a function that loads a byte from each of the first `lines` cache lines of a buffer of LINES,
    touched before; walking(step=8) loads one out of every 8 of its bytes. Nothing of Python is in it but the call, and
    other threads can run meanwhile.
    """
    import cffi

    ffi = cffi.FFI()
    ffi.cdef("uint64_t walk(const char *base, size_t bytes, size_t step);")
    library = ffi.dlopen(str(program("libwalk.so")))
    buffer = ffi.new("char[]", LINES * LINE)
    ffi.memmove(buffer, b"\1" * len(buffer), len(buffer))

    def walking(lines: int = LINES, step: int = LINE) -> Callable[[], int]:
        return partial(library.walk, buffer, lines * LINE, step)

    yield walking
    ffi.dlclose(library)


@pytest.fixture(scope="session")
def walk(walking: Callable[..., Callable[[], int]]) -> Callable[[], int]:
    """A walk over all LINES."""
    return walking()


USER_ACCESS = Path("/proc/sys/kernel/perf_user_access")


@pytest.fixture
def user_access() -> Iterator[Callable[[int], object]]:
    """user_access(0) takes reads in user space away from everybody, 1 allows them; afterwards it is as it was."""
    if not os.access(USER_ACCESS, os.W_OK):
        pytest.skip(f"{USER_ACCESS} cannot be written by this user")
    before = USER_ACCESS.read_text()
    yield lambda value: USER_ACCESS.write_text(f"{value}\n")
    USER_ACCESS.write_text(before)
