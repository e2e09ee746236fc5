"""One component on its way through a bench: warmed up, timed in rounds, counted."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from armprof.components.timing import batch_size, latency, round_times, sample_count, time_once, warm_up
from armprof.components.work import Definition
from armprof.counters.reading import Reading
from armprof.errors import CannotCount
from armprof.run.record import Component

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from armprof.components.emulated import EmulatedCounts, Model

# The components take turns, so that a machine that slows down or a noisy neighbour meets all of them alike.
ROUNDS = 20
WARM_UP_SHARE = 0.1  # of the time that each is timed
COUNTED_SECONDS = 0.2  # one counting pass: long enough to be judged, short enough for a dozen passes
REPEATS, REPEATED_SHARE = 5, 0.1  # counted again so often, so much of the work each time: what counts are worth


class Trial:
    """Set up and warmed up; `time` and `count` gather what `component` then tells."""

    passes = 1  # over the work in each round, which share the time

    def __init__(
        self, definition: Definition, seed: int, input: Path | None, seconds: float, batch: int | None = None
    ) -> None:
        self._definition = definition
        self._work = work = definition.set_up(seed, input if definition.takes_input else None)
        self._checksum = work.run(work.period)
        self._operation_ns = warm_up(partial(time_once, work), seconds * WARM_UP_SHARE)
        self._batch = batch or batch_size(self._operation_ns, work.clock(1))
        self._clock = work.clock(self._batch)
        self._samples = sample_count(seconds / self.passes, self._batch * self._operation_ns)
        self._timed: list[NDArray[np.uint64]] = []
        self._reading: Reading | None = None
        self._counted_operations: int | None = None
        self._spread: dict[str, float] = {}
        self._emulated: EmulatedCounts | None = None

    def time(self, turn: int) -> None:
        """Takes the round's share of the samples: of a few long ones there is none in some rounds."""
        samples = self._samples * (turn + 1) // ROUNDS - self._samples * turn // ROUNDS
        if samples:
            self._timed.append(self._work.sample(self._batch, samples))

    def count(self) -> str | None:
        """Counts the work. Returns why nothing was counted, where that is so."""
        # Whole periods: each pass then does the same work, so that counts of all passes belong together.
        periods = COUNTED_SECONDS * 1e9 / (self._operation_ns * self._work.period)
        operations = max(1, round(periods)) * self._work.period
        try:
            self._reading, self._counted_operations = self._work.count(operations)
            few = max(1, round(REPEATED_SHARE * operations / self._work.period)) * self._work.period
            if few * self._operation_ns <= COUNTED_SECONDS * 1e9:
                self._spread = spread([self._work.count(few)[0] for _ in range(REPEATS)])
        except CannotCount as error:
            return str(error)
        return None

    def count_on(self, model: Model) -> str | None:
        """The same on a modelled core."""
        try:
            self._emulated = model.count(self._definition)
        except CannotCount as error:
            return str(error)
        return None

    def component(self) -> Component:
        """What was found out so far."""
        import numpy as np

        definition, work = self._definition, self._work
        times = latency(np.concatenate(self._timed), self._batch, self._clock)
        notes = work.notes
        if self._checksum is not None:
            notes = (*notes, f"the checksum is that of the first {work.period:,} operations")
        component = Component(
            name=definition.name,
            title=definition.title,
            kind=definition.kind,
            operation=definition.operation,
            reading=self._reading,
            reading_operations=self._counted_operations,
            spread=self._spread,
            latency=times,
            rounds=tuple(round_times(ns, self._batch, self._clock) for ns in self._timed),
            throughput_per_s=1e9 / times.mean_ns if times.mean_ns > 0 else None,
            checksum=None if self._checksum is None else f"{self._checksum:016x}",
            timed_code=definition.code(),
            counted_code=definition.code() if self._reading else None,
            notes=notes,
        )
        return self._emulated.tell(component) if self._emulated else component


def spread(readings: Sequence[Reading]) -> dict[str, float]:
    """By how much each event came out apart, as a fraction of its median; of none that a reading lacks."""
    found: dict[str, float] = {}
    for event in readings[0].counts:
        values = sorted(value for reading in readings if (value := reading.value(event)) is not None)
        middle = values[len(values) // 2] if len(values) == len(readings) else 0
        if middle > 0:
            found[event] = (values[-1] - values[0]) / middle
    return found
