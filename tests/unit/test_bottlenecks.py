"""Bottlenecks: the stages that take more than their share, where they do, and the facts behind that."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import report_runs as runs
from hypothesis import given
from hypothesis import strategies as st

import armprof
from armprof.analysis import SlowedPart, bottlenecks
from armprof.report.document import document
from armprof.report.json import render
from armprof.run.record import Component, CriticalPath, Stage

TITLES = {"feed": "Feed handler", "book": "Order book", "decision": "Decision", "risk": "Risk", "order": "Orders"}


def path(p50: tuple[float, ...], p99: tuple[float, ...], **more: Any) -> CriticalPath:
    stages = tuple(Stage(n, t, a, b) for (n, t), a, b in zip(TITLES.items(), p50, p99, strict=True))
    fields: dict[str, Any] = {
        "p50_ns": 200.0,
        "p99_ns": 1000.0,
        "operations": 10_000,
        "p50_operations": 1000,
        "p99_operations": 101,
        "stamp_cost_ns": 20.0,
    }
    return CriticalPath(stages, **(fields | more))


def component(name: str, made: CriticalPath | None, **more: Any) -> Component:
    return Component(name, name, "kernel", "message", critical_path=made, **more)


SLOW_BOOK = path((0.1, 0.6, 0.1, 0.1, 0.1), (0.05, 0.8, 0.05, 0.05, 0.05))
SLOW_TAIL = path((0.1, 0.1, 0.5, 0.2, 0.1), (0.1, 0.6, 0.1, 0.1, 0.1))


def test_a_stage_with_more_than_an_even_share_is_a_bottleneck() -> None:
    (book,) = bottlenecks(component("trade", SLOW_BOOK))
    assert (book.rank, book.component, book.stage, book.title) == (1, "trade", "book", "Order book")
    assert (book.where, book.p50_share, book.p99_share) == (SlowedPart.BOTH, 0.6, 0.8)
    assert book.evidence == (
        "60.0 % of p50, 120 of 200 ns: the mean of 1,000 operations around it",
        "80.0 % of p99, 800 of 1000 ns: the mean of 101 operations at and above it",
        "it grows in the tail: 1.3 times its share of p50",
    )


def test_what_is_slow_when_p99_is_slow_is_told_from_what_is_slow_in_the_median() -> None:
    found = bottlenecks(component("trade", SLOW_TAIL))
    assert [(one.rank, one.stage, one.where) for one in found] == [
        (1, "book", SlowedPart.TAIL),
        (2, "decision", SlowedPart.MEDIAN),
    ]
    assert found[1].evidence[-1] == "its share shrinks in the tail: what makes p99 slow is elsewhere"


def test_a_stage_of_the_tail_alone_has_no_factor() -> None:
    (order, *_) = bottlenecks(component("trade", path((0.25, 0.25, 0.25, 0.25, 0), (0, 0, 0, 0, 1))))
    assert order.evidence[-1] == "it is there in the tail alone"


def test_even_shares_are_no_bottleneck_and_no_path_has_none() -> None:
    assert bottlenecks(component("trade", path((0.2,) * 5, (0.2,) * 5))) == ()
    assert bottlenecks(component("trade", None)) == ()


def test_counts_of_the_stage_are_evidence() -> None:
    stages = tuple(replace(stage, reading=runs.reading()) for stage in SLOW_BOOK.stages)
    (book,) = bottlenecks(component("trade", replace(SLOW_BOOK, stages=stages, reading_operations=1_000_000)))
    assert "2000 instructions an operation, counted over 1,000,000" in book.evidence
    assert any(fact.startswith("l1_cache_hit_rate 0.999 (") for fact in book.evidence)
    assert any(fact.startswith("cycles_per_instruction 0.5 (") for fact in book.evidence)


def test_bottlenecks_of_all_components_are_in_one_ranking() -> None:
    made = document(runs.run(component("a", SLOW_TAIL), runs.kernel(), component("b", SLOW_BOOK)))
    assert [(one.rank, one.component, one.stage) for one in made.bottlenecks] == [
        (1, "b", "book"),
        (2, "a", "book"),
        (3, "a", "decision"),
    ]
    report = json.loads(render(made))
    assert [(one["rank"], one["component"]) for one in report["bottlenecks"]] == [(1, "b"), (2, "a"), (3, "a")]
    assert [len(one["bottlenecks"]) for one in report["components"]] == [2, 0, 1]
    assert report["bottlenecks"][0]["where"] == "median and tail"


def test_counts_of_the_whole_do_not_hide_the_bottlenecks() -> None:
    counted = component("trade", SLOW_BOOK, reading=runs.reading())
    assert [len(part.analysis.bottlenecks) for part in document(runs.run(counted)).parts] == [1]


def test_analyze_gives_the_bottlenecks_of_a_component() -> None:
    (book,) = armprof.analyze(component("trade", SLOW_BOOK)).bottlenecks
    assert isinstance(book, armprof.PerformanceBottleneck)
    assert armprof.analyze(runs.reading()).bottlenecks == ()


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=8))
def test_ranks_follow_the_larger_share(shares: list[tuple[float, float]]) -> None:
    stages = tuple(Stage(str(i), str(i), p50, p99) for i, (p50, p99) in enumerate(shares))
    found = bottlenecks(component("trade", replace(SLOW_BOOK, stages=stages)))
    assert [one.rank for one in found] == list(range(1, len(found) + 1))
    largest = [max(one.p50_share, one.p99_share) for one in found]
    assert largest == sorted(largest, reverse=True)
    assert {one.stage for one in found} == {s.name for s in stages if max(s.p50_share, s.p99_share) > 1 / len(stages)}
