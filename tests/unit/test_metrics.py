"""Metrics of hand-built readings: values, what they were made of, and why there is none."""

import dataclasses
import json
import math
from pathlib import Path

import pytest

from armprof import cpu
from armprof.counters.reading import Count, Reading, Status, uncounted
from armprof.errors import ArmprofError
from armprof.metrics import Confidence, compute
from armprof.metrics.table import TABLES, definitions
from armprof.metrics.topdown import TERMS

THE_NINE = (
    "l1_cache_hit_rate",
    "l2_cache_hit_rate",
    "tlb_miss_rate",
    "branch_prediction_accuracy",
    "instruction_cache_hit_rate",
    "cycles_per_instruction",
    "memory_bandwidth_utilization",
    "memory_latency_ns",
    "numa_efficiency",
)
SECOND = 1_000_000_000


def count(event, value, coverage=1.0, enabled_ns=SECOND, **more):
    """A Count that ran for that part of the time."""
    status = Status.COUNTED if coverage == 1.0 else Status.SCALED
    return Count(event, float(value), value * coverage, enabled_ns, int(enabled_ns * coverage), status, **more)


def reading(*counts, core=None, duration_ns=SECOND, **values):
    every = [*counts, *(count(event, value) for event, value in values.items())]
    return Reading({c.event: c for c in every}, source="pmu", core=core, duration_ns=duration_ns)


EVERYTHING = {
    "cpu_cycles": 2_000_000,
    "inst_retired": 4_000_000,
    "l1d_cache": 1_000_000,
    "l1d_cache_refill": 20_000,
    "l2d_cache": 40_000,
    "l2d_cache_refill": 4_000,
    "l1i_cache": 800_000,
    "l1i_cache_refill": 8_000,
    "l1d_tlb": 1_000_000,
    "l1d_tlb_refill": 3_000,
    "dtlb_walk": 500,
    "br_retired": 600_000,
    "br_mis_pred_retired": 6_000,
    "stall_frontend": 200_000,
    "stall_backend": 500_000,
}


def test_the_attributes_are_the_nine_and_each_is_a_float_or_none():
    metrics = compute(reading(**EVERYTHING))
    values = {name: getattr(metrics, name) for name in THE_NINE}
    assert values == {
        "l1_cache_hit_rate": pytest.approx(0.98),
        "l2_cache_hit_rate": pytest.approx(0.9),
        "tlb_miss_rate": pytest.approx(0.0005),
        "branch_prediction_accuracy": pytest.approx(0.99),
        "instruction_cache_hit_rate": pytest.approx(0.99),
        "cycles_per_instruction": pytest.approx(0.5),
        "memory_bandwidth_utilization": None,
        "memory_latency_ns": None,
        "numa_efficiency": None,
    }
    assert list(metrics)[:9] == list(THE_NINE)


def test_rates_and_stalls_stand_beside_the_nine():
    metrics = compute(reading(**EVERYTHING))
    assert metrics["ipc"].value == pytest.approx(2.0)
    assert metrics["frontend_stalled"].value == pytest.approx(0.1)
    assert metrics["backend_stalled"].value == pytest.approx(0.25)
    assert metrics["branch_mpki"].value == pytest.approx(1.5)
    assert metrics["l1d_mpki"].value == pytest.approx(5.0)
    assert metrics["l2_mpki"].value == pytest.approx(1.0)
    assert metrics["l1i_mpki"].value == pytest.approx(2.0)
    assert metrics["l1d_tlb_refill_pki"].value == pytest.approx(0.75)
    assert metrics["dtlb_walk_pki"].value == pytest.approx(0.125)


def test_explain_gives_everything_about_a_value():
    metric = compute(reading(**EVERYTHING)).explain("l1_cache_hit_rate")
    assert metric.value == pytest.approx(0.98)
    assert metric.unit == "fraction of accesses"
    assert metric.status is Status.COUNTED
    assert metric.events == ("l1d_cache_refill", "l1d_cache")
    assert metric.formula == "1 - l1d_cache_refill / l1d_cache"
    assert metric.coverage == 1.0
    assert metric.source == "pmu"
    assert metric.confidence is Confidence.HIGH
    assert metric.better == "higher"


