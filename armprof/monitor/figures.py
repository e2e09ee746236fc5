"""A figure's value in a report: one way for alerts, views and whoever else asks."""

from __future__ import annotations

from armprof.monitor.latencies import PERCENTILES
from armprof.monitor.reports import Report
from armprof.monitor.rules import Figure


def value(report: Report, figure: Figure, target: str = "") -> float | None:
    """None where the report does not have it."""
    target = target or report.scope.whole
    match figure.kind:
        case "level":
            return report.levels.get(target, {}).get(figure.name)
        case "event":
            found = report.intervals.get(target, {}).get(figure.name)
            return None if found is None or found.value is None else found.value * 1e9 / report.span_ns
        case "latency":
            return _of_component(report, figure)
        case _:
            metrics = report.metrics(target)
            return metrics[figure.name].value if figure.name in metrics else None


def _of_component(report: Report, figure: Figure) -> float | None:
    found = report.latencies.get(figure.name)
    if found is None:
        return None
    if figure.part == "calls_per_s":
        return found.calls * 1e9 / report.span_ns
    return found.mean_ns if figure.part == "mean_ns" else found.percentile(PERCENTILES[figure.part])


def unit(figure: Figure, report: Report) -> str:
    """What the value is counted in."""
    match figure.kind:
        case "level":
            return "bytes" if figure.name.endswith("_bytes") else ""
        case "event":
            return "/s"
        case "latency":
            return "/s" if figure.part == "calls_per_s" else "ns"
        case _:
            return report.metrics()[figure.name].unit
