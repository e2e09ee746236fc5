"""Counts that contradict other counts lose their value and say which contradict them."""

import pytest

from armprof.counters.reading import Count, Reading, Status, uncounted
from armprof.counters.suspect import IMPLICATIONS, mark_suspects


def reading(**values):
    counts = {name: Count(name, value, value, None, None, Status.COUNTED) for name, value in values.items()}
    return Reading(counts, "pmu")


def test_a_zero_beside_millions_that_it_must_include_is_suspect():
    count = mark_suspects(reading(ll_cache_rd=0, ll_cache_miss_rd=7_400_000))["ll_cache_rd"]
    assert (count.status, count.value, count.raw) == (Status.SUSPECT, None, 0)
    assert count.reason == "0 although ll_cache_miss_rd is 7,400,000: every one of them is also one of these"


@pytest.mark.parametrize("rule", IMPLICATIONS, ids=lambda rule: f"{rule.event}-{rule.implied_by}")
def test_every_rule_marks_from_its_minimum_on(rule):
    at = mark_suspects(reading(**{rule.event: 0, rule.implied_by: rule.minimum}))
    assert at[rule.event].status is Status.SUSPECT
    assert rule.implied_by in at[rule.event].reason
    below = reading(**{rule.event: 0, rule.implied_by: rule.minimum - 1})
    assert mark_suspects(below) is below


@pytest.mark.parametrize("rule", IMPLICATIONS, ids=lambda rule: f"{rule.event}-{rule.implied_by}")
def test_no_rule_marks_what_was_counted_at_all(rule):
    honest = reading(**{rule.event: 1, rule.implied_by: 1e12})
    assert mark_suspects(honest) is honest


def test_far_misses_are_judged_beside_many_near_ones_only():
    few = reading(ll_cache_miss_rd=0, l3d_cache_refill=0, l2d_cache_refill=20_000)
    assert mark_suspects(few) is few
    many = mark_suspects(reading(ll_cache_miss_rd=0, l3d_cache_refill=0, l2d_cache_refill=250_000))
    assert {name for name in many if many[name].status is Status.SUSPECT} == {
        "ll_cache_miss_rd",
        "l3d_cache_refill",
    }


def test_the_other_counts_are_left_alone():
    marked = mark_suspects(reading(ll_cache_rd=0, ll_cache_miss_rd=7_400_000, cpu_cycles=5))
    assert list(marked) == ["ll_cache_rd", "ll_cache_miss_rd", "cpu_cycles"]
    assert marked.value("ll_cache_miss_rd") == 7_400_000


def test_marking_twice_marks_once():
    marked = mark_suspects(reading(ll_cache_rd=0, ll_cache_miss_rd=7_400_000))
    assert mark_suspects(marked) is marked


def test_a_counter_that_hardly_ran_had_hardly_a_chance():
    def with_coverage(share):
        zero = Count("l1d_cache", 0, 0, 1000, round(share * 1000), Status.SCALED)
        return Reading({**reading(l1d_cache_refill=1000).counts, "l1d_cache": zero}, "pmu")

    assert mark_suspects(with_coverage(0.05))["l1d_cache"].status is Status.SCALED
    assert mark_suspects(with_coverage(0.5))["l1d_cache"].status is Status.SUSPECT


def test_a_count_that_only_the_subtracted_cost_made_0_is_no_contradiction():
    cycles = Count("cpu_cycles", 0, 120, None, None, Status.COUNTED)
    honest = Reading({**reading(inst_retired=5000).counts, "cpu_cycles": cycles}, "pmu")
    assert mark_suspects(honest) is honest


def test_what_has_no_value_accuses_nobody():
    misses = uncounted("ll_cache_miss_rd", Status.NOT_COUNTED, "never ran", raw=7e6)
    honest = Reading({**reading(ll_cache_rd=0).counts, "ll_cache_miss_rd": misses}, "pmu")
    assert mark_suspects(honest) is honest
