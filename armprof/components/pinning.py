"""Keeping a thread on one CPU while it is timed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def current_cpu(stat: str) -> int:
    """The CPU in a thread's /proc/.../stat: field 39, counted behind the name, which may hold anything."""
    return int(stat.rpartition(")")[2].split()[36])


@contextmanager
def pinned() -> Iterator[str]:
    """Pins this thread to the CPU it is on, and gives it back all it had before.

    Yields a sentence that says what was done, or why it could not be: the work goes on either way.
    """
    try:
        cpus = os.sched_getaffinity(0)
        cpu = current_cpu(Path("/proc/thread-self/stat").read_text(errors="replace"))
        os.sched_setaffinity(0, {cpu})
    except (AttributeError, OSError, ValueError, IndexError) as error:
        yield f"not pinned to a CPU ({error}): a move to another one shows in the highest percentiles"
        return
    try:
        yield f"pinned to CPU {cpu}"
    finally:
        os.sched_setaffinity(0, cpus)
