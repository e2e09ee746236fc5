"""The tables of metrics, `metrics.toml` and those that go on from it, read once."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from typing import Any

from armprof.counters.facts import NAMES
from armprof.cpu import Core
from armprof.metrics.formula import Formula
from armprof.metrics.result import Confidence


@dataclass(frozen=True)
class Way:
    """One way to a metric: a formula, and what the reader of a value made by it must know.

    ``cores`` are those whose own formula it is; ``confidence`` is the most that a value made by it can have; ``outside``
    says why there is none where it leaves the range, other than that the counts contradict each other.
    """

    formula: Formula
    note: str | None = None
    cores: tuple[str, ...] = ()
    confidence: Confidence = Confidence.HIGH
    outside: str | None = None

    @cached_property
    def events(self) -> tuple[str, ...]:
        """What must be counted for it."""
        return tuple(name for name in self.formula.names if name not in NAMES)

    @cached_property
    def facts(self) -> tuple[str, ...]:
        """What must be known of the machine or the stretch."""
        return tuple(name for name in self.formula.names if name in NAMES)


@dataclass(frozen=True, slots=True)
class MetricDefinition:
    """One row of the table."""

    name: str
    title: str
    section: str
    unit: str
    better: str
    range: tuple[float, float]
    ways: tuple[Way, ...]
    spec: str = ""
    source: str = ""  # of a reading, where that alone gives it
    clamp: float = 0.0

    @property
    def is_share(self) -> bool:
        """Whether it is a part of so many events, as a hit rate is."""
        return self.unit.startswith("fraction of") and self.range == (0.0, 1.0)

    def ways_of(self, core: Core | None) -> tuple[Way, ...]:
        """The ways for this core: its own where there are any, else those that hold for every core."""
        own = tuple(way for way in self.ways if core is not None and core.name in way.cores)
        return own or tuple(way for way in self.ways if not way.cores)


TABLES = ("metrics", "operations", "pipeline", "sharing", "model")
_OF_A_WAY = ("formula", "note", "confidence", "outside")


def _way(row: dict[str, Any]) -> Way:
    return Way(
        Formula(row["formula"]),
        row.get("note"),
        tuple(row.get("cores", ())),
        Confidence(row.get("confidence", "high")),
        row.get("outside"),
    )


@cache
def definitions() -> tuple[MetricDefinition, ...]:
    """Every metric, in the order of the tables."""
    texts = (files(__package__).joinpath(f"{table}.toml").read_text(encoding="utf-8") for table in TABLES)
    found = []
    for row in (row for text in texts for row in tomllib.loads(text)["metric"]):
        first = [{key: row.pop(key) for key in _OF_A_WAY if key in row}] if "formula" in row else []
        ways = [_way(way) for way in (*first, *row.pop("fallback", ()))]
        low, high = row.pop("range")
        found.append(MetricDefinition(ways=tuple(ways), range=(float(low), float(high)), **row))
    return tuple(found)
