"""`measure` and `profile`: counting around a block of Python, and around a function that can be repeated."""

from __future__ import annotations

import functools
import inspect
import threading
from collections.abc import Callable, Mapping, Sequence
from time import monotonic_ns
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

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

    def _repr_html_(self) -> str:
        return (
            self.reading._repr_html_() if self._reading is not None else f"<p>{type(self).__name__}: no counts yet</p>"
        )

    def __repr__(self) -> str:
        name = type(self).__name__
        return f"<{name}: no counts yet>" if self._reading is None else f"<{name}: {self.reading!r}>"


class _Open:
    """Counters of one thread, shared by nested blocks that count the same: two sets would fight for the same registers."""

    def __init__(self, key: tuple[object, ...], counters: pmu.Counters) -> None:
        self.key = key
        self.counters = counters
        self.users = 0


class _ThreadState(threading.local):
    def __init__(self) -> None:
        self.open: dict[tuple[object, ...], _Open] = {}
        self.last: Measurement | None = None


_thread = _ThreadState()
_overhead: dict[tuple[object, ...], dict[str, float]] = {}  # by what is counted and how; found once per process


class Measurement(SampleBlock, _Result):
    """What `measure` yields. Its numbers are there when the block has ended, also when it ended by an exception.

    `SampleBlock` calls `_prepare`, takes the first sample, runs the block, takes the second, and calls `_finish`.
    """

    def __init__(self, events: Sequence[str] | None, threads: bool, fenced: bool) -> None:
        names = machine().default_events() if events is None else canonical_events(events)
        self._groups = tuple(pmu.groups_of(names))
        self._scope: pmu.Scope = "process" if threads else "thread"
        self._fenced = fenced
        self._open: _Open | None = None

    if TYPE_CHECKING:

        def __enter__(self) -> Measurement: ...

    def _prepare(self) -> None:
        if self._open is not None:
            raise ArmprofError("this measurement is already running; call measure() again for a block inside it")
        self._reading = None
        key = (self._groups, self._scope, self._fenced)
        found = _thread.open.get(key)
        if found is None:
            layout = pmu.layout_of(self._groups)
            found = _thread.open[key] = _Open(key, pmu.Counters(layout, self._scope, fenced=self._fenced))
        found.users += 1
        self._open = found
        self._owner = threading.get_ident()
        self._states = _thread.open
        counters = found.counters
        self._overhead_key = (*key, counters.access())
        if self._overhead_key not in _overhead:
            _overhead[self._overhead_key] = {}  # for the empty blocks that find it out
            _overhead[self._overhead_key] = pmu.cost_of_nothing(lambda: _empty(self))
        self._before, self._after = counters.new_sample(), counters.new_sample()
        self._bind(*counters.addresses(self._before, self._after))
        self._before.at_ns = monotonic_ns()

    def _finish(self, error: int) -> None:
        self._after.at_ns = monotonic_ns()
        self._after.error = error
        held = self._open
        assert held is not None
        if threading.get_ident() == self._owner:
            overhead = _overhead[self._overhead_key]
            self._reading = held.counters.reading(self._before, self._after, overhead, self._notes())
        else:
            why = "the block was entered in one thread and left in another, whose work is not this thread's"
            counts = {n: uncounted(n, Status.NOT_COUNTED, why) for n in held.counters.layout.names}
            self._reading = Reading(counts, "pmu", scope=pmu.SCOPES[self._scope], notes=(why,))
        self._open = None
        held.users -= 1
        if held.users == 0:
            self._states.pop(held.key, None)
            held.counters.close()
        # `with measure() as m` in a loop drops the last m inside the next block; held here it is freed outside, and its
        # 4000 instructions are not in the result
        _thread.last = self

    def _notes(self) -> list[str]:
        if _in_event_loop():
            return ["measured in a coroutine: what else the event loop ran in this thread meanwhile is counted too"]
        return []

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        """As a decorator: every call is a block of its own; the last one is at ``function.measurement``."""
        _refuse_generator(function, "measure()")
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def awaited(*args: Any, **kwargs: Any) -> Any:
                with self._another() as m:
                    awaited.measurement = m  # type: ignore[attr-defined]
                    return await function(*args, **kwargs)

            return awaited  # type: ignore[return-value]

        @functools.wraps(function)
        def called(*args: P.args, **kwargs: P.kwargs) -> R:
            with self._another() as m:
                called.measurement = m  # type: ignore[attr-defined]
                return function(*args, **kwargs)

        return called

    def _another(self) -> Measurement:
        other = Measurement.__new__(Measurement)
        other.__dict__.update(self.__dict__)
        other._open = None
        return other


def _empty(like: Measurement) -> Reading:
    with like._another() as m:
        pass
    return m.reading


def _in_event_loop() -> bool:
    import sys

    asyncio = sys.modules.get("asyncio")
    return asyncio is not None and asyncio._get_running_loop() is not None


def _refuse_generator(function: Callable[..., Any], what: str) -> None:
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        raise ArmprofError(
            f"{what} on the generator {function.__qualname__}() would count its creation, not its steps; "
            "put the `with` inside it"
        )


def measure(events: Sequence[str] | None = None, *, threads: bool = False, fenced: bool = True) -> Measurement:
    """Counts what this thread does in user mode until the block ends.

        with armprof.measure() as m:
            work()
        m.metrics.l1_cache_hit_rate

    ``events``: names as `armprof events` lists them; by default those that the metrics need. More events than the core has
    counters are multiplexed: each is then scaled from the share of the time that it really counted, which its coverage
    tells; `profile` avoids that. ``threads=True`` counts the whole process, with the threads and children that it starts
    meanwhile, by system calls. ``fenced=False`` leaves out the barriers around reads in user space, for long blocks.

    What is counted is the thread, not the block: in a generator or a coroutine that is whatever the thread ran between
    entering and leaving. Blocks nest. An exception passes through and the counts stay. The cost of an empty block was
    measured and is subtracted; ``m.reading.overhead`` tells how much.

    Raises ArmprofError for an unknown event, and CannotCount where the native module is missing. Where an event cannot be
    counted its Count says why.
    """
    return Measurement(events, threads, fenced)


class Profile(_Result):
    """Counts of a function that was repeated, one group of events a pass. ``result`` is what its last call returned."""

    def __init__(self, reading: Reading, calls: int, result: Any) -> None:
        self._reading = reading
        self.calls = calls  # that each count is the total of
        self.result = result


def profile(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> Profile:
    """Calls the function once to warm up and then once for each group of events: nothing is multiplexed.

    For work that can be repeated. Counts are those of one call; instructions and cycles, counted in every pass, are the
    mean, and a note says so if the passes did not do the same work.
    """
    last: list[R] = []

    def work() -> None:
        last[:] = [function(*args, **kwargs)]

    reading = pmu.count(work)
    return Profile(reading, 1, last[0])
