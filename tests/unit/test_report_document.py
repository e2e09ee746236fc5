"""The document: what a run's counts mean, with what several components have in common said once."""

from __future__ import annotations

from dataclasses import replace

import pytest
import report_runs as runs

from armprof.analysis import Judgement, OptimizationType
from armprof.counters.reading import Status, uncounted
from armprof.metrics.result import MAIN
from armprof.report.document import document, only
from armprof.run.record import Run


def test_every_component_is_judged_by_its_own_counts() -> None:
    parts = document(runs.three_kernels()).parts
    assert [part.analysis.verdict for part in parts] == [Judgement.JUDGED] * 3
    assert [len(part.analysis.recommendations) for part in parts] == [0, 0, 2]


def test_recommendations_of_all_components_are_in_one_ranking() -> None:
    # most to gain first: 30 % of the cycles, then 11, 5.5, 2.75
    worse = runs.reading(**runs.TROUBLED)
    better = runs.reading(**(runs.TROUBLED | {"br_mis_pred_retired": 7_000_000, "l1d_cache_refill": 700_000}))
    found = document(runs.run(runs.kernel("better", better), runs.kernel("worse", worse))).recommendations
    assert [(a.recommendation.rank, a.component.name, a.recommendation.type) for a in found] == [
        (1, "worse", OptimizationType.CACHE_LAYOUT),
        (2, "worse", OptimizationType.BRANCH_OPTIMIZATION),
        (3, "better", OptimizationType.BRANCH_OPTIMIZATION),
    ]
    ceilings = [a.recommendation.expected_improvement.ceiling or 0 for a in found]
    assert ceilings == sorted(ceilings, reverse=True)


def test_what_has_no_ceiling_comes_last() -> None:
    known = runs.kernel("known", runs.reading(**runs.TROUBLED))
    rates = {event: runs.TROUBLED[event] for event in ("inst_retired", "br_mis_pred_retired", "l1d_cache_refill")}
    unknown = runs.kernel("unknown", runs.reading(core=None, **rates))
    found = document(runs.run(unknown, known)).recommendations
    assert [a.component.name for a in found] == ["known", "known", "unknown", "unknown"]


def test_a_reason_that_all_share_is_one_with_all_its_events() -> None:
    (reason,) = document(runs.without_pmu("pool", "ring")).uncounted()
    assert reason.text == runs.NO_PMU
    assert reason.names == tuple(runs.HEALTHY)
    assert reason.components == ("pool", "ring")


def test_reasons_that_differ_stay_with_their_components() -> None:
    full = runs.reading()
    hidden = uncounted("l1d_cache", Status.UNSUPPORTED, "the guest hides it")
    part = runs.kernel("part", replace(full, counts={**full.counts, "l1d_cache": hidden}))
    (reason,) = document(runs.run(runs.kernel("full"), part)).uncounted()
    assert (reason.text, reason.names, reason.components) == ("the guest hides it", ("l1d_cache",), ("part",))


def test_causes_tell_which_metrics_they_take_and_by_which_events() -> None:
    causes = {cause.text: cause for cause in document(runs.without_pmu("ring")).causes()}
    cause = causes[runs.NO_PMU]
    assert cause.names == MAIN[:6]
    assert cause.events[:2] == ("l1d_cache_refill", "l1d_cache")
    assert {name for cause in causes.values() for name in cause.names} == set(MAIN)


def test_remarks_are_on_metrics_that_have_a_value() -> None:
    remarks = document(runs.run()).remarks()
    assert {"l2_cache_hit_rate", "tlb_miss_rate"} <= {name for remark in remarks for name in remark.names}
    assert document(runs.without_pmu()).remarks() == []


def test_a_contradiction_shows_in_the_counts() -> None:
    counts = runs.HEALTHY | {"l2d_cache": 0}
    (part,) = document(runs.run(runs.kernel(made=runs.reading(**counts)))).parts
    assert part.reading is not None
    assert part.reading["l2d_cache"].status is Status.SUSPECT
    assert part.reading.value("l2d_cache") is None


def test_ratios_are_taken_inside_one_group_where_there_are_groups() -> None:
    (component,) = runs.imported(l1d_cache=1_000_000, l1d_cache_refill=500_000).components
    assert component.reading is not None
    group = replace(component.reading, counts=runs.counted(0.4, l1d_cache=1_000_000, l1d_cache_refill=100_000))
    (part,) = document(Run((replace(component, groups=(group,)),))).parts
    assert part.metrics is not None
    assert part.metrics.l1_cache_hit_rate == pytest.approx(0.9)


def test_source_and_core_are_those_of_all_or_none() -> None:
    assert document(runs.run()).source == "pmu"
    core = document(runs.run()).core
    assert core is not None
    assert core.name == "neoverse-n1"
    mixed = document(runs.run(runs.kernel(), *runs.imported(core="cortex-a76").components))
    assert (mixed.source, mixed.core) == (None, None)
    assert document(Run(())).source is None


def test_a_component_without_counts_is_not_judged() -> None:
    found = document(runs.run(runs.kernel(), replace(runs.kernel("bare"), reading=None)))
    bare = found.parts[1]
    assert (bare.metrics, bare.reading, bare.core, bare.has_metrics) == (None, None, None, False)
    assert bare.analysis.verdict is Judgement.NOT_JUDGED
    assert found.source == "pmu", "what was not counted has no source"


def test_two_components_may_have_one_name() -> None:
    (reason,) = document(runs.without_pmu("twin", "twin")).uncounted()
    assert reason.components == ("twin", "twin")


def test_how_far_it_is_is_told_now_and_then() -> None:
    told: list[float] = []
    made = document(runs.run(*(runs.kernel(name=str(i)) for i in range(250))), None, told.append)
    assert told == [0.0, 0.4, 0.8]
    assert len(made.parts) == 250


def test_only() -> None:
    assert only([1, 1]) == 1
    assert only([1, 2]) is None
    assert only(iter([])) is None
