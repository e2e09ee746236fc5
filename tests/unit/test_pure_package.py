"""The package of Python alone, built here and run as on a system that is neither Linux nor POSIX."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
SMOKE = PROJECT / "tests/packages/smoke.py"

# What Windows has not is taken away, once the libraries that have their own ways there are imported.
ELSEWHERE = """
import os, platform, runpy, signal, sys, time
import numpy, pandas, rich.console, rich.progress
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name in ("fcntl", "grp", "pty", "pwd", "resource", "syslog", "termios", "tty"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Missing())
for name in ("grp", "resource", "termios"):
    sys.modules.pop(name, None)
POSIX = {
    os: "fork geteuid getuid killpg posix_spawn posix_spawnp sched_getaffinity sched_setaffinity setsid sysconf uname wait4 "
    "O_CLOEXEC O_DIRECTORY O_NONBLOCK pidfd_open",
    signal: "SIGCHLD SIGHUP SIGKILL SIGPIPE SIGQUIT SIGUSR1 SIGXFSZ",
    time: "CLOCK_BOOTTIME CLOCK_MONOTONIC clock_gettime clock_gettime_ns",
}
for module, names in POSIX.items():
    for name in names.split():
        delattr(module, name)
platform.system = lambda: "Windows"
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built without a compiler, as the build would be where there is none."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "--wheel-dir",
        folder,
    ]
    settings = ["--config-settings=setup-args=-Dpure=true", f"--config-settings=build-dir={folder / 'build'}"]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    subprocess.run([*command, *settings, PROJECT], check=True, env=os.environ | {"CC": "false", "PATH": path})
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def site(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(wheel) as contents:
        contents.extractall(folder)
    return folder


def run(site: Path, code: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(site)}
    return subprocess.run(
        [sys.executable, "-c", code],
        env=environment,
        cwd=site,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_it_is_for_every_system(wheel: Path) -> None:
    assert wheel.name.endswith("-py3-none-any.whl")


def test_it_has_no_native_module_nor_sources_of_one(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert "armprof/py.typed" in names
    assert [name for name in names if name.endswith((".so", ".c", ".h", ".pyc", "meson.build"))] == []


@pytest.mark.parametrize("prelude", ["", ELSEWHERE], ids=["linux", "elsewhere"])
def test_it_analyzes_files_and_says_why_it_does_not_count(site: Path, prelude: str) -> None:
    script = (
        f"{prelude}\nimport runpy, sys; sys.argv[1:] = ['python']; runpy.run_path({str(SMOKE)!r}, run_name='__main__')"
    )
    done = run(site, script)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("smoke: python on Python 3.")


def test_elsewhere_it_says_where_armprof_counts(site: Path) -> None:
    done = run(site, f"{ELSEWHERE}\nfrom armprof.cli import main\nsys.exit(main(['stat', '--', 'true']))")
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr == (
        "armprof: armprof counts on Linux, and this is Windows; here it reads files: armprof report FILE, of a run or of what "
        "perf printed on Linux\n"
    )
