"""From metrics to recommendations: every rule speaks, or stays silent with a reason."""

from __future__ import annotations

from dataclasses import dataclass, replace

from armprof import cpu
from armprof.analysis.bottlenecks import bottlenecks
from armprof.analysis.result import Analysis, Improvement, Recommendation, Silent, Verdict
from armprof.analysis.rules import Rule, gate, rules
from armprof.analysis.stake import AtStake, at_stake
from armprof.counters.reading import Reading, Status
from armprof.cpu import Core
from armprof.errors import ArmprofError
from armprof.metrics import ARM64Metrics, Confidence, Metric, compute
from armprof.metrics.confidence import MIN_STRETCH_NS, lowest_coverage, stretch_ns
from armprof.metrics.result import least
from armprof.run.record import Component


def analyze(thing: object, core: Core | str | None = None) -> Analysis:
    """Judge a Reading, an ARM64Metrics, or anything with a ``.reading``; of a Component the bottlenecks too.

    ``core`` (a Core or its name) gives the penalties where the reading does not name its core. Raises
    ArmprofError for a thing of another kind, and for the name of a core that there is no table of.
    """
    if isinstance(core, str):
        core = cpu.core(core)
    judged = _judged(thing, core)
    return replace(judged, bottlenecks=bottlenecks(thing)) if isinstance(thing, Component) else judged


def _judged(thing: object, core: Core | None) -> Analysis:
    metrics = _metrics(thing, core)
    why_not = "nothing was counted" if metrics is None else _too_little(metrics.reading)
    if metrics is None or why_not is not None:
        silent = tuple(_silent(rule, metrics, f"{Verdict.NOT_JUDGED}: {why_not}") for rule in rules())
        return Analysis(Verdict.NOT_JUDGED, str(why_not), (), silent, metrics)

    opinions = [_consider(rule, metrics, core or metrics.core) for rule in rules()]
    silent = tuple(o for o in opinions if isinstance(o, Silent))
    raised = sorted((o for o in opinions if isinstance(o, _Raised)), key=_Raised.order)
    decided = [rule.metric for rule in rules() if _carries(metrics[rule.metric])]
    if not decided:
        # Why each is so stands with its rule and its metric; rules on what no event tells are not missed.
        reason = ", ".join(_undecided(metrics[s.metric]) for s in silent if metrics[s.metric].events)
        return Analysis(Verdict.NOT_JUDGED, reason, (), silent, metrics)
    recommendations = tuple(replace(o.recommendation, rank=i) for i, o in enumerate(raised, 1))
    return Analysis(Verdict.JUDGED, f"decided on {', '.join(decided)}", recommendations, silent, metrics)


def _metrics(thing: object, core: Core | None) -> ARM64Metrics | None:
    if isinstance(thing, ARM64Metrics):
        return thing
    reading = thing if isinstance(thing, Reading) else getattr(thing, "reading", thing)
    if reading is None and thing is not None:
        return None
    if not isinstance(reading, Reading):
        kind = type(reading).__name__
        raise ArmprofError(f"cannot analyze {kind}: give a Reading, ARM64Metrics or something with a .reading")
    return compute(reading, core)


def _too_little(reading: Reading) -> str | None:
    """Why the whole reading carries no judgement, or None."""
    counted = [count for count in reading.counts.values() if count.value is not None]
    if not counted:
        return "nothing was counted"
    instructions = reading.value("inst_retired")
    needed = gate().min_instructions
    if instructions is not None and instructions < needed:
        return f"{instructions:,.0f} instructions are too few to judge: {needed:,} are needed"
    scaled = [count for count in counted if count.status is Status.SCALED]
    stretch = stretch_ns(reading)
    if scaled and (stretch is None or stretch < MIN_STRETCH_NS):
        coverage = lowest_coverage(scaled)
        length = "a run of unknown length" if stretch is None else f"a run of {stretch / 1e6:.1f} ms"
        least_counted = "" if coverage is None else f", one of them only {100 * coverage:.1f} % of the time,"
        return f"{length} with multiplexed events{least_counted} is too little to judge: 100 ms are needed"
    return None


def _carries(metric: Metric) -> bool:
    """Whether a rule may be decided on it, either way."""
    return metric.confidence in (Confidence.MEDIUM, Confidence.HIGH)


