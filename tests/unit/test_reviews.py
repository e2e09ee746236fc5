"""What each verb puts before a reviewer, and what the command line does with it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import budget_runs
import pytest
import report_runs
from test_compare_paired import Scripted, compared
from test_compare_runs import run, timed

from armprof.budget import assess, parse
from armprof.cli import main
from armprof.compare.runs import detect_regressions
from armprof.report.document import document
from armprof.report.formats import REVIEWS
from armprof.report.location import Location
from armprof.report.review import Check, Grade, Review
from armprof.report.reviews import advice, budget, comparison, paired
from armprof.run import file
from armprof.run.record import Place, Run, Share, Where


def graded(review: Review) -> dict[str, Grade]:
    return {check.name: check.grade for check in review.checks}


# ---- compare ---------------------------------------------------------------------------------------------------------


def test_a_comparison_is_a_check_for_each_metric() -> None:
    base = run(
        timed("minor", 100), timed("major", 100), timed("faster", 100), timed("same", 100), timed("noisy", 100, 0.5)
    )
    head = run(
        timed("minor", 115), timed("major", 130), timed("faster", 80), timed("same", 100), timed("noisy", 150, 0.5)
    )
    found = graded(comparison.review(detect_regressions(base, head)))
    assert {name.removesuffix(" p95_latency"): grade for name, grade in found.items() if "p95" in name} == {
        "minor": Grade.WARNING,
        "major": Grade.ERROR,
        "faster": Grade.BETTER,
        "same": Grade.PASSED,
        "noisy": Grade.OPEN,
    }


def test_the_noise_stands_beside_the_change() -> None:
    review = comparison.review(detect_regressions(run(timed("book", 100)), run(timed("book", 130))))
    check = review.checks[0]
    assert (
        dict(zip(review.columns, check.cells, strict=True)).items()
        >= {
            "baseline": "120 ns",
            "current": "156 ns",
            "time": "+30.0 %",
            "verdict": "slower, major",
        }.items()
    )
    assert check.cells[3].count("%") == 2
    assert check.message.startswith("book: p95_latency +30.0 %, from 120 ns to 156 ns (noise: ")


# ---- ab --------------------------------------------------------------------------------------------------------------


def test_two_builds_are_a_check_for_each_percentile() -> None:
    review = paired.review(compared(Scripted(1.05, "slow"), Scripted(1.0, "same")))
    found = graded(review)
    assert found["slow p50"] is Grade.ERROR
    assert found["same p50"] is Grade.PASSED
    (check,) = review.findings
    assert (check.rule.id, check.cost) == ("slower-p50", pytest.approx(5, abs=1))
    assert any(note.startswith("slow: rounds: ") for note in review.notes)


# ---- budget ----------------------------------------------------------------------------------------------------------


def budgeted(plan: str, folder: Path, *, measured: Run) -> Review:
    path = folder / "armprof.toml"
    path.write_text(plan)
    return budget.review(assess(measured, parse(plan, str(path))))


def test_a_budget_is_judged_where_it_is_stated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    plan = "# the plan\n[budgets.book]\np50_ns = 10\n\n[ budgets.'gone away' ] # soon\np50_ns = 10\n"
    plan += "[budgets.ring]\np50_ns = 99\n"
    review = budgeted(plan, tmp_path, measured=Run((budget_runs.timed("book", 20), budget_runs.timed("ring", 20))))
    by_name = {check.component: check for check in review.checks}
    assert by_name["book"].grade is Grade.ERROR
    assert by_name["book"].message == "book p50 takes 20.0 ns of 10 ns: 200.0 % of its budget"
    assert by_name["book"].location == Location("armprof.toml", 2)
    assert by_name["gone away"].grade is Grade.ERROR
    assert by_name["gone away"].message == "gone away p50 has a budget and was not measured: not in the run"
    assert by_name["ring"].grade is Grade.PASSED


def test_the_budgets_that_ship_concern_nobody_who_does_not_measure_them(tmp_path: Path) -> None:
    review = budgeted("[budgets.book]\np50_ns = 10\n", tmp_path, measured=Run((budget_runs.timed("book", 5),)))
    assert [check.component for check in review.checks] == ["book"]


# ---- report ----------------------------------------------------------------------------------------------------------


def advised() -> list[Check]:
    return advice.review(document(report_runs.three_kernels())).checks  # type: ignore[return-value]


def test_recommendations_are_notes_with_their_evidence() -> None:
    first, second, *rest = advised()
    assert (first.grade, first.component) == (Grade.NOTE, "parser")
    assert first.rule.id == "cache-misses"
    assert first.cost > second.cost > 0
    assert any("of the cycles are at stake" in fact for fact in first.facts)
    assert [(one.component, one.grade) for one in rest] == [("pool", Grade.PASSED), ("ring", Grade.PASSED)]


def test_a_recommendation_is_put_on_its_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "parser.c").touch()
    made = document(report_runs.three_kernels())
    first = made.recommendations[0]
    where = {"file": str(tmp_path / "src" / "parser.c"), "line": 7, "function": "parse"}
    placed = replace(first, recommendation=replace(first.recommendation, location=where))
    review = advice.review(replace(made, recommendations=(placed, *made.recommendations[1:])))
    assert [check.location for check in review.findings] == [Location("src/parser.c", 7, "parse"), None]


def test_without_a_location_it_is_where_most_of_it_was_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "parser.c").touch()
    lines = (
        Share(Place("main", "x", "parser.c", 3), {"l1d_cache_refill": 7_000_000.0, "br_mis_pred_retired": 9_000_000.0}),
        Share(
            Place("parse", "x", "parser.c", 9), {"l1d_cache_refill": 63_000_000.0, "br_mis_pred_retired": 1_000_000.0}
        ),
    )
    made = report_runs.three_kernels()
    *others, troubled = made.components
    run = replace(made, components=(*others, replace(troubled, where=Where((), lines))))
    caches, branches = advice.review(document(run)).findings
    assert (caches.location, branches.location) == (Location("parser.c", 9, "parse"), Location("parser.c", 3, "main"))
    assert "90.0 % of l1d_cache_refill are at parser.c:9 (parse)" in caches.facts


def test_what_cannot_be_judged_is_open_and_no_line_is_made_up() -> None:
    review = advice.review(document(report_runs.without_pmu("pool")))
    (check,) = review.checks
    assert (check.grade, check.location) == (Grade.OPEN, None)


# ---- from the command line -------------------------------------------------------------------------------------------


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A baseline and a slower run, in the working directory."""
    monkeypatch.chdir(tmp_path)
    file.write(run(timed("book", 100)), Path("base.json"))
    file.write(run(timed("book", 130)), Path("head.json"))
    return ["base.json", "head.json"]


