"""The guest's root file system: Debian's packages for arm64 and some Python wheels, unpacked and never run.

It is named by the hash of this file, so that any change here builds a new one. Building it needs a network
and no root: packages are unpacked, not installed, and this machine's own package lists are left alone.
"""

from __future__ import annotations

import compileall
import hashlib
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path
from py_compile import PycInvalidationMode

from . import cache
from .cpio import Writer

SUITE = "bookworm"
PYTHON = (3, 11)  # the one that SUITE brings
PACKAGES = (
    *("linux-image-arm64", "libc6", "busybox-static", "python3"),
    *("util-linux", "linux-perf", "strace", "papi-tools"),
    *("libc6-dev", "libpapi-dev"),  # for the cross-compiler
)
WHEELS = ("capstone", "cffi", "numpy", "pydemumble", "rich", "pytest")
PLATFORMS = ("manylinux2014_aarch64", "manylinux_2_17_aarch64", "manylinux_2_28_aarch64")
SITE = "usr/lib/armprof/site"

# Never unpacked. What the guest needs of the kernel is built in, so it goes without modules.
EXCLUDED = (
    "/lib/modules/*",
    "/lib/udev/*",
    "/usr/lib/linux-image-*",
    "/usr/lib/aarch64-linux-gnu/gconv/*",
    "/usr/lib/aarch64-linux-gnu/perl/*",
    "/usr/lib/aarch64-linux-gnu/perl-base/*",
    "/usr/share/*",
)
INCLUDED = ("/usr/share/papi/*",)
# Unpacked for the cross-compiler, but left out of the archive: each byte of it is copied under emulation.
HOST_ONLY = ("boot", "usr/include", "usr/lib/klibc", "usr/lib/valgrind", "usr/lib/python3.11/pydoc_data")


@dataclass(frozen=True)
class Root:
    """A root file system: the folder (the cross-compiler's sysroot too), its cpio archive, and the kernel."""

    folder: Path
    archive: Path
    kernel: Path


def root() -> Root:
    """The root file system, built where the cache does not hold it: one to two minutes."""
    recipe = Path(__file__).read_bytes() + repr(sys.version_info[:2]).encode()
    try:
        place = cache.built("root", hashlib.sha256(recipe).hexdigest()[:12], _build)
    except cache.BuildError as error:  # no network, no space: nothing that the project could mend
        raise cache.MissingError(f"no root file system: {error.brief}") from error
    return Root(place / "root", place / "root.cpio", place / "vmlinuz")


def _build(place: Path) -> None:
    folder = place / "root"
    _unpack_packages(folder, place / "root.tar")
    (kernel,) = folder.glob("boot/vmlinuz-*")
    shutil.copy(kernel, place / "vmlinuz")
    (folder / "bin/sh").symlink_to("busybox")
    _unpack_wheels(folder / SITE, place / "wheels")
    if sys.version_info[:2] == PYTHON:
        # Only the same version writes byte code that the guest takes; compiling there is slow.
        for library in (SITE, "usr/lib/python3", "usr/lib/python{}.{}".format(*PYTHON)):
            compileall.compile_dir(
                folder / library,
                quiet=2,
                workers=0,
                stripdir=str(folder),
                prependdir="/",
                invalidation_mode=PycInvalidationMode.UNCHECKED_HASH,
            )
    with (place / "root.cpio").open("wb") as out:
        archive = Writer(out)
        _pack(archive, folder, "")
        archive.close()


def _unpack_packages(folder: Path, tar: Path) -> None:
    mmdebstrap = cache.need_tool("mmdebstrap", "mmdebstrap")
    cache.say(f"unpacking Debian {SUITE} for arm64, once (120 MB to download)")
    command = [mmdebstrap, "--mode=chrootless", "--variant=extract", "--arch=arm64"]
    command += [f"--include={','.join(PACKAGES)}"]
    command += [f"--dpkgopt=path-exclude={pattern}" for pattern in EXCLUDED]
    command += [f"--dpkgopt=path-include={pattern}" for pattern in INCLUDED]
    cache.run([*command, SUITE, str(tar), *_sources()], what="mmdebstrap")
    folder.mkdir()
    cache.run(["tar", "-xf", str(tar), "-C", str(folder), "--exclude=./dev/*"], what="tar")
    tar.unlink()


def _unpack_wheels(site: Path, downloads: Path) -> None:
    cache.say("downloading Python wheels for aarch64")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--dest", str(downloads)]
    command += ["--only-binary=:all:", "--implementation=cp", "--python-version={}.{}".format(*PYTHON)]
    command += [f"--platform={platform}" for platform in PLATFORMS]
    cache.run([*command, *WHEELS], what="pip download")
    for wheel in downloads.glob("*.whl"):
        with zipfile.ZipFile(wheel) as contents:
            contents.extractall(site)
    shutil.rmtree(downloads)
    for tests in [path for path in site.glob("numpy/**/tests") if path.is_dir()]:
        shutil.rmtree(tests)


def _pack(archive: Writer, folder: Path, prefix: str) -> None:
    for child in sorted(folder.iterdir()):
        name = prefix + child.name
        if name in HOST_ONLY or child.suffix == ".a":
            continue
        if child.is_dir() and not child.is_symlink():
            archive.add(name, b"", child.stat().st_mode)
            _pack(archive, child, f"{name}/")
        else:
            archive.add_path(name, child)


def _sources() -> list[str]:
    """This machine's own apt sources for SUITE, if it has any: its mirror then serves the guest."""
    listing = ["apt-get", "indextargets", "--format", "$(SITE)\t$(RELEASE)\t$(COMPONENT)\t$(ORIGIN)"]
    done = subprocess.run([*listing, "Created-By: Packages"], check=False, capture_output=True, text=True)
    rows = {tuple(line.split("\t")) for line in done.stdout.splitlines()}
    # The origin stays unresolved where the package lists have not been fetched yet.
    ours = [
        (site, release)
        for site, release, component, origin in sorted(rows)
        if component == "main"
        and origin in ("Debian", "$(ORIGIN)")
        and release in (SUITE, f"{SUITE}-updates", f"{SUITE}-security")
    ]
    if SUITE not in {release for _, release in ours}:
        return []
    return [f"deb {site} {release} main" for site, release in ours]
