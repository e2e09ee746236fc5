"""A function in two builds of a shared library, as the two sides of a comparison.

Where code and data happen to lie makes the same function some percent faster or slower, for as long as a process lives.
So every round is a process of its own, a child that loads both libraries anew, one time the one first, one time the other:
chance is then in the noise between rounds, where the interval sees it, and what a library does to its process does no harm
here.
"""

from __future__ import annotations

import ctypes
import faulthandler
import json
import os
import signal
import struct
from array import array
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from armprof.components.pairs import Counted, Samples, Turn, ended, interleaved, plan, warm_up
from armprof.counters.machine import native
from armprof.counters.reading import Reading
from armprof.errors import ArmprofError
from armprof.run.codec import decode, encode


class Symbols:
    """``void symbol(void)`` in two shared libraries."""

    notes: tuple[str, ...] = ("each round in a process of its own, which loads both libraries anew",)

    def __init__(self, old: Path, new: Path, symbol: str) -> None:
        self.name = symbol
        self._sides = (Path(old), Path(new))
        self.batch, self.resolution = 1, 0.0

    def prepare(self, round_ns: float) -> None:
        step_ns = native().lib.ap_clock_measure().resolution_ns
        told = [in_child(partial(self._warm_up, side, round_ns), f"{self.name}() of {side}") for side in self._sides]
        operation_ns = [struct.unpack("d", each)[0] for each in told]
        self._plan = plan(operation_ns, step_ns, round_ns)
        self._step_ns = step_ns
        self.batch, self.resolution = self._plan.batch, self._plan.resolution

    def round(self, new_first: bool) -> Samples:
        told = in_child(partial(self._round, new_first), f"{self.name}() of {self._sides[0]} or {self._sides[1]}")
        both = array("d", told)
        return both[: len(both) // 2], both[len(both) // 2 :]

    def count(self) -> Counted | None:
        if self._plan.is_long:
            return None
        told = (in_child(partial(self._count, side), f"{self.name}() of {side}") for side in self._sides)
        old, new = (decode(Reading, json.loads(each)) for each in told)
        return Counted(old, new, self._plan.calls)

    # ---- in the child ----

    def _count(self, library: Path) -> bytes:
        from armprof.counters import pmu

        function = load(library, self.name)
        return json.dumps(encode(pmu.count(lambda: function.time(self._plan.calls, 1)))).encode()

    def _warm_up(self, library: Path, round_ns: float) -> bytes:
        function = load(library, self.name)
        return struct.pack("d", warm_up(lambda calls: function.time(calls, 1)[0], round_ns))

    def _round(self, new_first: bool) -> bytes:
        order = (1, 0) if new_first else (0, 1)
        loaded = {side: load(self._sides[side], self.name) for side in order}
        for side in order:  # what the first call sets up
            loaded[side].time(self._plan.batch, 1)
        old, new = (self._turn(loaded[side]) for side in (0, 1))
        samples = interleaved(old, new, self._plan.turns, new_first)
        return b"".join(side.tobytes() for side in samples)

    def _turn(self, function: Function) -> Turn:
        batch, samples, least = self._plan.batch, self._plan.samples, self._step_ns
        return lambda: [max(ns, least) for ns in function.time(batch, samples)]


class Function:
    """A function that is loaded into this process."""

    def __init__(self, address: int) -> None:
        module = native()
        self._module = module
        self._loop = module.ffi.addressof(module.lib, "ap_call_loop")
        self._state: Any = module.ffi.new("ap_function *", module.ffi.cast("ap_function", address))

    def time(self, batch: int, samples: int) -> array[int]:
        """Nanoseconds of each of the samples."""
        ns = array("Q", bytes(8 * samples))
        out = self._module.ffi.from_buffer("uint64_t[]", ns, require_writable=True)
        self._module.lib.ap_time_batches(self._loop, self._state, batch, samples, out)
        return ns


def load(library: Path, name: str) -> Function:
    try:
        loaded = ctypes.CDLL(str(library.resolve()), os.RTLD_NOW | os.RTLD_LOCAL)
    except OSError as error:  # the loader's own words, with the file's name in front
        raise ArmprofError(f"cannot load {library}: {error}") from None
    try:
        address = ctypes.cast(loaded[name], ctypes.c_void_p).value
    except AttributeError:
        raise ArmprofError(f"{library} exports no function {name!r}") from None
    assert address is not None
    return Function(address)


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
        raise ArmprofError(f"{what} {ended(status)}")
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