def test_explain_of_an_unknown_name_names_the_close_ones():
    with pytest.raises(ArmprofError, match="l1_cache_hit_rate"):
        compute(reading()).explain("l1_cache_hitrate")
    assert compute(reading()).get("nothing") is None


# What was not counted


def test_an_empty_reading_gives_only_none_each_with_a_reason():
    metrics = compute(reading())
    assert all(metric.value is None and metric.reason and metric.confidence is None for metric in metrics.values())


@pytest.mark.parametrize("status", [Status.UNSUPPORTED, Status.NOT_PERMITTED, Status.NOT_COUNTED, Status.SUSPECT])
def test_a_metric_of_an_uncounted_event_is_none_and_names_the_event_and_why(status):
    missing = uncounted("l1d_cache", status, "the guest hides it")
    metric = compute(reading(missing, l1d_cache_refill=5)).explain("l1_cache_hit_rate")
    assert metric.value is None
    assert metric.status is status
    assert metric.reason == "l1d_cache: the guest hides it"


def test_a_value_under_a_status_that_has_none_is_not_used():
    hidden = dataclasses.replace(count("l1d_cache", 100), status=Status.SUSPECT, reason="contradicts")
    metric = compute(reading(hidden, l1d_cache_refill=5)).explain("l1_cache_hit_rate")
    assert metric.value is None
    assert metric.status is Status.SUSPECT


def test_an_event_the_core_lacks_is_unsupported():
    metric = compute(reading(cpu_cycles=10), core="cortex-a72").explain("frontend_stalled")
    assert metric.status is Status.UNSUPPORTED
    assert metric.reason == "stall_frontend: Cortex-A72 does not have this event"


def test_of_events_that_have_no_value_those_that_were_asked_for_are_named():
    refused = [uncounted(event, Status.NOT_COUNTED, "never ran") for event in ("br_pred", "br_mis_pred")]
    assert compute(reading(*refused))["branch_prediction_accuracy"].reason == "br_mis_pred and br_pred: never ran"
    refused = [uncounted(event, Status.UNSUPPORTED, "no PMU") for event in ("br_retired", "br_mis_pred_retired")]
    metric = compute(reading(*refused))["branch_prediction_accuracy"]
    assert (metric.status, metric.reason) == (Status.UNSUPPORTED, "br_mis_pred_retired and br_retired: no PMU")


def test_what_stands_in_the_way_is_told_by_cause():
    hidden = (uncounted(event, Status.UNSUPPORTED, "the guest hides it") for event in ("l2d_cache", "l1i_cache"))
    metrics = compute(reading(*hidden, l2d_cache_refill=5, l1d_cache=100, l1d_cache_refill=5))
    assert metrics["l2_cache_hit_rate"].causes == (("the guest hides it", ("l2d_cache",)),)
    assert metrics["instruction_cache_hit_rate"].causes == (
        ("not among the events of this reading", ("l1i_cache_refill",)),
        ("the guest hides it", ("l1i_cache",)),
    )
    assert metrics["memory_latency_ns"].causes == ((metrics["memory_latency_ns"].reason, ()),)  # a fact is no event
    assert metrics["l1_cache_hit_rate"].causes == ()
    for metric in metrics.values():
        assert bool(metric.causes) == (metric.value is None)


def test_an_event_that_an_erratum_spoils_has_no_value():
    metric = compute(reading(cpu_cycles=100, stall_frontend=10), core="ampereone-ac03").explain("frontend_stalled")
    assert (metric.value, metric.status) == (None, Status.SUSPECT)
    assert "AC03_CPU_29" in metric.reason


def test_of_a_core_without_a_table_nothing_is_said_to_be_lacking():
    unknown = cpu.core_for_midr(0x4E0F0040)
    metric = compute(reading(cpu_cycles=100), core=unknown).explain("frontend_stalled")
    assert metric.reason == "stall_frontend: not among the events of this reading"


