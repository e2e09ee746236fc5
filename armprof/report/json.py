"""The report as JSON, the contract for programs: report.schema.json describes it.

A metric, a count, a cause stands on a line of its own. The report of a large run is larger than one would hold at once, so
it is made component by component; and most of its lines are those of metrics that no component has, which are made once.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from json.encoder import encode_basestring_ascii as quoted
from typing import Any

import armprof
from armprof.analysis import Cause, Silent
from armprof.counters.reading import Count, Reading
from armprof.metrics import ARM64Metrics, Metric
from armprof.metrics.result import least
from armprof.metrics.topdown import TERMS
from armprof.report.document import Document, Part
from armprof.run.codec import encode
from armprof.run.record import CriticalPath, OpenLoop

FORMAT = "armprof-report"
VERSION = 1

NOTHING = Reading({}, source="")


DEEP = 4  # from here on what holds others stands on one line: the document's components' metrics' entries
LINES = 10_000  # that are remembered


def render(document: Document) -> str:
    """The document as JSON text, in ASCII."""
    return "".join(pieces(document))


def pieces(document: Document) -> Iterator[str]:
    """The text in pieces, one a component."""
    before, after = _around(document)
    entry = _Lines()
    yield "{"
    yield ",".join(_entries(before, 1))
    yield ',\n  "components": ['
    for i, part in enumerate(document.parts):
        yield f"{',' if i else ''}\n    {_text(_component(part, entry), 2)}"
    yield "\n  ],"
    yield ",".join(_entries(after, 1))
    yield "\n}\n"


class _Line(str):
    """JSON already."""

    __slots__ = ()


class _Lines:
    """The line of a thing. What has no value is the same object for many components, and so is its line."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[object, _Line]] = {}

    def __call__(self, thing: Metric | Cause | Silent) -> _Line:
        known = self._known.get(id(thing))
        if known is not None:
            return known[1]
        line = _Line(_line(thing.to_dict()))
        if (thing.share if isinstance(thing, Cause) else thing.value) is None and len(self._known) < LINES:
            self._known[id(thing)] = thing, line  # the thing is kept with it, for its id to stay its own
        return line


_line = json.JSONEncoder(allow_nan=False).encode


def _text(value: Any, depth: int) -> str:
    kind = type(value)
    if kind is _Line:
        return value  # type: ignore[no-any-return]
    if kind is str:
        return quoted(value)
    if depth == DEEP or not value or (kind is not dict and kind is not list):
        return "null" if value is None else _line(value)
    indent = "\n" + "  " * depth
    if kind is dict:
        return f"{{{','.join(_entries(value, depth + 1))}{indent}}}"
    return f"[{','.join([f'{indent}  {_text(one, depth + 1)}' for one in value])}{indent}]"


def _entries(values: dict[str, Any], depth: int) -> list[str]:
    indent = "\n" + "  " * depth
    return [f"{indent}{quoted(name)}: {_text(value, depth)}" for name, value in values.items()]


def _around(document: Document) -> tuple[dict[str, Any], dict[str, Any]]:
    """What stands before the components and after them."""
    run, core = document.run, document.core
    before = {
        "format": FORMAT,
        "version": VERSION,
        "armprof_version": armprof.__version__,
        "created": run.created or None,
        "source": document.source,
        "host": encode(run.host),
        "cpu": None
        if core is None
        else {
            "name": core.name,
            "title": core.title,
            "revision": core.revision,
            "slots": core.slots,
            "counters": core.counters,
            "mispredict_cycles": core.mispredict_cycles,
            "load_cycles": encode(core.load_cycles),
        },
    }
    after = {
        "bottlenecks": [bottleneck.to_dict() for bottleneck in document.bottlenecks],
        "recommendations": [
            {**advice.recommendation.to_dict(), "component": advice.component.name}
            for advice in document.recommendations
        ],
        "roadmap": [phase.to_dict() for phase in document.roadmap],
        "notes": list(run.notes),
    }
    return before, after


def _component(part: Part, entry: _Lines) -> dict[str, Any]:
    component, reading, metrics = part.component, part.reading or NOTHING, part.metrics
    return {
        "name": component.name,
        "title": component.title,
        "kind": component.kind,
        "operation": component.operation,
        "latency": encode(component.latency),
        "throughput_per_s": component.throughput_per_s,
        "failure": component.failure,
        "component_metrics": part.figures.to_dict(),
        "critical_path": _critical_path(component.critical_path) if component.critical_path else None,
        "open_loop": _open_loop(component.open_loop) if component.open_loop else None,
        "checksum": component.checksum,
        "source": reading.source or None,
        "core": part.core.name if part.core else None,
        "scope": reading.scope,
        "access": reading.access,
        "duration_ns": reading.duration_ns,
        "operations": component.reading_operations,
        "counts": {name: _count(count) for name, count in reading.counts.items()},
        "overhead": encode(reading.overhead),
        "facts": encode(reading.facts),
        "metrics": metrics.to_dict(entry) if metrics else {},
        "topdown": _topdown(metrics) if metrics else None,
        "quality": metrics.quality.to_dict() if metrics else None,
        "where": encode(component.where),
        **part.analysis.to_dict(entry),
        "notes": [*component.notes, *reading.notes],
    }


def _critical_path(path: CriticalPath) -> dict[str, Any]:
    """The path as in the run file, of each stage the counts alone."""
    stages = [
        {
            **{name: value for name, value in encode(stage).items() if name != "reading"},
            "p50_ns": stage.p50_share * path.p50_ns,
            "p99_ns": stage.p99_share * path.p99_ns,
            "counts": {n: _count(count) for n, count in (stage.reading or NOTHING).counts.items()},
        }
        for stage in path.stages
    ]
    return {**encode(replace(path, stages=())), "stages": stages}


def _open_loop(loop: OpenLoop) -> dict[str, Any]:
    return {**encode(loop), "sustained": loop.is_sustained}


def _count(count: Count) -> dict[str, Any]:
    return {
        "value": count.value,
        "raw": count.raw,
        "unit": count.unit,
        "status": str(count.status),
        "coverage": count.coverage,
        "enabled_ns": count.enabled_ns,
        "running_ns": count.running_ns,
        "group": count.group,
        "label": count.label,
        "reason": count.reason,
    }


def _topdown(metrics: ARM64Metrics) -> dict[str, Any]:
    """Level 1: all four terms, or None and why."""
    terms = [metrics[name] for name in TERMS]
    reason = next((term.reason for term in terms if term.value is None), None)
    known = [term.confidence for term in terms if term.confidence is not None]
    return {
        "level_1": None if reason else {term.name: term.value for term in terms},
        "unit": "fraction of slots",
        "confidence": None if reason else str(least(*known)),
        "reason": reason,
    }
