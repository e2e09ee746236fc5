"""The counter core's tests in C: reads in user space, and the traps that end them, are there on ARM64 alone."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from .programs import CORE


@pytest.mark.anywhere
@pytest.mark.parametrize("name", CORE)
def test_the_core_holds_what_its_tests_in_c_ask(name: str, program: Callable[[str], Path]) -> None:
    ended = subprocess.run([program(f"core_{name}")], capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "0 failed" in ended.stdout
