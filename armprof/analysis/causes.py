"""Where the cycles go: the tree of `causes.toml` walked over the metrics of one reading."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

from armprof.analysis.terms import SENTENCES, Term, Terms, together
from armprof.metrics import Confidence
from armprof.metrics.formula import Formula
from armprof.metrics.result import least


@dataclass(frozen=True, slots=True)
class Cause:
    """What takes a share of the cycles, 0 to 1, at most. Without a share ``reason`` says why there is none."""

    name: str
    title: str
    parent: str | None
    share: float | None
    matters: bool
    evidence: str  # how the share was found
    confidence: Confidence | None
    reason: str | None = None
    inside: str | None = None  # the cause whose cycles these are a part of: the parent, unless the way says another

    def to_dict(self) -> dict[str, Any]:
        """The entry of ``causes[]`` in the JSON contract."""
        return {
            "name": self.name,
            "title": self.title,
            "parent": self.parent,
            "share": self.share,
            "matters": self.matters,
            "evidence": self.evidence,
            "confidence": None if self.confidence is None else str(self.confidence),
            "reason": self.reason,
        }


@dataclass(frozen=True, slots=True)
class Way:
    """One way to the share of a cause; ``says`` is a format string of the formula's names."""

    formula: Formula
    says: str
    within: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """One row of the table."""

    name: str
    title: str
    parent: str | None
    ways: tuple[Way, ...]


@dataclass(frozen=True, slots=True)
class CauseTree:
    matters: float
    nodes: tuple[Node, ...]


@cache
def tree() -> CauseTree:
    """The table, parents before their children."""
    table: dict[str, Any] = tomllib.loads(files(__package__).joinpath("tables/causes.toml").read_text(encoding="utf-8"))
    nodes = tuple(
        Node(
            row["name"],
            row["title"],
            row.get("parent"),
            tuple(Way(Formula(way["formula"]), way["says"], way.get("within")) for way in row["way"]),
        )
        for row in table["cause"]
    )
    return CauseTree(table["matters"], nodes)


def walk(terms: Terms) -> dict[str, Cause]:
    """Every cause by name, in the order of the table; ``terms`` know the shares afterwards."""
    found: dict[str, Cause] = {}
    for node in tree().nodes:
        cause = _cause(node, terms, found)
        found[node.name] = cause
        terms[node.name] = Term(cause.share, cause.confidence, cause.reason or "")
    return found


def nearest(name: str | None, found: Mapping[str, Cause]) -> Cause | None:
    """The cause, or the nearest above it whose share is known; None where none is."""
    while name is not None and name in found:
        cause = found[name]
        if cause.share is not None:
            return cause
        name = cause.parent
    return None


def path(name: str | None, found: Mapping[str, Cause]) -> tuple[Cause, ...]:
    """The cause and those whose cycles it is a part of, as far as their shares are known."""
    causes = []
    while name is not None:
        cause = found[name]
        if cause.share is not None:
            causes.append(cause)
        name = cause.inside
    return tuple(causes)


def _cause(node: Node, terms: Terms, found: Mapping[str, Cause]) -> Cause:
    parent = nearest(node.parent, found)
    if parent is not None and not parent.matters:
        assert parent.share is not None
        reason = f"not looked at: {parent.name} takes {100 * parent.share:.1f} % of the cycles in all"
        return _without(node, reason)
    reasons = []
    for way in node.ways:
        term = terms.evaluate(way.formula)
        if term.value is None:
            reasons.append(term.reason)
            continue
        return _shared(node, way, term, terms, found)
    return _without(node, together(tuple(reasons)))


@lru_cache(maxsize=SENTENCES)
def _without(node: Node, reason: str) -> Cause:
    return Cause(node.name, node.title, node.parent, None, False, "", None, reason, node.parent)


def _shared(node: Node, way: Way, term: Term, terms: Terms, found: Mapping[str, Cause]) -> Cause:
    assert term.value is not None
    share, says = max(0.0, term.value), terms.say(way.says, way.formula)
    confidence = term.confidence or Confidence.HIGH
    for bound in (nearest(node.parent, found), nearest(way.within, found)):
        if bound is not None and bound.share is not None and bound.share < share:
            share = bound.share
            says += f"; not more than the {100 * share:.1f} % of cycles that {bound.name} takes"
            confidence = least(confidence, bound.confidence or confidence)
    if share > 1 or (share == 1 and node.parent is not None):
        return _without(node, f"{says}, which would be {100 * share:.0f} % of the cycles and bounds nothing")
    matters = share >= tree().matters
    return Cause(node.name, node.title, node.parent, share, matters, says, confidence, inside=way.within or node.parent)
