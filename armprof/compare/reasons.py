"""The reason of a change: the counters that moved with it, what they cost by the core's table, where, and in which code."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files

from armprof import cpu
from armprof.analysis.terms import constants
from armprof.compare.cause import CodeChange, CounterChange, Explanation, Location
from armprof.compare.place import location
from armprof.compare.times import is_measured
from armprof.cpu import Core
from armprof.errors import ArmprofError
from armprof.metrics.formula import Formula
from armprof.run.record import Component

CYCLES, INSTRUCTIONS = "cpu_cycles", "inst_retired"
WIDTH = 4.0  # instructions per cycle, where the core's table does not tell
NAMED = 3  # counters in the sentence
TELLING = 0.1  # of the change: what explains less is not named
MOST = 12  # counters of a cause
NOISE = 1.0  # what comes out twice as much when it is counted again says nothing


@dataclass(frozen=True, slots=True)
class Price:
    """What one count of the first of these events that there is costs."""

    name: str
    events: tuple[str, ...]
    cycles: Formula
    unless: str | None = None  # where this event is known, the price has no share of the change


@cache
def prices() -> tuple[Price, ...]:
    """All rows of prices.toml."""
    rows = tomllib.loads(files(__package__).joinpath("prices.toml").read_text(encoding="utf-8"))["price"]
    return tuple(Price(row["name"], tuple(row["events"]), Formula(row["cycles"]), row.get("unless")) for row in rows)


def cause(base: Component, head: Component, of_time: bool) -> Explanation:
    """Why head differs from base: in its times, or in what was counted."""
    code = _code(base, head, of_time)
    moved = _moved(base, head)
    shares = [one.share for one in moved if one.share is not None]
    return Explanation(
        code=code,
        counters=moved,
        explained=sum(shares) if shares else None,
        location=_location(base, head, moved),
        sentence="; ".join(_sentence(moved, code, of_time, is_modelled=_source(head) == "model")),
    )


def _location(base: Component, head: Component, moved: tuple[CounterChange, ...]) -> Location | None:
    """Where what explains most of it grew, or the first of what moved, of what the runs know places of."""
    if not base.where or not head.where:
        return None
    known = {event for share in head.where.lines for event in share.counts}
    placed = [one for one in moved if one.change != 0 and one.event in known]
    telling = [one for one in placed if one.share is not None and one.share >= TELLING]
    return location(base, head, (telling or placed)[0].event) if placed else None


def _source(component: Component) -> str | None:
    return component.reading.source if component.reading else None


def _code(base: Component, head: Component, of_time: bool) -> CodeChange:
    one, other = ((c.timed_code if of_time else c.counted_code) for c in (base, head))
    return (
        CodeChange.UNKNOWN if one is None or other is None else CodeChange.SAME if one == other else CodeChange.CHANGED
    )


# ---- what moved ------------------------------------------------------------------------------------------------------


def per_operation(component: Component) -> dict[str, float]:
    """The counts of one operation; none where it is not known how many were counted, or as numbers that nothing counts."""
    reading, operations = component.reading, component.reading_operations
    if reading is None or not operations or operations < 0:
        return {}
    counts = reading.counts.values()
    each = {one.event: one.value / operations for one in counts if one.value is not None and not one.unit}
    return {event: value for event, value in each.items() if value == 0 or is_measured(value)}


def _moved(base: Component, head: Component) -> tuple[CounterChange, ...]:
    """Cycles, then what costs most of their change, then what has no price; instructions in any case."""
    if base.reading is None or head.reading is None:
        return ()
    if (base.reading.source, base.reading.core) != (head.reading.source, head.reading.core):
        return ()
    before, after = per_operation(base), per_operation(head)
    costs = _costs(base.reading.core, before, after)
    compared = {event: _compared(event, before[event], after[event], base, head) for event in before if event in after}
    cycles = compared.get(CYCLES)
    grown = cycles.head - cycles.base if cycles and cycles.change else 0.0
    at_most = {event for price in prices() if price.unless in compared for event in price.events}
    found = []
    for event, one in compared.items():
        if one is not None and (one.change != 0 or event in (CYCLES, INSTRUCTIONS)):
            cost = costs.get(event)
            has_share = cost is not None and grown and one.change != 0 and event not in at_most
            share = cost / grown if has_share and cost is not None else None
            found.append(replace(one, cycles=cost, share=share))
    found.sort(key=_order)
    return tuple(found[:MOST] + [one for one in found[MOST:] if one.event == INSTRUCTIONS])


def _compared(event: str, before: float, after: float, base: Component, head: Component) -> CounterChange | None:
    """The counter without its costs, unchanged within its noise; None where that is not known."""
    apart = [component.spread.get(event) for component in (base, head)]
    noise = sum(one for one in apart if one is not None)
    if None in apart or not 0 <= noise < NOISE:
        return None
    change = after / before - 1 if before else None if after else 0.0
    is_moved = change is None or abs(change) > noise
    return CounterChange(event, before, after, change if is_moved else 0.0, noise, None, None)


def _order(one: CounterChange) -> tuple[bool, bool, float, float]:
    return (
        one.event != CYCLES,
        one.cycles is None or one.change == 0,
        -abs(one.cycles or 0.0) if one.share is None else -one.share,
        -abs(one.head - one.base),
    )


def _costs(name: str | None, before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    """Of each event that has a price, what its difference costs in cycles."""
    values = _constants(name)
    found = {}
    for price in prices():
        event = next((event for event in price.events if event in before and event in after), None)
        if event is not None and all(name in values for name in price.cycles.names):
            found[event] = (after[event] - before[event]) * price.cycles.evaluate(values)
    return found


def _constants(name: str | None) -> dict[str, float]:
    core: Core | None = None
    if name is not None:
        try:
            core = cpu.core(name)
        except ArmprofError:  # a newer armprof's, or somebody's own
            core = None
    return {"width": WIDTH} | constants(core)


# ---- in words --------------------------------------------------------------------------------------------------------


def _sentence(moved: tuple[CounterChange, ...], code: CodeChange, of_time: bool, is_modelled: bool) -> Iterator[str]:
    if moved:
        yield _counters({one.event: one for one in moved}, moved, is_modelled)
    if code == CodeChange.SAME and of_time:
        yield "its machine code is the same: a noisy host, a shift of its layout, or other data"
    elif code == CodeChange.SAME and any(one.change != 0 for one in moved):
        yield "its machine code is the same: the input or the environment differs"


def _counters(by_event: Mapping[str, CounterChange], moved: tuple[CounterChange, ...], is_modelled: bool) -> str:
    names = {event: price.name for price in prices() for event in price.events}
    cycles, instructions = by_event.get(CYCLES), by_event.get(INSTRUCTIONS)
    grown = cycles.head - cycles.base if cycles and cycles.change else 0.0
    priced = [one for one in moved if one.share is not None and one.share >= TELLING][:NAMED]
    others = [one for one in moved if one.share is None and one.change != 0 and one.event != CYCLES]
    if priced:  # beside it what costs as much at most, and is behind it
        others = [one for one in others if one.cycles is not None and one.cycles / grown >= TELLING]
    said = []
    if cycles is not None:
        named = " and ".join(f"{names[one.event]} {_change(one)}" for one in priced)
        said.append(f"{'modelled ' * is_modelled}cycles {_change(cycles)}{', explained by ' * bool(named)}{named}")
    if others:
        said.append(", ".join(f"{names.get(one.event, one.event)} {_change(one)}" for one in others[:NAMED]))
    if instructions is not None and instructions not in (*priced, *others[:NAMED]):
        said.append(f"instructions {_change(instructions)}")
    return "; ".join(said)


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 99.95 else f"{value:.3g}"


def _change(one: CounterChange) -> str:
    if one.change is None:
        return f"from 0 to {_number(one.head)} an operation"
    if one.change == 0:
        return "unchanged"
    if one.change > 10:  # of hardly anything: a percentage would say nothing
        return f"from {_number(one.base)} to {_number(one.head)} an operation"
    percent = 100 * one.change
    return f"{percent:+.1f} %" if abs(percent) >= 0.1 else f"{percent:+.1g} %"
