"""The table of rules, `rules.toml`, read once."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from armprof.analysis.result import ImplementationEffort, ImplementationRisk, OptimizationType
from armprof.metrics.formula import Formula


@dataclass(frozen=True, slots=True)
class Gate:
    """What must be at stake for any rule to speak; the table says why these numbers."""

    min_instructions: int
    min_share: float
    min_rate: float


@dataclass(frozen=True, slots=True)
class Stake:
    """One way to the share of the cycles at stake; ``says`` is a format string of its names."""

    formula: Formula
    says: str
    within: str | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of the table."""

    name: str
    type: OptimizationType
    title: str
    description: str
    metric: str
    low: float
    high: float
    unit: str
    effort: ImplementationEffort
    risk: ImplementationRisk
    stakes: tuple[Stake, ...]
    rate: str | None = None
    below: float | None = None
    above: float | None = None

    def crossed(self, value: float) -> bool:
        if self.below is not None:
            return value < self.below
        return self.above is not None and value > self.above

    @property
    def threshold(self) -> str:
        """In words: "below 0.95"."""
        return f"below {self.below:g}" if self.below is not None else f"above {self.above:g}"


@cache
def rules() -> tuple[Rule, ...]:
    """Every rule, in the order of the table."""
    return tuple(_rule(row) for row in _table()["rule"])


@cache
def gate() -> Gate:
    """The gate that all rules share."""
    return Gate(**_table()["gate"])


def _rule(row: dict[str, Any]) -> Rule:
    row = dict(row)
    stakes = tuple(
        Stake(Formula(stake["formula"]), stake["says"], stake.get("within")) for stake in row.pop("stake", [])
    )
    return Rule(
        type=OptimizationType(row.pop("type")),
        effort=ImplementationEffort(row.pop("effort")),
        risk=ImplementationRisk(row.pop("risk")),
        stakes=stakes,
        **row,
    )


@cache
def _table() -> dict[str, Any]:
    return tomllib.loads(files(__package__).joinpath("rules.toml").read_text(encoding="utf-8"))
