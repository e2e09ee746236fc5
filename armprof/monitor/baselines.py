"""A figure in a run that was measured before: what a rule of an alert may be held against, beside the store's own past."""

from __future__ import annotations

from pathlib import Path

from armprof.errors import ArmprofError
from armprof.history.store import FOLDER, RunStore
from armprof.metrics import compute
from armprof.monitor.rules import OF_HISTORY, Figure
from armprof.run import file
from armprof.run.record import Component, Run


def read(name: str, folder: Path) -> Run:
    """The run file of that name beside the configuration, or the baseline of `armprof history` there. Raises ArmprofError."""
    if name.startswith(OF_HISTORY):
        return RunStore(folder / FOLDER).baseline(name.removeprefix(OF_HISTORY))
    return file.read(folder / name)


def value(run: Run, figure: Figure, component: str = "") -> float:
    """The figure in that run, of the component where several have it. Raises ArmprofError where it has none."""
    match figure.kind:
        case "latency":
            return _latency(_named(run, figure.name), figure.part)
        case "metric":
            return _metric(_named(run, component) if component else _only(run), figure.name)
        case _:
            raise ArmprofError(f"a run has no {figure}: metrics and latencies of components are held against one")


def _named(run: Run, name: str) -> Component:
    found = [one for one in run.components if one.name == name]
    if not found:
        known = ", ".join(one.name for one in run.components[:8]) or "none"
        raise ArmprofError(f"the run has no component {name!r}, but {known}")
    return found[0]


def _only(run: Run) -> Component:
    counted = [one for one in run.components if one.reading is not None]
    if len(counted) != 1:
        known = ", ".join(one.name for one in counted[:8]) or "none"
        raise ArmprofError(f"the run has counts of {len(counted)} components ({known}): a key component says which")
    return counted[0]


def _latency(of: Component, part: str) -> float:
    if part == "calls_per_s":
        found, batch = of.throughput_per_s, 1
    else:
        found, batch = (getattr(of.latency, part), of.latency.batch) if of.latency else (None, 1)
    if found is None:
        raise ArmprofError(f"the run has no {part} of {of.name}")
    if batch > 1 and part != "mean_ns":
        raise ArmprofError(
            f"the run timed {of.name} in batches of {batch}, whose percentiles are narrower than those of single calls; "
            "mean_ns can be held against it"
        )
    return float(found)


def _metric(of: Component, name: str) -> float:
    if of.reading is None:
        raise ArmprofError(f"the run has no counts of {of.name}")
    found = compute(of.reading, groups=of.groups, names=(name,))[name]
    if found.value is None:
        raise ArmprofError(f"the run has no {name} of {of.name}: {found.reason}")
    return found.value
