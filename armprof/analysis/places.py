"""Where in the code a piece of advice is to be followed: the line that most of what it is against was counted at.

Where no line has much of it, it is all over a function; and where no function has, all over a file. What was not sampled is
where the time is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from armprof.analysis.result import Recommendation
from armprof.analysis.rules import Rule
from armprof.run.record import Component, Place, Share, Where

TIME = ("cpu_cycles", "cpu_clock")
ENOUGH = 0.03  # of the event: a place that has less does not show where it comes from


@dataclass(frozen=True, slots=True)
class Found:
    """The place that has most of an event, and its part of all that the places are a part of."""

    place: Place
    event: str
    part: float


def placed(recommendation: Recommendation, rule: Rule, component: Component) -> Recommendation:
    """The recommendation with its place and the share of the event there; unchanged where no place has much of it."""
    at = found(rule, component)
    if at is None or component.where is None:
        return recommendation
    by_samples = " by samples" if component.where.totals else ""
    instead = "" if at.event in rule.shown_by else f"; {_either(rule.shown_by)} was not sampled"
    said = f"{_part(at.place, at.part)} of {at.event} are{by_samples} at {_named(at.place)}{instead}"
    location = {
        "file": at.place.file,
        "line": at.place.line,
        "function": at.place.function or None,
        "share": at.part,
    }
    return replace(recommendation, evidence=(*recommendation.evidence, said), location=location)


def found(rule: Rule, component: Component) -> Found | None:
    """Where the rule's events are, the first of them that has a place; None where no place has much of any."""
    if component.where is None:
        return None
    known = [event for event in rule.shown_by if component.total(event)]
    for event in known or [event for event in TIME if component.total(event)][:1]:
        total = component.total(event) or 0.0
        for place, count in _most(component.where, event):
            part = min(1.0, count / total)
            if part >= ENOUGH:
                return Found(place, event, part)
    return None


def _either(events: Sequence[str]) -> str:
    """What a PMU could have told, in words."""
    counted = [event for event in events if not event.startswith("model_")] or list(events)
    return " or ".join(counted)


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
