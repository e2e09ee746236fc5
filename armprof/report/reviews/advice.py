"""A run's recommendations, before a reviewer."""

from __future__ import annotations

from armprof.analysis import Recommendation
from armprof.report import figures
from armprof.report.document import Advice, Document, Part
from armprof.report.location import Location, located
from armprof.report.review import Check, Grade, Review, Rule, Table
from armprof.report.source import source


def review(document: Document) -> Review:
    """A check for each recommendation, and for each component that has none."""
    checks = [*map(_advice, document.recommendations), *(_part(part) for part in document.parts if not _advised(part))]
    advised = len(document.recommendations)
    components = len(document.parts)
    return Review(
        verb="report",
        summary=f"{components} component{'s' * (components != 1)}, {advised} recommendation{'s' * (advised != 1)}",
        columns=("may gain", "at most", "effort", "risk", "confidence"),
        checks=tuple(checks),
        notes=document.run.notes,
        tables=_times(document),
        is_quiet=False,
    )


def _advised(part: Part) -> bool:
    return bool(part.analysis.recommendations)


def _advice(advice: Advice) -> Check:
    r, component = advice.recommendation, advice.component.name
    gain = r.expected_improvement
    at_most = "unknown" if gain.ceiling is None else f"{gain.ceiling:.1f} %"
    may = f"{round(gain.low, 1):g}-{round(gain.high, 1):g} % {gain.unit}"
    return Check(
        rule=Rule(r.rule, r.title, r.description),
        grade=Grade.NOTE,
        component=component,
        what=r.title,
        message=f"{component}: {r.title}: may gain {may}, at most {at_most}",
        cells=(may, at_most, str(r.effort).lower(), str(r.risk).lower(), str(r.confidence)),
        facts=(r.description, *r.evidence),
        location=_located(r),
        source=_line(r),
        cost=gain.ceiling or 0.0,
    )


def _located(recommendation: Recommendation) -> Location | None:
    where = recommendation.location or {}
    return located(where.get("file"), where.get("line"), where.get("function"))


def _line(recommendation: Recommendation) -> str:
    where = recommendation.location or {}
    file = where.get("file")
    return (source(file, public=True).line(where.get("line")) or "") if file else ""


JUDGED = Rule("judged", "Judged", "The counts of the component were held against every rule.")


def _part(part: Part) -> Check:
    is_judged = part.analysis.verdict == "judged"
    return Check(
        rule=JUDGED,
        grade=Grade.PASSED if is_judged else Grade.OPEN,
        component=part.component.name,
        what="",
        message=f"{part.component.name}: {'nothing to recommend' if is_judged else part.analysis.reason}",
    )


def _times(document: Document) -> tuple[Table, ...]:
    timed = [component for component in document.run.components if component.latency]
    rows = tuple(
        (
            component.name,
            *(
                figures.NONE if ns is None else figures.duration(ns)
                for ns in (latency.p50_ns, latency.p99_ns, latency.max_ns)
            ),
            figures.NONE if component.throughput_per_s is None else figures.rate(component.throughput_per_s),
        )
        for component in timed
        if (latency := component.latency)
    )
    return (Table(("component", "p50", "p99", "max", "throughput"), rows),) if rows else ()
