"""bench(): times components in turn, then counts them in passes of their own."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from armprof.components.isolated import Isolated
from armprof.components.kernels import KERNELS
from armprof.components.pinning import Pinning, pinned
from armprof.components.registry import REGISTERED
from armprof.components.tick_trial import TickTrial
from armprof.components.timing import measure_clock
from armprof.components.trial import ROUNDS, WARM_UP_SHARE, Trial
from armprof.components.work import Definition
from armprof.counters.machine import machine
from armprof.errors import ArmprofError, CannotCount
from armprof.run.here import run_here
from armprof.run.record import Run

if TYPE_CHECKING:
    from armprof.components.emulated import Model

Progress = Callable[[str, float], None]  # what is being done, and how much of all is done, 0 to 1


def bench(
    names: Iterable[str] = (),
    input: Path | None = None,
    seed: int = 1,
    seconds: float = 1.0,
    progress: Progress = lambda doing, done: None,
    rate_per_s: float | None = None,
    components: Mapping[str, Definition] | None = None,
    like: Run | None = None,
) -> Run:
    """Times and counts the named components, all of them where none is named.

    ``input`` is an ITCH 5.0 file for the parser, which otherwise gets a stream generated from ``seed``.
    ``seconds`` is how long each component is timed; a second leaves some half a million samples of 8 bytes.
    With ``rate_per_s`` tick to trade is also run with ticks that arrive at this rate, for as many seconds.
    ``components`` are those to choose from; by default the kernels and what `armprof.component` has registered.
    ``like`` is a run to be compared with: components that it has are timed in batches of the same size.
    What cannot be counted stands in the readings with its reason, and in the notes of the run where that is all. Code of
    users runs in processes of its own: how one failed is its component's ``failure``, and the others go on.

    Raises ArmprofError for an unknown name, for input that no named component takes or that is not ITCH, for a rate that
    none of them takes, and for a library that cannot be loaded.
    """
    known = {**KERNELS, **REGISTERED} if components is None else components
    chosen = _chosen(list(dict.fromkeys(names)), input, known)
    if rate_per_s is not None and not any(definition.takes_rate for definition in chosen):
        takers = ", ".join(definition.name for definition in known.values() if definition.takes_rate)
        raise ArmprofError(f"no component named can be run at a rate; these can: {takers}")
    batches = _batches(like) if like else {}
    with ExitStack() as stack:
        pinning = stack.enter_context(pinned())
        clock = measure_clock()
        trials: list[Trial | Isolated] = []
        for i, definition in enumerate(chosen):
            progress(f"warming up {definition.name}", 0.1 * i / len(chosen))
            trials.append(_trial(definition, seed, input, seconds, batches.get(definition.name), pinning, stack))
        for turn in range(ROUNDS):
            progress("timing", 0.1 + 0.6 * turn / ROUNDS)
            for trial in trials:
                trial.time(turn)
        for definition, trial in zip(chosen, trials, strict=True):
            if rate_per_s is not None and isinstance(trial, TickTrial):
                progress(f"running {definition.name} at the rate", 0.7)
                trial.run_at(rate_per_s, seconds)
        model, told = _model(chosen, seed, input)
        uncounted: dict[str, None] = {}
        for i, (definition, trial) in enumerate(zip(chosen, trials, strict=True)):
            progress(f"counting {definition.name}", 0.7 + 0.3 * i / len(chosen))
            if model and isinstance(trial, Trial) and _is_kernel(definition):
                why = trial.count_on(model)
            else:
                why = trial.count()
            if why:
                uncounted[f"nothing was counted: {why}"] = None
        measured = [trial.component() for trial in trials]
    warm_up = f"warming up for {seconds * WARM_UP_SHARE:.3g} s each"
    notes = [
        f"{ROUNDS} rounds in turn after {warm_up}, {pinning.note}; no sample was dropped",
        f"clock: smallest step {clock.resolution_ns:.0f} ns; cost {clock.cost_ns:.1f} ns, subtracted",
    ]
    return run_here(measured, [*notes, *told, *uncounted])


def _batches(like: Run) -> dict[str, int]:
    """The batches of its components. Ticks are timed one by one: theirs is no size of batches."""
    return {one.name: one.latency.batch for one in like.components if one.latency and not one.latency.operation}


def _trial(
    definition: Definition,
    seed: int,
    input: Path | None,
    seconds: float,
    batch: int | None,
    pinning: Pinning,
    stack: ExitStack,
) -> Trial | Isolated:
    def make() -> Trial:
        if not definition.pinned:
            pinning.release()
        kind = TickTrial if definition.takes_rate else Trial
        return kind(definition, seed, input, seconds, batch)

    if not definition.isolated:
        return make()
    isolated = Isolated(definition, make)
    stack.callback(isolated.close)
    return isolated


def _chosen(names: list[str], input: Path | None, known: Mapping[str, Definition]) -> list[Definition]:
    for name in names:
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            meant = f"did you mean {close[0]}? " if close else ""
            raise ArmprofError(f"no component is called {name!r}; {meant}there are {', '.join(known)}")
    chosen = [known[name] for name in names] or list(known.values())
    if input is not None and not any(definition.takes_input for definition in chosen):
        takers = ", ".join(definition.name for definition in known.values() if definition.takes_input)
        raise ArmprofError(f"no component named takes an input file; these do: {takers}")
    return chosen


def _is_kernel(definition: Definition) -> bool:
    return KERNELS.get(definition.name) is definition


def _model(chosen: Iterable[Definition], seed: int, input: Path | None) -> tuple[Model | None, list[str]]:
    """The modelled core that counts the kernels where no PMU does, and what is to be told of that."""
    missing = machine().missing()
    if missing is None or not any(map(_is_kernel, chosen)):
        return None, []
    try:
        from armprof.components.emulated import Model  # brings numpy, which a PMU does without

        model = Model(seed, input)
    except CannotCount as error:
        return None, [f"not counted on a modelled core either: {error}"]
    return model, [
        f"times were measured here, counts of the kernels come from a model of {model.title}: {missing.reason}"
    ]
