"""The project as installed on an ARM64 machine."""

from __future__ import annotations

import subprocess
import sysconfig
from importlib.metadata import version
from pathlib import Path


def test_the_native_module_is_there_and_built_for_every_python_from_3_11_on() -> None:
    from armprof import _native

    assert Path(_native.__file__).name == "_native.abi3.so"
    assert sysconfig.get_platform() == "linux-aarch64"


def test_the_command_knows_its_version() -> None:
    done = subprocess.run(["armprof", "--version"], check=True, capture_output=True, text=True)
    assert done.stdout == f"armprof {version('armprof')}\n"
