"""Fitting events into groups that a core can count together.

Events of one group are counted at the same moments. What is compared with each other (misses with accesses) therefore
belongs into one group, and a group never holds more than the counters there are: one that is too large never counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

CYCLES = "cpu_cycles"


@dataclass(frozen=True, slots=True)
class Capacity:
    """How much one group can hold: general counters, and whether the cycle counter comes on top of them."""

    counters: int
    cycles_besides: bool

    def takes(self, event: str) -> int:
        return 0 if event == CYCLES and self.cycles_besides else 1


# The numerator and denominator of a ratio: apart they would tell of different phases of the program.
TOGETHER = (
    ("cpu_cycles", "inst_retired"),
    ("l1d_cache", "l1d_cache_refill"),
    ("br_retired", "br_mis_pred_retired"),
    ("br_pred", "br_mis_pred"),
    ("l2d_cache", "l2d_cache_refill"),
    ("l1d_tlb", "dtlb_walk"),
    ("l1d_tlb", "l1d_tlb_refill"),
    ("l1i_cache", "l1i_cache_refill"),
    ("l1i_tlb", "itlb_walk"),
    ("ll_cache_rd", "ll_cache_miss_rd"),
    ("stall_frontend", "stall_backend"),
    ("stall_slot_frontend", "stall_slot_backend"),
    ("op_spec", "op_retired"),
)


def plan(
    events: Sequence[str],
    budget: Capacity,
    anchors: Sequence[str] = (),
    together: Sequence[Sequence[str]] = TOGETHER,
) -> list[tuple[str, ...]]:
    """Groups of the events, as few as possible, of about equal size, the first ones in the first group.

    Ratios stay in one group where a group can hold them; ``together`` lists the events of each. ``anchors`` (cycles,
    instructions) stand in every group as far as there is room beside two other events: they tell whether the work was
    the same each time. About equal, so that a counter stays spare where it costs no further group: somebody else may want
    one, and a group that lacks one counter does not count at all.
    """
    if budget.counters < 1:
        return []
    fixed: list[str] = []
    for anchor in anchors:
        if anchor in events and _size([*fixed, anchor], budget) + 2 <= budget.counters:
            fixed.append(anchor)
    room = budget.counters - _size(fixed, budget)
    groups = _pack(_units([e for e in events if e not in fixed], room, budget, together), room, budget)
    return [(*fixed, *group) for group in groups or ([[]] if fixed else [])]


def _size(events: Sequence[str], budget: Capacity) -> int:
    return sum(budget.takes(event) for event in events)


def _units(events: Sequence[str], room: int, budget: Capacity, together: Sequence[Sequence[str]]) -> list[list[str]]:
    """The events in order, those that belong together joined where a group can hold them."""
    units: list[list[str]] = []
    placed: set[str] = set()
    for event in events:
        if event in placed:
            continue
        unit = [event]
        for ratio in together:
            others = [e for e in ratio if e in events and e not in placed and e not in unit] if event in ratio else []
            if _size([*unit, *others], budget) <= room:
                unit += others
        placed.update(unit)
        units.append(unit)
    return units


def _pack(units: Sequence[list[str]], room: int, budget: Capacity) -> list[list[str]]:
    """Group by group, each as small as it can be while no further group is needed."""
    groups: list[list[str]] = []
    left = list(units)
    while left:
        fewest = len(_fit(left, room, budget))
        largest = max(_size(unit, budget) for unit in left)
        capacity = next(c for c in range(largest, room + 1) if len(_fit(left, c, budget)) == fewest)
        first = next(group for group in _fit(left, capacity, budget) if left[0] in group)
        groups.append([event for unit in left if unit in first for event in unit])
        left = [unit for unit in left if unit not in first]
    return groups


def _fit(units: Sequence[list[str]], capacity: int, budget: Capacity) -> list[list[list[str]]]:
    """First fit in the order given, or by size where that needs fewer groups. For units of one, two and at most one of
    three events the latter needs the fewest that there can be.
    """

    def first_fit(ordered: Sequence[list[str]]) -> list[list[list[str]]]:
        groups: list[list[list[str]]] = []
        for unit in ordered:
            size = _size(unit, budget)
            home = next((g for g in groups if size + sum(_size(u, budget) for u in g) <= capacity), None)
            if home is None:
                groups.append([unit])
            else:
                home.append(unit)
        return groups

    by_size = sorted(units, key=lambda unit: -_size(unit, budget))
    return min(first_fit(units), first_fit(by_size), key=len)
