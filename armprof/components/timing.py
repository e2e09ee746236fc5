"""Timing operations that are shorter than the clock resolves: batches, percentiles, warm-up."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from armprof.counters.machine import native
from armprof.run.record import Latency

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from armprof.components.kernels import Work

BATCH_STEPS = 100  # a batch lasts this many steps of the clock: one step more or less is 1 %


@dataclass(frozen=True, slots=True)
class Clock:
    """``cost_ns``: what an interval without work measures. ``resolution_ns``: the smallest step ever seen."""

    cost_ns: float
    resolution_ns: float


def measure_clock() -> Clock:
    """The clock that times the kernels, measured; takes a few milliseconds."""
    clock = native().lib.ap_clock_measure()
    return Clock(clock.cost_ns, clock.resolution_ns)


def batch_size(operation_ns: float, clock: Clock) -> int:
    """Operations per sample: the smallest power of two that lasts BATCH_STEPS steps or costs of the clock."""
    wanted = BATCH_STEPS * max(clock.resolution_ns, clock.cost_ns)
    batch = 1
    while batch * operation_ns < wanted:
        batch *= 2
    return batch


def warm_up(work: Work, seconds: float) -> float:
    """Runs the loop in doubling stretches for about ``seconds``; returns ns per operation of the longest."""
    operations = 1
    while True:
        start = time.perf_counter_ns()
        work.run(operations)
        took = time.perf_counter_ns() - start
        if took >= seconds / 2 * 1e9:
            return took / operations
        operations *= 2


def sample(work: Work, batch: int, samples: int) -> NDArray[np.uint64]:
    """Nanoseconds of each of ``samples`` batches, the clock's cost included."""
    import numpy as np

    ffi, lib = native().ffi, native().lib
    ns = np.empty(samples, dtype=np.uint64)
    out = ffi.from_buffer("uint64_t[]", ns, require_writable=True)
    lib.ap_time_batches(ffi.addressof(lib, work.function), work.state, batch, samples, out)
    return ns


def latency(batches_ns: NDArray[np.uint64], batch: int, clock: Clock, operation: str | None = None) -> Latency:
    """The distribution of the time of one operation, from the times of whole batches. No sample is dropped.

    ``operation`` says what was timed, where that is not every operation.

    A percentile is the smallest sample that at least so many percent of the samples do not exceed (Hyndman
    and Fan 1996, definition 1): a time that was measured, not one between two.
    """
    import numpy as np

    ns = np.sort((batches_ns.astype(np.float64) - clock.cost_ns).clip(min=0) / batch)

    def percentile(permille: int) -> float:
        # In integers: numpy's inverted_cdf takes the 9991st of 10,000 for p99.9, because 0.999 is no float.
        return float(ns[-(-permille * len(ns) // 1000) - 1])

    return Latency(
        mean_ns=float(ns.mean()),
        p50_ns=percentile(500),
        p95_ns=percentile(950),
        p99_ns=percentile(990),
        p999_ns=percentile(999),
        max_ns=float(ns[-1]),
        samples=len(ns),
        batch=batch,
        clock_cost_ns=clock.cost_ns,
        operation=operation,
    )