@pytest.mark.parametrize("format", REVIEWS)
def test_every_format_is_printed_and_the_gate_fails(
    files: list[str], format: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["compare", *files, "--format", format]) == 1
    shown = capsys.readouterr()
    assert shown.out
    assert "armprof: MAJOR REGRESSIONS" in shown.err


@pytest.mark.parametrize("format", REVIEWS)
def test_it_goes_to_a_file(files: list[str], format: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", *files, "--format", format, "--output", "out"]) == 1
    assert Path("out").read_text()
    assert capsys.readouterr().out == ""


def test_where_nothing_changed_the_comment_is_empty(files: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", "base.json", "base.json", "--format", "markdown", "--output", "comment.md"]) == 0
    assert Path("comment.md").read_bytes() == b""


def test_annotations_bring_the_step_summary(
    files: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    assert main(["compare", *files, "--format", "github"]) == 1
    assert capsys.readouterr().out.startswith("::error ")
    assert "| 🔴 | `book` p95\\_latency |" in (tmp_path / "summary.md").read_text()


def test_what_a_format_has_no_place_for_is_told(files: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", *files, "--format", "sarif"]) == 1
    shown = capsys.readouterr()
    assert json.loads(shown.out)["runs"][0]["results"] == []
    assert "armprof: 2 findings of no known line, which sarif has no place for; the first: book: p95" in shown.err


def test_the_report_is_for_reviewers_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    saved = tmp_path / "run.json"
    file.write(report_runs.three_kernels(), saved)
    assert main(["report", str(saved), "--format", "github"]) == 0
    assert capsys.readouterr().out.count("::notice title=") == 2
    assert main(["report", str(saved), "--format", "markdown"]) == 0
    shown = capsys.readouterr().out
    assert "3 components, 2 recommendations" in shown
    assert "| `pool` | 12.3 ns |" in shown


def test_an_unknown_format_is_refused_with_those_there_are(
    files: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(["compare", *files, "--format", "xml"])
    assert "choose from 'text', 'json', 'html', 'markdown', 'junit'" in capsys.readouterr().err
