"""The trial of a component whose single ticks are timed too: their latency, their stages, and a rate at which they arrive."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from armprof.components.ticks import OPERATION, critical_path, with_counts
from armprof.components.timing import MANY, latency, round_times
from armprof.components.trial import ROUNDS, Trial
from armprof.components.work import Definition
from armprof.counters.reading import Reading
from armprof.errors import CannotCount
from armprof.run.record import Component, OpenLoop

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from armprof.components.emulated import Model


class TickTrial(Trial):
    """A `Trial` of work that has ticks. Their times take the place of those of batches, which leave the throughput."""

    passes = 3  # of a round: all operations in batches, single ticks, their stages

    def __init__(
        self, definition: Definition, seed: int, input: Path | None, seconds: float, batch: int | None = None
    ) -> None:
        super().__init__(definition, seed, input, seconds, batch)
        assert self._work.ticks is not None
        self._ticks = self._work.ticks
        self._tick_times: list[NDArray[np.uint64]] = []
        self._stages: list[NDArray[np.uint64]] = []
        self._open_loop: OpenLoop | None = None
        self._no_open_loop: tuple[str, ...] = ()
        self._stage_counts: tuple[list[Reading], int] | None = None
        self._stages_uncounted: str | None = None

    def time(self, turn: int) -> None:
        super().time(turn)
        operations, at_least = self._batch * self._samples // ROUNDS, MANY // ROUNDS
        self._tick_times.append(self._ticks.times(operations, at_least))
        self._stages.append(self._ticks.stages(operations, at_least))

    def run_at(self, rate_per_s: float, seconds: float) -> None:
        """Lets messages arrive at this rate, for so long."""
        self._open_loop = self._ticks.at_rate(rate_per_s, seconds)
        if self._open_loop is None:
            few = f"of what arrived in {seconds:g} s at {rate_per_s:g} messages per second, nothing led to an order"
            self._no_open_loop = (f"{few}: no latency at that rate; take more seconds",)

    def count(self) -> str | None:
        from armprof.counters.stages import count_stages

        if why := super().count():
            return why
        try:
            self._stage_counts = count_stages(self._ticks.run_day)
        except CannotCount as error:
            self._stages_uncounted = str(error)
        return None

    def count_on(self, model: Model) -> str | None:
        self._stages_uncounted = "single stages are counted on a PMU alone"
        return super().count_on(model)

    def component(self) -> Component:
        import numpy as np

        component, ticks = super().component(), self._ticks
        times = np.concatenate(self._tick_times)
        if len(times) == 0:
            note = "no message of the input led to an order: there is no latency, and no critical path"
            return replace(component, latency=None, notes=(*component.notes, note))
        note = (
            f"the clock of single ticks: smallest step {ticks.clock.resolution_ns:.1f} ns; cost {ticks.clock.cost_ns:.1f} ns, "
            f"subtracted, of a stamp between stages {ticks.stamp_cost_ns:.1f} ns"
        )
        path = critical_path(np.concatenate(self._stages), ticks.stamp_cost_ns)
        return replace(
            component,
            latency=latency(times, 1, ticks.clock, OPERATION),
            rounds=tuple(round_times(ns, 1, ticks.clock) for ns in self._tick_times if len(ns)),
            critical_path=path and with_counts(path, self._stage_counts, self._stages_uncounted),
            open_loop=self._open_loop,
            notes=(*component.notes, note, *self._no_open_loop),
        )
