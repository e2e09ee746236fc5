"""What a change may gain: the share of the cycles at stake, and the part of it that measured changes of its kind saved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from armprof.analysis.causes import Cause, nearest, path
from armprof.analysis.result import Bound, Improvement
from armprof.analysis.rules import Case, Rule, RuleWay, gate
from armprof.analysis.terms import Terms
from armprof.metrics import Confidence


@dataclass(frozen=True, slots=True)
class Stake:
    """``share`` of the cycles, 0 to 1, and the words for it; share None, and why it cannot be told."""

    share: float | None
    says: str
    confidence: Confidence | None = None
    cause: str | None = None  # whose share it is, or is a part of


def at_stake(way: RuleWay, terms: Terms, causes: Mapping[str, Cause]) -> Stake:
    """What the way's cause takes of the cycles, else what the nearest known cause above it does."""
    cause = nearest(way.cause, causes)
    if cause is None or cause.share is None or cause.share >= 1:
        return Stake(None, causes[way.cause].reason or "it bounds nothing")
    if cause.name == way.cause:
        says = f"{_percent(cause.share)} of the cycles are at stake: {cause.evidence}"
    else:
        says = (
            f"at most the {_percent(cause.share)} of the cycles that {cause.name} takes are at stake "
            f"({cause.evidence}); {way.cause} alone is not known: {causes[way.cause].reason}"
        )
    if way.stake is None:
        return Stake(cause.share, says, cause.confidence, cause.name)
    part = terms.evaluate(way.stake)
    if part.value is None:
        return Stake(cause.share, f"{says}; what part of it is not known: {part.reason}", cause.confidence, cause.name)
    share = min(max(0.0, part.value), cause.share)
    return Stake(share, f"{says}; of it {_percent(share)} ({way.stake.text})", part.confidence, cause.name)


def bounds(stake: Stake, causes: Mapping[str, Cause], modelled: bool) -> tuple[Bound, ...]:
    """Of each cause whose cycles are at stake, the nearest first, what all changes against it can gain together at most."""
    return tuple((cause.name, 100 * _most(cause.share or 0.0, modelled)) for cause in path(stake.cause, causes))


def improvement(rule: Rule, way: RuleWay, stake: Stake, modelled: bool) -> Improvement:
    """The interval: from what honest changes realised at least of what is at stake to what good ones did."""
    if stake.share is None:
        return _uncomputed(rule, stake)
    realised = way.realised
    most, besides = _most(stake.share, modelled), ""
    if modelled:
        realised = way.modelled or tuple(gate().model["realised"])
        percent = 100 * gate().model["besides"]
        besides = f", and {percent:.0f} % of the other cycles, for a change seldom leaves the instructions as they were"
    low, high, ceiling = (
        100 * _in_unit(part, rule.unit) for part in (realised[0] * stake.share, realised[1] * most, most)
    )
    basis = f"{_part(realised)}: {_resembling(rule.cases)}"
    return Improvement(
        low, high, ceiling, rule.unit, f"{basis}; ceiling: all {_percent(stake.share)} at stake{besides}"
    )


def _most(share: float, modelled: bool) -> float:
    """The part of the time that can go away with a share of the cycles."""
    besides: float = gate().model["besides"] if modelled else 0.0
    return share + besides * (1 - share)


def of_part(share: float, realised: tuple[float, float], cases: Sequence[Case]) -> Improvement:
    """The interval for a change of code that takes this share of the cycles, for whatever cause."""
    low, high = (100 * part * share for part in realised)
    basis = f"{_part(realised)}: {_resembling(cases)}; ceiling: all {_percent(share)} at its places"
    return Improvement(low, high, 100 * share, "latency", basis)


def _part(realised: tuple[float, float]) -> str:
    return f"{100 * realised[0]:.0f} to {100 * realised[1]:.0f} % of what is at stake comes true"


def _uncomputed(rule: Rule, stake: Stake) -> Improvement:
    why = f"no ceiling: {stake.says}"
    if rule.fixed is not None:
        low, high = rule.fixed
        basis = f"{low:g} to {high:g} % is the fixed range of this rule, not derived from this program"
        return Improvement(low, high, None, rule.unit, f"{basis}; {why}")
    high = max((case.saved[1] for case in rule.cases), default=0.0)
    basis = f"0 to {high:g} %, the range of measured changes of its kind, not derived from this program"
    return Improvement(0.0, high, None, rule.unit, f"{basis}: {_resembling(rule.cases)}; {why}")


def _resembling(cases: Sequence[Case]) -> str:
    if not cases:
        return "no measured change of its kind is known: these bounds are those of others"
    return "; ".join(map(str, cases))


def _in_unit(share: float, unit: str) -> float:
    """Part of the time that goes away, or how much more work is done in it."""
    return share if unit == "latency" else share / (1 - share)


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
