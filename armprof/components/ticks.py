"""Tick to trade one tick at a time: the whole, its stages, and at a rate at which ticks arrive."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from armprof.components.timing import Clock, latency
from armprof.counters.machine import native
from armprof.counters.reading import Reading
from armprof.run.record import CriticalPath, OpenLoop, Stage

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

OPERATION = "tick that sends orders"
STAGES = {  # of enum ap_stage, in its order
    "feed": "Feed handler",
    "book": "Order book",
    "decision": "Strategy decision",
    "risk": "Risk checks",
    "order": "Order encoding",
}
MIDDLE = (0.45, 0.55)  # ranks of the ticks around the median
MOST_TIMES = 1 << 22  # of ticks at a rate: 32 MB
CALIBRATION_TICKS = 10_000


class Ticks:
    """The single ticks of a loop of tick to trade. Only those that send orders are timed, the others go by."""

    def __init__(self, state: Any, period: int) -> None:
        self._ffi, self._lib = native().ffi, native().lib
        self._state, self.period = state, period
        self._timing = self._ffi.new("ap_timing *")
        self._lib.ap_timing_init(self._timing, self._lib.AP_TIMING_COUNTER, self._lib.AP_TIMING_CALIBRATION_NS)
        self._service = self._ffi.new("ap_service *", self._lib.ap_trade_loop_service(state))
        self._pace_clock = self._ffi.new("ap_pace_clock *", self._lib.ap_pace_clock_of(self._timing))
        self.clock = Clock(self._lib.ap_pace_cost_ns(self._pace_clock), self._timing.resolution_ns)
        self.stamp_cost_ns = self._stamp_cost()

    def times(self, messages: int, at_least: int) -> NDArray[np.uint64]:
        """Nanoseconds of each tick from bytes in to bytes out, the clock's cost included.

        Goes on beyond ``messages`` until there are ``at_least``, or a day went by without them.
        """

        def some(messages: int) -> NDArray[np.uint64]:
            ns, out = self._room(messages, 1)
            pace = self._lib.ap_pace_closed(self._service, self._pace_clock, messages, out, messages)
            return ns[: pace.kept, 0]

        return self._enough(some, messages, at_least)

    def stages(self, messages: int, at_least: int) -> NDArray[np.uint64]:
        """Nanoseconds of the stages of each tick, a row for each, the cost of a stamp included; as `times`."""

        def some(messages: int) -> NDArray[np.uint64]:
            ns, out = self._room(messages, len(STAGES))
            times = self._ffi.new("ap_stage_times *")
            self._lib.ap_stage_times_init(times, self._timing, out, messages)
            self.run(messages, self._ffi.addressof(times, "watch"))
            return ns[: times.rows].copy()

        return self._enough(some, messages, at_least)

    def run(self, messages: int, watch: Any) -> None:
        """Runs the loop with somebody who looks on: an ap_watch."""
        self._lib.ap_trade_loop_watched(self._state, messages, watch)

    def run_day(self, watch: Any) -> None:
        """Runs a whole period of the input: as much work each time."""
        self.run(self.period, watch)

    def at_rate(self, rate_per_s: float, seconds: float) -> OpenLoop | None:
        """Lets messages arrive at this rate; None where none of them sent orders."""
        ns, out = self._room(min(int(rate_per_s * seconds) + 1, MOST_TIMES), 1)
        pace = self._lib.ap_pace_open(
            self._service, self._pace_clock, 1e9 / rate_per_s, int(seconds * 1e9), out, len(ns)
        )
        return open_loop(rate_per_s, pace, ns[: pace.kept, 0], self.clock)

    def _room(self, rows: int, columns: int) -> tuple[NDArray[np.uint64], Any]:
        import numpy as np

        ns = np.empty((rows, columns), dtype=np.uint64)
        return ns, self._ffi.from_buffer("uint64_t[]", ns, require_writable=True)

    def _enough(self, some: Callable[[int], NDArray[np.uint64]], messages: int, at_least: int) -> NDArray[np.uint64]:
        import numpy as np

        found, left = [some(messages)], self.period
        while sum(map(len, found)) < at_least and left > 0:
            found.append(some(messages))
            left -= messages
        return np.concatenate(found)

    def _stamp_cost(self) -> float:
        """What a stage measures in which nothing is done: the median."""
        import numpy as np

        ns, out = self._room(CALIBRATION_TICKS, len(STAGES))
        times = self._ffi.new("ap_stage_times *")
        self._lib.ap_stage_times_init(times, self._timing, out, len(ns))
        self._lib.ap_stage_times_of_nothing(times)
        return float(np.median(ns))


def critical_path(stages_ns: NDArray[np.uint64], stamp_cost_ns: float) -> CriticalPath | None:
    """The share of each stage in the ticks around the median, and in those at and above p99.

    A share is the mean of those of single ticks, so that one that an interrupt met weighs no more than any other.
    None where there is no tick, or where the clock cannot tell one from nothing.
    """
    import numpy as np

    stages = (stages_ns.astype(np.float64) - stamp_cost_ns).clip(min=0)
    stages = stages[np.argsort(stages.sum(axis=1), kind="stable")]
    whole = stages.sum(axis=1)
    count = len(whole)
    if count == 0 or whole[-(-count // 2) - 1] == 0:
        return None
    median, high = (-(-permille * count // 1000) - 1 for permille in (500, 990))  # ranks
    middle = slice(min(int(MIDDLE[0] * count), median), max(int(MIDDLE[1] * count), median + 1))
    tail = slice(high, count)

    def shares(ticks: slice) -> NDArray[np.float64]:
        taken = whole[ticks] > 0
        means: NDArray[np.float64] = (stages[ticks][taken] / whole[ticks][taken, None]).mean(axis=0)
        return means

    rows = zip(STAGES.items(), shares(middle), shares(tail), strict=True)
    return CriticalPath(
        stages=tuple(Stage(name, title, float(p50), float(p99)) for (name, title), p50, p99 in rows),
        p50_ns=float(whole[median]),
        p99_ns=float(whole[high]),
        operations=count,
        p50_operations=middle.stop - middle.start,
        p99_operations=tail.stop - tail.start,
        stamp_cost_ns=stamp_cost_ns,
    )


def with_counts(path: CriticalPath, counted: tuple[list[Reading], int] | None, why_not: str | None) -> CriticalPath:
    """The path with what was counted in its stages, or with the reason why nothing was."""
    if counted is None:
        return replace(path, uncounted=why_not or "nothing was counted")
    readings, ticks = counted
    stages = (replace(stage, reading=reading) for stage, reading in zip(path.stages, readings, strict=True))
    return replace(path, stages=tuple(stages), reading_operations=ticks)


def open_loop(rate_per_s: float, pace: Any, latencies_ns: NDArray[np.uint64], clock: Clock) -> OpenLoop | None:
    """What an ap_pace and the times from the intended arrivals say; None where there are no times."""
    if len(latencies_ns) == 0:
        return None
    return OpenLoop(
        rate_per_s=rate_per_s,
        achieved_per_s=pace.operations / pace.elapsed_ns * 1e9,
        operations=pace.operations,
        latency=latency(latencies_ns, 1, clock, OPERATION),
        on_time_until=min(1.0, (pace.on_time_ns + 1e9 / rate_per_s) / pace.elapsed_ns),
        behind_ns=float(pace.behind_ns),
        most_behind_ns=float(pace.most_behind_ns),
    )
