"""Builds the project for aarch64 with a cross-compiler and unpacks it for the guest."""

from __future__ import annotations

import compileall
import configparser
import hashlib
import os
import shutil
import sys
import sysconfig
import zipfile
from pathlib import Path
from py_compile import PycInvalidationMode

from . import cache
from .compile import COMPILER, sysroot_flags
from .rootfs import PYTHON, Root, root

PROJECT = Path(__file__).parents[2]
SOURCES = ("pyproject.toml", "meson.build", "meson.options", "README.md", "armprof", "csrc", "tools/describe")
CROSS_FILE = Path(__file__).with_name("aarch64-linux-gnu.ini")


def installed(project: Path = PROJECT) -> dict[str, Path]:
    """The project, as files to put into the guest: its package on PYTHONPATH and its commands on PATH.

    Raises MissingError without a cross-compiler, BuildError where the project does not compile.
    """
    cache.need_tool(COMPILER, "gcc-aarch64-linux-gnu")
    base = root()
    key = hashlib.sha256(str(base.folder).encode())
    for path in [CROSS_FILE, Path(__file__), *_sources(project)]:
        key.update(f"{path}\0{path.stat().st_size}\0".encode() + path.read_bytes())
    place = cache.built("wheel", key.hexdigest()[:12], lambda new: _build(project, base, new))
    return _files(place)


def _sources(project: Path) -> list[Path]:
    found = [path for name in SOURCES for path in [project / name, *sorted((project / name).rglob("*"))]]
    return [path for path in found if path.is_file() and "__pycache__" not in path.parts]


def _build(project: Path, base: Root, new: Path) -> None:
    cache.say("building the project for aarch64")
    headers = _pyconfig(new / "headers")
    settings = [
        f"setup-args=--cross-file={CROSS_FILE}",
        f"setup-args=-Dc_args={[*sysroot_flags(base.folder), f'-isystem{headers}']}",
        f"setup-args=-Dc_link_args={sysroot_flags(base.folder)}",
        f"build-dir={new / 'build'}",
    ]
    command = [sys.executable, "-m", "pip", "wheel", str(project), "--no-build-isolation", "--no-deps"]
    command += ["--wheel-dir", str(new), *(f"--config-settings={setting}" for setting in settings)]
    tools = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # ninja, cffi-gen-src
    environment = os.environ | {"_PYTHON_HOST_PLATFORM": "linux-aarch64", "PATH": tools}
    cache.run(command, what="building the project for aarch64", env=environment)
    (wheel,) = new.glob("*.whl")
    unpack(wheel, new)
    shutil.rmtree(new / "build")
    shutil.rmtree(headers)


def unpack(wheel: Path, new: Path) -> dict[str, Path]:
    """Installs a wheel into the folder, for the guest, which has no pip. Returns what to put there, as `installed` does."""
    with zipfile.ZipFile(wheel) as contents:
        contents.extractall(new / "site")
    if sys.version_info[:2] == PYTHON:  # else each start of Python there compiles what it imports, which takes seconds
        compileall.compile_dir(
            new / "site",
            quiet=2,
            stripdir=str(new / "site"),
            prependdir="/armprof/site",
            invalidation_mode=PycInvalidationMode.UNCHECKED_HASH,
        )
    (new / "bin").mkdir()
    for entry_points in (new / "site").glob("*.dist-info/entry_points.txt"):
        declared = configparser.ConfigParser()
        declared.read(entry_points)
        for name, target in declared.items("console_scripts"):
            module, _, function = target.partition(":")
            script = new / "bin" / name
            script.write_text(f"#!/usr/bin/python3\nfrom {module} import {function}\nraise SystemExit({function}())\n")
            script.chmod(0o755)
    return _files(new)


def _files(place: Path) -> dict[str, Path]:
    return {"armprof/site": place / "site", "armprof/bin": place / "bin"}


def _pyconfig(folder: Path) -> Path:
    """A folder of headers in which Debian's Python finds its configuration for aarch64.

    Its pyconfig.h includes the file of the same name for the compiler's architecture, which is not installed.
    This machine's own does: within the limited API, the two say the same on every 64-bit Linux.
    """
    version = "python{}.{}".format(*sys.version_info)
    own = f"{sysconfig.get_config_var('MULTIARCH')}/{version}/pyconfig.h"
    for found in Path(sysconfig.get_path("include")).parent.glob(own):
        (folder / "aarch64-linux-gnu" / version).mkdir(parents=True)
        shutil.copy(found, folder / "aarch64-linux-gnu" / version)
    folder.mkdir(exist_ok=True)
    return folder
