"""A Debian with Python and nothing that was installed by hand: a folder that becomes the root of a shell."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

from guest import cache

PACKAGES = ("python3", "python3-venv")
# The network as this machine has it.
NETWORK = ("/etc/resolv.conf", "/etc/ssl/certs/ca-certificates.crt")
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class Root:
    """One such folder, changed by what runs in it."""

    def __init__(self, suite: str, folder: Path) -> None:
        cache.run(["tar", "-xf", str(_packed(suite)), "-C", str(folder)], what="tar")
        self._folder = folder
        for name in NETWORK:
            if os.path.exists(name):
                (folder / name[1:]).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(name, folder / name[1:])

    def put(self, files: Iterable[Path]) -> None:
        """Copies files to the top of it."""
        for file in files:
            shutil.copy(file, self._folder)

    def run(self, script: str) -> subprocess.CompletedProcess[str]:
        """Runs a script of the shell as root, in namespaces of its own that end with it."""
        mounted = 'mount -t proc proc "$0/proc" && mount -t sysfs sysfs "$0/sys" && exec chroot "$0" sh -euc "$1"'
        command = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", mounted]
        environment = os.environ | {"PATH": PATH, "HOME": "/root", "LC_ALL": "C.UTF-8", "TMPDIR": "/tmp"}
        return subprocess.run(
            [*command, self._folder, script], env=environment, capture_output=True, text=True, timeout=1800, check=False
        )


def _packed(suite: str) -> Path:
    """The archive of a suite, made where the cache does not hold it: one to two minutes."""

    def build(new: Path) -> None:
        mmdebstrap = cache.need_tool("mmdebstrap", "mmdebstrap")
        cache.say(f"unpacking Debian {suite}, once (60 MB to download)")
        command = [mmdebstrap, "--variant=minbase", f"--include={','.join(PACKAGES)}"]
        command += ['--aptopt=Acquire::Check-Valid-Until "false"']  # a mirror may be behind
        cache.run([*command, suite, str(new / "root.tar")], what="mmdebstrap")

    key = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:12]
    return cache.built(suite, key, build) / "root.tar"
