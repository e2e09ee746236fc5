"""Keeping a thread on one CPU while it is timed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from armprof.cpu.nodes import current_cpu


@dataclass(frozen=True, slots=True)
class Pinning:
    """A sentence that says what was done, or why it could not be; and the CPUs from before that."""

    note: str
    before: frozenset[int] = frozenset()

    def release(self) -> None:
        """Gives this thread, or a child's, all CPUs that there were before."""
        if self.before:
            with suppress(OSError):  # where some were taken away meanwhile: it stays on one
                os.sched_setaffinity(0, self.before)


@contextmanager
def pinned() -> Iterator[Pinning]:
    """Pins this thread to the CPU it is on, and gives it back all it had before. Where it cannot, the work goes on."""
    try:
        cpus = os.sched_getaffinity(0)
        cpu = current_cpu(Path("/proc/thread-self/stat").read_text(errors="replace"))
        os.sched_setaffinity(0, {cpu})
    except (AttributeError, OSError, ValueError, IndexError) as error:
        yield Pinning(f"not pinned to a CPU ({error}): a move to another one shows in the highest percentiles")
        return
    pinning = Pinning(f"pinned to CPU {cpu}", frozenset(cpus))
    try:
        yield pinning
    finally:
        pinning.release()
