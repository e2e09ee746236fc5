"""Timing operations that are shorter than the clock resolves: batches, percentiles, warm-up."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from armprof.components.failure import Failed
from armprof.counters.machine import native
from armprof.run.record import Latency, Round

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from armprof.components.work import Work

BATCH_STEPS = 100  # a batch lasts this many steps of the clock: one step more or less is 1 %
FEW, MANY = 10, 1000
NO_WORK = 1 << 40  # operations that no core does in the time of any warming up


@dataclass(frozen=True, slots=True)
class Clock:
    """``cost_ns``: what a sample without work measures. ``resolution_ns``: the smallest step ever seen."""

    cost_ns: float
    resolution_ns: float


@cache
def measure_clock() -> Clock:
    """CLOCK_MONOTONIC as C code reads it, measured once; takes a few milliseconds."""
    clock = native().lib.ap_clock_measure()
    return Clock(clock.cost_ns, clock.resolution_ns)


def batch_size(operation_ns: float, clock: Clock) -> int:
    """Operations per sample: the smallest power of two that lasts BATCH_STEPS steps or costs of the clock."""
    wanted = BATCH_STEPS * max(clock.resolution_ns, clock.cost_ns)
    batch = 1
    while batch * operation_ns < wanted:
        batch *= 2
    return batch


def sample_count(seconds: float, sample_ns: float) -> int:
    """Samples of one component: as many as fit into the time.

    A thousand at least, so that p99.9 is a sample, where those take no longer than a second; of longer work as many as
    take that second, and ten of the longest.
    """
    at_least = min(MANY, max(FEW, int(1e9 / sample_ns)))
    return max(int(seconds * 1e9 / sample_ns), at_least)


def warm_up(time_operations: Callable[[int], int], seconds: float) -> float:
    """Runs so many operations in doubling stretches for about ``seconds``; returns ns per operation of the longest.

    Each is run twice and the shorter time taken, for interruptions only ever add: one of a millisecond in the first stretch
    would make an operation of a nanosecond look as long as that, and its batch one operation.

    Raises Failed where the work takes no time, as that of a function does which is no loop and is called as one.
    """
    operations = 1
    while True:
        took = min(time_operations(operations), time_operations(operations))
        if took >= seconds / 4 * 1e9:
            return took / operations
        if operations >= NO_WORK:
            raise Failed(f"it does nothing: {operations:,} operations took {took:,} ns")
        operations *= 2


def time_once(work: Work, operations: int) -> int:
    """Nanoseconds of one stretch, by Python's clock."""
    start = time.perf_counter_ns()
    work.run(operations)
    return time.perf_counter_ns() - start


def latency(batches_ns: NDArray[np.uint64], batch: int, clock: Clock, operation: str | None = None) -> Latency:
    """The distribution of the time of one operation, from the times of whole batches. No sample is dropped.

    ``operation`` says what was timed, where that is not every operation.
    """
    ns = _of_one_operation(batches_ns, batch, clock)
    return Latency(
        mean_ns=float(ns.mean()),
        p50_ns=_percentile(ns, 500),
        p95_ns=_percentile(ns, 950),
        p99_ns=_percentile(ns, 990),
        p999_ns=_percentile(ns, 999),
        max_ns=float(ns[-1]),
        samples=len(ns),
        batch=batch,
        clock_cost_ns=clock.cost_ns,
        operation=operation,
    )


def round_times(batches_ns: NDArray[np.uint64], batch: int, clock: Clock) -> Round:
    """What one round contributes, from the times of its batches."""
    ns = _of_one_operation(batches_ns, batch, clock)
    return Round(float(ns.mean()), _percentile(ns, 500), _percentile(ns, 950))


def _of_one_operation(batches_ns: NDArray[np.uint64], batch: int, clock: Clock) -> NDArray[np.float64]:
    """The batches' times as those of one operation, in order of size."""
    import numpy as np

    return np.sort((batches_ns.astype(np.float64) - clock.cost_ns).clip(min=0) / batch)


def _percentile(ordered: NDArray[np.float64], permille: int) -> float:
    """The smallest sample that at least so many per mille of the samples do not exceed (Hyndman and Fan 1996, definition 1):
    a time that was measured, not one between two.
    """
    # In integers: numpy's inverted_cdf takes the 9991st of 10,000 for p99.9, because 0.999 is no float.
    return float(ordered[-(-permille * len(ordered) // 1000) - 1])
