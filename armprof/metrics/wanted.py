"""From the metrics that somebody wants to the events that must be counted, and which of them at the same moments."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from armprof.cpu import Core
from armprof.errors import ArmprofError
from armprof.metrics import topdown
from armprof.metrics.table import MetricDefinition, Way, definitions


@dataclass(frozen=True, slots=True)
class Group:
    """Metrics that answer one question together."""

    name: str
    title: str
    metrics: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Wanted:
    """``events`` in the order of the metrics; ``together`` those of each metric, which mix phases when counted apart."""

    metrics: tuple[str, ...]
    events: tuple[str, ...]
    together: tuple[tuple[str, ...], ...]


@cache
def groups() -> Mapping[str, Group]:
    """Every group of `groups.toml` by name."""
    table = tomllib.loads(files(__package__).joinpath("groups.toml").read_text(encoding="utf-8"))
    return {name: Group(name, row["title"], tuple(row["metrics"])) for name, row in table.items()}


def wanted(names: Iterable[str], core: Core | None = None) -> Wanted:
    """What to count for these metrics and groups on this core.

    A group gives those of its metrics that the core has the events for. A metric that was named itself and that the core
    cannot form, or a whole group of such, gives the events of the first formula, so that the report says what is missing.
    Raises ArmprofError for a name that is neither, naming close ones.
    """
    metrics: dict[str, tuple[str, ...]] = {}
    for name in names:
        group = groups().get(name.lower())
        ways = {metric: _way(_definition(metric), core) for metric in (group.metrics if group else (name.lower(),))}
        countable = {metric: way for metric, way in ways.items() if way is not None and _counts(core, way)}
        for metric, way in (countable or ways).items():
            metrics.setdefault(metric, way.events if way else ())
    together = tuple(dict.fromkeys(events for events in metrics.values() if len(events) > 1))
    events = tuple(dict.fromkeys(event for events in metrics.values() for event in events))
    return Wanted(tuple(metrics), events, together)


@cache
def _by_name() -> Mapping[str, MetricDefinition]:
    return {definition.name: definition for definition in definitions()}


def _definition(name: str) -> MetricDefinition:
    if name in _by_name():
        return _by_name()[name]
    known = [*groups(), *_by_name()]
    close = difflib.get_close_matches(name, known, n=3)
    hint = f"did you mean {' or '.join(close)}?" if close else f"groups are {', '.join(groups())}"
    raise ArmprofError(f"no metric and no group of metrics is called {name!r}; {hint}")


def _way(definition: MetricDefinition, core: Core | None) -> Way | None:
    """The first way whose events the core has, else the first one; None where none is written for it."""
    ways: Sequence[Way] = definition.ways_of(core)
    if definition.name in topdown.TERMS:
        form = topdown.written_for(core) if core is not None else None
        ways = form.ways(definition.name, 1) if form else ()
    return next((way for way in ways if _counts(core, way)), ways[0] if ways else None)


def _counts(core: Core | None, way: Way) -> bool:
    return core is None or not core.known or all(map(core.has, way.events))
