"""What /proc tells of processes that are to be sampled."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from armprof.cpu import sysfs
from armprof.errors import CannotCount

# start-end permissions offset device inode path
_CODE = re.compile(rb"^([0-9a-f]{1,16})-([0-9a-f]{1,16}) ..x. ([0-9a-f]{1,16}) \S+ \d+ *(.*)$", re.MULTILINE)


def threads_of(pid: int) -> list[int]:
    """The threads of a process that runs, itself first."""
    return [pid, *(thread for thread in sysfs.numbers(Path(f"/proc/{pid}/task"), r"(\d+)") if thread != pid)]


def mapped_code(pid: int) -> Iterator[tuple[int, int, int, bytes]]:
    """What a process has mapped to be executed: start, length, offset in the file, and the file."""
    try:
        maps = Path(f"/proc/{pid}/maps").read_bytes()
    except OSError as error:
        raise CannotCount(f"what process {pid} has mapped cannot be read: {error.strerror}") from None
    yield from code_in(maps)


def code_in(maps: bytes) -> Iterator[tuple[int, int, int, bytes]]:
    """What is executable by a /proc/PID/maps. The name of a file may hold any byte but a new line, which the kernel escapes."""
    for start, end, offset, name in _CODE.findall(maps):
        yield int(start, 16), int(end, 16) - int(start, 16), int(offset, 16), name or b"//anon"


def owner(pid: int) -> int | None:
    """Whose process it is; None where it is gone."""
    try:
        return Path(f"/proc/{pid}").stat().st_uid
    except OSError:
        return None


def lives(pid: int) -> bool:
    """Whether the process has not ended."""
    return (state := sysfs.line(Path(f"/proc/{pid}/stat")).rpartition(")")[2].split()) != [] and state[0] != "Z"
