"""The plan: what each component should reach and may take, from armprof.toml over the defaults that ship."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from armprof import config
from armprof.budget.headroom import PARTS, check_weights
from armprof.config import path_of, table, text
from armprof.errors import ArmprofError
from armprof.run.codec import MismatchError

# What can be limited: fields of the run file, and what people call them.
THROUGHPUT = "throughput_per_s"
PERCENTILES: Mapping[str, str] = {"p50_ns": "p50", "p95_ns": "p95", "p99_ns": "p99", "p999_ns": "p99.9"}
TIMES: Mapping[str, str] = {**PERCENTILES, "mean_ns": "mean", "max_ns": "max"}

# Bounds of every such number: below is less than a clock can tell, above is no latency. Ratios of two then stay finite.
LEAST, MOST = 1e-9, 1e18

_TOTAL_KEYS = ("total_ns", "component", "percentile", "source")
_NANOSECONDS = "a number of nanoseconds above 0"


@dataclass(frozen=True, slots=True)
class Limit:
    """One number that a figure of a component is held against.

    ``figure`` is its field in the run file: a latency, which should be at most ``value`` nanoseconds, or the throughput,
    which should be at least ``value`` operations per second. ``stated``: by the project's own file, not by the defaults.
    """

    component: str
    figure: str
    value: float
    source: str
    stated: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """What is judged. ``total`` is the whole budget, and the component whose latency is held against it.

    ``references`` are figures to be beaten, shown and not judged by. ``weights`` divide the headroom, and ``spent_by`` names
    the components that live on a part of it. ``origin`` is the file, or says that these are the defaults.
    """

    total: Limit
    targets: tuple[Limit, ...]
    budgets: tuple[Limit, ...]
    references: tuple[Limit, ...]
    weights: Mapping[str, float]
    spent_by: Mapping[str, tuple[str, ...]]
    origin: str

    @property
    def components(self) -> frozenset[str]:
        """The components that have a target or a budget."""
        return frozenset(limit.component for limit in (self.total, *self.targets, *self.budgets))

    def reference(self, component: str, figure: str) -> float | None:
        """The figure to be beaten, where there is one."""
        found = (r.value for r in self.references if (r.component, r.figure) == (component, figure))
        return next(found, None)


@cache
def defaults() -> Plan:
    """The plan that ships."""
    text = files(__package__).joinpath("defaults.toml").read_text(encoding="utf-8")
    return _plan(config.parse(text, "the defaults"), "the defaults", None)


def find(path: Path | None = None) -> Plan:
    """The plan in that file; without one the plan in ./armprof.toml, or the defaults where there is none."""
    path = config.found(path)
    return defaults() if path is None else read(path)


def read(path: Path) -> Plan:
    """The plan in that file. Raises ArmprofError where it cannot be read or says what no plan says."""
    return parse(config.read(path), str(path))


def parse(text: str, origin: str = "<text>") -> Plan:
    """The plan that the text of an armprof.toml states, over the defaults. Raises ArmprofError."""
    document = config.parse(text, origin)
    try:
        return _plan(document, origin, defaults())
    except ValueError as error:
        raise ArmprofError(f"{origin}: {error}") from None


def _plan(document: dict[str, Any], origin: str, base: Plan | None) -> Plan:
    """``base`` has what the document does not state; None for the defaults themselves, which state everything."""
    config.check_sections(document)
    stated = base is not None
    headroom = table(document, "headroom", ("weights", "components"))
    return Plan(
        total=_total(document, origin, base),
        targets=_limits(document, "targets", origin, stated, base.targets if base else ()),
        budgets=_limits(document, "budgets", origin, stated, base.budgets if base else ()),
        references=_limits(document, "references", origin, stated, base.references if base else ()),
        weights=_weights(headroom, origin) if "weights" in headroom or base is None else base.weights,
        spent_by=_spent_by(headroom),
        origin=origin,
    )


def _total(document: dict[str, Any], origin: str, base: Plan | None) -> Limit:
    given = table(document, "budget", _TOTAL_KEYS)
    if base is not None:
        if not given:
            return base.total
        kept = {"total_ns": base.total.value, "component": base.total.component, "source": origin}
        given = {**kept, "percentile": PERCENTILES[base.total.figure], **given}
    names = {name: figure for figure, name in PERCENTILES.items()}
    if not isinstance(given["percentile"], str) or given["percentile"] not in names:
        raise MismatchError("budget.percentile", f"one of {', '.join(names)}", given["percentile"])
    return Limit(
        component=text(given["component"], "budget.component"),
        figure=names[given["percentile"]],
        value=_number(given["total_ns"], "budget.total_ns", _NANOSECONDS),
        source=text(given["source"], "budget.source"),
        stated=base is not None,
    )


def _limits(
    document: dict[str, Any], section: str, origin: str, stated: bool, base: tuple[Limit, ...]
) -> tuple[Limit, ...]:
    """The section's limits. What is stated of a component takes the place of all that the defaults say of it there."""
    known = (*TIMES, *(() if section == "budgets" else (THROUGHPUT,)))
    limits: dict[str, list[Limit]] = {}
    for limit in base:
        limits.setdefault(limit.component, []).append(limit)
    components = table(document, section)
    for component in components:
        path = f"{section}.{path_of(component)}"
        given = table(components, component, (*known, "source"), path)
        source = text(given.get("source", origin), f"{path}.source")
        limits[component] = [
            Limit(component, figure, _number(given[figure], f"{path}.{figure}", _expected(figure)), source, stated)
            for figure in known
            if figure in given
        ]
        if not limits[component]:
            raise ValueError(f"{path}: expected one of {', '.join(known)}")
    return tuple(limit for found in limits.values() for limit in found)


def _expected(figure: str) -> str:
    return "a number of operations per second above 0" if figure == THROUGHPUT else _NANOSECONDS


def _weights(headroom: dict[str, Any], origin: str) -> dict[str, float]:
    given = table(headroom, "weights", PARTS, "headroom.weights")
    weights = {
        part: _number(weight, f"headroom.weights.{part}", "a number from 0 to 1", least=0.0, most=1.0)
        for part, weight in given.items()
    }
    try:
        check_weights(weights)
    except ArmprofError as error:
        raise ArmprofError(f"{origin}: headroom.weights: {error}") from None
    return weights


def _spent_by(headroom: dict[str, Any]) -> dict[str, tuple[str, ...]]:
    given = table(headroom, "components", PARTS, "headroom.components")
    spent_by = {}
    for part, names in given.items():
        path = f"headroom.components.{part}"
        if not isinstance(names, list) or not names:
            raise MismatchError(path, "a list of components", names)
        spent_by[part] = tuple(text(name, f"{path}[{i}]") for i, name in enumerate(names))
    return spent_by


def _number(value: Any, path: str, expected: str, least: float = LEAST, most: float = MOST) -> float:
    """A number within these bounds."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise MismatchError(path, expected, value)
    try:
        number = float(value)
    except OverflowError:
        value = number = math.inf
    if not least <= number <= most:
        raise MismatchError(path, expected, value)
    return number
