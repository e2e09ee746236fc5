"""`measure` and `profile`: counting around a block of Python, and around a function that can be repeated."""

from __future__ import annotations

import functools
import inspect
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from time import monotonic_ns
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar
from weakref import WeakValueDictionary

from armprof.counters import pmu
from armprof.counters.blocks import SampleBlock
from armprof.counters.machine import canonical_events, machine
from armprof.counters.reading import Count, Reading, Status, uncounted
from armprof.errors import ArmprofError

if TYPE_CHECKING:
    import pandas as pd

    from armprof.metrics import ARM64Metrics

P = ParamSpec("P")
R = TypeVar("R")


class _Result:
    """What a measurement and a profile have in common: a Reading, and what follows from it."""

    _reading: Reading | None = None

    @property
    def reading(self) -> Reading:
        """The counts with where they come from. ArmprofError before there are any."""
        if self._reading is None:
            raise ArmprofError("nothing measured yet: the block has not ended")
        return self._reading

    @property
    def counts(self) -> Mapping[str, Count]:
        """The counts by event name."""
        return self.reading.counts

    @property
    def metrics(self) -> ARM64Metrics:
        """The ratios that follow from the counts."""
        from armprof.metrics import compute

        return compute(self.reading)

    def to_frame(self) -> pd.DataFrame:
        """One row per event; see `Reading.to_frame`."""
        return self.reading.to_frame()

    def _repr_html_(self) -> str | None:
        return (
            self.reading._repr_html_() if self._reading is not None else f"<p>{type(self).__name__}: no counts yet</p>"
        )

    def __repr__(self) -> str:
        name = type(self).__name__
        return f"<{name}: no counts yet>" if self._reading is None else f"<{name}: {self.reading!r}>"


class _ThreadState(threading.local):
    """Open counters, by what they count: blocks inside a block that count the same share them, since two sets would
    fight for the same registers. The running blocks alone hold them; the last one that lets go closes them.
    """

    def __init__(self) -> None:
        self.open: WeakValueDictionary[tuple[object, ...], pmu.Counters] = WeakValueDictionary()
        self.last: Measurement | None = None


_thread = _ThreadState()
_overhead: dict[tuple[object, ...], dict[str, float]] = {}  # by what is counted and how; found once per process


class Measurement(SampleBlock, _Result):
    """What `measure` yields. Its numbers are there when the block has ended, also when it ended by an exception.

    ``counts`` are the events by name, ``metrics`` the ratios that follow, ``reading`` has the counts with where they come from,
    and `to_frame` gives a row for each event to pandas. Each raises ArmprofError before the block has ended.
    """

    # SampleBlock calls _prepare, takes the first sample, runs the block, takes the second, and calls _finish.

    def __init__(
        self, events: Sequence[str] | None, threads: bool, fenced: bool, metrics: Sequence[str] | None = None
    ) -> None:
        names = None if events is None else tuple(canonical_events(events))
        self._groups = _planned(names, None if metrics is None else tuple(metrics))
        self._scope: pmu.Scope = "process" if threads else "thread"
        self._fenced = fenced
        self._counters: pmu.Counters | None = None  # while it runs

    if TYPE_CHECKING:

        def __enter__(self) -> Measurement: ...

    def _prepare(self) -> None:
        if self._counters is not None:
            raise ArmprofError("this measurement is already running; call measure() again for a block inside it")
        self._reading = None
        self._opened_by = _thread.open
        key = (self._groups, self._scope, self._fenced, os.getpid())  # a child after fork opens its own
        counters = self._opened_by.get(key)
        if counters is None:
            layout = pmu.layout_of(self._groups)
            counters = self._opened_by[key] = pmu.Counters(layout, self._scope, fenced=self._fenced)
        self._overhead_key = (*key[:3], counters.access())
        if self._overhead_key not in _overhead:
            _overhead[self._overhead_key] = pmu.cost_of_nothing(counters)
        self._before, self._after = counters.new_sample(), counters.new_sample()
        self._bind(*counters.addresses(self._before, self._after))
        self._counters = counters
        self._before.at_ns = monotonic_ns()

    def _finish(self, error: int) -> None:
        self._after.at_ns = monotonic_ns()
        self._after.error = error
        counters, self._counters = self._counters, None
        assert counters is not None
        if self._scope == "thread" and self._opened_by is not _thread.open:
            why = "the block was entered in one thread and left in another, whose work is not this thread's"
            counts = {n: uncounted(n, Status.NOT_COUNTED, why) for n in counters.layout.names}
            self._reading = Reading(counts, "pmu", scope=pmu.SCOPES[self._scope], notes=(why,))
        else:
            overhead = _overhead[self._overhead_key]
            self._reading = counters.reading(self._before, self._after, overhead, self._notes())
        # `with measure() as m` in a loop drops the last m inside the next block; held here it is freed outside, and its
        # 4000 instructions are not in the result
        _thread.last = self

    def _notes(self) -> list[str]:
        if _in_event_loop():
            return ["measured in a coroutine: what else the event loop ran in this thread meanwhile is counted too"]
        return []

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        """As a decorator: every call is a block of its own; the last one is at ``function.measurement``."""
        refuse_generator(function, "measure()")
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def awaited(*args: Any, **kwargs: Any) -> Any:
                awaited.measurement = block = self._another()  # type: ignore[attr-defined]
                with block:
                    return await function(*args, **kwargs)

            awaited.measurement = self  # type: ignore[attr-defined]
            return awaited  # type: ignore[return-value]

        @functools.wraps(function)
        def called(*args: P.args, **kwargs: P.kwargs) -> R:
            called.measurement = block = self._another()  # type: ignore[attr-defined]
            with block:
                return function(*args, **kwargs)

        called.measurement = self  # type: ignore[attr-defined]
        return called

    def _another(self) -> Measurement:
        """One like this that has not run."""
        other = Measurement.__new__(Measurement)
        other._groups, other._scope, other._fenced = self._groups, self._scope, self._fenced
        other._counters = None
        return other