def test_memory_metrics_are_never_made_of_mem_access():
    metrics = compute(reading(mem_access=1_000_000, bus_access=5_000, remote_access=10, cpu_cycles=10, inst_retired=10))
    for name in ("memory_bandwidth_utilization", "memory_latency_ns", "numa_efficiency"):
        assert metrics[name].value is None
        assert metrics[name].status is Status.NOT_COUNTED
        assert metrics[name].reason
    for definition in definitions():
        for way in definition.ways:
            if definition.section == "memory" and "mem_access" in way.events:
                assert definition.name == "mean_load_cycles"  # which is of loads, and not of memory


def test_a_share_is_as_sure_as_the_events_of_it_that_were_seen():
    full, scaled = (
        compute(reading(count("l1d_cache", 600, coverage), count("l1d_cache_refill", 300, coverage)))[
            "l1_cache_hit_rate"
        ]
        for coverage in (1.0, 0.25)
    )
    assert (full.confidence, full.reason) == (Confidence.MEDIUM, "a share of 600 events alone")
    assert (scaled.confidence, scaled.reason) == (Confidence.LOW, "a share of 150 events alone")


def test_nothing_accessed_has_no_hit_rate():
    metric = compute(reading(l2d_cache=0, l2d_cache_refill=0)).explain("l2_cache_hit_rate")
    assert metric.value is None
    assert metric.reason == "l2d_cache is 0: there is nothing to divide by"


# Impossible values


def test_more_refills_than_accesses_are_suspect():
    metric = compute(reading(l1d_cache=10, l1d_cache_refill=11)).explain("l1_cache_hit_rate")
    assert metric.value is None
    assert metric.status is Status.SUSPECT
    assert "contradict" in metric.reason


def test_more_stalled_cycles_than_cycles_are_suspect():
    metric = compute(reading(cpu_cycles=100, stall_backend=101)).explain("backend_stalled")
    assert (metric.value, metric.status) == (None, Status.SUSPECT)


@pytest.mark.parametrize("value", [math.nan, math.inf, -1.0])
def test_what_is_no_count_is_suspect(value):
    metric = compute(reading(count("l1d_cache", 10), count("l1d_cache_refill", value))).explain("l1_cache_hit_rate")
    assert (metric.value, metric.status) == (None, Status.SUSPECT)


def test_two_negative_counts_make_no_ratio():
    metric = compute(reading(count("inst_retired", -200), count("cpu_cycles", -100))).explain("ipc")
    assert (metric.value, metric.status) == (None, Status.SUSPECT)


def test_an_event_at_zero_beside_its_children_is_suspect():
    # Published from a Yitian 710: LL_CACHE_RD 0 with 7.4 million LL_CACHE_MISS_RD.
    total = reading(ll_cache_rd=0, ll_cache_miss_rd=7_397_206)
    for groups in ((), (total,)):
        metric = compute(total, groups=groups).explain("ll_read_miss_ratio")
        assert (metric.value, metric.status) == (None, Status.SUSPECT)


# Alternatives


def test_tlb_misses_are_walks_and_fall_back_by_name():
    walks = {"dtlb_walk": 5, "l1d_tlb": 1000, "l1d_tlb_refill": 50, "mem_access": 900}
    made = []
    for gone in ((), ("l1d_tlb",), ("dtlb_walk",), ("dtlb_walk", "l1d_tlb")):
        metric = compute(reading(**{k: v for k, v in walks.items() if k not in gone})).explain("tlb_miss_rate")
        made.append(metric.formula)
        assert "walks" in metric.reason or "first-level TLB" in metric.reason
    assert made == [
        "dtlb_walk / l1d_tlb",
        "dtlb_walk / mem_access",
        "l1d_tlb_refill / l1d_tlb",
        "l1d_tlb_refill / mem_access",
    ]


def test_the_speculative_pair_of_branch_events_is_called_so():
    metric = compute(reading(br_pred=1000, br_mis_pred=30)).explain("branch_prediction_accuracy")
    assert metric.value == pytest.approx(0.97)
    assert "speculative" in metric.reason


