"""What `armprof inspect` found, before a reviewer: each place of a finding is a note on its line."""

from __future__ import annotations

from collections.abc import Iterator

from armprof.analysis.findings import Weighed, Weighing
from armprof.report.inspect import MOST_SPOTS, cost, notes, percent, shares, where
from armprof.report.location import Location, located
from armprof.report.review import Check, Grade, Review, Rule


def review(weighing: Weighing) -> Review:
    checks = [check for found in weighing.findings for check in _checks(found, weighing.inspection.path.name)]
    return Review(
        verb="inspect",
        summary=f"{len(weighing.findings)} finding{'s' * (len(weighing.findings) != 1)} in {weighing.inspection.path.name}",
        columns=("share", "effort"),
        checks=tuple(checks),
        notes=tuple(notes(weighing)),
    )


def _checks(found: Weighed, file: str) -> Iterator[Check]:
    """One for each line that has places of it, and one for all that have none: a line is changed once."""
    finding = found.finding
    seen = set()
    for spot, share in zip(finding.spots[:MOST_SPOTS], shares(found), strict=False):
        location = located(spot.line.file, spot.line.line, spot.function) if spot.line else None
        if location not in seen:
            seen.add(location)
            place = where(spot) if location is not None else ""
            yield _check(found, file, place, share if location is not None else found.share, location)
    if not finding.spots:
        yield _check(found, file, "", found.share, None)


def _check(found: Weighed, file: str, place: str, share: float | None, location: Location | None) -> Check:
    finding = found.finding
    part = "" if share is None else percent(share)
    return Check(
        rule=Rule(finding.rule.name, finding.rule.title, finding.advice),
        grade=Grade.NOTE,
        component=file,
        what=finding.rule.title,
        message=": ".join(filter(None, (file, finding.rule.title, place, part))),
        cells=(part, finding.rule.effort.lower()),
        facts=tuple(filter(None, (finding.says, finding.advice, cost(found)))),
        location=location,
        cost=100 * (share or 0.0),
    )
