"""Continuous sampling: the loop, the store, alerts, trends, the exporter and the fleet.

with armprof.monitor.Monitor(store="app.db"):      # this program, from a thread of its own
    serve()
armprof.monitor.performance_trends("app.db").predicted_issues
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

_HOME = {
    "Monitor": "armprof.monitor.within",
    "PerformanceTrends": "armprof.monitor.trends",
    "performance_trends": "armprof.monitor.analysis",
}

__all__ = ["Monitor", "PerformanceTrends", "performance_trends"]

if TYPE_CHECKING:
    from armprof.monitor.analysis import performance_trends as performance_trends
    from armprof.monitor.trends import PerformanceTrends as PerformanceTrends
    from armprof.monitor.within import Monitor as Monitor

if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        if name not in _HOME:
            raise AttributeError(f"module 'armprof.monitor' has no attribute {name!r}")
        return getattr(import_module(_HOME[name]), name)
