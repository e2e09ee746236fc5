"""The tables of rules and of measured cases, read once.

A rule is a row of `tables/memory.toml`, `code.toml`, `core.toml` or `threads.toml`:

===============  =========================================================================================================
type, effort...  what kind of change it advises, what it takes and what it risks; ``watch``: the metrics to look at afterwards
shown_by         events whose places show where to change something; the first that is known of a line counts
origin           the kind of instruction that these events come from (`armprof/binary/origins.toml`): samples, which are late,
                 show where it is
depends_on       rules whose advice should be followed before, where they speak too
refined_by       rules that say the same more exactly: where one of them speaks, this one does not
cases            measured changes of this kind, by their names in `cases.toml`
fixed            percent gained where nothing can be computed: the ranges of the design that this project began with
aside            it is no advice, and told when asked alone
[[rule.way]]     a way to speak, the first whose conditions hold counts:
  when           conditions on metrics and on shares of causes, all of which must be known and hold
  unless         conditions of which none may hold; one that is not known stands in nobody's way
  cause          whose share of the cycles is at stake, or that of the nearest cause above it that is known
  stake          a formula over metrics and causes, where only a part of that share is
  realised       the part of what is at stake that comes true: from, to; ``modelled`` the same where the model counted,
                 if it is not that of `gate.toml`
  certainty      how surely these conditions point to this cause
  says           the conditions in words
===============  =========================================================================================================
"""

from __future__ import annotations

import string
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from typing import Any

from armprof.analysis.result import ImplementationEffort, ImplementationRisk, OptimizationType
from armprof.analysis.terms import Condition
from armprof.metrics import Confidence
from armprof.metrics.formula import Formula

TABLES = ("memory", "code", "core", "threads")


@dataclass(frozen=True, slots=True)
class Gate:
    """What holds for all rules; the table says why these numbers."""

    min_instructions: int
    model: Mapping[str, Any]
    confidence: Mapping[str, float]
    effort: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Case:
    """A change that was measured. ``saved`` in percent of the time; ``realised`` the part of the bound."""

    change: str
    core: str
    saved: tuple[float, float]
    source: str
    bound: float | None = None
    realised: float | None = None

    def __str__(self) -> str:
        low, high = self.saved
        saved = f"{high:g}" if low == high else f"{low:g} to {high:g}"
        part = f", {self.realised:.2f} of its bound" if self.realised is not None else ""
        return f"{self.change} on {self.core} saved {saved} %{part}"


@dataclass(frozen=True)
class RuleWay:
    """One way to speak."""

    cause: str
    when: tuple[Condition, ...]
    realised: tuple[float, float]
    certainty: Confidence
    says: str
    unless: tuple[Condition, ...] = ()
    stake: Formula | None = None
    modelled: tuple[float, float] | None = None

    @cached_property
    def says_names(self) -> tuple[str, ...]:
        """The names that ``says`` is filled in with."""
        return tuple(name for _, name, _, _ in string.Formatter().parse(self.says) if name)


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """One row of a table."""

    name: str
    type: OptimizationType
    title: str
    description: str
    effort: ImplementationEffort
    risk: ImplementationRisk
    watch: tuple[str, ...]
    ways: tuple[RuleWay, ...]
    shown_by: tuple[str, ...]
    origin: str | None = None
    cases: tuple[Case, ...] = ()
    unit: str = "latency"
    depends_on: tuple[str, ...] = ()
    refined_by: tuple[str, ...] = ()
    fixed: tuple[float, float] | None = None
    aside: bool = False


@cache
def rules() -> tuple[Rule, ...]:
    """Every rule, in the order of the tables."""
    return tuple(_rule(row) for table in TABLES for row in _table(table)["rule"])


@cache
def gate() -> Gate:
    return Gate(**_table("gate"))


@cache
def cases() -> Mapping[str, Case]:
    """Every measured case by name."""
    return {name: Case(**{**row, "saved": tuple(row["saved"])}) for name, row in _table("cases").items()}


def _rule(row: dict[str, Any]) -> Rule:
    fixed = row.get("fixed")
    return Rule(
        name=row["name"],
        type=OptimizationType(row["type"]),
        title=row["title"],
        description=row["description"],
        effort=ImplementationEffort(row["effort"]),
        risk=ImplementationRisk(row["risk"]),
        watch=tuple(row["watch"]),
        ways=tuple(map(_way, row["way"])),
        shown_by=tuple(row["shown_by"]),
        origin=row.get("origin"),
        cases=tuple(cases()[name] for name in row.get("cases", ())),
        unit=row.get("unit", "latency"),
        depends_on=tuple(row.get("depends_on", ())),
        refined_by=tuple(row.get("refined_by", ())),
        fixed=None if fixed is None else (fixed["low"], fixed["high"]),
        aside=row.get("aside", False),
    )


def _way(row: dict[str, Any]) -> RuleWay:
    low, high = row["realised"]
    return RuleWay(
        cause=row["cause"],
        when=tuple(map(Condition.parse, row["when"])),
        realised=(low, high),
        certainty=Confidence(row["certainty"]),
        says=row["says"],
        unless=tuple(map(Condition.parse, row.get("unless", ()))),
        stake=Formula(row["stake"]) if "stake" in row else None,
        modelled=(row["modelled"][0], row["modelled"][1]) if "modelled" in row else None,
    )


def _table(name: str) -> dict[str, Any]:
    return tomllib.loads(files(__package__).joinpath(f"tables/{name}.toml").read_text(encoding="utf-8"))
