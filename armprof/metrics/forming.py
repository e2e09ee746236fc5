"""Which metrics can be formed of a reading, and by which way; of the others, why not.

That hangs on which events and facts have a value, and not on the values: so it is found once for all readings that have the
same gaps, as the components of one run mostly do, and a metric that none of them can have is one object for all.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from armprof.counters.facts import NAMES, unknown
from armprof.counters.reading import Count, Fact, Reading, Status
from armprof.cpu import Core
from armprof.metrics import topdown
from armprof.metrics.result import Gaps, Metric
from armprof.metrics.table import MetricDefinition, Way, definitions

# Of the source that a metric may be of alone: why others do not give it.
ELSEWHERE = {"model": "no PMU counts this, only the modelled core does"}

# Among the events that stand in the way of a metric, the one whose status says most.
_TELLING = (Status.SUSPECT, Status.NOT_PERMITTED, Status.UNSUPPORTED, Status.NOT_COUNTED)

KINDS = (
    256  # of readings that are remembered: a reason may have a number in it, and then each reading is a kind of its own
)


class Gap(NamedTuple):
    """Why an event or a fact has no value."""

    name: str
    status: Status
    reason: str


@dataclass(frozen=True, slots=True)
class Shape:
    """What a reading has, and why it has not the rest; ``groups`` are the events that each of its groups has."""

    source: str
    core: Core | None
    form: topdown.Form | topdown.NoForm
    events: tuple[tuple[str, Gap | None], ...]  # those of the reading; None where there is a value
    facts: tuple[Gap, ...]
    groups: tuple[frozenset[str], ...]


@dataclass(frozen=True, slots=True)
class Forming:
    """``metrics`` are all of the table without values; ``ways`` those that can be formed; ``gaps`` the others."""

    metrics: Mapping[str, Metric]
    ways: tuple[tuple[MetricDefinition, Way], ...]
    gaps: Gaps


def shape(reading: Reading, core: Core | None, groups: Sequence[Reading]) -> Shape:
    """The shape of a reading whose contradictions were marked, with those of its groups."""
    facts = ((name, fact_of(reading, name)) for name in NAMES)
    return Shape(
        reading.source,
        core,
        topdown.choose(core, (reading, *groups)),
        tuple([(event, _gap(event, count, core)) for event, count in reading.counts.items()]),
        tuple([Gap(name, Status.NOT_COUNTED, fact.origin) for name, fact in facts if fact.value is None]),
        tuple(frozenset(e for e, count in group.counts.items() if _gap(e, count, core) is None) for group in groups),
    )


@lru_cache(maxsize=KINDS)
def forming(shape: Shape) -> Forming:
    """What can be formed of readings of this shape."""
    metrics: dict[str, Metric] = {}
    ways: list[tuple[MetricDefinition, Way]] = []
    for definition in definitions():
        found = _found(definition, shape)
        if isinstance(found, Way):
            ways.append((definition, found))
            found = made(definition, shape.source, Status.NOT_COUNTED, None, found)
        metrics[definition.name] = found
    formed = {definition.name for definition, _ in ways}
    return Forming(metrics, tuple(ways), Gaps({n: metric for n, metric in metrics.items() if n not in formed}))


def fact_of(reading: Reading, name: str) -> Fact:
    """The fact of that name as the reading has it."""
    if name == "seconds" and reading.duration_ns and reading.source != "model":
        return Fact(reading.duration_ns / 1e9, "s")
    return reading.facts.get(name) or unknown(name, reading.source)


def made(
    definition: MetricDefinition, source: str, status: Status, reason: str | None, way: Way | None = None, **known: Any
) -> Metric:
    """The metric; without a value unless that is among what is known."""
    fields: dict[str, Any] = {
        "value": None,
        "coverage": None,
        "together": None,
        "confidence": None,
        "causes": ((reason, ()),) if reason else (),
    }
    return Metric(
        name=definition.name,
        title=definition.title,
        section=definition.section,
        unit=definition.unit,
        better=definition.better,
        status=status,
        events=way.events if way else (),
        formula=way.formula.text if way else None,
        spec=definition.spec,
        source=source,
        reason=reason,
        **(fields | known),
    )


def _found(definition: MetricDefinition, shape: Shape) -> Way | Metric:
    """The first way whose events all have values; without one the metric, and what stands in the way of the nearest."""
    if definition.source not in ("", shape.source):
        return made(definition, shape.source, Status.UNSUPPORTED, ELSEWHERE[definition.source])
    ways = definition.ways_of(shape.core)
    if definition.name in topdown.TERMS:
        if isinstance(shape.form, topdown.NoForm):
            return made(definition, shape.source, shape.form.status, shape.form.reason)
        assert shape.core is not None
        assert shape.core.slots is not None
        ways = shape.form.ways(definition.name, shape.core.slots)
    counted, unknown_facts = dict(shape.events), {gap.name: gap for gap in shape.facts}
    nearest: tuple[Way, list[Gap]] | None = None
    for way in ways:
        whole = any(group.issuperset(way.events) for group in shape.groups)
        gaps = [] if whole else [gap for e in way.events if (gap := _gap_of(e, counted, shape.core)) is not None]
        gaps += [unknown_facts[name] for name in way.facts if name in unknown_facts]
        if not gaps:
            return way
        if nearest is None or _distance(way, gaps, counted) < _distance(*nearest, counted):
            nearest = (way, gaps)
    assert nearest is not None
    way, gaps = nearest
    # What has a status of having a value and has none contradicts itself.
    found = {gap.status if gap.status in _TELLING else Status.SUSPECT for gap in gaps}
    status = min(found, key=_TELLING.index)
    why: dict[str, list[str]] = {}
    for gap in gaps:
        concerned = why.setdefault(gap.reason or "no value, and no reason given", [])
        if gap.name not in NAMES:
            concerned.append(gap.name)
    reason = "; ".join(f"{' and '.join(events)}: {reason}" if events else reason for reason, events in why.items())
    causes = tuple((cause, tuple(events)) for cause, events in why.items())
    return made(definition, shape.source, status, reason, way, causes=causes)


def _distance(way: Way, gaps: Iterable[Gap], counted: Mapping[str, Gap | None]) -> tuple[int, int, int, int]:
    """How far a way is from being usable: events without value, and of them those that nobody asked for.

    What became of an event that was asked for says more than that another one was not: on a machine without
    PMU it is that. Of two ways that nobody asked for, the one whose events the core has is nearer; of two
    that lack as much, the one of which more is known.
    """
    gaps = list(gaps)
    unasked = sum(gap.name not in counted for gap in gaps)
    unsupported = sum(gap.status is Status.UNSUPPORTED for gap in gaps)
    return len(gaps), unasked, unsupported, len(gaps) - len(way.events) - len(way.facts)


def _gap_of(event: str, counted: Mapping[str, Gap | None], core: Core | None) -> Gap | None:
    if event in counted:
        return counted[event]
    if core is not None and core.known and not core.has(event):
        return Gap(event, Status.UNSUPPORTED, f"{core.title} does not have this event")
    return Gap(event, Status.NOT_COUNTED, "not among the events of this reading")


def _gap(event: str, count: Count, core: Core | None) -> Gap | None:
    """Why the count of an event cannot be used; None where it can."""
    if core is not None:
        for erratum in core.errata_of(event):
            # What an erratum adds in every cycle the top-down formulas subtract; others leave nothing to use.
            if not erratum.overcounts_per_cycle:
                return Gap(event, Status.SUSPECT, f"{core.title} {erratum.effect} ({erratum.id})")
    if not count.status.has_value or count.value is None:
        return Gap(event, count.status, count.reason or "")
    if not math.isfinite(count.value) or count.value < 0:
        return Gap(event, Status.SUSPECT, f"{count.value} is no count")
    return None
