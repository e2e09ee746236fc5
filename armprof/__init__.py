"""armprof counts what an ARM64 core does while code runs, and says what the counts mean.

    import armprof

    with armprof.measure() as m:      # this thread, user mode, until the block ends
        decode(buffer)
    m.metrics.l1_cache_hit_rate       # a float, or None; m.metrics.explain(...) says why

Names are imported when they are first used: `import armprof` takes milliseconds and works where the native module cannot
be built, for the analysis of files.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_HOME = {
    "ARM64Metrics": "armprof.metrics",
    "Analysis": "armprof.analysis",
    "ArmprofError": "armprof.errors",
    "CannotCount": "armprof.errors",
    "Count": "armprof.counters.reading",
    "ImplementationEffort": "armprof.analysis",
    "Measurement": "armprof.measure",
    "OptimizationType": "armprof.analysis",
    "Profile": "armprof.measure",
    "Reading": "armprof.counters.reading",
    "Recommendation": "armprof.analysis",
    "Region": "armprof.region",
    "Status": "armprof.counters.reading",
    "analyze": "armprof.analysis",
    "measure": "armprof.measure",
    "profile": "armprof.measure",
    "region": "armprof.region",
}

__all__ = [*sorted(_HOME), "__version__"]

if TYPE_CHECKING:
    from armprof.analysis import (
        Analysis as Analysis,
        ImplementationEffort as ImplementationEffort,
        OptimizationType as OptimizationType,
        Recommendation as Recommendation,
        analyze as analyze,
    )
    from armprof.counters.reading import Count as Count, Reading as Reading, Status as Status
    from armprof.errors import ArmprofError as ArmprofError, CannotCount as CannotCount
    from armprof.measure import (
        Measurement as Measurement,
        Profile as Profile,
        measure as measure,
        profile as profile,
    )
    from armprof.metrics import ARM64Metrics as ARM64Metrics
    from armprof.region import Region as Region, region as region


def __getattr__(name: str) -> Any:
    home = _HOME.get(name)
    if home is None:
        raise AttributeError(f"module 'armprof' has no attribute {name!r}")
    value = getattr(import_module(home), name)
    globals()[name] = value  # also where a submodule of the same name was imported in between
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME})
