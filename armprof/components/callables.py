"""Python callables as components: called in batches, without the loop around them in their time."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from itertools import repeat
from time import perf_counter_ns
from typing import TYPE_CHECKING, Any

from armprof.components.timing import Clock, measure_clock
from armprof.components.work import Definition, Work
from armprof.errors import ArmprofError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

EMPTY_SAMPLES = 101


def callable_(function: Callable[[], Any], called: str, title: str, operation: str, origin: str) -> Definition:
    """The function, called without arguments. Raises ArmprofError where it cannot be called like that."""
    _check(function, called)
    operation = operation or "call"
    return Definition(called, title, "callable", operation, lambda seed, input: Calls(function), origin=origin)


def _check(function: object, called: str) -> None:
    if not callable(function):
        raise ArmprofError(f"component {called!r}: {function!r} cannot be called")
    if inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(type(function).__call__):
        raise ArmprofError(
            f"component {called!r} is a coroutine function, whose call does not run it; "
            "register a function that does: asyncio.run(...)"
        )
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        raise ArmprofError(
            f"component {called!r} is a generator function, whose call does not run it; "
            "register a function that goes through it"
        )
    try:
        signature = inspect.signature(function)
    except ValueError:
        return  # a builtin that does not tell: the first call will
    try:
        signature.bind()
    except TypeError as error:
        raise ArmprofError(
            f"component {called!r} cannot be called without arguments ({error}); register a function that passes them"
        ) from None


class Calls(Work):
    """A callable, called by a loop in Python."""

    def __init__(self, function: Callable[[], Any]) -> None:
        self._function = function

    def run(self, operations: int) -> None:
        function = self._function
        for _ in repeat(None, operations):
            function()

    def sample(self, batch: int, samples: int) -> NDArray[np.uint64]:
        function, ns = self._function, _zeros(samples)
        for i in range(samples):
            start = perf_counter_ns()
            for _ in repeat(None, batch):
                function()
            ns[i] = perf_counter_ns() - start
        return ns

    def clock(self, batch: int) -> Clock:
        """The loop of `sample` with nothing in it: the best of many, because interruptions only ever add."""
        ns = _zeros(EMPTY_SAMPLES)
        for i in range(EMPTY_SAMPLES):
            start = perf_counter_ns()
            for _ in repeat(None, batch):
                pass
            ns[i] = perf_counter_ns() - start
        cost = float(ns.min())
        of_loop = f"{cost:.0f} ns of each sample of {batch:,} calls"
        self.notes = (
            f"the clock and the empty Python loop take {of_loop}, subtracted from its time; counts include that loop",
        )
        return Clock(cost, measure_clock().resolution_ns)


def _zeros(samples: int) -> NDArray[np.uint64]:
    import numpy as np

    return np.zeros(samples, dtype=np.uint64)
