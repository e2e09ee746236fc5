"""Where in the code a piece of advice is to be followed: the line that most of what it is against was counted at."""

from __future__ import annotations

from dataclasses import replace

from armprof.analysis.result import Recommendation
from armprof.analysis.rules import Rule
from armprof.run.record import Component, Place


def placed(recommendation: Recommendation, rule: Rule, component: Component) -> Recommendation:
    """The recommendation with its place and the share of the event there; unchanged where no line is known."""
    if component.where is None or component.reading is None:
        return recommendation
    for event in rule.shown_by:
        total = component.reading.value(event)
        known = [share for share in (*component.where.lines, *component.where.functions) if share.counts.get(event)]
        if not total or not known:
            continue
        most = max(known, key=lambda share: (share.place.line is not None, share.counts[event]))
        part = min(1.0, most.counts[event] / total)
        return replace(
            recommendation,
            evidence=(*recommendation.evidence, f"{part:.1%} of {event} are at {_named(most.place)}"),
            location={"file": most.place.file, "line": most.place.line, "function": most.place.function, "share": part},
        )
    return recommendation


def _named(place: Place) -> str:
    if place.file is None:
        return f"{place.function} of {place.module.rpartition('/')[2]}"
    file = place.file.rpartition("/")[2]
    return f"{file}:{place.line} ({place.function})" if place.line is not None else f"{file} ({place.function})"
