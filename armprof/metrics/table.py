"""The table of metrics, `metrics.toml`, read once."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from armprof.metrics.formula import Formula


@dataclass(frozen=True, slots=True)
class Way:
    """One way to a metric: a formula, and what the reader of a value made by it must know."""

    formula: Formula
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Definition:
    """One row of the table. ``unmeasured`` says why there is no way to it, where the table itself says so."""

    name: str
    title: str
    section: str
    unit: str
    better: str
    range: tuple[float, float]
    spec: str
    ways: tuple[Way, ...]
    clamp: float = 0.0
    unmeasured: str | None = None


@cache
def definitions() -> tuple[Definition, ...]:
    """Every metric, in the order of the table."""
    rows = tomllib.loads(files(__package__).joinpath("metrics.toml").read_text(encoding="utf-8"))["metric"]
    found = []
    for row in rows:
        ways = [{"formula": row.pop("formula"), "note": row.pop("note", None)}] if "formula" in row else []
        ways += row.pop("fallback", [])
        low, high = row.pop("range")
        found.append(
            Definition(
                ways=tuple(Way(Formula(way["formula"]), way.get("note")) for way in ways),
                range=(float(low), float(high)),
                **row,
            )
        )
    return tuple(found)
