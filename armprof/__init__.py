"""armprof counts what an ARM64 core does while code runs, and says what the counts mean.

    import armprof

    with armprof.measure() as m:      # this thread, user mode, until the block ends
        decode(buffer)
    m.metrics.l1_cache_hit_rate       # a float, or None; m.metrics.explain(...) says why

Names are imported when they are first used: `import armprof` takes milliseconds and works where the native module
cannot be built, for the analysis of files.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

# No submodule may bear the name of one of these: importing it would put the module in the function's place.
_HOME = {
    "ARM64Metrics": "armprof.metrics",
    "Analysis": "armprof.analysis",
    "ArmprofError": "armprof.errors",
    "CannotCount": "armprof.errors",
    "ComponentMetrics": "armprof.run.metrics",
    "Count": "armprof.counters.reading",
    "HeadroomAllocation": "armprof.budget",
    "ImplementationEffort": "armprof.analysis",
    "Measurement": "armprof.measurement",
    "OptimizationType": "armprof.analysis",
    "PerformanceBottleneck": "armprof.analysis",
    "PerformanceRegression": "armprof.compare",
    "PerformanceTrends": "armprof.monitor.trends",
    "Profile": "armprof.measurement",
    "Reading": "armprof.counters.reading",
    "Recommendation": "armprof.analysis",
    "Region": "armprof.regions",
    "Status": "armprof.counters.reading",
    "ab": "armprof.compare",
    "analyze": "armprof.analysis",
    "component": "armprof.components",
    "measure": "armprof.measurement",
    "profile": "armprof.measurement",
    "region": "armprof.regions",
    "sample": "armprof.samples.block",
}

__all__ = [*sorted(_HOME), "__version__"]

if TYPE_CHECKING:
    from armprof import model as model
    from armprof import monitor as monitor
    from armprof.analysis import (
        Analysis as Analysis,
    )
    from armprof.analysis import (
        ImplementationEffort as ImplementationEffort,
    )
    from armprof.analysis import (
        OptimizationType as OptimizationType,
    )
    from armprof.analysis import (
        PerformanceBottleneck as PerformanceBottleneck,
    )
    from armprof.analysis import (
        Recommendation as Recommendation,
    )
    from armprof.analysis import (
        analyze as analyze,
    )
    from armprof.budget import HeadroomAllocation as HeadroomAllocation
    from armprof.compare import PerformanceRegression as PerformanceRegression
    from armprof.compare import ab as ab
    from armprof.components import component as component
    from armprof.counters.reading import Count as Count
    from armprof.counters.reading import Reading as Reading
    from armprof.counters.reading import Status as Status
    from armprof.errors import ArmprofError as ArmprofError
    from armprof.errors import CannotCount as CannotCount
    from armprof.measurement import (
        Measurement as Measurement,
    )
    from armprof.measurement import (
        Profile as Profile,
    )
    from armprof.measurement import (
        measure as measure,
    )
    from armprof.measurement import (
        profile as profile,
    )
    from armprof.metrics import ARM64Metrics as ARM64Metrics
    from armprof.monitor.trends import PerformanceTrends as PerformanceTrends
    from armprof.regions import Region as Region
    from armprof.regions import region as region
    from armprof.run.metrics import ComponentMetrics as ComponentMetrics
    from armprof.samples.block import sample as sample


if not TYPE_CHECKING:  # type checkers see the names above, and that any other is none

    def __getattr__(name: str) -> Any:
        home = _HOME.get(name)
        if name in ("model", "monitor"):
            return import_module(f"armprof.{name}")
        if home is None:
            raise AttributeError(f"module 'armprof' has no attribute {name!r}")
        value = getattr(import_module(home), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME})
