"""The JSON report: everything that its schema promises, and nothing else."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import report_runs as runs
from hypothesis import example, given, settings
from hypothesis import strategies as st
from test_run_file import runs as any_runs
from test_run_file import strict

from armprof import cpu
from armprof.analysis.rules import rules
from armprof.commands.report import load
from armprof.errors import ArmprofError
from armprof.metrics.result import MAIN
from armprof.report import text
from armprof.report.document import document
from armprof.report.json import render
from armprof.run.record import Run

SCHEMA = json.loads((files("armprof.report") / "report.schema.json").read_text(encoding="utf-8"))
FIXTURES = sorted((Path(__file__).parent / "fixtures" / "perf").glob("*.*"))
EVENTS = [
    *runs.HEALTHY,
    "stall_slot",
    "stall_slot_frontend",
    "stall_slot_backend",
    "op_spec",
    "op_retired",
    "br_mis_pred",
]
FIELD = os.environ.get("ARMPROF_FIELD_DATA")


def report(run: Run) -> Any:
    """The report as a program reads it, after a check by the schema."""
    found = json.loads(render(document(run)))
    jsonschema.Draft202012Validator(strict(SCHEMA)).validate(found)
    return found


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize(
    "run",
    [
        runs.three_kernels(),
        runs.without_pmu(),
        runs.imported(),
        runs.imported(core=None),
        runs.run(runs.kernel(), *runs.imported().components),
        runs.run(runs.kernel(reading=None)),
        Run(()),
    ],
)
def test_reports_follow_the_schema(run: Run) -> None:
    assert [c["name"] for c in report(run)["components"]] == [c.name for c in run.components]


@given(any_runs)
def test_the_text_says_what_the_dicts_say(run: Run) -> None:
    """Its lines are made once for what many components share: none may stand where another belongs."""

    def as_text_says(value: object) -> Any:
        return json.loads(json.dumps(value))

    made = document(run)
    found = json.loads(render(made))
    for part, one in zip(made.parts, found["components"], strict=True):
        assert one["component_metrics"] == as_text_says(part.figures.to_dict())
        assert one["metrics"] == as_text_says(part.metrics.to_dict() if part.metrics else {})
        assert one.items() >= as_text_says(part.analysis.to_dict()).items()
    assert found["bottlenecks"] == as_text_says([bottleneck.to_dict() for bottleneck in made.bottlenecks])
    assert found["roadmap"] == as_text_says([phase.to_dict() for phase in made.roadmap])


def test_a_metric_and_a_count_stand_on_a_line_of_their_own() -> None:
    lines = render(document(runs.three_kernels())).splitlines()
    counts = [line for line in lines if line.startswith('        "cpu_cycles": {"value": ')]
    metrics = [line for line in lines if line.startswith('        "cycles_per_instruction": {"title": ')]
    assert len(counts) == len(metrics) == 3
    assert max(len(line) - len(line.lstrip()) for line in lines) == 8


@given(any_runs)
def test_the_report_on_any_run_follows_the_schema(run: Run) -> None:
    report(run)


def test_reports_on_every_form_of_perf_follow_the_schema() -> None:
    reported = 0
    for path in FIXTURES:
        with suppress(ArmprofError):  # some are there to be refused
            run = load(str(path))
            assert report(run)["source"] == "imported"
            reported += 1
    assert reported > 40


@pytest.mark.skipif(not FIELD, reason="set ARMPROF_FIELD_DATA to the folder of published perf outputs")
def test_reports_on_published_outputs_follow_the_schema() -> None:
    paths = [p for p in (Path(FIELD or "") / "perfstat").rglob("*") if p.is_file() and p.suffix != ".md"]
    assert paths
    for path in paths:
        for core in (None, "neoverse-n1", "neoverse-n2-r0p0"):
            report(load(str(path), core))


def test_numbers_have_full_precision_and_their_coverage() -> None:
    (component,) = report(runs.imported(0.25, l1d_cache=3.0, l1d_cache_refill=1.0))["components"]
    metric = component["metrics"]["l1_cache_hit_rate"]
    assert metric["value"] == 1 - 1 / 3
    assert (metric["coverage"], metric["status"], metric["events"]) == (
        0.25,
        "scaled",
        ["l1d_cache_refill", "l1d_cache"],
    )
    assert component["counts"]["l1d_cache"]["label"] == "perf-l1d_cache"


def test_what_was_not_counted_is_null_with_a_reason() -> None:
    component = report(runs.without_pmu())["components"][0]
    assert (component["counts"]["cpu_cycles"]["value"], component["counts"]["cpu_cycles"]["reason"]) == (
        None,
        runs.NO_PMU,
    )
    for name in MAIN:
        assert component["metrics"][name]["value"] is None
        assert component["metrics"][name]["reason"]
    assert component["topdown"]["level_1"] is None
    assert "core is not known" in component["topdown"]["reason"]
    assert component["verdict"] == "not judged"


def test_topdown_stands_by_itself_where_the_core_has_it() -> None:
    counts = {
        "cpu_cycles": 1_000_000,
        "inst_retired": 2_000_000,
        "stall_slot": 4_000_000,
        "stall_slot_frontend": 1_000_000,
        "stall_slot_backend": 3_000_000,
        "op_spec": 4_200_000,
        "op_retired": 4_000_000,
        "br_mis_pred": 1_000,
    }
    made = runs.kernel(made=runs.reading(core="neoverse-v1", **counts))
    topdown = report(runs.run(made))["components"][0]["topdown"]
    assert sum(topdown["level_1"].values()) == pytest.approx(1, abs=0.01)
    assert topdown["confidence"] == "high"


def test_recommendations_stand_with_their_component_and_in_one_ranking() -> None:
    found = report(runs.three_kernels())
    assert [c["recommendations"] for c in found["components"][:2]] == [[], []]
    assert [(r["rank"], r["component"]) for r in found["recommendations"]] == [(1, "parser"), (2, "parser")]
    assert found["recommendations"][0]["expected_improvement"]["ceiling"] == pytest.approx(30)
    assert found["cpu"]["name"] == "neoverse-n1"


def test_silent_rules_say_why() -> None:
    silent = report(runs.run())["components"][0]["silent"]
    assert {rule["rule"] for rule in silent} == {rule.name for rule in rules()}


def test_the_report_is_ascii() -> None:
    assert render(document(runs.run(runs.kernel("r\u00fcckkopplung \U0001f600 \udcff")))).isascii()


@st.composite
def absurd(draw: st.DrawFn) -> Run:
    """Counts of known events with any number at all, as a broken or hostile run file may hold them."""
    numbers = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(10**20), 10**20) | st.just(0)
    values = draw(st.dictionaries(st.sampled_from(EVENTS), numbers, min_size=1))
    made = runs.reading(draw(st.floats(0, 1)), core=draw(st.sampled_from([None, *cpu.core_names()])), **values)
    return runs.run(runs.kernel(made=replace(made, duration_ns=draw(st.none() | st.integers(-5, 10**20)))))


@settings(max_examples=200)
@given(absurd())
@example(runs.run(runs.kernel(made=runs.reading(inst_retired=1e-300, l1d_cache_refill=1e10))))
def test_absurd_numbers_make_a_report_all_the_same(run: Run) -> None:
    report(run)
    assert text.render(document(run), explain=True)
