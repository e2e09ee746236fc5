"""A function in two builds of a shared library, as the two sides of a comparison.

Where code and data happen to lie makes the same function some percent faster or slower, for as long as a process lives.
So every round is a process of its own, a child that loads both libraries anew, one time the one first, one time the other:
chance is then in the noise between rounds, where the interval sees it, and what a library does to its process does no harm
here.
"""

from __future__ import annotations

import faulthandler
import json
import os
import signal
import struct
from array import array
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NoReturn

from armprof.components.pairs import PairCounts, Samples, Turn, interleaved, plan
from armprof.components.processes import ended
from armprof.components.symbols import symbol
from armprof.components.timing import measure_clock, warm_up
from armprof.components.work import Work
from armprof.counters.reading import Reading
from armprof.errors import ArmprofError
from armprof.run.codec import decode, encode

SEED = 1  # of the states of loops


class Symbols:
    """``void name(void)`` in two shared libraries, or a loop of that name. Raises ArmprofError where one does not have it."""

    notes: tuple[str, ...] = ("each round in a process of its own, which loads both libraries anew",)

    def __init__(self, old: Path, new: Path, name: str, loop: bool = False) -> None:
        import numpy  # noqa: F401  # here, so that no child has to import it

        self.name = name
        self._libraries = (Path(old), Path(new))
        self._sides = [symbol(library, name, loop, name, "", "", "") for library in self._libraries]
        self.batch, self.resolution, self.set_up_s = 1, 0.0, 0.0

    def prepare(self, round_ns: float) -> None:
        self._step_ns = measure_clock().resolution_ns
        told = [self._in_child(partial(self._warm_up, side, round_ns), side) for side in (0, 1)]
        self._plan = plan([struct.unpack("d", each)[0] for each in told], self._step_ns, round_ns)
        self.batch, self.resolution = self._plan.batch, self._plan.resolution

    def round(self, new_first: bool) -> Samples:
        both = array("d", self._in_child(partial(self._round, new_first)))
        return both[: len(both) // 2], both[len(both) // 2 :]

    def count(self) -> PairCounts | None:
        if self._plan.is_long:
            return None
        told = (self._in_child(partial(self._count, side), side) for side in (0, 1))
        old, new = (decode(Reading, json.loads(each)) for each in told)
        return PairCounts(old, new, self._plan.calls)

    def codes(self) -> tuple[str | None, str | None]:
        old, new = self._sides
        return old.code(), new.code()

    def _in_child(self, work: Callable[[], bytes], side: int | None = None) -> bytes:
        old, new = self._libraries
        where = f"{old} or {new}" if side is None else self._libraries[side]
        return in_child(work, f"{self.name}() of {where}")

    # ---- in the child ----

    def _load(self, side: int) -> Work:
        return self._sides[side].set_up(SEED, None)

    def _warm_up(self, side: int, round_ns: float) -> bytes:
        work = self._load(side)
        return struct.pack("d", warm_up(lambda calls: int(work.sample(calls, 1)[0]), round_ns / 1e9))

    def _round(self, new_first: bool) -> bytes:
        order = (1, 0) if new_first else (0, 1)
        loaded = {side: self._load(side) for side in order}
        for side in order:  # what the first call sets up
            loaded[side].run(self._plan.batch)
        old, new = (self._turn(loaded[side]) for side in (0, 1))
        samples = interleaved(old, new, self._plan.turns, new_first)
        return b"".join(side.tobytes() for side in samples)

    def _turn(self, work: Work) -> Turn:
        batch, samples, least = self._plan.batch, self._plan.samples, self._step_ns
        return lambda: [max(ns, least) for ns in work.sample(batch, samples).tolist()]

    def _count(self, side: int) -> bytes:
        reading, _ = self._load(side).count(self._plan.calls)
        return json.dumps(encode(reading)).encode()


def in_child(work: Callable[[], bytes], what: str) -> bytes:
    """What ``work`` returns, from a child process. Raises ArmprofError where it did not come to its end."""
    ours, its = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(ours)
        _work(work, its)
    os.close(its)
    status = None
    try:
        with open(ours, "rb") as pipe:
            told = pipe.read()
        _, status = os.waitpid(pid, 0)
    finally:
        if status is None:  # Ctrl-C
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
    if status or not told:
        raise ArmprofError(f"{what} ended its process with {ended(os.waitstatus_to_exitcode(status))}")
    if told[:1] == b"-":
        raise ArmprofError(told[1:].decode(errors="replace"))
    return told[1:]


def _work(work: Callable[[], bytes], to: int) -> NoReturn:
    """In the child: tells what came of the work, and leaves without any of the parent's clean-up."""
    try:
        faulthandler.disable()  # how it ended is told in one line
        os.dup2(2, 1)  # the libraries may print; what is on stdout is armprof's
        try:
            told = b"+" + work()
        except Exception as error:
            told = b"-" + str(error).encode(errors="replace")
        with open(to, "wb") as pipe:
            pipe.write(told)
        os._exit(0)
    finally:
        os._exit(1)