@dataclass(frozen=True, slots=True)
class _Raised:
    recommendation: Recommendation
    share: float | None  # of the cycles at stake

    def order(self) -> tuple[float, int, int]:
        """Most cycles first, then the surer, then the easier."""
        r = self.recommendation
        return -(self.share or 0.0), -r.confidence.rank, r.effort.rank


def _silent(rule: Rule, metrics: ARM64Metrics | None, reason: str) -> Silent:
    return Silent(rule.name, rule.type, rule.metric, metrics[rule.metric].value if metrics else None, reason)


def _consider(rule: Rule, metrics: ARM64Metrics, core: Core | None) -> _Raised | Silent:
    metric = metrics[rule.metric]
    if metric.value is None or metric.confidence is None:
        return _silent(rule, metrics, f"{rule.metric} has no value ({metric.reason})")
    if not _carries(metric):
        return _silent(rule, metrics, _undecided(metric))
    if not rule.crossed(metric.value):
        return _silent(rule, metrics, f"{rule.metric} is {metric.value:.4g}, not {rule.threshold}")

    crossed = f"{rule.metric} is {metric.value:.4g}, {rule.threshold}"
    stake = at_stake(rule, metrics, core)
    negligible = _negligible(rule, stake, metrics)
    if negligible:
        return _silent(rule, metrics, f"{crossed}, but {negligible}")

    evidence = [f"{crossed} ({metric.formula})"]
    if stake.share is not None:
        evidence.append(f"{100 * stake.share:.1f} % of the cycles are at stake: {stake.says}")
    elif rule.rate is not None:
        rate = metrics[rule.rate]
        evidence.append(f"{rule.rate} is {rate.value:.4g} {rate.unit}")
    if metric.status is Status.SCALED:
        evidence.append(f"{rule.metric} was {_counted(metric)}")
    if metric.reason:
        evidence.append(metric.reason)
    # Where the cost could not be weighed, the counts alone do not make advice sure.
    weighed = Confidence.MEDIUM if stake.share is None else stake.confidence
    recommendation = Recommendation(
        rank=0,  # known once all are
        type=rule.type,
        title=rule.title,
        description=rule.description,
        expected_improvement=_improvement(rule, stake),
        effort=rule.effort,
        risk=rule.risk,
        confidence=least(metric.confidence, weighed),
        evidence=tuple(evidence),
    )
    return _Raised(recommendation, stake.share)


def _undecided(metric: Metric) -> str:
    if metric.value is None:
        return f"{metric.name} has no value"
    return f"{metric.name} was {_counted(metric)}: too little to judge"


def _counted(metric: Metric) -> str:
    if metric.coverage is None:
        return "counted for an unknown part of the time"
    return f"counted {100 * metric.coverage:.1f} % of the time"


def _negligible(rule: Rule, stake: AtStake, metrics: ARM64Metrics) -> str | None:
    """Why it does not matter that the threshold is crossed, or None where it may matter."""
    if stake.share is not None:
        if stake.share < gate().min_share:
            return f"at most {100 * stake.share:.2f} % of the cycles are at stake: {stake.says}"
        return None
    if rule.rate is None:
        return None
    rate = metrics[rule.rate]
    if rate.value is None:
        return f"how often that happens is not known: {rule.rate} has no value ({rate.reason})"
    if not _carries(rate):
        return f"how often that happens is not known: {rule.rate} was {_counted(rate)}"
    if rate.value < gate().min_rate:
        return f"{rate.value:.3g} {rate.unit} cost next to nothing"
    return None


def _improvement(rule: Rule, stake: AtStake) -> Improvement:
    low, high = rule.low, rule.high
    basis = f"{low:g} to {high:g} % is the fixed range of this rule, not derived from this program"
    if stake.share is None:
        return Improvement(low, high, None, rule.unit, f"{basis}; no ceiling: {stake.says}")
    gain = stake.share if rule.unit == "latency" else stake.share / (1 - stake.share)
    ceiling = 100 * gain
    if ceiling <= low:
        basis += "; all of it exceeds the ceiling, which leaves anything from nothing to the ceiling"
        low, high = 0.0, ceiling
    elif ceiling < high:
        basis += ", cut to the ceiling"
        high = ceiling
    return Improvement(low, high, ceiling, rule.unit, f"{basis}; ceiling: all {100 * stake.share:.1f} % at stake")
