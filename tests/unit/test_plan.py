"""How events are put into groups that a core can count together."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from armprof.counters.machine import WANTED
from armprof.counters.plan import CYCLES, TOGETHER, Capacity, plan

WANTED_FIRST = [choice[0] for choice in WANTED]
NAMES = sorted({*WANTED_FIRST, *(event for pair in TOGETHER for event in pair), "mem_access", "bus_cycles", "ld_spec"})

event_lists = st.lists(st.sampled_from(NAMES), unique=True)
budgets = st.builds(Capacity, st.integers(1, 31), st.booleans())


def size(group: Sequence[str], budget: Capacity) -> int:
    return sum(budget.takes(event) for event in group)


def smallest_number_of_groups(units: Sequence[int], room: int) -> int:
    """By exhaustion: into how few groups of this room units of these sizes go."""
    seen: set[tuple[int, tuple[int, ...]]] = set()

    def fits(index: int, free: tuple[int, ...]) -> bool:
        if index == len(units):
            return True
        if (index, free) in seen:
            return False
        seen.add((index, free))
        return any(
            fits(index + 1, tuple(sorted((*free[:at], free[at] - units[index], *free[at + 1 :]))))
            for at in range(len(free))
            if free[at] >= units[index] and (at == 0 or free[at] != free[at - 1])
        )

    units = sorted(units, reverse=True)
    return next(n for n in range(1, len(units) + 1) if fits(0, (room,) * n))


def units_of(events: Sequence[str], budget: Capacity) -> list[int]:
    """The sizes of what belongs together, where it fits; TOGETHER's pairs form stars around one event at most."""
    left, sizes = list(events), []
    while left:
        unit = [left.pop(0)]
        for other in list(left):
            linked = any(other in pair and unit[0] in pair for pair in TOGETHER)
            if linked and size([*unit, other], budget) <= budget.counters:
                unit.append(other)
                left.remove(other)
        sizes.append(size(unit, budget))
    return [s for s in sizes if s]


@given(event_lists, budgets, st.booleans())
def test_every_event_is_counted_exactly_once_and_anchors_in_every_group_or_once(events, budget, anchored):
    anchors = (CYCLES, "inst_retired") if anchored else ()
    groups = plan(events, budget, anchors)
    for event in events:
        appearances = sum(group.count(event) for group in groups)
        assert appearances == 1 or (event in anchors and appearances == len(groups))
    assert {e for group in groups for e in group} == set(events)


@given(event_lists, budgets, st.booleans())
def test_no_group_is_larger_than_the_budget_and_none_is_empty(events, budget, anchored):
    for group in plan(events, budget, (CYCLES, "inst_retired") if anchored else ()):
        assert group
        assert size(group, budget) <= budget.counters


@given(event_lists, budgets, st.booleans())
def test_the_two_sides_of_a_ratio_are_counted_together_where_they_fit(events, budget, anchored):
    groups = plan(events, budget, (CYCLES, "inst_retired") if anchored else ())
    shared = {e for pair in TOGETHER for e in pair if sum(e in other for other in TOGETHER) > 1}
    for one, other in TOGETHER:
        if one in events and other in events and size((one, other), budget) <= budget.counters:
            together = any(one in group and other in group for group in groups)
            assert together or {one, other} & shared, (one, other, groups)


@given(event_lists.filter(lambda e: "l1d_tlb" in e), budgets)
def test_accesses_that_two_ratios_share_stand_beside_one_of_them(events, budget):
    partners = [e for e in ("dtlb_walk", "l1d_tlb_refill") if e in events]
    if partners and budget.counters >= 2:
        group = next(g for g in plan(events, budget) if "l1d_tlb" in g)
        assert any(partner in group for partner in partners)


@given(event_lists.filter(bool), budgets)
def test_the_groups_are_as_few_as_can_be_without_tearing_a_ratio_apart(events, budget):
    sizes = units_of(events, budget)
    assert len(plan(events, budget)) == (smallest_number_of_groups(sizes, budget.counters) if sizes else 1)


def test_single_events_that_come_first_leave_room_for_pairs():
    events = ["mem_access", "bus_cycles", "l1d_cache", "l1d_cache_refill", "br_retired", "br_mis_pred_retired"]
    assert plan(events, Capacity(3, False)) == [
        ("mem_access", "l1d_cache", "l1d_cache_refill"),
        ("bus_cycles", "br_retired", "br_mis_pred_retired"),
    ]