@functools.lru_cache(maxsize=64)
def _planned(names: tuple[str, ...] | None, metrics: tuple[str, ...] | None) -> tuple[tuple[str, ...], ...]:
    """The groups in which events are counted here. Found once: for the default ones it takes as long as a block."""
    if metrics is None:
        return tuple(pmu.groups_of(machine().default_events() if names is None else names))
    from armprof.metrics.wanted import wanted

    found = wanted(metrics, machine().core)
    return tuple(pmu.groups_of(tuple(dict.fromkeys((*found.events, *(names or ())))), together=found.together))


def _in_event_loop() -> bool:
    import sys

    asyncio = sys.modules.get("asyncio")
    return asyncio is not None and asyncio._get_running_loop() is not None


def name_of(function: Callable[..., Any]) -> str:
    """What a message calls the function."""
    return getattr(function, "__qualname__", repr(function))  # a functools.partial has none


def refuse_generator(function: Callable[..., Any], what: str) -> None:
    """Raises ArmprofError for a function whose call only makes a generator."""
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        raise ArmprofError(
            f"{what} of the generator {name_of(function)}() would count its creation, not its steps; "
            "put `with armprof.measure()` inside it"
        )


def measure(
    events: Sequence[str] | None = None,
    *,
    metrics: Sequence[str] | None = None,
    threads: bool = False,
    fenced: bool = True,
) -> Measurement:
    """Counts what this thread does in user mode until the block ends.

        with armprof.measure() as m:
            work()
        m.metrics.l1_cache_hit_rate         # 0 to 1, or None; m.metrics.explain("l1_cache_hit_rate") says why
        m.counts["l1d_cache_refill"].value  # so many, or None; .status and .reason say why

    ``events``: names as `armprof events` lists them; by default those that the main metrics need. ``metrics``: count what
    these metrics or groups of them need instead (``["topdown_l1", "dtlb_effectiveness"]``). More events than the core has
    counters are multiplexed: each is then scaled from the share of the time that it really counted, which its coverage
    tells; `profile` avoids that. ``threads=True`` counts the whole process, with the threads and children that it starts
    meanwhile, by system calls. ``fenced=False`` leaves out the barriers around reads in user space, for long blocks.

    What is counted is the thread, not the block: in a generator or a coroutine that is whatever the thread ran between
    entering and leaving. A block that another thread leaves counts nothing and says so. Blocks nest. An exception passes
    through and the counts stay. The cost of an empty block was measured and is subtracted; ``m.reading.overhead`` tells
    how much.

    ``@armprof.measure()`` makes each call of a function such a block; the last one is the function's ``.measurement``.

    Raises ArmprofError for an unknown event, and CannotCount where the native module is missing. Where an event cannot be
    counted its Count says why.
    """
    if callable(events):
        raise ArmprofError("measure() takes names of events; as a decorator it is @armprof.measure()")
    return Measurement(events, threads, fenced, metrics)


class Profile(_Result):
    """Counts of one call of a function that was repeated, one group of events a pass.

    ``counts``, ``metrics``, ``reading`` and `to_frame` are those of a Measurement; ``result`` is what the last call returned.
    """

    def __init__(self, reading: Reading, calls: int, result: Any) -> None:
        self._reading = reading
        self.calls = calls  # that each count is the total of
        self.result = result


def profile(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> Profile:
    """Calls the function once to warm up and then once for each group of events: nothing is multiplexed.

    For work that can be repeated. Counts are those of one call; instructions and cycles, counted in every pass, are the
    mean, and a note says so if the passes did not do the same work.

    Raises ArmprofError for what is no function, or a generator or coroutine, whose call does not run it; CannotCount where
    the native module is missing. What the function raises passes through.
    """
    if not callable(function):
        raise ArmprofError(
            f"profile() calls a function again and again, and {function!r} is none: profile(f, x), not profile(f(x))"
        )
    refuse_generator(function, "profile()")
    if inspect.iscoroutinefunction(function):
        raise ArmprofError(
            f"profile() of the coroutine {name_of(function)}() would count its creation; "
            "profile a function that runs it: profile(lambda: asyncio.run(f()))"
        )
    last: list[R] = []

    def work() -> None:
        last[:] = [function(*args, **kwargs)]

    reading = pmu.count(work)
    return Profile(reading, 1, last[0])
