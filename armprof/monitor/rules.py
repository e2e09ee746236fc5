"""What an alert's rule says: which figure, of whom, beyond which threshold, for how long."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from armprof import config
from armprof.counters.machine import canonical_events
from armprof.errors import ArmprofError
from armprof.metrics.wanted import wanted
from armprof.monitor import levels
from armprof.monitor.latencies import PERCENTILES
from armprof.run.codec import MismatchError

KEYS = (
    "figure",
    "target",
    "above",
    "below",
    "above_baseline",
    "below_baseline",
    "clear",
    "hold",
    "baseline",
    "component",
)
BOUNDS = ("above", "below", "above_baseline", "below_baseline")
OF_COMPONENTS = (*PERCENTILES, "mean_ns", "calls_per_s")
OF_HISTORY = "history:"  # before the name of a baseline that `armprof history approve` keeps
_DURATION = re.compile(r"(\d{1,9}(?:\.\d{1,6})?)\s*(ms|s|m|h|d)")
_UNITS = {"ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


@dataclass(frozen=True, slots=True)
class Figure:
    """A number that a report has of a target: a metric, the rate of an event, a level, or a component's latency."""

    kind: str  # "metric", "event", "level", "latency"
    name: str  # of the metric, the event, the level or the component
    part: str = ""  # of a latency: "p99_ns"; of an event: "per_s"

    def __str__(self) -> str:
        return f"{self.name}.{self.part}" if self.part else self.name


Base = Callable[[str, Figure, str], float]  # a run's name, a figure, a component -> what the figure was there


@dataclass(frozen=True, slots=True)
class Rule:
    """One alert. It begins when the figure was beyond the threshold for ``hold_ns``, and ends when it was on the right side of
    ``clear`` as long.

    ``of_baseline``: threshold and clear are shares by which the figure may differ from ``base``, what it was in a run, or
    where that is None from its median over the last ``baseline_ns`` before the monitor began.
    """

    name: str
    figure: Figure
    target: str  # "" is the whole scope, "*" is each target by itself
    above: bool
    threshold: float
    clear: float
    hold_ns: int
    of_baseline: bool = False
    baseline_ns: int = 0
    base: float | None = None

    @property
    def cause(self) -> str:
        """What the rule looks at. Rules of one cause make one alert."""
        return self.figure.name


def duration_ns(value: Any, path: str, least: float = 0.0) -> int:
    """A duration as in "90s", "10m", "24h", in nanoseconds."""
    expected = 'a duration as in "500ms", "10s", "5m", "24h" or "7d"'
    found = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise MismatchError(path, expected, value)
    seconds = float(found[1]) * _UNITS[found[2]]
    if not least <= seconds <= 3650 * 86400:
        raise MismatchError(path, f"{expected}, {least:g} s to 10 years", value)
    return round(seconds * 1e9)


def figure(value: Any, path: str, components: bool = True) -> Figure:
    """What that name means: a metric, a level, an event ("page_faults.per_s"), or a component's time ("parse.p99_ns")."""
    text = config.text(value, path)
    if text in levels.UNITS:
        return Figure("level", text)
    name, _, part = text.rpartition(".")
    if part in OF_COMPONENTS and name and components:
        return Figure("latency", name, part)
    try:
        if part == "per_s" and name:
            return Figure("event", canonical_events([name])[0], part)
        return Figure("metric", wanted([text]).metrics[0])
    except ArmprofError as error:
        known = f"a metric, {', '.join(levels.UNITS)}, EVENT.per_s or COMPONENT.{OF_COMPONENTS[0]}"
        raise ValueError(f"{path}: {error}; expected {known}") from None


def rules(document: Mapping[str, Any], base: Base) -> tuple[Rule, ...]:
    """The rules under [alerts]. ``base`` finds what a run has of a figure. Raises ValueError whose text begins with the path
    of the key.
    """
    tables = config.table(dict(document), "alerts")
    return tuple(_rule(tables, name, base) for name in tables)


def _rule(tables: dict[str, Any], name: str, base: Base) -> Rule:
    path = f"alerts.{config.path_of(name)}"
    given = config.table(tables, name, KEYS, path)
    if "figure" not in given:
        raise ValueError(f"{path}: a key figure is missing: what is to be watched")
    bounds = [bound for bound in BOUNDS if bound in given]
    if len(bounds) != 1:
        raise ValueError(f"{path}: expected one of {', '.join(BOUNDS)}, found {' and '.join(bounds) or 'none'}")
    (bound,) = bounds
    above, of_baseline = bound.startswith("above"), bound.endswith("baseline")
    threshold = number(given[bound], f"{path}.{bound}")
    if of_baseline and threshold <= 0:
        raise MismatchError(f"{path}.{bound}", "a share above 0, as in 0.1 for 10 %", given[bound])
    clear = number(given.get("clear", threshold), f"{path}.clear")
    # of a baseline both are distances from it, so that the smaller one is the calm side either way
    if (clear > threshold) if above or of_baseline else (clear < threshold):
        side = "at most" if above or of_baseline else "at least"
        raise ValueError(
            f"{path}.clear: expected {side} {bound}, {threshold:g}: an alert ends on the calm side of where it began"
        )
    for key in ("baseline", "component"):
        if key in given and not of_baseline:
            raise ValueError(f"{path}.{key}: only with above_baseline or below_baseline")
    watched = figure(given["figure"], f"{path}.figure")
    target = given.get("target", "")
    if not isinstance(target, str):
        raise MismatchError(f"{path}.target", 'a target as in "cpu0", or "*" for each', target)
    return Rule(
        name=name,
        figure=watched,
        target=target,
        above=above,
        threshold=threshold,
        clear=clear,
        hold_ns=duration_ns(given.get("hold", "10s"), f"{path}.hold"),
        of_baseline=of_baseline,
        **(_baseline(given, path, watched, base) if of_baseline else {}),
    )


def _baseline(given: dict[str, Any], path: str, watched: Figure, base: Base) -> dict[str, Any]:
    """What the figure is held against: its past over that time, or a run."""
    text = given.get("baseline", "24h")
    if not isinstance(text, str) or _DURATION.fullmatch(text):
        if "component" in given:
            raise ValueError(f"{path}.component: only with a baseline that is a run")
        return {"baseline_ns": duration_ns(text, f"{path}.baseline", 60)}
    if not text.startswith(OF_HISTORY) and "." not in text:
        raise MismatchError(f"{path}.baseline", f'"24h", a run file as in "base.json", or "{OF_HISTORY}NAME"', text)
    component = config.text(given["component"], f"{path}.component") if "component" in given else ""
    try:
        found = base(text, watched, component)
    except ArmprofError as error:
        raise ValueError(f"{path}.baseline: {error}") from None
    if not found > 0:
        raise ValueError(f"{path}.baseline: {watched} is {found:g} there, and no share of it says anything")
    return {"base": found}


def number(value: Any, path: str) -> float:
    """A finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise MismatchError(path, "a number", value)
    return float(value)
