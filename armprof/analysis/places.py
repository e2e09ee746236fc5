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


CLOSE = 0.8  # of what the first has: another origin that has so much is told, too


@dataclass(frozen=True, slots=True)
class Found:
    """The place that has most of an event, and its part of all that the places are a part of.

    Where the place is that of the origin of what was ``sampled`` behind it, the part is that of those places.
    """

    place: Place
    event: str
    part: float
    sampled: tuple[Place, ...] = ()
    close: tuple[tuple[Place, float], ...] = ()  # the other origins that have nearly as much, with their parts


def placed(recommendation: Recommendation, rule: Rule, component: Component) -> Recommendation:
    """The recommendation with its place and the share of the event there; unchanged where no place has much of it."""
    at = found(rule, component)
    if at is None or component.where is None:
        return recommendation
    instead = "" if at.event in rule.shown_by else f"; {_either(rule.shown_by)} was not sampled"
    location = {
        "file": at.place.file,
        "line": at.place.line,
        "function": at.place.function or None,
        "share": at.part,
    }
    said = _said(at, rule, component.where) + instead
    return replace(recommendation, evidence=(*recommendation.evidence, said), location=location)


def found(rule: Rule, component: Component) -> Found | None:
    """Where the rule's events are, the first of them that has a place; None where no place has much of any."""
    if component.where is None:
        return None
    known = [event for event in rule.shown_by if component.total(event)]
    for event in known or [event for event in TIME if component.total(event)][:1]:
        total = component.total(event) or 0.0
        origin = _origin(rule.origin, component.where, event, total)
        if origin is not None:
            return origin
        for place, count in _most(component.where, event):
            part = min(1.0, count / total)
            if part >= ENOUGH:
                return Found(place, event, part)
    return None


def _origin(kind: str | None, where: Where, event: str, total: float) -> Found | None:
    """The line with the instructions that most of the event comes from; None where none has much."""
    parts = {
        origin.place: sum(share.counts.get(event, 0.0) for share in origin.sampled) / total
        for origin in where.origins
        if origin.kind == kind
    }
    if not parts or max(parts.values()) < ENOUGH:
        return None
    first, *others = sorted(parts, key=lambda place: -parts[place])
    (origin,) = (one for one in where.origins if one.kind == kind and one.place == first)
    sampled = tuple(share.place for share in origin.sampled if share.counts.get(event))
    close = tuple((place, parts[place]) for place in others if parts[place] >= CLOSE * parts[first])
    return Found(first, event, min(1.0, parts[first]), sampled, close)


def _said(at: Found, rule: Rule, where: Where) -> str:
    """Where it is, in words, and how that is known."""
    of = f"{_part(at.place, at.part)} of {at.event} are"
    if at.sampled and rule.origin:
        from armprof.binary.origins import kinds

        what = kinds()[rule.origin].says
        close = "".join(f"; {_part(place, part)} behind the {what} at {_named(place)}" for place, part in at.close)
        return (
            f"{of} by samples {_spread(at.sampled, at.place)}; the {what} before them is at {_named(at.place)}{close}"
        )
    alone = " alone" if rule.origin and not where.exact else ""
    how = f" by samples{alone}" if where.totals else ""
    return f"{of}{how} at {_named(at.place)}"


def _spread(places: Sequence[Place], origin: Place) -> str:
    """Where the samples are: from which line to which of the origin's file, and in which functions of others."""
    lines = [place.line for place in places if place.file == origin.file and place.line is not None]
    others = list(dict.fromkeys(place.function for place in places if place.file != origin.file or place.line is None))
    parts = []
    if lines:
        to = f" to {max(lines)}" if max(lines) > min(lines) else ""
        parts.append(f"at {(origin.file or '').rpartition('/')[2]}:{min(lines)}{to}")
    if others:
        parts.append(f"in {others[0]}" + (f" and {len(others) - 1} more" if len(others) > 1 else ""))
    return " and ".join(parts)


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
