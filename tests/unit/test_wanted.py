"""From the metrics wanted to events, and from these to groups for any number of counters."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from armprof import cpu
from armprof.counters.plan import CYCLES, Capacity, plan
from armprof.errors import ArmprofError
from armprof.metrics.table import definitions
from armprof.metrics.wanted import groups, wanted

NAMES = [*groups(), *(definition.name for definition in definitions())]
CORES = cpu.core_names()


def size(group: tuple[str, ...], budget: Capacity) -> int:
    return sum(budget.takes(event) for event in group)


def test_level_1_of_a_v1_fits_into_one_group_of_six() -> None:
    found = wanted(["topdown_l1"], cpu.core("neoverse-v1"))
    assert found.metrics == ("frontend_bound", "backend_bound", "bad_speculation", "retiring")
    (group,) = plan(found.events, Capacity(6, True), together=found.together)
    assert set(group) == {
        "stall_slot_frontend", "stall_slot_backend", "stall_slot", "op_spec", "op_retired", "br_mis_pred", "cpu_cycles",
    }  # fmt: skip


def test_level_1_needs_a_core_that_has_it() -> None:
    assert wanted(["topdown_l1"], cpu.core("neoverse-n1")).events == ()
    assert wanted(["cycle_accounting"], cpu.core("neoverse-n1")).events == (
        "stall_frontend",
        "cpu_cycles",
        "stall_backend",
    )


def test_revisions_of_a_core_need_the_same_events() -> None:
    of = [wanted(["topdown_l1"], cpu.core(f"neoverse-n2{revision}")).events for revision in ("", "-r0p0", "-r0p3")]
    assert of[0] == of[1] == of[2]


def test_a_core_that_lacks_an_event_gets_the_next_formula() -> None:
    a72 = cpu.core("cortex-a72")
    assert wanted(["branch_prediction_accuracy"], a72).events == ("br_mis_pred", "br_pred")
    assert wanted(["branch_prediction_accuracy"], cpu.core("neoverse-n1")).events[1] == "br_retired"


def test_a_metric_that_was_named_and_cannot_be_had_is_asked_for_so_that_the_report_says_why() -> None:
    assert wanted(["sve_share"], cpu.core("neoverse-n1")).events == ("sve_inst_spec", "inst_spec")
    assert "sve_pred_spec" in wanted(["sve_effectiveness"], cpu.core("neoverse-n1")).events
    assert "sve_inst_spec" not in wanted(["operation_mix"], cpu.core("neoverse-n1")).events


def test_facts_are_no_events() -> None:
    assert wanted(["memory_bandwidth_utilization"], cpu.core("neoverse-n1")).events == ("ll_cache_miss_rd",)
    assert wanted(["memory_latency_ns"], cpu.core("neoverse-n1")).events == ()


def test_metrics_that_share_events_count_them_once() -> None:
    found = wanted(["l1d_cache_effectiveness", "L1_cache_hit_rate"], cpu.core("neoverse-n1"))
    assert found.metrics == ("l1d_mpki", "l1_cache_hit_rate")
    assert found.events == ("l1d_cache_refill", "inst_retired", "l1d_cache")


def test_a_name_that_is_none_brings_close_ones() -> None:
    with pytest.raises(ArmprofError, match="did you mean topdown_l1"):
        wanted(["topdown_11"])
    with pytest.raises(ArmprofError, match="groups are topdown_l1"):
        wanted(["???"])


def test_every_group_names_metrics_that_there_are() -> None:
    known = {definition.name for definition in definitions()}
    for group in groups().values():
        assert group.title
        assert set(group.metrics) <= known


@given(
    st.lists(st.sampled_from(NAMES), min_size=1, max_size=6),
    st.sampled_from(CORES),
    st.integers(2, 20),
    st.booleans(),
)
def test_any_metrics_fit_any_number_of_counters(names: list[str], core: str, counters: int, besides: bool) -> None:
    found = wanted(names, cpu.core(core))
    budget = Capacity(counters, besides)
    planned = plan(found.events, budget, together=found.together)
    assert sorted(event for group in planned for event in group) == sorted(found.events)
    assert all(size(group, budget) <= counters for group in planned)
    everything = size(found.events, budget)
    assert len(planned) <= 1 or everything > counters


@given(st.sampled_from(NAMES), st.sampled_from(CORES), st.integers(2, 20))
def test_the_events_of_the_first_metric_are_counted_at_the_same_moments(name: str, core: str, counters: int) -> None:
    found = wanted([name], cpu.core(core))
    budget = Capacity(counters, True)
    for events in found.together[:1]:
        if size(events, budget) <= counters:
            assert any(set(events) <= set(group) for group in plan(found.events, budget, together=found.together))


def test_two_counters_still_plan_level_1() -> None:
    found = wanted(["topdown_l1"], cpu.core("neoverse-v1"))
    planned = plan(found.events, Capacity(2, True), (CYCLES,), found.together)
    assert len(planned) == 3
    assert all(len(set(group) - {CYCLES}) == 2 for group in planned)
