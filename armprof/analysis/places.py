"""Where in the code a piece of advice is to be followed: the line that most of what it is against was counted at.

Where no line has much of it, it is all over a function; and where no function has, all over a file.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from armprof.analysis.result import Recommendation
from armprof.analysis.rules import Rule
from armprof.run.record import Component, Place, Share, Where

ENOUGH = 0.03  # of the event: a place that has less does not show where it comes from


def placed(recommendation: Recommendation, rule: Rule, component: Component) -> Recommendation:
    """The recommendation with its place and the share of the event there; unchanged where no place has much of it."""
    if component.where is None or component.reading is None:
        return recommendation
    for event in rule.shown_by:
        total = component.reading.value(event)
        for place, count in _most(component.where, event) if total else ():
            part = min(1.0, count / total) if total else 0.0
            if part >= ENOUGH:
                function = place.function or None
                return replace(
                    recommendation,
                    evidence=(*recommendation.evidence, f"{_part(place, part)} of {event} are at {_named(place)}"),
                    location={"file": place.file, "line": place.line, "function": function, "share": part},
                )
    return recommendation


def _most(where: Where, event: str) -> Iterator[tuple[Place, float]]:
    """The line, the function and the file that have most of the event; the function is in the file of most of its lines."""
    lines = [share for share in where.lines if share.place.line is not None and share.counts.get(event)]
    functions = [share for share in where.functions if share.counts.get(event)]
    by_file: dict[tuple[str, str], float] = {}
    for share in lines:
        at = (share.place.module, str(share.place.file))
        by_file[at] = by_file.get(at, 0.0) + share.counts[event]
    if lines:
        most = _highest(lines, event)
        yield most.place, most.counts[event]
    if functions:
        most = _highest(functions, event)
        own = [share for share in lines if (share.place.function, share.place.module) == _key(most.place)]
        yield replace(most.place, file=_highest(own, event).place.file if own else None), most.counts[event]
    if by_file:
        module, file = max(by_file, key=by_file.__getitem__)
        yield Place("", module, file), by_file[module, file]


def _key(place: Place) -> tuple[str, str]:
    return place.function, place.module


def _highest(shares: list[Share], event: str) -> Share:
    return max(shares, key=lambda share: share.counts[event])


def _part(place: Place, part: float) -> str:
    """A run keeps the lines that cost most: a file may have more."""
    shown = f"{100 * part:.1f} %"
    return shown if place.function else f"at least {shown}"


def _named(place: Place) -> str:
    if place.file is None:
        return f"{place.function} of {place.module.rpartition('/')[2]}"
    file = place.file.rpartition("/")[2]
    at = file if place.line is None else f"{file}:{place.line}"
    return f"{at} ({place.function})" if place.function else f"many lines of {at}"