def test_retired_and_speculative_branches_are_never_mixed():
    # perf's branch-misses is 0x10 and its branches 0x21: its "0.84% of all branches" mixes both.
    metric = compute(reading(br_retired=2_260_330_961, br_mis_pred=18_906_434)).explain("branch_prediction_accuracy")
    assert metric.value is None
    assert metric.reason == "br_mis_pred_retired: not among the events of this reading"


def test_a_fallback_is_not_taken_where_the_first_way_is_impossible():
    # The counts contradict each other: another formula over them would hide it.
    metric = compute(reading(br_retired=10, br_mis_pred_retired=11, br_pred=10, br_mis_pred=1))[
        "branch_prediction_accuracy"
    ]
    assert (metric.value, metric.status) == (None, Status.SUSPECT)


def test_what_stands_in_the_way_is_told_of_the_nearest_alternative():
    # A Cortex-A72 has neither dtlb_walk nor l1d_tlb: it is mem_access that the user can add.
    metric = compute(reading(l1d_tlb_refill=5), core="cortex-a72").explain("tlb_miss_rate")
    assert metric.reason == "mem_access: not among the events of this reading"


def test_of_two_ways_the_one_that_lacks_less_is_told_of():
    metric = compute(reading(l1d_tlb_refill=5), core="neoverse-n1").explain("tlb_miss_rate")
    assert metric.reason == "l1d_tlb: not among the events of this reading"
    assert metric.formula == "l1d_tlb_refill / l1d_tlb"


# Coverage and confidence


def test_coverage_is_the_lowest_of_the_events():
    metric = compute(reading(count("cpu_cycles", 100, 0.6), count("inst_retired", 200, 0.4))).explain("ipc")
    assert metric.coverage == pytest.approx(0.4)
    assert metric.status is Status.SCALED
    assert metric.confidence is Confidence.MEDIUM


@pytest.mark.parametrize(
    ("coverage", "milliseconds", "expected"),
    [
        (1.0, 1, Confidence.HIGH),
        (0.5, 100, Confidence.MEDIUM),
        (0.25, 100, Confidence.MEDIUM),
        (0.24, 100, Confidence.LOW),
        (0.5, 99, Confidence.LOW),
    ],
)
def test_confidence_follows_coverage_and_length(coverage, milliseconds, expected):
    ns = milliseconds * 1_000_000
    counts = [count("cpu_cycles", 100, coverage, ns), count("inst_retired", 200, coverage, ns)]
    assert compute(reading(*counts, duration_ns=ns)).explain("ipc").confidence is expected


def test_a_thread_that_slept_was_counted_for_less_than_the_wall_time():
    counts = [count(e, 100, 0.5, enabled_ns=10_000_000) for e in ("cpu_cycles", "inst_retired")]
    assert compute(reading(*counts, duration_ns=SECOND)).explain("ipc").confidence is Confidence.LOW


def test_scaled_counts_of_unknown_coverage_are_of_low_confidence():
    unknown = Count("cpu_cycles", 100.0, 100.0, None, None, Status.SCALED)
    metric = compute(reading(unknown, inst_retired=100)).explain("ipc")
    assert (metric.coverage, metric.confidence) == (None, Confidence.LOW)


def test_a_ratio_is_taken_inside_one_group_where_there_is_one():
    def group(number, refills, accesses, coverage):
        return reading(
            count("l1d_cache_refill", refills, coverage, group=number),
            count("l1d_cache", accesses, coverage, group=number),
        )

    total = reading(count("l1d_cache_refill", 50, 0.3, group=1), count("l1d_cache", 1000, 0.4, group=2))
    metric = compute(total, groups=[group(1, 50, 500, 0.3), group(2, 80, 1000, 0.4)]).explain("l1_cache_hit_rate")
    assert metric.value == pytest.approx(0.92)
    assert metric.coverage == pytest.approx(0.4)
    assert metric.together
    mixed = compute(total).explain("l1_cache_hit_rate")
    assert mixed.value == pytest.approx(0.95)
    assert not mixed.together
    assert "different moments" in repr(mixed)


# The core


