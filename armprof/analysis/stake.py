"""The share of the cycles that a rule is about, from what its events cost on this core."""

from __future__ import annotations

from dataclasses import dataclass

from armprof.analysis.rules import Rule, Stake
from armprof.cpu import Core
from armprof.metrics import ARM64Metrics, Confidence
from armprof.metrics.formula import ZeroDenominatorError
from armprof.metrics.result import least


@dataclass(frozen=True, slots=True)
class AtStake:
    """``share`` of the cycles, 0 to 1, and the words for it; share None, and why it cannot be told."""

    share: float | None
    says: str
    confidence: Confidence = Confidence.LOW


def at_stake(rule: Rule, metrics: ARM64Metrics, core: Core | None) -> AtStake:
    """The first of the rule's ways to a share that has all it needs."""
    constants = _constants(core)
    missing: list[str] = []
    for stake in rule.stakes:
        values = dict(constants)
        for name in stake.formula.names:
            if name in metrics and (value := metrics[name].value) is not None:
                values[name] = value
        lacking = next((name for name in stake.formula.names if name not in values), None)
        if lacking is not None:
            missing.append(_why_missing(lacking, metrics, core))
            continue
        try:
            share = stake.formula.evaluate(values)
        except ZeroDenominatorError as zero:
            missing.append(str(zero))
            continue
        says = stake.says.format(core="" if core is None else core.title, **values)
        return _bounded(stake, metrics, share, says)
    return AtStake(None, "; ".join(dict.fromkeys(missing)))


def _bounded(stake: Stake, metrics: ARM64Metrics, share: float, says: str) -> AtStake:
    used = [metrics[name].confidence for name in stake.formula.names if name in metrics]
    bound = metrics[stake.within] if stake.within else None
    if bound is None or bound.value is None or bound.confidence is Confidence.LOW:
        pass
    elif bound.value < share:
        says += f"; not more than the {100 * bound.value:.1f} % of cycles that {bound.name} is"
        share = bound.value
        used.append(bound.confidence)
    if share >= 1:
        return AtStake(None, f"{says}, which would be {100 * share:.0f} % of the cycles and bounds nothing")
    confidence = least(*(c for c in used if c is not None))
    if confidence is Confidence.LOW:
        return AtStake(None, "what tells the cycles at stake was counted too little")
    return AtStake(share, says, confidence)


def _why_missing(name: str, metrics: ARM64Metrics, core: Core | None) -> str:
    if name in metrics:
        return f"{name} has no value ({metrics[name].reason})"
    if core is None or not core.known:
        return "the core is not known, and with it what each event costs"
    return f"{name} of {core.title} is not published"


def _constants(core: Core | None) -> dict[str, float]:
    """What events cost on this core, in cycles."""
    if core is None:
        return {}
    known = {f"{level}_cycles": float(cycles) for level, cycles in core.load_cycles.items()}
    if core.mispredict_cycles is not None:
        known["mispredict_cycles"] = float(core.mispredict_cycles)
    return known
