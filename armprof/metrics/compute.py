"""From a Reading to ARM64Metrics."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from armprof import cpu
from armprof.counters.facts import NAMES, unknown
from armprof.counters.reading import Count, Fact, Reading, Status, uncounted
from armprof.counters.suspect import mark_suspects
from armprof.cpu import Core
from armprof.errors import ArmprofError
from armprof.metrics import topdown
from armprof.metrics.confidence import confidence, lowest_coverage, of_a_fact, of_a_share, stretch_ns
from armprof.metrics.formula import ZeroDenominatorError
from armprof.metrics.quality import quality
from armprof.metrics.result import ARM64Metrics, Confidence, Metric, least
from armprof.metrics.table import Definition, Way, definitions

# Of the source that a metric may be of alone: why others do not give it.
ELSEWHERE = {"model": "no PMU counts this, only the modelled core does"}

# Among the events that stand in the way of a metric, the one whose status says most.
_TELLING = (Status.SUSPECT, Status.NOT_PERMITTED, Status.UNSUPPORTED, Status.NOT_COUNTED)


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
    form = topdown.choose(core, (reading, *groups))

    counts, by_group = _Counts(reading, core), [_Counts(group, core) for group in groups]
    metrics: dict[str, Metric] = {}
    sought = None if names is None else {*names, *(topdown.TERMS if set(names) & set(topdown.TERMS) else ())}
    for definition in definitions():
        if sought is not None and definition.name not in sought:
            continue
        if definition.source not in ("", reading.source):
            metrics[definition.name] = _none(definition, reading, Status.UNSUPPORTED, ELSEWHERE[definition.source])
            continue
        ways = definition.ways_of(core)
        if definition.name in topdown.TERMS:
            if isinstance(form, topdown.NoForm):
                metrics[definition.name] = _none(definition, reading, form.status, form.reason)
                continue
            assert core is not None
            assert core.slots is not None
            ways = form.ways(definition.name, core.slots)
        metrics[definition.name] = _metric(definition, ways, counts, by_group)
    metrics |= topdown.checked({name: metrics[name] for name in topdown.TERMS if name in metrics})
    return ARM64Metrics(metrics, reading, core, quality(reading, metrics, core))


def _core(reading: Reading, core: Core | str | None) -> Core | None:
    if isinstance(core, str):
        return cpu.core(core)
    if core is None and reading.core is not None:
        try:
            return cpu.core(reading.core)
        except ArmprofError:  # a reading from elsewhere may name a core that there is no table of
            return None
    return core


class _Counts(dict[str, Count]):
    """What a reading has of each event that is asked for, found once."""

    def __init__(self, reading: Reading, core: Core | None) -> None:
        self.reading, self._core = reading, core

    def __missing__(self, event: str) -> Count:
        self[event] = _count(self.reading, event, self._core)
        return self[event]


def _metric(definition: Definition, ways: Sequence[Way], all_counts: _Counts, groups: Sequence[_Counts]) -> Metric:
    """The first way whose events all have values; without one, what stands in the way of the nearest."""
    reading = all_counts.reading
    nearest: tuple[Way, list[Count]] | None = None
    for way in ways:
        events = way.events
        counts = _counted_together(events, groups) or [all_counts[event] for event in events]
        known = {name: _fact(reading, name) for name in way.facts}
        blocking = [count for count in counts if not _usable(count)]
        blocking += [
            uncounted(name, Status.NOT_COUNTED, fact.origin) for name, fact in known.items() if fact.value is None
        ]
        if not blocking:
            return _evaluated(definition, way, counts, known, reading)
        if nearest is None or _distance(blocking, reading) < _distance(nearest[1], reading):
            nearest = (way, blocking)
    assert nearest is not None
    way, blocking = nearest
    telling = min(blocking, key=lambda c: _TELLING.index(c.status) if c.status in _TELLING else 0)
    why: dict[str, list[str]] = {}
    for count in blocking:
        concerned = why.setdefault(count.reason or "no value, and no reason given", [])
        if count.event not in NAMES:
            concerned.append(count.event)
    reason = "; ".join(f"{' and '.join(events)}: {reason}" if events else reason for reason, events in why.items())
    status = telling.status if telling.status in _TELLING else Status.SUSPECT
    causes = tuple((cause, tuple(events)) for cause, events in why.items())
    return _none(definition, reading, status, reason, way, causes)


def _distance(blocking: Sequence[Count], reading: Reading) -> tuple[int, int, int]:
    """How far a way is from being usable: events without value, and of them those that nobody asked for.

    What became of an event that was asked for says more than that another one was not: on a machine without
    PMU it is that. Of two ways that nobody asked for, the one whose events the core has is nearer.
    """
    unasked = sum(count.event not in reading.counts for count in blocking)
    return len(blocking), unasked, sum(count.status is Status.UNSUPPORTED for count in blocking)


def _count(reading: Reading, event: str, core: Core | None) -> Count:
    count = reading.counts.get(event)
    if count is None:
        if core is not None and core.known and not core.has(event):
            return uncounted(event, Status.UNSUPPORTED, f"{core.title} does not have this event")
        return uncounted(event, Status.NOT_COUNTED, "not among the events of this reading")
    if core is not None:
        for erratum in core.errata_of(event):
            # What an erratum adds in every cycle the top-down formulas subtract; others leave nothing to use.
            if not erratum.overcounts_per_cycle:
                return uncounted(event, Status.SUSPECT, f"{core.title} {erratum.effect} ({erratum.id})")
    if _has_number(count) and not _usable(count):
        return uncounted(event, Status.SUSPECT, f"{count.value} is no count")
    return count


def _fact(reading: Reading, name: str) -> Fact:
    if name == "seconds" and reading.duration_ns and reading.source != "model":
        return Fact(reading.duration_ns / 1e9, "s")
    return reading.facts.get(name) or unknown(name, reading.source)


def _has_number(count: Count) -> bool:
    return count.status.has_value and count.value is not None


def _usable(count: Count) -> bool:
    return _has_number(count) and math.isfinite(count.value or 0.0) and (count.value or 0.0) >= 0


def _counted_together(events: Sequence[str], groups: Sequence[_Counts]) -> list[Count] | None:
    """The counts from one group that holds all events, of several the one that ran most; None without."""
    whole = [[group[event] for event in events] for group in groups]
    whole = [counts for counts in whole if all(map(_usable, counts))]
    return max(whole, key=lambda counts: lowest_coverage(counts) or 0.0, default=None)


def _evaluated(
    definition: Definition, way: Way, counts: Sequence[Count], known: Mapping[str, Fact], reading: Reading
) -> Metric:
    scaled = any(count.status is Status.SCALED for count in counts)
    estimated = [count for count in counts if count.status is Status.ESTIMATED]
    status = Status.ESTIMATED if estimated else Status.SCALED if scaled else Status.COUNTED
    notes = [note for note in (way.note, *(fact.origin for fact in known.values())) if note]
    notes += [f"{count.event}: {count.reason}" for count in estimated]
    values = {count.event: float(count.value or 0.0) for count in counts}
    values |= {name: fact.value for name, fact in known.items() if fact.value is not None}
    try:
        value = way.formula.evaluate(values)
    except ZeroDenominatorError as zero:
        return _none(definition, reading, Status.NOT_COUNTED, f"{zero}: there is nothing to divide by", way)
    uncertain = (fact.uncertainty for fact in known.values() if fact.uncertainty is not None)
    trust = least(confidence(counts, stretch_ns(reading)), way.confidence, *map(of_a_fact, uncertain))
    low, high = definition.range
    if low - definition.clamp <= value < low:
        notes.append(f"{value:.4f} before it was set to {low:g}: a difference of inexact counts")
        value, trust = low, least(trust, Confidence.MEDIUM)
    if not low <= value <= high or math.isinf(value):  # also what is not a number
        outside = f"outside {low:g} to {high:g}: {way.outside or 'the counts contradict each other'}"
        reason = f"{way.formula.text} gives {value:.4g}, {outside}"
        return _none(definition, reading, Status.SUSPECT, reason, way)
    if definition.is_share and not known and (trials := way.formula.trials(values)) is not None:
        most = of_a_share(value, trials)
        if most is not Confidence.HIGH:
            notes.append(f"a share of {trials:,.0f} events alone")
        trust = least(trust, most)
    return replace(
        _none(definition, reading, status, "; ".join(notes) or None, way),
        value=value,
        causes=(),
        coverage=lowest_coverage(counts) if counts else None,
        source=reading.source if counts else "machine",
        together=not scaled or _one_group(counts),
        confidence=trust,
    )


def _one_group(counts: Sequence[Count]) -> bool:
    return len(counts) < 2 or (counts[0].group is not None and len({count.group for count in counts}) == 1)


def _none(
    definition: Definition,
    reading: Reading,
    status: Status,
    reason: str | None,
    way: Way | None = None,
    causes: tuple[tuple[str, tuple[str, ...]], ...] | None = None,
) -> Metric:
    return Metric(
        name=definition.name,
        title=definition.title,
        section=definition.section,
        value=None,
        unit=definition.unit,
        better=definition.better,
        status=status,
        events=way.events if way else (),
        formula=way.formula.text if way else None,
        spec=definition.spec,
        coverage=None,
        together=None,
        source=reading.source,
        confidence=None,
        reason=reason,
        causes=(((reason, ()),) if reason else ()) if causes is None else causes,
    )
