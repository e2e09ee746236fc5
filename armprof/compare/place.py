"""Which line a change came about at, from what two runs counted at theirs.

An edit moves the lines behind it, so lines of one number are not the same line. They are put beside each other, file by file
and in their order, so that as little as possible changed: as in a comparison of texts, with counts in the place of words.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from armprof.compare.cause import Location
from armprof.run.record import Component

TIE = 1e-9  # of all counts: between two ways to put lines together, those of one number stay together

LARGE = 0.25  # of the largest growth
MOST = 1e18  # what nothing counts more than

Counts = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class _Line:
    """A line, or a function of which none is known, and what was counted there in one operation."""

    function: str
    file: str | None
    line: int | None
    counts: Counts


def location(base: Component, head: Component, event: str) -> Location | None:
    """The line of head, or the function where no line is known, that the event grew most at.

    A line that was not there before goes before one that grew, unless that is little of it: a compiler shares out among its
    neighbours what a new line needs.
    """
    before, after = (_by_file(component) for component in (base, head))
    grown = [one for file in after for one in _grown(before.get(file, []), after[file], event)]
    most = max((growth for growth, _, _ in grown), default=0.0)
    if most <= 0:
        return None
    large = [one for one in grown if one[0] >= LARGE * most]
    _, _, spot = max(large, key=lambda one: (one[1], one[0]))
    return Location(spot.function, spot.file, spot.line)


def _by_file(component: Component) -> dict[str, list[_Line]]:
    """The lines of each file in their order. Functions without lines have a file each."""
    operations = component.reading_operations or 1
    lines: dict[str, dict[int, _Line]] = {}
    for share in component.where.lines if component.where else ():
        place = share.place
        function = place.function if place.function != "?" else f"? ({Path(place.module).name})"
        is_line = place.file is not None and place.line is not None
        file, number = (place.file or "", place.line or 0) if is_line else (f" {function}", 0)
        counts = {event: value / operations for event, value in share.counts.items() if 0 < value < MOST}
        known = lines.setdefault(file, {}).get(number)
        if known is not None:  # the line is in several functions
            counts = {event: counts.get(event, 0) + known.counts.get(event, 0) for event in {**counts, **known.counts}}
            function = known.function
        lines[file][number] = _Line(function, place.file if is_line else None, place.line if is_line else None, counts)
    return {file: [own[line] for line in sorted(own)] for file, own in lines.items()}


def _grown(before: Sequence[_Line], after: Sequence[_Line], event: str) -> list[tuple[float, bool, _Line]]:
    """By how much the event grew at each line of after, beside the line that it was before; whether it was none."""
    scale: dict[str, float] = {}
    for spot in (*before, *after):
        for name, value in spot.counts.items():
            scale[name] = scale.get(name, 0) + abs(value)
    partners = _aligned(before, after, {name: all_ for name, all_ in scale.items() if all_ > 0})
    return [
        (spot.counts.get(event, 0) - (partner.counts.get(event, 0) if partner else 0), partner is None, spot)
        for spot, partner in zip(after, partners, strict=True)
    ]


def _aligned(before: Sequence[_Line], after: Sequence[_Line], scale: Counts) -> list[_Line | None]:
    """Of each line of after what it was before; None where it is new (Needleman and Wunsch 1970)."""

    def change(one: _Line | None, other: _Line | None) -> float:
        counts = [spot.counts if spot else {} for spot in (one, other)]
        moved = sum(abs(counts[0].get(name, 0) - counts[1].get(name, 0)) / all_ for name, all_ in scale.items())
        return moved + TIE * (one is None or other is None or one.line != other.line)

    least = [[0.0] * (len(after) + 1) for _ in range(len(before) + 1)]
    for i, one in enumerate(before, 1):
        least[i][0] = least[i - 1][0] + change(one, None)
    for j, other in enumerate(after, 1):
        least[0][j] = least[0][j - 1] + change(None, other)
    for i, one in enumerate(before, 1):
        gone = change(one, None)
        for j, other in enumerate(after, 1):
            least[i][j] = min(
                least[i - 1][j - 1] + change(one, other), least[i - 1][j] + gone, least[i][j - 1] + change(None, other)
            )
    partners: list[_Line | None] = [None] * len(after)
    i, j = len(before), len(after)
    while i and j:
        if least[i][j] == least[i - 1][j - 1] + change(before[i - 1], after[j - 1]):
            i, j = i - 1, j - 1
            partners[j] = before[i]
        elif least[i][j] == least[i - 1][j] + change(before[i - 1], None):
            i -= 1
        else:
            j -= 1
    return partners
