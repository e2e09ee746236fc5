"""What a test gets to measure with: a function timed and counted in this process, or a command counted on a modelled core."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from armprof.counters.reading import Count
from armprof.errors import ArmprofError
from armprof.run.record import Component, Latency

if TYPE_CHECKING:
    from armprof.components import Definition
    from armprof.model import Modelled

P = ParamSpec("P")
R = TypeVar("R")

TRACED = "a tracer (a debugger, coverage) was on: times are not those of the code alone"


class Benchmark:
    """The fixture ``armprof_benchmark``: called with a function it times and counts it, and returns what it returned.

    decoded = armprof_benchmark(decode, message)
    armprof_benchmark.latency.p99_ns        # of one call
    armprof_benchmark.counts["inst_retired"]
    """

    def __init__(self, name: str, seconds: float, batch: int | None = None) -> None:
        """``batch``: calls of one sample, where they are to be as many as in another run."""
        self.name = name
        self._seconds, self._batch = seconds, batch
        self._component: Component | None = None
        self.allowed: float | None = None  # change of its time beside a baseline, where the test says so

    def __call__(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Calls the function with these arguments again and again. What it raises passes through."""
        from armprof.components.callables import callable_

        self._check_first()
        definition = callable_(partial(function, *args, **kwargs), self.name, "", "call", self.name)
        returned = function(*args, **kwargs)
        self._component = _timed(definition, self._seconds, self._batch)
        return returned

    def modelled(
        self, command: Sequence[str], core: str | None = None, sysroot: str | None = None, **geometry: int
    ) -> Modelled:
        """Runs an ARM64 program on a modelled core: counts that are the same in every run, on every machine.

        The arguments are those of `armprof.model.run`. Raises ArmprofError where the program fails.
        """
        from armprof import model
        from armprof.run.attribution import attributed

        self._check_first()
        outcome = model.run(command, core, None, sysroot, **geometry)
        if outcome.status:
            raise ArmprofError(
                f"{shlex.join(command)} ended with exit status {outcome.status}; its counts are not kept"
            )
        component = Component(
            self.name, shlex.join(command), "command", "the command", outcome.reading, reading_operations=1
        )
        self._component = attributed(component, outcome.counts, outcome.geometry)
        return outcome

    def _check_first(self) -> None:
        if self._component is not None:
            raise ArmprofError("armprof_benchmark measures once in a test; parametrize the test, or write another one")

    @property
    def has_measured(self) -> bool:
        return self._component is not None

    @property
    def component(self) -> Component:
        """All that was measured, as in a run file. Raises ArmprofError before there is any."""
        if self._component is None:
            raise ArmprofError("nothing was measured yet: call armprof_benchmark(function)")
        return self._component

    @property
    def latency(self) -> Latency:
        """The time of one call. Raises ArmprofError where none was taken, as of a modelled command."""
        if self.component.latency is None:
            raise ArmprofError("no time was taken: a modelled core has none")
        return self.component.latency

    @property
    def counts(self) -> Mapping[str, Count]:
        """The counts by event; they cover ``component.reading_operations`` calls. What was not counted says why."""
        reading = self.component.reading
        return reading.counts if reading else {}


def _timed(definition: Definition, seconds: float, batch: int | None) -> Component:
    from armprof.components.pinning import pinned
    from armprof.components.trial import ROUNDS, Trial

    with pinned():
        trial = Trial(definition, 1, None, seconds, batch)
        for turn in range(ROUNDS):
            trial.time(turn)
        why = trial.count()
        component = trial.component()
    notes = [*component.notes, *([f"nothing was counted: {why}"] if why else [])]
    if sys.gettrace() is not None:
        notes.append(TRACED)
    return replace(component, notes=tuple(notes))
