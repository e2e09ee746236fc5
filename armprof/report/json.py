"""The report as JSON, the contract for programs: report.schema.json describes it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import armprof
from armprof.counters.reading import Count, Reading
from armprof.metrics import ARM64Metrics
from armprof.metrics.result import least
from armprof.metrics.topdown import TERMS
from armprof.report.document import Document, Part
from armprof.run.codec import encode
from armprof.run.record import CriticalPath, OpenLoop

FORMAT = "armprof-report"
VERSION = 1

NOTHING = Reading({}, source="")


def render(document: Document) -> str:
    """The document as JSON text, in ASCII."""
    return json.dumps(as_dict(document), indent=2, allow_nan=False) + "\n"


def as_dict(document: Document) -> dict[str, Any]:
    """The document as dicts and lists. Where something was not counted or is not known there is None."""
    run, core = document.run, document.core
    return {
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
        "components": [_component(part) for part in document.parts],
        "bottlenecks": [bottleneck.to_dict() for bottleneck in document.bottlenecks],
        "recommendations": [
            {**advice.recommendation.to_dict(), "component": advice.component.name}
            for advice in document.recommendations
        ],
        "roadmap": [phase.to_dict() for phase in document.roadmap],
        "notes": list(run.notes),
    }


def _component(part: Part) -> dict[str, Any]:
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
        "metrics": metrics.to_dict() if metrics else {},
        "topdown": _topdown(metrics) if metrics else None,
        "quality": metrics.quality.to_dict() if metrics else None,
        "where": encode(component.where),
        **part.analysis.to_dict(),
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
