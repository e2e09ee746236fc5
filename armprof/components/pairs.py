"""Two sides of a comparison, timed in turns within the same moments: Python functions, and commands.

A round is a row of turns, old and new by turns, the order flipped at each: old, new, new, old, old, new. What slows the
machine down for longer than a turn meets both sides alike.
"""

from __future__ import annotations

import gc
import os
import signal
import time
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise, repeat
from typing import Protocol

from armprof.components.processes import code_of, ended
from armprof.components.timing import warm_up
from armprof.counters.reading import Reading
from armprof.errors import ArmprofError, CannotCount

STEPS = 1000  # of the clock in one sample: one step more or less is 0.1 %
TURN_NS = 1e6  # long enough to have the caches for oneself again, short beside what disturbs a machine

Samples = tuple["array[float]", "array[float]"]  # nanoseconds of the old side's and the new side's samples
Turn = Callable[[], Sequence[float]]


class Pair(Protocol):
    """Two sides that can be timed in rounds."""

    name: str  # "" where there is one pair only
    batch: int  # operations of each sample
    resolution: float  # the step of the clock as a fraction of a sample
    notes: tuple[str, ...]
    set_up_s: float  # of its time so far, what rounds needed before anything was timed in them

    def prepare(self, round_ns: float) -> None:
        """Warms both sides up and settles what a round is, so that it lasts about so long."""

    def round(self, new_first: bool) -> Samples:
        """Times one round."""

    def count(self) -> PairCounts | None:
        """What the sides count, in passes of their own; None where that would take long. Raises CannotCount."""

    def codes(self) -> tuple[str | None, str | None]:
        """The hashes of the sides' machine code, where they are known."""


@dataclass(frozen=True, slots=True)
class PairCounts:
    """What so many calls of each side counted."""

    old: Reading
    new: Reading
    calls: int


@dataclass(frozen=True, slots=True)
class RoundPlan:
    """How one round is divided."""

    batch: int  # operations of a sample
    samples: int  # of a turn
    turns: int  # of each side
    resolution: float  # the step of the clock as a fraction of a sample
    is_long: bool = False  # a turn takes longer than a round should

    @property
    def calls(self) -> int:
        """That are counted in one pass: those of a turn, a millisecond or one call."""
        return self.batch * self.samples


def plan(operation_ns: Sequence[float], step_ns: float, round_ns: float, turn_ns: float = TURN_NS) -> RoundPlan:
    """Samples of which the clock resolves the shorter, turns of ``turn_ns`` or one sample, and as many as fill a round.

    ``operation_ns``: what one operation of either side takes.
    """
    shorter, longer = min(operation_ns), max(operation_ns)
    batch = 1
    while batch * shorter < STEPS * step_ns and 2 * batch * longer <= round_ns:
        batch *= 2
    samples = max(1, int(turn_ns / (batch * longer)))
    turn_ns = samples * batch * longer
    turns = max(1, int(round_ns / 2 / turn_ns))
    return RoundPlan(batch, samples, turns, step_ns / (batch * shorter), turn_ns > round_ns)


def interleaved(old: Turn, new: Turn, turns: int, new_first: bool) -> Samples:
    """Takes so many turns of each side."""
    samples: Samples = (array("d"), array("d"))
    for turn in range(turns):
        flipped = new_first != bool(turn % 2)
        for side in (1, 0) if flipped else (0, 1):
            samples[side].extend((old, new)[side]())
    return samples


class Callables:
    """Two functions of Python, in this process."""

    name = ""
    notes: tuple[str, ...] = (
        "both functions in this process: where its memory happens to lie is not varied",
        "garbage is not collected within a round",
    )

    def __init__(self, old: Callable[[], object], new: Callable[[], object]) -> None:
        self._sides = (old, new)
        self.batch, self.resolution, self.set_up_s = 1, 0.0, 0.0

    def prepare(self, round_ns: float) -> None:
        self._step_ns = python_clock_step()
        operation_ns = [warm_up(partial(_time, side), round_ns / 1e9) for side in self._sides]
        self._plan = plan(operation_ns, self._step_ns, round_ns)
        self.batch, self.resolution = self._plan.batch, self._plan.resolution

    def round(self, new_first: bool) -> Samples:
        collecting = gc.isenabled()
        gc.disable()
        try:
            old, new = (self._turn(side) for side in self._sides)
            return interleaved(old, new, self._plan.turns, new_first)
        finally:
            if collecting:
                gc.enable()

    def count(self) -> PairCounts | None:
        from armprof.counters import pmu

        if self._plan.is_long:
            return None
        old, new = (pmu.count(partial(_time, side, self._plan.calls)) for side in self._sides)
        return PairCounts(old, new, self._plan.calls)

    def codes(self) -> tuple[str | None, str | None]:
        return None, None

    def _turn(self, function: Callable[[], object]) -> Turn:
        batch, samples, least = self._plan.batch, self._plan.samples, self._step_ns
        return lambda: [max(_time(function, batch), least) for _ in range(samples)]


def _time(function: Callable[[], object], batch: int) -> int:
    start = time.perf_counter_ns()
    for _ in repeat(None, batch):
        function()
    return time.perf_counter_ns() - start


def python_clock_step() -> float:
    """The smallest step of Python's clock that shows, in nanoseconds."""
    readings = [time.perf_counter_ns() for _ in range(2000)]
    return float(min(b - a for a, b in pairwise(readings) if b > a))


class Commands:
    """Two commands: a sample is a process from its start to its end. What they print is thrown away."""

    name = ""
    batch = 1
    resolution = 0.0  # of milliseconds the clock's step is nothing
    set_up_s = 0.0
    notes: tuple[str, ...] = ("times hold the start of the process",)

    def __init__(self, old: Sequence[str], new: Sequence[str]) -> None:
        self._sides = (list(old), list(new))

    def prepare(self, round_ns: float) -> None:
        for side in self._sides:
            _run(side)  # reads the files from disk
        self._plan = plan([min(_run(side), _run(side)) for side in self._sides], 0.0, round_ns)

    def round(self, new_first: bool) -> Samples:
        old, new = self._sides
        turns = self._plan.samples * self._plan.turns
        return interleaved(lambda: [_run(old)], lambda: [_run(new)], turns, new_first)

    def count(self) -> PairCounts | None:
        return None  # `armprof stat` counts a command

    def codes(self) -> tuple[str | None, str | None]:
        old, new = self._sides
        return code_of(old), code_of(new)


def _run(command: list[str]) -> int:
    """Nanoseconds that the command took. Raises ArmprofError where it failed: it then did other work than it should."""
    if not hasattr(os, "posix_spawnp"):
        raise CannotCount("commands are timed where they are started as POSIX says", "time them on Linux")
    nothing = [(os.POSIX_SPAWN_OPEN, fd, os.devnull, os.O_RDWR, 0) for fd in (0, 1, 2)]
    start = time.perf_counter_ns()
    try:
        # Python ignores these two signals, and an exec would pass that on
        defaults = (signal.SIGPIPE, signal.SIGXFSZ)
        pid = os.posix_spawnp(command[0], command, os.environ, file_actions=nothing, setsigdef=defaults)
    except (OSError, ValueError) as error:  # ValueError: a NUL in an argument
        raise ArmprofError(f"cannot run {command[0]!r}: {getattr(error, 'strerror', None) or error}") from None
    _, status = os.waitpid(pid, 0)
    took = time.perf_counter_ns() - start
    if status:
        how = ended(os.waitstatus_to_exitcode(status))
        raise ArmprofError(f"{command[0]!r} ended with {how}; run it by itself to see why")
    return took
