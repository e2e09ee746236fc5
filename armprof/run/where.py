"""What the modelled core tells of places, as a run keeps it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from armprof.run.record import Contention, Place, Share, Where

if TYPE_CHECKING:
    from armprof.counters.model.where import Contended, CountedPlace
    from armprof.model import Modelled


def where(outcome: Modelled) -> Where:
    """Which functions and lines each event that was counted was in."""
    events = [event for event, count in outcome.reading.counts.items() if count.value is not None]
    functions, lines = (_shares(outcome, events, by_line) for by_line in (False, True))
    return Where(functions, lines, tuple(map(contention, outcome.atlas.contended)))


def _shares(outcome: Modelled, events: Sequence[str], by_line: bool) -> tuple[Share, ...]:
    ranked = sorted(outcome.where(events, by_line).items(), key=lambda row: -row[1][0]) if events else []
    return tuple(Share(place(found), dict(zip(events, values, strict=True))) for found, values in ranked)


def place(found: CountedPlace) -> Place:
    """The place as a run keeps it."""
    file, line = found.line or (None, None)
    return Place(found.function, found.module, file, line)


def contention(found: Contended) -> Contention:
    """The line as a run keeps it."""
    places = tuple(map(place, found.places))
    return Contention(found.kind, found.address, found.variable, found.times, found.threads, places)
