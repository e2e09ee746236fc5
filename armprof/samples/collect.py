"""Sampling a command, a process, or the code of this process."""

from __future__ import annotations

import os
import shlex
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from armprof.counters.command import Child, interrupts_left_to_the_command
from armprof.cpu import sysfs
from armprof.errors import ArmprofError
from armprof.samples.processes import lives, threads_of
from armprof.samples.rate import USUAL, Rate
from armprof.samples.sampler import TURN_MS, Sampler
from armprof.samples.trace import Trace


@dataclass(frozen=True, slots=True)
class SampledCommand:
    """``status`` is the command's exit status, 128 + N where signal N ended it."""

    trace: Trace
    status: int


def sample_command(
    command: Sequence[str], events: Sequence[str] | None = None, rate: Rate = USUAL, group: bool = False
) -> SampledCommand:
    """Runs the command with its own stdin, stdout and stderr and samples it, with all that it starts, in user mode.

    ``events`` are by default cycles, or the CPU's clock where no PMU counts. In a ``group`` the first one interrupts, and the
    others are read at its samples, as they are where they cannot interrupt. Raises ArmprofError for a command that is not
    there, CannotCount where nothing can be sampled.
    """
    if not command or not command[0]:
        raise ArmprofError("there is no command to sample")
    with Child(command) as child, Sampler(events, rate, shlex.join(command), group) as sampler:
        sampler.open([child.pid], on_exec=True)
        with interrupts_left_to_the_command():
            status = child.run()
        return SampledCommand(sampler.trace(), status)


def sample_process(
    pid: int,
    seconds: float | None = None,
    events: Sequence[str] | None = None,
    rate: Rate = USUAL,
    group: bool = False,
) -> Trace:
    """Samples a process that runs already, with the threads and children that it starts: for so many seconds, until it
    ends, or until KeyboardInterrupt.
    """
    name = sysfs.line(Path(f"/proc/{pid}/comm"))
    if not name:
        raise ArmprofError(f"there is no process {pid}")
    with Sampler(events, rate, f"{name} ({pid})", group) as sampler:
        sampler.open(threads_of(pid), of_process=pid)
        ends = None if seconds is None else time.monotonic() + seconds
        try:
            while lives(pid) and (ends is None or time.monotonic() < ends):
                time.sleep(TURN_MS / 1000 if ends is None else max(0, min(TURN_MS / 1000, ends - time.monotonic())))
        except KeyboardInterrupt:
            pass
        return sampler.trace()


class Sampling:
    """A `with` block of which all threads are sampled. ``trace`` is there when it has ended."""

    def __init__(self, events: Sequence[str] | None = None, rate: Rate = USUAL, group: bool = False) -> None:
        self._events, self._rate, self._group = events, rate, group
        self._sampler: Sampler | None = None
        self._trace: Trace | None = None

    @property
    def trace(self) -> Trace:
        """What was sampled. ArmprofError before the block has ended."""
        if self._trace is None:
            raise ArmprofError("nothing sampled yet: the block has not ended")
        return self._trace

    def __enter__(self) -> Sampling:
        if self._sampler is not None:
            raise ArmprofError("this block is already being sampled; make another one for a block inside it")
        self._trace = None
        self._sampler = Sampler(self._events, self._rate, "this process", self._group).__enter__()
        try:
            self._sampler.open(self._sampler.threads_of_this_process(), of_process=os.getpid())
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, *raised: object) -> None:
        assert self._sampler is not None
        try:
            self._trace = self._sampler.trace()
        finally:
            self._end()

    def _end(self) -> None:
        sampler, self._sampler = self._sampler, None
        if sampler is not None:
            sampler.__exit__()
