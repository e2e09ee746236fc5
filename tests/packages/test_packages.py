"""What `make dist` built, installed where it is to run: bare Debians, other Pythons, the ARM64 guest.

    make test-packages

ARMPROF_PYTHONS may name more Pythons of this machine, with a colon between two, that the source is built for.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from guest.cache import MissingError
from guest.machine import EMULATOR_VARIABLES, Guest
from guest.wheel import unpack

from .debian import Root

PROJECT = Path(__file__).parents[2]
DIST = Path(os.environ.get("ARMPROF_DIST") or PROJECT / "dist")
SMOKE = Path(__file__).with_name("smoke.py")
SUITES = ("bookworm", "trixie", "forky")  # with Python 3.11, 3.13 and 3.14
PYTHONS = [python for python in os.environ.get("ARMPROF_PYTHONS", "").split(":") if python]
INSTALL = "/python/bin/pip install --quiet --disable-pip-version-check --force-reinstall --no-deps"


def built(pattern: str) -> Path:
    (found,) = DIST.glob(pattern)
    return found


if not DIST.is_dir():
    pytest.skip(f"there is no {DIST}: make dist builds what is tested here", allow_module_level=True)
NATIVE, PURE, SOURCE = built(f"*abi3*{platform.machine()}.whl"), built("*none-any.whl"), built("*.tar.gz")


@pytest.fixture(scope="module", params=SUITES)
def root(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Root]:
    """A bare Debian whose /python has what armprof needs, and an armprof that each test puts its own in the place of."""
    if os.geteuid() != 0:
        pytest.skip("a root folder is changed to by root alone")
    folder = tmp_path_factory.mktemp(request.param)
    try:
        made = Root(request.param, folder)
        made.put([NATIVE, PURE, SOURCE, SMOKE])
        succeed(made, f"python3 -m venv /python && /python/bin/pip install --quiet --only-binary=:all: /{NATIVE.name}")
        yield made
    except MissingError as missing:
        pytest.skip(str(missing))
    finally:
        shutil.rmtree(folder)


def succeed(root: Root, script: str) -> str:
    done = root.run(script)
    assert done.returncode == 0, f"{script}\n{done.stdout}{done.stderr}"
    return done.stdout


def test_the_wheel_counts(root: Root) -> None:
    told = succeed(
        root, f"{INSTALL} /{NATIVE.name} && /python/bin/python /smoke.py native && /python/bin/armprof --version"
    )
    assert told.startswith("smoke: native on Python 3.")
    assert "armprof 0" in told
    succeed(root, "test -s /python/share/man/man1/armprof.1")


def test_the_wheel_of_python_alone_analyzes_files(root: Root) -> None:
    told = succeed(root, f"{INSTALL} /{PURE.name} && /python/bin/python /smoke.py python")
    assert told.startswith("smoke: python on Python 3.")


def test_the_source_says_what_is_missing_where_there_is_no_compiler(root: Root) -> None:
    done = root.run(f"! command -v cc && {INSTALL} /{SOURCE.name}")
    assert done.returncode != 0
    assert "no C compiler: install one" in done.stdout + done.stderr


def test_the_source_installs_without_a_compiler_for_the_analysis_of_files(root: Root) -> None:
    told = succeed(
        root,
        f"{INSTALL} --config-settings=setup-args=-Dpure=true /{SOURCE.name} && /python/bin/python /smoke.py python",
    )
    assert told.startswith("smoke: python on Python 3.")


def test_the_source_builds_with_the_compiler_of_the_distribution(root: Root) -> None:
    succeed(root, "apt-get -o Acquire::Check-Valid-Until=false update -qq")
    succeed(root, "DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends gcc libc6-dev")
    done = root.run(f"{INSTALL} /{SOURCE.name}")
    assert done.returncode != 0
    assert "no headers of Python" in done.stdout + done.stderr
    succeed(root, "DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends python3-dev")
    told = succeed(root, f"{INSTALL} /{SOURCE.name} && /python/bin/python /smoke.py native")
    assert told.startswith("smoke: native on Python 3.")


@pytest.mark.parametrize("python", PYTHONS)
def test_the_source_and_the_wheel_on_another_python(python: str, tmp_path: Path) -> None:
    pip = [tmp_path / "python/bin/pip", "install", "--quiet", "--force-reinstall"]
    subprocess.run([python, "-m", "venv", tmp_path / "python"], check=True)
    subprocess.run([*pip, "--no-binary=armprof", SOURCE], check=True)
    for _ in range(2):
        done = subprocess.run(
            [tmp_path / "python/bin/python", SMOKE, "native"], check=True, capture_output=True, text=True
        )
        assert done.stdout.startswith("smoke: native on Python 3.")
        subprocess.run([*pip, "--no-deps", NATIVE], check=True)


def test_the_wheel_for_arm64_counts_in_the_guest(tmp_path: Path) -> None:
    emulator = all(map(os.environ.get, EMULATOR_VARIABLES))
    files = unpack(built("*abi3*aarch64.whl"), tmp_path) | {"armprof/smoke.py": SMOKE}
    try:
        done = Guest("emulator" if emulator else "debian").run("exec python3 smoke.py hardware", files)
    except MissingError as missing:
        pytest.skip(f"no guest: {missing}")
    assert done.exit_status == 0, done.console
    assert "smoke: hardware on Python 3.11" in done.console
