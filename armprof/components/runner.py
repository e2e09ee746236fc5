"""bench(): times components in turn, then counts them in passes of their own."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from armprof.components.kernels import KERNELS, Kernel, Work
from armprof.components.pinning import pinned
from armprof.components.ticks import OPERATION, Ticks, critical_path, with_counts
from armprof.components.timing import Clock, batch_size, latency, measure_clock, sample, warm_up
from armprof.counters.reading import Reading
from armprof.errors import ArmprofError, CannotCount
from armprof.run.here import run_here
from armprof.run.record import Component, OpenLoop, Run

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# The components take turns, so that a machine that slows down or a noisy neighbour meets all of them alike.
ROUNDS = 20
SAMPLES_AT_LEAST = 50  # per round: a thousand in all, so that p99.9 is a sample
COUNTED_SECONDS = 0.2  # one counting pass: long enough to be judged, short enough for a dozen passes

Progress = Callable[[str, float], None]  # what is being done, and how much of all is done, 0 to 1


def bench(
    names: Iterable[str] = (),
    input: Path | None = None,
    seed: int = 1,
    seconds: float = 1.0,
    progress: Progress = lambda doing, done: None,
    rate_per_s: float | None = None,
) -> Run:
    """Times and counts the named components, all of them where none is named.

    ``input`` is an ITCH 5.0 file for the parser, which otherwise gets a stream generated from ``seed``.
    ``seconds`` is how long each component is timed; a second leaves some half a million samples of 8 bytes.
    With ``rate_per_s`` tick to trade is also run with ticks that arrive at this rate, for as many seconds.
    What cannot be counted stands in the readings with its reason, and in the notes of the run where that is all.

    Raises ArmprofError for an unknown name, for input that no named component takes or that is not ITCH, and for a rate
    that none of them takes.
    """
    kernels = _chosen(list(dict.fromkeys(names)), input)
    if rate_per_s is not None and not any(kernel.takes_rate for kernel in kernels):
        takers = ", ".join(kernel.name for kernel in KERNELS.values() if kernel.takes_rate)
        raise ArmprofError(f"no component named can be run at a rate; these can: {takers}")
    with pinned() as pinning:
        clock = measure_clock()
        benches: list[_Bench] = []
        for i, kernel in enumerate(kernels):
            progress(f"warming up {kernel.name}", 0.1 * i / len(kernels))
            benches.append(_Bench(kernel, kernel.set_up(seed, input if kernel.takes_input else None), clock, seconds))
        for turn in range(ROUNDS):
            progress("timing", 0.1 + 0.6 * turn / ROUNDS)
            for one in benches:
                one.time()
        for one in benches:
            if rate_per_s is not None and one.kernel.takes_rate:
                progress(f"running {one.kernel.name} at the rate", 0.7)
                one.run_at(rate_per_s, seconds)
        uncounted: list[str] = []
        for i, one in enumerate(benches):
            progress(f"counting {one.kernel.name}", 0.7 + 0.3 * i / len(benches))
            try:
                one.count()
            except CannotCount as error:
                uncounted = [f"nothing was counted: {error}"]
                break
    notes = [
        f"{ROUNDS} rounds in turn after warming up, {pinning}; no sample was dropped",
        f"clock: smallest step {clock.resolution_ns:.0f} ns; cost {clock.cost_ns:.1f} ns, subtracted",
    ]
    return run_here((one.component() for one in benches), [*notes, *uncounted])


class _Bench:
    """One component on its way through the rounds."""

    def __init__(self, kernel: Kernel, work: Work, clock: Clock, seconds: float) -> None:
        self.kernel, self.work, self.clock = kernel, work, clock
        self.checksum = work.run(work.period)
        self.operation_ns = warm_up(work, seconds=seconds / 10)
        self.batch = batch_size(self.operation_ns, clock)
        passes = 3 if work.ticks else 1  # of a round: all operations in batches, single ticks, their stages
        samples = int(seconds * 1e9 / (ROUNDS * passes * self.batch * self.operation_ns))
        self.samples = max(samples, SAMPLES_AT_LEAST)
        self.timed: list[NDArray[np.uint64]] = []
        self.ticks: list[NDArray[np.uint64]] = []
        self.stages: list[NDArray[np.uint64]] = []
        self.open_loop: OpenLoop | None = None
        self.no_open_loop: tuple[str, ...] = ()
        self.reading: Reading | None = None
        self.counted_operations: int | None = None
        self.stage_counts: tuple[list[Reading], int] | None = None
        self.stages_uncounted: str | None = None

    def time(self) -> None:
        self.timed.append(sample(self.work, self.batch, self.samples))
        if self.work.ticks:
            operations = self.batch * self.samples
            self.ticks.append(self.work.ticks.times(operations, SAMPLES_AT_LEAST))
            self.stages.append(self.work.ticks.stages(operations, SAMPLES_AT_LEAST))

    def run_at(self, rate_per_s: float, seconds: float) -> None:
        if self.work.ticks:
            self.open_loop = self.work.ticks.at_rate(rate_per_s, seconds)
            if self.open_loop is None:
                few = f"of what arrived in {seconds:g} s at {rate_per_s:g} messages per second, nothing led to an order"
                self.no_open_loop = (f"{few}: no latency at that rate; take more seconds",)

    def count(self) -> None:
        # Whole periods: each pass then does the same work, so that counts of all passes belong together.
        periods = COUNTED_SECONDS * 1e9 / (self.operation_ns * self.work.period)
        operations = max(1, round(periods)) * self.work.period
        self.reading = _count(lambda: self.work.run(operations))
        self.counted_operations = operations
        if self.work.ticks:
            from armprof.counters.stages import count_stages

            try:
                self.stage_counts = count_stages(self.work.ticks.run_day)
            except CannotCount as error:
                self.stages_uncounted = str(error)

    def component(self) -> Component:
        import numpy as np

        times = latency(np.concatenate(self.timed), self.batch, self.clock)
        component = Component(
            name=self.kernel.name,
            title=self.kernel.title,
            kind="kernel",
            operation=self.kernel.operation,
            reading=self.reading,
            reading_operations=self.counted_operations,
            latency=times,
            throughput_per_s=1e9 / times.mean_ns,
            checksum=f"{self.checksum:016x}",
            notes=(*self.work.notes, f"the checksum is that of the first {self.work.period:,} operations"),
        )
        return self._with_ticks(component, self.work.ticks) if self.work.ticks else component

    def _with_ticks(self, component: Component, ticks: Ticks) -> Component:
        """The times of single ticks in the place of those of batches, which leave the throughput."""
        import numpy as np

        times = np.concatenate(self.ticks)
        if len(times) == 0:
            note = "no message of the input led to an order: there is no latency, and no critical path"
            return replace(component, latency=None, notes=(*component.notes, note))
        note = (
            f"the clock of single ticks: smallest step {ticks.clock.resolution_ns:.1f} ns; cost {ticks.clock.cost_ns:.1f} ns, "
            f"subtracted, of a stamp between stages {ticks.stamp_cost_ns:.1f} ns"
        )
        path = critical_path(np.concatenate(self.stages), ticks.stamp_cost_ns)
        return replace(
            component,
            latency=latency(times, 1, ticks.clock, OPERATION),
            critical_path=path and with_counts(path, self.stage_counts, self.stages_uncounted),
            open_loop=self.open_loop,
            notes=(*component.notes, note, *self.no_open_loop),
        )


def _chosen(names: list[str], input: Path | None) -> list[Kernel]:
    known = ", ".join(KERNELS)
    for name in names:
        if name not in KERNELS:
            close = difflib.get_close_matches(name, KERNELS, n=1)
            meant = f"did you mean {close[0]}? " if close else ""
            raise ArmprofError(f"no component is called {name!r}; {meant}Known are: {known}")
    chosen = [KERNELS[name] for name in names] or list(KERNELS.values())
    if input is not None and not any(kernel.takes_input for kernel in chosen):
        takers = ", ".join(kernel.name for kernel in KERNELS.values() if kernel.takes_input)
        raise ArmprofError(f"no component named takes an input file; these do: {takers}")
    return chosen


def _count(work: Callable[[], object]) -> Reading:
    from armprof.counters import pmu

    return pmu.count(work)