@given(event_lists.filter(bool), budgets)
def test_the_largest_group_could_not_be_smaller_without_a_further_group(events, budget):
    groups = plan(events, budget)
    largest = max(size(g, budget) for g in groups)
    tighter = Capacity(largest - 1, budget.cycles_besides)
    if tighter.counters >= 3:  # a smaller one would tear a triple apart
        assert len(plan(events, tighter)) > len(groups)


@given(event_lists, budgets)
def test_what_is_wanted_most_is_in_the_first_group(events, budget):
    groups = plan(events, budget)
    if events:
        assert events[0] in groups[0]
    firsts = [min(events.index(e) for e in group) for group in groups]
    assert firsts == sorted(firsts)


def test_nothing_wanted_gives_no_group():
    assert plan([], Capacity(6, True)) == []


def test_one_counter_counts_one_event_at_a_time():
    assert plan(["inst_retired", "l1d_cache", "l1d_cache_refill"], Capacity(1, False)) == [
        ("inst_retired",),
        ("l1d_cache",),
        ("l1d_cache_refill",),
    ]


def test_one_counter_beside_a_cycle_counter_counts_cycles_with_instructions():
    assert plan(["cpu_cycles", "inst_retired", "l1d_cache"], Capacity(1, True)) == [
        ("cpu_cycles", "inst_retired"),
        ("l1d_cache",),
    ]


def test_two_counters_count_pair_after_pair():
    groups = plan(WANTED_FIRST, Capacity(2, False))
    assert groups == [tuple(WANTED_FIRST[i : i + 2]) for i in range(0, len(WANTED_FIRST), 2)]


def test_two_counters_with_a_cycle_counter_besides_keep_the_pairs():
    groups = plan(WANTED_FIRST, Capacity(2, True))
    assert groups[0] == ("cpu_cycles", "inst_retired", "ll_cache_miss_rd")
    assert groups[1:] == [tuple(WANTED_FIRST[i : i + 2]) for i in range(2, len(WANTED_FIRST) - 1, 2)]


def test_two_counters_with_a_cycle_counter_besides_count_cycles_in_every_pass():
    groups = plan(WANTED_FIRST, Capacity(2, True), (CYCLES, "inst_retired"))
    assert all(CYCLES in group for group in groups)
    assert sum("inst_retired" in group for group in groups) == 1
    assert len(groups) == 7


@pytest.mark.parametrize(
    ("budget", "sizes"),
    [
        (Capacity(4, True), [4, 4, 4, 2]),
        (Capacity(6, True), [5, 5, 4]),
        (Capacity(6, False), [6, 5, 4]),
        (Capacity(20, True), [14]),
        (Capacity(20, False), [15]),
    ],
)
def test_the_default_events_on_common_cores(budget, sizes):
    assert [size(g, budget) for g in plan(WANTED_FIRST, budget)] == sizes


def test_six_counters_keep_one_spare_where_that_costs_no_pass():
    groups = plan(WANTED_FIRST, Capacity(6, True))
    assert max(size(g, Capacity(6, True)) for g in groups) == 5


def test_anchors_stand_in_every_pass_of_six_counters():
    groups = plan(WANTED_FIRST, Capacity(6, True), (CYCLES, "inst_retired"))
    assert all(group[:2] == (CYCLES, "inst_retired") for group in groups)
    assert len(groups) == 3  # 12 others, 5 beside the instructions: pairs, so 4 at a time


def test_an_anchor_alone_still_gets_its_pass():
    assert plan([CYCLES], Capacity(6, True), (CYCLES, "inst_retired")) == [(CYCLES,)]


def test_a_triple_is_not_torn_apart_to_make_groups_equal():
    events = ["mem_access", "l1d_tlb", "dtlb_walk", "l1d_tlb_refill"]
    assert plan(events, Capacity(3, False)) == [("mem_access",), ("l1d_tlb", "dtlb_walk", "l1d_tlb_refill")]


def test_pairs_that_anchors_leave_room_for_are_not_torn_apart():
    events = [CYCLES, "inst_retired", "mem_access", "l1d_tlb", "dtlb_walk", "l1d_tlb_refill"]
    groups = plan(events, Capacity(4, False), (CYCLES, "inst_retired"))
    assert any({"l1d_tlb", "dtlb_walk"} <= set(group) for group in groups)


def test_a_gap_left_by_a_pair_is_filled_by_a_later_event():
    events = ["l1d_cache", "l1d_cache_refill", "br_retired", "br_mis_pred_retired", "mem_access", "bus_cycles"]
    assert plan(events, Capacity(3, False)) == [
        ("l1d_cache", "l1d_cache_refill", "mem_access"),
        ("br_retired", "br_mis_pred_retired", "bus_cycles"),
    ]
