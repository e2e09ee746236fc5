"""From summed event lines to the counts of a Reading: names, groups, and one count for each event.

The same event twice is two estimates of one number, not two numbers: perf prints it once per group that needs
it, each scaled from other moments. The one whose label says most exactly what it is is taken
(``L1-dcache-load-misses`` before ``cache-misses``), then the one that ran longest.

Several core PMUs (big.LITTLE) have several shares of the work. For a task, perf scales each PMU's count as if
the task had run there all the time, so the counts are weighed by their coverage: 2e9 cycles at 30 % and 1e9
at 70 % are 1.3e9. System wide each PMU counts its own CPUs all the time, and the counts add up.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from functools import lru_cache

from armprof.counters.imported.labels import LabelledEvent, core_of, identify
from armprof.counters.imported.tally import RowTally
from armprof.counters.reading import Count, Status

_ALL_THE_TIME = 0  # the group of all that was counted all the time
_ROUNDING = 0.0002  # of a sum of percentages with two decimals


@dataclass(frozen=True, slots=True)
class EventLine:
    """One event line of the output; ``key`` is the name under which it stands in a Reading."""

    event: LabelledEvent
    count: Count
    key: str


def name_lines(tallies: Collection[RowTally]) -> list[EventLine]:
    """The lines with their keys and groups, in the order of the output.

    One Reading holds one mode of the processor, that of most core events, under the plain names; what was
    counted in another keeps its modifier (``cpu_cycles:k``), so that no ratio mixes the modes. Lines one
    after the other with the same coverage are one group: perf prints the members of a group together and they
    always run together.
    """
    made: list[EventLine] = []
    last_group, before = _ALL_THE_TIME, None
    for tally, (event, key) in zip(tallies, _keys(tuple(tally.label for tally in tallies)), strict=True):
        group = None
        if tally.complete:
            group = _ALL_THE_TIME
        elif tally.rows and tally.coverage is not None:
            signature = (event.pmu, tally.running_ns, round(tally.coverage, 4))
            last_group += signature != before
            group, before = last_group, signature
        made.append(EventLine(event, tally.count(key, event.unit, group), key))
    return made


@lru_cache(maxsize=64)  # every interval of a recording has the same labels
def _keys(labels: tuple[str, ...]) -> list[tuple[LabelledEvent, str]]:
    events = [identify(label) for label in labels]
    mode = main_mode(events)
    modes_of: dict[str, set[str]] = {}
    for event in events:
        modes_of.setdefault(event.name, set()).add(event.modes)
    keys = []
    for event in events:
        alone = len(modes_of[event.name]) == 1 and (event.software or not event.known)
        plain = alone or event.modes == mode
        keys.append((event, event.name if plain else f"{event.name}:{event.modes}"))
    return keys


def main_mode(events: Iterable[LabelledEvent]) -> str:
    """The modifiers that most core events have; "" (all modes) where it is a draw."""
    votes = Counter(event.modes for event in events if event.known and not event.software)
    return max(votes, key=lambda modes: (votes[modes], not modes), default="")


def counts(lines: Iterable[EventLine], *, system_wide: bool) -> dict[str, Count]:
    """One Count per event."""
    by_key: dict[str, list[EventLine]] = {}
    for line in lines:
        by_key.setdefault(line.key, []).append(line)
    return {key: _one(same, system_wide) for key, same in by_key.items()}


def repeated(lines: Iterable[EventLine]) -> dict[str, list[EventLine]]:
    """The events that have several counts on one PMU, and these lines."""
    by_key: dict[tuple[str, str], list[EventLine]] = {}
    for line in lines:
        if line.count.value is not None:
            by_key.setdefault((line.key, line.event.pmu), []).append(line)
    return {key: same for (key, _), same in by_key.items() if len(same) > 1}


def core(lines: Iterable[EventLine]) -> str | None:
    """The core that the names of the PMUs name, where they name one."""
    named = {core_of(line.event.pmu) for line in lines if line.event.pmu}
    return named.pop() if len(named) == 1 else None


def _one(same: list[EventLine], system_wide: bool) -> Count:
    """The count of one event: the best line of each PMU, put together over the PMUs."""
    if len(same) == 1:
        return same[0].count
    by_pmu: dict[str, EventLine] = {}
    for line in same:
        best = by_pmu.get(line.event.pmu)
        if best is None or _preference(line) > _preference(best):
            by_pmu[line.event.pmu] = line
    unnamed = by_pmu.get("")
    if unnamed is not None and len(by_pmu) > 1:  # the same PMU again, without its name
        named_has_value = any(line.count.value is not None for pmu, line in by_pmu.items() if pmu)
        if not named_has_value:
            return unnamed.count
        del by_pmu[""]
    return _over_pmus([line.count for line in by_pmu.values()], system_wide)


def _preference(line: EventLine) -> tuple[bool, int, float]:
    return (line.count.value is not None, -line.event.vague, line.count.coverage or 0.0)


def _over_pmus(shares: list[Count], system_wide: bool) -> Count:
    counted = [c for c in shares if c.value is not None]
    if not counted:
        return min(shares, key=lambda c: c.status is Status.UNSUPPORTED)
    on = [c for c in shares if c.value is not None or c.coverage is not None]  # where the event was enabled
    coverages = [c.coverage for c in on if c.coverage is not None]
    known = len(coverages) == len(on)
    task = known and not system_wide and sum(coverages) <= 1 + _ROUNDING
    if len(counted) == 1 and (task or len(on) == 1):
        return counted[0]

    enabled = [c.enabled_ns for c in on if c.enabled_ns is not None]
    running = [c.running_ns for c in on if c.running_ns is not None]
    timed = len(enabled) == len(running) == len(on)
    coverage: float | None = None
    always = False
    if task:
        weights = [max(c.coverage or 0.0, _ROUNDING) for c in counted]
        value = sum((c.value or 0.0) * w for c, w in zip(counted, weights, strict=True)) / sum(weights)
        coverage = min(1.0, sum(coverages))
        reason = f"the mean of {len(counted)} PMUs, each weighed by the time that it counted"
    else:
        value = sum(c.value or 0.0 for c in counted)
        coverage = sum(coverages) / len(on) if known else None
        always = len(counted) == len(on) and all(c.status is Status.COUNTED for c in counted)
        reason = f"the sum of {len(counted)} PMUs, of {len(on)} on which the event was on"
    return replace(
        counted[0],
        value=value,
        raw=value if always else None,
        enabled_ns=None if not timed else max(enabled) if task else sum(enabled),
        running_ns=sum(running) if timed else None,
        status=Status.COUNTED if always else Status.SCALED,
        reason=None if always else reason,
        group=counted[0].group if len({c.group for c in counted}) == 1 else None,
        label=" + ".join(c.label or c.event for c in counted),
        stated_coverage=coverage,
    )
