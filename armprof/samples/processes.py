"""What /proc tells of processes that are to be sampled."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from armprof.cpu import sysfs
from armprof.errors import CannotCount


def threads_of(pid: int) -> list[int]:
    """The threads of a process that runs, itself first."""
    return [pid, *(thread for thread in sysfs.numbers(Path(f"/proc/{pid}/task"), r"(\d+)") if thread != pid)]


def mapped_code(pid: int) -> Iterator[tuple[int, int, int, bytes]]:
    """What a process has mapped to be executed: start, length, offset in the file, and the file."""
    try:
        lines = Path(f"/proc/{pid}/maps").read_bytes().splitlines()
    except OSError as error:
        raise CannotCount(f"what process {pid} has mapped cannot be read: {error.strerror}") from None
    for line in lines:
        addresses, access, offset, _, _, *name = line.split(maxsplit=5)
        if b"x" in access:
            start, end = (int(part, 16) for part in addresses.split(b"-"))
            yield start, end - start, int(offset, 16), name[0] if name else b"//anon"


def owner(pid: int) -> int | None:
    """Whose process it is; None where it is gone."""
    try:
        return Path(f"/proc/{pid}").stat().st_uid
    except OSError:
        return None


def lives(pid: int) -> bool:
    """Whether the process has not ended."""
    return (state := sysfs.line(Path(f"/proc/{pid}/stat")).rpartition(")")[2].split()) != [] and state[0] != "Z"
