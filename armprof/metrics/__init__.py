"""Metrics of a Reading: formulas as data, every value with its events, its coverage and its confidence."""

from armprof.metrics.compute import compute
from armprof.metrics.result import ARM64Metrics, Confidence, Metric

__all__ = ["ARM64Metrics", "Confidence", "Metric", "compute"]
