"""From metrics to recommendations: every rule speaks, or stays silent with a reason."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

from armprof import cpu
from armprof.analysis.bottlenecks import bottlenecks
from armprof.analysis.causes import Cause, tree, walk
from armprof.analysis.gain import at_stake, bounds, improvement
from armprof.analysis.outcome import Analysis
from armprof.analysis.places import placed
from armprof.analysis.result import Improvement, Judgement, Recommendation, Silent, verify
from armprof.analysis.rules import Rule, RuleWay, gate, rules
from armprof.analysis.terms import SENTENCES, Condition, Term, Terms, known_without, together, too_little
from armprof.counters.reading import Reading, Status
from armprof.cpu import Core
from armprof.errors import ArmprofError
from armprof.metrics import ARM64Metrics, Confidence, compute
from armprof.metrics.confidence import MIN_STRETCH_NS, lowest_coverage, stretch_ns
from armprof.metrics.forming import KINDS
from armprof.metrics.result import Gaps, least
from armprof.run.record import Component

# Known of any program without counting an event: alone they decide nothing.
NOTHING_COUNTED = ("cpus_used", "numa_efficiency")
ASIDES = frozenset(rule.name for rule in rules() if rule.aside)
MANY = 6  # so many metrics are named in a reason


def analyze(thing: object, core: Core | str | None = None) -> Analysis:
    """Judge a Reading, an ARM64Metrics, or anything with a ``.reading``; of a Component the bottlenecks too.

    ``core`` (a Core or its name) gives the penalties where the reading does not name its core. Raises
    ArmprofError for a thing of another kind, and for the name of a core that there is no table of.
    """
    if isinstance(core, str):
        core = cpu.core(core)
    judged = judge(_metrics(thing, core), core)
    if not isinstance(thing, Component):
        return judged
    by_name = {rule.name: rule for rule in rules()}
    recommendations, asides = (
        tuple(placed(r, by_name[r.rule], thing) for r in said) for said in (judged.recommendations, judged.asides)
    )
    return replace(judged, recommendations=recommendations, asides=asides, bottlenecks=bottlenecks(thing))


def judge(metrics: ARM64Metrics | None, core: Core | None = None) -> Analysis:
    """What follows from the metrics; None where nothing was counted."""
    why_not = "nothing was counted" if metrics is None else _too_little(metrics.reading)
    if metrics is None or why_not is not None:
        silent = tuple(_silent(rule, None, metrics, f"{Judgement.NOT_JUDGED}: {why_not}") for rule in rules())
        return Analysis(Judgement.NOT_JUDGED, str(why_not), (), silent, metrics)

    terms = Terms(metrics, core or metrics.core)
    causes = walk(terms)
    undecided = _undecided(metrics.gaps, terms.core)
    opinions = [undecided.get(rule.name) or _consider(rule, terms, causes) for rule in rules()]
    opinions = _refined(opinions, metrics)
    silent = tuple(o.said for o in opinions if isinstance(o.said, Silent))
    speaking = sorted((o.said for o in opinions if isinstance(o.said, Recommendation)), key=Recommendation.order)
    asides = tuple(replace(r, rank=i) for i, r in enumerate((r for r in speaking if r.rule in ASIDES), 1))
    raised = [r for r in speaking if r.rule not in ASIDES]
    decided = dict.fromkeys(name for opinion in opinions for name in opinion.decided if name not in NOTHING_COUNTED)
    known = tuple(causes.values())
    if not decided:
        return Analysis(Judgement.NOT_JUDGED, _missing(metrics), (), silent, metrics, known)
    names = list(decided)
    reason = f"decided on {', '.join(names[:MANY])}" + (f" and {len(names) - MANY} more" if len(names) > MANY else "")
    recommended = {r.rule for r in raised}
    ranked = tuple(
        replace(r, rank=i, depends_on=tuple(d for d in r.depends_on if d in recommended))
        for i, r in enumerate(raised, 1)
    )
    return Analysis(Judgement.JUDGED, reason, ranked, silent, metrics, known, asides)


def _metrics(thing: object, core: Core | None) -> ARM64Metrics | None:
    if isinstance(thing, ARM64Metrics):
        return thing
    reading = thing if isinstance(thing, Reading) else getattr(thing, "reading", thing)
    if reading is None and thing is not None:
        return None
    if not isinstance(reading, Reading):
        kind = type(reading).__name__
        raise ArmprofError(f"cannot analyze {kind}: give a Reading, ARM64Metrics or something with a .reading")
    groups = thing.groups if isinstance(thing, Component) else ()
    return compute(reading, core, groups)


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


def _missing(metrics: ARM64Metrics) -> str:
    """Why nothing was decided: what became of the metrics that decide most. The reasons stand with these."""
    wanted = ("cycles_per_instruction", "frontend_stalled", "backend_stalled", "l1d_mpki", "branch_mpki")
    said = []
    for name in wanted:
        metric = metrics[name]
        if metric.value is None:
            said.append(f"{name} has no value")
        elif metric.confidence is Confidence.LOW:
            said.append(f"{name} was {too_little(metric.coverage, metric.reason)}")
    return ", ".join(said)


@dataclass(frozen=True, slots=True)
class _Opinion:
    """What a rule has to say, and the metrics that it was decided on, either way."""

    rule: Rule
    said: Recommendation | Silent
    decided: tuple[str, ...] = ()


def _silent(rule: Rule, name: str | None, metrics: ARM64Metrics | None, reason: str) -> Silent:
    metric = name or rule.ways[0].when[0].name
    value = metrics[metric].value if metrics is not None and metric in metrics else None
    return _valueless(rule, metric, reason) if value is None else Silent(rule.name, rule.type, metric, value, reason)


@lru_cache(maxsize=SENTENCES)
def _valueless(rule: Rule, metric: str, reason: str) -> Silent:
    return Silent(rule.name, rule.type, metric, None, reason)


def _consider(rule: Rule, terms: Terms, causes: Mapping[str, Cause]) -> _Opinion:
    """The first way that holds; else the reason of the one that came nearest: one that was decided before one that was not."""
    undecided: tuple[str, str] | None = None
    declined: tuple[str, str, tuple[str, ...]] | None = None
    for way in rule.ways:
        failed, unknown = _checked(way, terms)
        if failed is not None:
            if declined is None:
                said = f"{failed.name} is {terms[failed.name].value:.4g}, not {failed.words}"
                declined = (failed.name, said, (failed.name,))
            continue
        if unknown:
            undecided = undecided or (unknown[0], _why_unknown(unknown, terms))
            continue
        names = tuple(condition.name for condition in way.when)
        stopped = next((c for c in way.unless if _holds(c, terms)), None)
        if stopped is not None:
            value = terms[stopped.name].value
            declined = declined or (stopped.name, f"{stopped.name} is {value:.4g}, {stopped.words}", names)
            continue
        said_or_not = _speak(rule, way, terms, causes)
        if isinstance(said_or_not, Recommendation):
            return _Opinion(rule, said_or_not, names)
        declined = declined or (names[0], said_or_not, names)
    if declined is not None:
        name, reason, names = declined
        return _Opinion(rule, _silent(rule, name, terms.metrics, reason), names)
    assert undecided is not None
    return _Opinion(rule, _silent(rule, undecided[0], terms.metrics, undecided[1]))


def _checked(way: RuleWay, terms: Terms) -> tuple[Condition | None, list[str]]:
    """The first condition that does not hold; without one the names that have no value."""
    unknown = []
    for condition in way.when:
        value = terms[condition.name].value
        if value is None:
            unknown.append(condition.name)
        elif not condition.holds(value):
            return condition, []
    return None, unknown


def _holds(condition: Condition, terms: Terms) -> bool:
    value = terms[condition.name].value
    return value is not None and condition.holds(value)


def _why_unknown(unknown: Iterable[str], terms: Mapping[str, Term]) -> str:
    return together(tuple(_why_none(name, terms[name].reason) for name in unknown))


@lru_cache(maxsize=SENTENCES)
def _why_none(name: str, reason: str) -> str:
    return reason if name in reason else f"{name} has no value ({reason})"


@lru_cache(maxsize=KINDS)
def _undecided(gaps: Gaps, core: Core | None) -> Mapping[str, _Opinion]:
    """The opinions of the rules that no reading with these gaps decides, for none of their conditions has a value there."""
    terms = known_without(gaps, core)
    found = {}
    for rule in rules():
        if all(c.name in terms and terms[c.name].value is None for way in rule.ways for c in way.when):
            unknown = dict.fromkeys(c.name for c in rule.ways[0].when)
            name = next(iter(unknown))
            found[rule.name] = _Opinion(rule, _valueless(rule, name, _why_unknown(unknown, terms)))
    return found


def _speak(rule: Rule, way: RuleWay, terms: Terms, causes: Mapping[str, Cause]) -> Recommendation | str:
    """The recommendation, or why the cycles at stake are not worth one."""
    said = way.says.format(**{name: terms[name].value for name in way.says_names})
    stake = at_stake(way, terms, causes)
    if stake.share is not None and stake.share < tree().matters:
        return f"{said}, but at most {100 * stake.share:.2f} % of the cycles are at stake"
    evidence = [said]
    if stake.share is not None:
        evidence.append(stake.says)
    used = [terms.metrics[c.name] for c in way.when if c.name in terms.metrics]
    evidence += [f"{metric.name}: {metric.reason}" for metric in used if metric.reason]
    evidence += [
        f"{metric.name} was counted {100 * metric.coverage:.1f} % of the time"
        for metric in used
        if metric.status is Status.SCALED and metric.coverage is not None
    ]
    counted = [confidence for c in way.when if (confidence := terms[c.name].confidence) is not None]
    # Where the cost could not be weighed, the counts alone do not make advice sure.
    weighed = Confidence.MEDIUM if stake.share is None else stake.confidence or Confidence.HIGH
    modelled = terms.metrics.reading.source == "model"
    gain = improvement(rule, way, stake, modelled)
    confidence = least(way.certainty, weighed, *counted)
    return Recommendation(
        rank=0,  # known once all are
        rule=rule.name,
        type=rule.type,
        title=rule.title,
        description=rule.description,
        expected_improvement=gain,
        effort=rule.effort,
        risk=rule.risk,
        confidence=confidence,
        evidence=tuple(dict.fromkeys(evidence)),
        score=_score(rule, gain, confidence),
        depends_on=rule.depends_on,
        verify=verify(rule.watch, terms.metrics.reading),
        bounds=bounds(stake, causes, modelled),
    )


def _score(rule: Rule, gain: Improvement, confidence: Confidence) -> float:
    weights = gate()
    return gain.expected * weights.confidence[confidence] / weights.effort[rule.effort]


def _refined(opinions: Iterable[_Opinion], metrics: ARM64Metrics) -> list[_Opinion]:
    """The opinions without those that others state more exactly."""
    opinions = list(opinions)
    speaking = {opinion.rule.name for opinion in opinions if isinstance(opinion.said, Recommendation)}
    refined = []
    for opinion in opinions:
        better = [name for name in opinion.rule.refined_by if name in speaking] if opinion.rule.name in speaking else []
        if better:
            reason = f"{' and '.join(better)} says it more exactly"
            opinion = replace(opinion, said=_silent(opinion.rule, None, metrics, reason))
        refined.append(opinion)
    return refined
