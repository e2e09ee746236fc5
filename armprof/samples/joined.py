"""Samples and counts together: what was counted gets the places at which it was sampled, so that advice has a line."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from armprof.counters.reading import Reading
from armprof.errors import ArmprofError
from armprof.run.record import Component, Place, Run, Share, Where
from armprof.samples.origins import origins, place_of
from armprof.samples.profile import NO_PLACE, Samples
from armprof.samples.trace import EXACT


def where(samples: Samples) -> Where:
    """Which functions and lines each event was sampled in."""
    functions: dict[Place, dict[str, float]] = {}
    lines: dict[Place, dict[str, float]] = {}
    totals: dict[str, float] = {}
    names = [event.name for event in samples.events]
    for row in samples.rows:
        event, frame = names[row.event], samples.frames[samples.stacks[row.stack][0]]
        totals[event] = totals.get(event, 0.0) + row.weight
        if frame.module != NO_PLACE:
            line = place_of(frame)
            for shares, place in ((functions, replace(line, file=None, line=None)), (lines, line)):
                counts = shares.setdefault(place, {})
                counts[event] = counts.get(event, 0.0) + row.weight
    first = next((name for name in names if totals.get(name)), "")
    return Where(
        _ranked(functions, first),
        _ranked(lines, first),
        totals=totals,
        exact=all(event.skid == EXACT for event in samples.events),
        origins=origins(samples),
    )


def component(samples: Samples) -> Component:
    """What was sampled as a component: its counts are those of the events that were sampled."""
    counts = {event.name: replace(event.count, group=_group(samples, event.name)) for event in samples.events}
    reading = Reading(
        counts,
        source=samples.source,
        core=samples.core,
        duration_ns=samples.duration_ns,
        scope="with all that it starts, user mode",
        access="counted while it was sampled",
    )
    return Component(
        name=samples.command,
        title="",
        kind="command",
        operation="the command",
        reading=reading,
        where=where(samples),
    )


def placed(run: Run, samples: Samples, origin: str) -> Run:
    """The run with the places of the samples, on its only component or the one that bears the command as its name.

    Raises ArmprofError where there is none such, and for samples of nothing.
    """
    if not samples.rows:
        raise ArmprofError(f"{origin} holds no samples")
    named = [one for one in run.components if one.name == samples.command]
    meant = named or list(run.components)
    if len(meant) != 1:
        names = ", ".join(one.name for one in run.components[:8])
        raise ArmprofError(
            f"{origin} is of {samples.command}, and the run of several components, none of that name: {names}"
        )
    note = f"places are from samples of {samples.command}, taken in another run of it than the counts"
    found = replace(meant[0], where=where(samples), notes=(*meant[0].notes, note))
    return replace(run, components=tuple(found if one is meant[0] else one for one in run.components))


def _group(samples: Samples, name: str) -> int | None:
    """Events that were read together were counted at the same moments."""
    read = {event.name: event.read_at for event in samples.events}
    return 0 if read[name] is not None or name in read.values() else None


def _ranked(shares: dict[Place, dict[str, float]], first: str) -> tuple[Share, ...]:
    entries: Iterable[tuple[Place, dict[str, float]]] = shares.items()
    return tuple(Share(place, counts) for place, counts in sorted(entries, key=lambda one: -one[1].get(first, 0.0)))
