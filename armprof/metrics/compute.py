"""From a Reading to ARM64Metrics."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence

from armprof import cpu
from armprof.counters.reading import Count, Reading, Status
from armprof.counters.suspect import mark_suspects
from armprof.cpu import Core
from armprof.errors import ArmprofError
from armprof.metrics import topdown
from armprof.metrics.confidence import confidence, lowest_coverage, of_a_fact, of_a_share, stretch_ns
from armprof.metrics.forming import fact_of, forming, made, shape
from armprof.metrics.formula import ZeroDenominatorError
from armprof.metrics.quality import quality
from armprof.metrics.result import ARM64Metrics, Confidence, Metric, least
from armprof.metrics.table import MetricDefinition, Way


def compute(
    reading: Reading,
    core: Core | str | None = None,
    groups: Sequence[Reading] = (),
    names: Collection[str] | None = None,
) -> ARM64Metrics:
    """Every metric of the table, or those of these ``names``, each with a value or the reason why it has none.

    ``core`` (a Core or its name) tells what the reading itself may not: the core of an imported file.
    ``groups`` are the same stretch read group by group, where the source has that: a ratio is taken inside
    one group where one holds all of its events, because counts of different groups mix phases of the program.
    Raises ArmprofError for the name of a core that there is no table of.
    """
    core = _core(reading, core)
    reading = mark_suspects(reading)
    groups = tuple(mark_suspects(group) for group in groups)
    known = shape(reading, core, groups)
    found = forming(known)

    by_group = tuple(zip(groups, known.groups, strict=True))
    stretch = stretch_ns(reading)
    sought = None if names is None else {*names, *(topdown.TERMS if set(names) & set(topdown.TERMS) else ())}
    metrics = {name: metric for name, metric in found.metrics.items() if sought is None or name in sought}
    for definition, way in found.ways:
        if definition.name in metrics:
            counts = _counted_together(way.events, by_group) or [reading.counts[event] for event in way.events]
            metrics[definition.name] = _evaluated(definition, way, counts, reading, stretch)
    metrics |= topdown.checked({name: metrics[name] for name in topdown.TERMS if name in metrics})
    gaps = found.gaps if sought is None else None
    return ARM64Metrics(metrics, reading, core, quality(reading, metrics, core), gaps)


def _core(reading: Reading, core: Core | str | None) -> Core | None:
    if isinstance(core, str):
        return cpu.core(core)
    if core is None and reading.core is not None:
        try:
            return cpu.core(reading.core)
        except ArmprofError:  # a reading from elsewhere may name a core that there is no table of
            return None
    return core


def _counted_together(events: Sequence[str], groups: Sequence[tuple[Reading, frozenset[str]]]) -> list[Count] | None:
    """The counts from one group that holds all events, of several the one that ran most; None without."""
    whole = [[group.counts[event] for event in events] for group, known in groups if known.issuperset(events)]
    return max(whole, key=lambda counts: lowest_coverage(counts) or 0.0, default=None)


def _evaluated(
    definition: MetricDefinition, way: Way, counts: Sequence[Count], reading: Reading, stretch: int | None
) -> Metric:
    scaled = any(count.status is Status.SCALED for count in counts)
    estimated = [count for count in counts if count.status is Status.ESTIMATED]
    status = Status.ESTIMATED if estimated else Status.SCALED if scaled else Status.COUNTED
    facts = {name: fact_of(reading, name) for name in way.facts}
    notes = [note for note in (way.note, *(fact.origin for fact in facts.values())) if note]
    notes += list(dict.fromkeys(count.reason for count in estimated if count.reason))  # all for the same reason
    values = {count.event: float(count.value or 0.0) for count in counts}
    values |= {name: fact.value for name, fact in facts.items() if fact.value is not None}
    try:
        value = way.formula.evaluate(values)
    except ZeroDenominatorError as zero:
        reason = f"{zero}: there is nothing to divide by"
        return made(definition, reading.source, Status.NOT_COUNTED, reason, way)
    uncertain = [of_a_fact(fact.uncertainty) for fact in facts.values() if fact.uncertainty is not None]
    trust = least(confidence(counts, stretch), way.confidence, *uncertain)
    low, high = definition.range
    if low - definition.clamp <= value < low:
        notes.append(f"{value:.4f} before it was set to {low:g}: a difference of inexact counts")
        value, trust = low, least(trust, Confidence.MEDIUM)
    if not low <= value <= high or math.isinf(value):  # also what is not a number
        outside = f"outside {low:g} to {high:g}: {way.outside or 'the counts contradict each other'}"
        reason = f"{way.formula.text} gives {value:.4g}, {outside}"
        return made(definition, reading.source, Status.SUSPECT, reason, way)
    if definition.is_share and not facts and (trials := way.formula.trials(values)) is not None:
        seen = trials * (lowest_coverage(counts) or 0.0)  # what was scaled was not seen as often as its value says
        most = of_a_share(value, seen)
        if most is not Confidence.HIGH:
            notes.append(f"a share of {seen:,.0f} events alone")
        trust = least(trust, most)
    return made(
        definition,
        reading.source if counts or reading.source == "imported" else "machine",  # elsewhere nothing was of this one
        status,
        "; ".join(notes) or None,
        way,
        value=value,
        coverage=lowest_coverage(counts) if counts else None,
        together=not scaled or _one_group(counts),
        confidence=trust,
        causes=(),
    )


def _one_group(counts: Sequence[Count]) -> bool:
    return len(counts) < 2 or (counts[0].group is not None and len({count.group for count in counts}) == 1)