def test_the_core_comes_from_the_reading_or_from_the_caller():
    assert compute(reading(core="neoverse-n1")).core.name == "neoverse-n1"
    assert compute(reading(), core="neoverse-n1").core.name == "neoverse-n1"
    assert compute(reading(), core=cpu.core("neoverse-n1")).core.name == "neoverse-n1"
    assert compute(reading(core="a core of another world")).core is None


def test_a_core_the_caller_misspelt_is_an_error():
    with pytest.raises(ArmprofError):
        compute(reading(), core="neoverse-n11")


# Forms of output


def test_to_dict_is_the_json_contract():
    entries = compute(reading(**EVERYTHING)).to_dict()
    fields = {"title", "value", "unit", "status", "coverage", "events", "formula", "source", "confidence", "reason"}
    assert all(set(entry) == fields for entry in entries.values())
    assert json.loads(json.dumps(entries, allow_nan=False)) == entries


def test_to_frame_has_a_row_per_metric_and_nan_for_none():
    metrics = compute(reading(**EVERYTHING))
    frame = metrics.to_frame()
    assert list(frame.index) == list(metrics)
    assert frame.loc["l1_cache_hit_rate", "value"] == pytest.approx(0.98)
    assert math.isnan(frame.loc["memory_latency_ns", "value"])
    assert frame.loc["l1_cache_hit_rate", "status"] == "counted"


def test_repr_shows_the_nine_even_without_value_and_the_others_with_one():
    text = repr(compute(reading(cpu_cycles=100, inst_retired=50)))
    assert all(name in text for name in THE_NINE)
    assert "ipc" in text
    assert "frontend_stalled" not in text


def test_html_escapes_what_came_from_outside():
    hostile = uncounted("l1d_cache", Status.UNSUPPORTED, "<script>alert('x')</script>")
    html = compute(dataclasses.replace(reading(hostile), source="<b>"))._repr_html_()
    assert "<script>" not in html
    assert "&lt;script&gt;" in html
    assert "<b>" not in html


# The table


def test_every_event_of_the_table_is_one_that_armprof_knows():
    for definition in definitions():
        for way in definition.ways:
            for event in way.events:
                assert definition.source == "model" or cpu.event(event).name == event
            for core in way.cores:
                assert all(cpu.core(core).has(event) for event in way.events), core


def test_every_metric_has_a_title_a_unit_and_a_way_or_a_reason():
    for definition in definitions():
        assert definition.title
        assert definition.unit
        assert definition.section
        assert definition.better in ("higher", "lower", "")
        assert (definition.name in TERMS) != bool(definition.ways)
        assert definition.range[0] < definition.range[1]


def test_names_are_unique():
    names = [definition.name for definition in definitions()]
    assert len(names) == len(set(names))


def test_the_tables_are_part_of_the_package():
    import armprof.metrics

    folder = Path(armprof.metrics.__file__).parent
    for table in (*TABLES, "topdown", "groups"):
        assert (folder / f"{table}.toml").is_file()


# What readings have in common


def test_what_readings_with_the_same_gaps_cannot_have_is_one_object_for_all():
    first, second, other = (
        compute(reading(cpu_cycles=cycles, **more))
        for cycles, more in ((1000, {}), (2000, {}), (1000, {"br_retired": 5}))
    )
    assert first.gaps is second.gaps
    assert first["l1d_mpki"] is second["l1d_mpki"]
    assert other.gaps is not first.gaps
    assert "l1d_mpki" in first.gaps.metrics
    assert set(first) == set(other)


def test_the_same_events_without_a_value_for_another_reason_are_another_gap():
    first, second = (
        compute(Reading({"cpu_cycles": uncounted("cpu_cycles", Status.NOT_COUNTED, why)}, source="pmu"))
        for why in ("for one reason", "for another")
    )
    assert "for one reason" in first["cycles_per_instruction"].reason
    assert "for another" in second["cycles_per_instruction"].reason


def test_a_core_of_the_same_name_that_differs_is_another_core():
    core = cpu.core("neoverse-n1")
    less = dataclasses.replace(core, events=core.events - {"br_retired"})
    one = reading(cpu_cycles=1000)
    reasons = [compute(one, which)["branch_prediction_accuracy"].reason for which in (core, less)]
    assert reasons[0] != reasons[1]
