"""bench(): times components in turn, then counts them in passes of their own."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from armprof.components.kernels import KERNELS, Kernel, Work
from armprof.components.pinning import pinned
from armprof.components.timing import Clock, batch_size, latency, measure_clock, sample, warm_up
from armprof.counters.reading import Reading
from armprof.errors import ArmprofError, CannotCount
from armprof.run.here import run_here
from armprof.run.record import Component, Run

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
) -> Run:
    """Times and counts the named components, all of them where none is named.

    ``input`` is an ITCH 5.0 file for the parser, which otherwise gets a stream generated from ``seed``.
    ``seconds`` is how long each component is timed; a second leaves some half a million samples of 8 bytes.
    What cannot be counted stands in the readings with its reason, and in the notes of the run where that is all.

    Raises ArmprofError for an unknown name, for input that no named component takes or that is not ITCH.
    """
    kernels = _chosen(list(dict.fromkeys(names)), input)
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
        samples = int(seconds * 1e9 / (ROUNDS * self.batch * self.operation_ns))
        self.samples = max(samples, SAMPLES_AT_LEAST)
        self.timed: list[NDArray[np.uint64]] = []
        self.reading: Reading | None = None
        self.counted_operations: int | None = None

    def time(self) -> None:
        self.timed.append(sample(self.work, self.batch, self.samples))

    def count(self) -> None:
        # Whole periods: each pass then does the same work, so that counts of all passes belong together.
        periods = COUNTED_SECONDS * 1e9 / (self.operation_ns * self.work.period)
        operations = max(1, round(periods)) * self.work.period
        self.reading = _count(lambda: self.work.run(operations))
        self.counted_operations = operations

    def component(self) -> Component:
        import numpy as np

        times = latency(np.concatenate(self.timed), self.batch, self.clock)
        return Component(
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
