"""What `make report` installs where nothing is there."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from armprof.cpu import host

TOOL = Path(__file__).parents[2] / "tools" / "system-packages"
EVERYWHERE = ("cat", "cut", "echo", "env", "grep", "id", "ls", "sh", "uname", "xargs")
# Takes down what it is asked to install, and installs nothing.
APT = """#!/bin/sh
[ "$1" = install ] && echo "$*" >> "$0.asked"
exit 0
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="it asks apt as root alone, or with a sudo that asks for no password")
@pytest.mark.skipif(bool(host().pmus), reason="this machine counts, and needs no emulator for it")
def test_a_bare_machine_gets_the_compilers_and_the_emulator(tmp_path: Path) -> None:
    for name in EVERYWHERE:
        (tmp_path / name).symlink_to(shutil.which(name) or name)
    apt = tmp_path / "apt-get"
    apt.write_text(APT)
    apt.chmod(0o755)
    environment = {"PATH": str(tmp_path), "PYTHON": sys.executable}
    done = subprocess.run([TOOL, "report"], env=environment, capture_output=True, text=True, check=False)
    asked = (tmp_path / "apt-get.asked").read_text().split()
    assert {"gcc", "libc6-dev"} <= set(asked), done.stderr
    assert done.returncode == 1, "nothing works without a compiler"
    assert "missing: gcc libc6-dev - the native module cannot be built" in done.stderr

    (tmp_path / "cc").symlink_to(shutil.which("cc") or "cc")  # and the emulator is looked for
    done = subprocess.run([TOOL, "report"], env=environment, capture_output=True, text=True, check=False)
    asked = (tmp_path / "apt-get.asked").read_text().split()
    assert {"qemu-user", "gcc-aarch64-linux-gnu", "libc6-dev-arm64-cross"} <= set(asked), done.stderr
    assert "missing: qemu-user - nothing is counted on a modelled core" in done.stderr
    assert done.returncode == 0
