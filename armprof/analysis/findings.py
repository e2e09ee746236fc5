"""What the findings of `armprof inspect` cost where counts are at hand: the cycles at their places, and the gain from them.

A finding is weighed as advice is: what is at stake are the cycles of the code that it is about, and what a change may gain is
the part of them that measured changes of its kind saved. `tables/findings.toml` says of each rule which code, and which kind.
"""

from __future__ import annotations

import heapq
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import Any

from armprof.analysis.gain import of_part
from armprof.analysis.heat import At, Heat, name
from armprof.analysis.result import Improvement
from armprof.analysis.rules import Rule, cases, rules
from armprof.binary.checks import Finding, Inspection, Spot

# The heat of another event than cycles, as shares of the cycles; None where it was not counted.
Other = Callable[[str], Heat | None]


@dataclass(frozen=True, slots=True)
class Weighed:
    """A finding with what it costs. ``share`` of the event, 0 to 1, is at its places, and ``shares`` at each of them; None
    where counts cannot tell, or nothing was counted. ``says`` is that in words, ``gain`` None where it says why.
    """

    finding: Finding
    says: str
    share: float | None = None
    gain: Improvement | None = None
    shares: tuple[float | None, ...] = ()


@dataclass(frozen=True, slots=True)
class Weighing:
    """An inspection and what its findings cost; ``heat`` is None where nothing was counted.

    ``loops`` are the innermost loops of most of what was counted, each with its share, the hottest first.
    """

    inspection: Inspection
    findings: tuple[Weighed, ...]
    heat: Heat | None = None
    loops: tuple[tuple[Spot, float], ...] = ()


NOT_COUNTED = "nothing was counted"
LEAST = 0.001  # a smaller share is told as less than that
MOST_FUNCTIONS, MOST_LOOPS = 50, 20  # the hottest ones, in which hot loops are looked for, and of which is told


def uncounted(inspection: Inspection) -> Weighing:
    """Each finding is a possibility."""
    return Weighing(inspection, tuple(Weighed(finding, NOT_COUNTED) for finding in inspection.findings))


def weigh(inspection: Inspection, heat: Heat, other: Other = lambda event: None) -> Weighing:
    """Each finding with what it costs: what costs most first, and of each the places that do."""
    found = [_weighed(finding, heat, other) for finding in inspection.findings]
    return Weighing(inspection, tuple(sorted(found, key=_order)), heat, tuple(_loops(inspection, heat)))


def _loops(inspection: Inspection, heat: Heat) -> list[tuple[Spot, float]]:
    if not heat.lines:
        return []
    functions = heapq.nlargest(MOST_FUNCTIONS, heat.functions, key=lambda one: heat.functions[one])
    found = [(spot, _share(*_keys(spot, "loop", heat), heat)) for spot in inspection.subject.innermost(functions)]
    hot = [(spot, share) for spot, share in found if share >= LEAST]
    return sorted(hot, key=lambda one: -one[1])[:MOST_LOOPS]


def _order(one: Weighed) -> tuple[float, float]:
    gain = one.gain.expected if one.gain is not None else 0.0
    return -gain, 1.0 if one.share is None else -one.share


def _weighed(finding: Finding, heat: Heat, other: Other) -> Weighed:
    row = _table()[finding.rule.name]
    if "why" in row:
        return Weighed(finding, row["why"])
    like = _rule(row.get("like"))
    cause = next((event for event in like.shown_by if event.endswith("_cycles")), None) if like else None
    lost = other(cause) if cause is not None and cause != heat.event else None
    own = lost or heat
    if row["extent"] == "file" and not own.files:
        return Weighed(finding, f"the counts tell of no files: {own.basis}")
    keys = [_keys(spot, row["extent"], own) for spot in finding.spots]
    shares = tuple(_share(extent, at, own) for extent, at in keys)
    share = own.whole if row["extent"] == "whole" else _union(keys, own)
    return _told(finding, row, like, own, lost is not None, share, shares)


def _told(
    finding: Finding, row: Mapping[str, Any], like: Rule | None, heat: Heat, is_cause: bool, share: float, shares: Any
) -> Weighed:
    ranked = sorted(range(len(shares)), key=lambda number: -shares[number])
    finding = replace(finding, spots=tuple(finding.spots[number] for number in ranked))
    shares = tuple(shares[number] for number in ranked)
    if not share:
        unseen = f", so it has at most {100 * heat.unseen:.2g} %" if heat.unseen else ""
        return Weighed(finding, f"not hot: none of {heat.basis} there{unseen}", 0.0, None, shares)
    part = f"{100 * share:.1f} %" if share >= LEAST else "less than 0.1 %"
    says = f"{part} of the cycles: {heat.basis}" if is_cause else f"{part} of {heat.basis}"
    if not heat.is_time:
        return Weighed(finding, f"{says}; what time that costs is not known", share, None, shares)
    low, high = row["realised"] if like is None else _realised(like, is_cause)
    saved = tuple(cases()[case] for case in row.get("cases", ())) if like is None else like.cases
    return Weighed(finding, says, share, of_part(share, (low, high), saved), shares)


def _realised(like: Rule, is_cause: bool) -> tuple[float, float]:
    """Of cycles that are known to be lost to the cause the part that comes true; of cycles for whatever, perhaps none."""
    if is_cause:
        return like.ways[0].realised
    return 0.0, max(way.realised[1] for way in like.ways)


Keys = tuple[str, Sequence[Any]]  # the table of the heat, and what to look up there


def _keys(spot: Spot, extent: str, heat: Heat) -> Keys:
    """Where counts tell of no lines, or the place has none, it is the whole function: what is at stake at most."""
    if extent == "file":
        return "files", [name(spot.line.file)] if spot.line else []
    function = spot.function or ""
    lines = spot.around if extent == "loop" and spot.around else (spot.line,) if spot.line else ()
    if extent in ("function", "whole") or not lines or not heat.lines:
        return "functions", [function]
    at: list[At] = [(function, name(line.file), line.line) for line in lines]
    return "reached" if extent == "reached" else "lines", list(dict.fromkeys(at))


def _share(table: str, keys: Sequence[Any], heat: Heat) -> float:
    found: Mapping[Any, float] = getattr(heat, table)
    return min(1.0, sum(found.get(key, 0.0) for key in keys))


def _union(parts: Sequence[Keys], heat: Heat) -> float:
    """What is at several places counts once."""
    once = dict.fromkeys((table, key) for table, keys in parts for key in keys)
    return min(1.0, sum(_share(table, (key,), heat) for table, key in once))


@cache
def _table() -> Mapping[str, Any]:
    return tomllib.loads(files(__package__).joinpath("tables/findings.toml").read_text(encoding="utf-8"))


def _rule(named: str | None) -> Rule | None:
    return next((rule for rule in rules() if rule.name == named), None)
