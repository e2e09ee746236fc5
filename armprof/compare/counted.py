"""The counts of two runs of the model: they are exact, so that one instruction more is seen, and gated like times.

Counts of a PMU are not gated: they say why a time changed, and how far they are apart without a reason is their noise.
"""

from __future__ import annotations

from collections.abc import Sequence

from armprof.compare.reasons import CYCLES, INSTRUCTIONS, per_operation
from armprof.compare.result import Change, ComparedMetric
from armprof.compare.verdict import judge
from armprof.run.record import Component

TOLERANCE = 0.01
METRICS = {
    CYCLES: ComparedMetric("cycles_per_operation", "cycles", 1 + TOLERANCE),
    INSTRUCTIONS: ComparedMetric("instructions_per_operation", "instructions", 1 + TOLERANCE),
}
SOURCE = "model"
GEOMETRY = "modelled, not measured: "  # how the note begins that tells which caches were modelled


def changes(pairs: Sequence[tuple[Component, Component]]) -> tuple[list[Change], list[tuple[str, str]]]:
    """The changes of what both sides have exact counts of, and of which there is none, with the reason."""
    found, missing = [], []
    for base, head in pairs:
        if not (is_modelled(base) and is_modelled(head)):
            continue
        if why := _why_not(base, head):
            missing.append((f"{base.name} counts", why))
            continue
        before, after = per_operation(base), per_operation(head)
        for event, metric in METRICS.items():
            if before.get(event) and event in after:
                found.append(_change(base.name, metric, before[event], after[event]))
    return found, missing


def is_modelled(component: Component) -> bool:
    """Whether its counts are those of a modelled core, which no machine has a part in."""
    return component.reading is not None and component.reading.source == SOURCE


def _why_not(base: Component, head: Component) -> str | None:
    """Why two modelled readings say nothing of each other."""
    assert base.reading is not None
    assert head.reading is not None
    if base.reading.core != head.reading.core:
        return f"modelled on a {base.reading.core} and on a {head.reading.core}"
    if _geometry(base) != _geometry(head):
        return f"modelled with other caches: {_geometry(base)} and {_geometry(head)}"
    if any(INSTRUCTIONS not in one.spread or one.spread[INSTRUCTIONS] for one in (base, head)):
        return "its threads wait for each other, so that the counts are not the same in every run"
    return None


def _geometry(component: Component) -> str:
    notes = component.reading.notes if component.reading else ()
    return next((note.removeprefix(GEOMETRY) for note in notes if note.startswith(GEOMETRY)), "caches not told")


def _change(name: str, metric: ComparedMetric, before: float, after: float) -> Change:
    change = after / before - 1
    exact = (change, change)
    return Change(name, metric, before, after, change, exact, None, judge(change, exact, TOLERANCE), None)
