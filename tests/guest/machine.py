"""One ARM64 machine: boots, runs one script, hands back what the script left, and is gone."""

from __future__ import annotations

import base64
import gzip
import os
import re
import shutil
import stat
import subprocess
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from . import cache
from .cpio import Writer
from .rootfs import root

Kind = Literal["emulator", "debian"]
KINDS = get_args(Kind)

SYSCTLS = {"kernel.perf_user_access": 1, "kernel.perf_event_paranoid": -1}
EMULATOR_VARIABLES = ("ARMPROF_GUEST_QEMU", "ARMPROF_GUEST_PLUGIN")
LONGEST = 24 * 3600  # seconds; no boot takes as long
INIT = Path(__file__).with_name("init.sh")


class BootError(Exception):
    """The guest ended or was killed before its script did. The text holds the end of the console."""


@dataclass(frozen=True)
class GuestResult:
    """What one boot left: the script's output and exit status, and the files of $ARMPROF_OUT."""

    console: str
    exit_status: int
    files: dict[str, bytes]


@dataclass(frozen=True)
class Guest:
    """A machine to boot: `debian` is QEMU as packaged, whose PMU counts cycles and instructions.

    That of `emulator` counts caches, TLBs and branches too. Two CPUs come with a NUMA node each. Instructions are
    counted exactly, and alike in every boot.
    """

    machine: Kind
    smp: Literal[1, 2] = 1

    def run(
        self,
        script: str,
        files: Mapping[str, Path | bytes] | None = None,
        timeout: float = 1800,
        sysctls: Mapping[str, int] = SYSCTLS,
    ) -> GuestResult:
        """Boots and runs `script` by busybox sh, as root in /armprof, with `files` {guest path: content}.

        A Path may be a folder; bytes become an executable file. Raises MissingError where this machine cannot
        boot one, and BootError where the guest dies or takes more than `timeout` seconds.
        """
        command = self._command()
        base = root()
        for left in cache.folder().glob("boot-*.cpio"):  # 200 MB of a run that was killed
            with suppress(FileNotFoundError):
                if time.time() - left.stat().st_mtime > LONGEST:
                    left.unlink()
        with tempfile.NamedTemporaryFile(prefix="boot-", suffix=".cpio", dir=cache.folder()) as initrd:
            with base.archive.open("rb") as archived:
                shutil.copyfileobj(archived, initrd, 1 << 20)
            archive = Writer(initrd)  # type: ignore[arg-type]
            archive.add("init", INIT.read_bytes(), stat.S_IFREG | 0o755)
            archive.add("armprof/script", script.encode(), stat.S_IFREG | 0o755)
            lines = "".join(f"{name.replace('.', '/')} {value}\n" for name, value in sysctls.items())
            archive.add("armprof/sysctl", lines.encode(), stat.S_IFREG | 0o644)
            for name, content in (files or {}).items():
                name = name.lstrip("/")
                if isinstance(content, bytes):
                    archive.add(name, content, stat.S_IFREG | 0o755)
                else:
                    archive.add_path(name, content)
            archive.close()
            initrd.flush()
            command += ["-kernel", str(base.kernel), "-initrd", initrd.name]
            try:
                done = subprocess.run(
                    command,
                    check=False,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    timeout=timeout,
                )
                output, ended = done.stdout, f"QEMU ended with status {done.returncode}"
            except subprocess.TimeoutExpired as error:
                output, ended = error.stdout or b"", f"stopped after {timeout:.0f} seconds"
        return parse(output.decode(errors="replace"), ended)

    def _command(self) -> list[str]:
        command = _emulator() if self.machine == "emulator" else [_debian()]
        command += ["-M", "virt", "-cpu", "neoverse-n1", "-m", "4096", "-nographic", "-net", "none", "-no-reboot"]
        # One instruction, one nanosecond: what makes counts repeat. Debian's kernel would test its ciphers first.
        command += ["-icount", "shift=0", "-append", "console=ttyAMA0 quiet panic=-1 cryptomgr.notests"]
        if self.smp == 2:
            command += ["-smp", "2"]
            for node in (0, 1):
                command += ["-object", f"memory-backend-ram,id=m{node},size=2G"]
                command += ["-numa", f"node,cpus={node},memdev=m{node}"]
        return command


def _emulator() -> list[str]:
    for name in EMULATOR_VARIABLES:
        if not Path(os.environ.get(name) or "/").is_file():
            raise cache.MissingError(f"no emulator with a full PMU: {name} does not name a file")
    qemu, plugin = (os.environ[name] for name in EMULATOR_VARIABLES)
    return [qemu, "-plugin", plugin]


def _debian() -> str:
    return cache.need_tool("qemu-system-aarch64", "qemu-system-arm")


def parse(console: str, ended: str) -> GuestResult:
    """Takes a console apart at the markers of init.sh; where they are missing, `ended` is the reason."""
    _, started, rest = console.replace("\r\n", "\n").partition("<<<armprof start>>>\n")
    exit_status = re.search(r"<<<armprof exit (\d+)>>>\n", rest)
    if not started or exit_status is None:
        tail = "\n".join(console.splitlines()[-40:])
        raise BootError(f"the guest did not finish: {ended}; its last lines were\n{tail}")
    body = rest[: exit_status.start()]
    files = re.findall(r"<<<armprof file (.*)>>>\n([^<]*)<<<armprof end>>>", body)
    return GuestResult(
        console=body.partition("<<<armprof file ")[0],
        exit_status=int(exit_status[1]),
        files={name: gzip.decompress(base64.b64decode(text)) for name, text in files},
    )
