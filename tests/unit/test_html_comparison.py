"""The pages of comparisons and budgets, what notebooks show, and the command line that writes them."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import budget_runs
import markup
import pytest
import report_runs as runs
from hypothesis import given, settings
from markup import HOSTILE, headings, table, verdict
from planted import BEGIN, QUARTER, past
from test_compare_paired import Scripted, compared
from test_compare_runs import run, timed
from test_html_page import shown
from test_html_samples import THREE, profile
from test_report_json import absurd

import armprof
from armprof.budget import assess, find
from armprof.cli import main
from armprof.compare.runs import detect_regressions
from armprof.metrics import compute
from armprof.monitor.trends import DAY, PerformanceTrends, Trend
from armprof.report.html import budget, comparison, page
from armprof.report.html.blocks import Page
from armprof.run import file
from armprof.run.record import Run


def read(made: Page) -> markup.Element:
    found = markup.read("".join(page.render(made)))
    markup.harmless(found)
    return found


def of_runs(base: Run, head: Run) -> markup.Element:
    return read(comparison.of_runs(detect_regressions(base, head), base, head))


# ---- two run files ---------------------------------------------------------------------------------------------------


def test_a_regression_is_the_verdict_and_the_worst_change_is_first() -> None:
    base = run(timed("same", 100), timed("slow", 100), timed("fast", 100))
    found = of_runs(base, run(timed("same", 100), timed("slow", 130), timed("fast", 80)))
    assert headings(found)[0] == "Major regressions"
    assert "bad" in (verdict(found).attributes["class"] or "")
    assert "worst: slow, p95_latency 30.0 % worse" in verdict(found).text
    changes = table(found, "Changes, the worst first")
    assert changes[1][:3] == ["slow p95", "+30.0 %", "slower, major"]
    assert changes[1][5:] == ["120 ns", "156 ns"]
    assert changes[-2][0].startswith("fast ")
    assert [row[0] for row in table(found, "Unchanged")[1:3]] == ["same p95", "same throughput"]


def test_before_and_after_stand_on_one_axis() -> None:
    found = of_runs(run(timed("book", 100)), run(timed("book", 130)))
    rows = table(found, "Time of one operation")
    assert [row[:2] for row in rows[1:3]] == [["book", "before"], ["book", "after"]]


def test_no_change_is_a_good_verdict() -> None:
    same = run(timed("book", 100))
    found = of_runs(same, same)
    assert headings(found)[0] == "No regressions detected"
    assert "good" in (verdict(found).attributes["class"] or "")
    assert "open" in found.all("details")[0].attributes


def test_what_could_not_be_compared_is_told() -> None:
    found = of_runs(run(timed("gone", 100), timed("book", 100)), run(timed("book", 100)))
    assert "gone" in found.with_id("left-out").text


@pytest.mark.parametrize("name", HOSTILE)
def test_no_name_of_a_component_becomes_markup(name: str) -> None:
    base, head = run(timed("x", 100)), run(timed("x", 130))
    renamed = (run(replace(one.components[0], name=name)) for one in (base, head))
    assert {one.tag for one in of_runs(*renamed).all()} == {one.tag for one in of_runs(base, head).all()}


# ---- two sides in turns ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("factor", "tone"), [(1.05, "bad"), (1 / 1.05, "good"), (1.0, "good")])
def test_two_sides_have_their_verdict_and_a_row_for_each_percentile(factor: float, tone: str) -> None:
    found = read(comparison.of_pairs(compared(Scripted(factor))))
    assert tone in (verdict(found).attributes["class"] or "")
    assert headings(found)[0].startswith("New is ")
    assert [row[0] for row in table(found, "Time")[1:4]] == ["p50", "p95", "p99"]


# ---- budgets ---------------------------------------------------------------------------------------------------------


def test_the_page_of_a_budget_says_how_the_total_stands() -> None:
    system = budget_runs.founding_system()
    found = read(budget.page(system, assess(system, find())))
    assert headings(found)[0].startswith("Leverage headroom: ")
    assert found.all("h1")[0].text == "Budget of 15 us for tick_to_trade p50"
    assert any("bar" in (one.attributes.get("class") or "") for one in found.all("svg"))


def test_what_was_not_measured_is_no_use_of_a_budget() -> None:
    alone = budget_runs.run(budget_runs.timed("risk", 100))
    found = read(budget.page(alone, assess(alone, find())))
    assert "tick_to_trade p50 has 15 us and was not measured: not in the run" in found.text
    assert "Headroom: not known" in found.text


# ---- notebooks -------------------------------------------------------------------------------------------------------


def test_a_notebook_shows_results_by_the_blocks_of_the_pages() -> None:
    analysis = armprof.analyze(runs.imported(0.5).components[0])
    found = markup.read(analysis._repr_html_())
    markup.harmless(found)
    assert found.of_class("card")
    assert "Cache ladder" in [one.text for one in found.all("caption")]
    assert "50.0 % counted" in [one.text for one in found.of_class("tag")]


def test_a_notebook_shows_metrics_comparisons_and_regressions() -> None:
    metrics = compute(runs.reading())
    regressions = detect_regressions(run(timed("book", 100)), run(timed("book", 130)))
    pairs = compared(Scripted(1.1))
    expected = {"Metrics on Neoverse N1": metrics, "Major regressions": regressions, "New is slower": pairs}
    for said, what in expected.items():
        found = markup.read(what._repr_html_())
        markup.harmless(found)
        assert found.all("h4")[0].text.startswith(said)


def test_a_notebook_shows_samples_and_their_flame_graph() -> None:
    found = markup.read(profile(*THREE)._repr_html_())
    markup.harmless(found)
    assert found.all("h4")[0].text == "The hottest function: copy has 60.0 % of cpu_clock"
    unfolded, *folded = found.all("details")
    assert [row[0] for row in markup.table(unfolded, "Functions by cpu_clock")[1:]] == ["copy", "parse", "main"]
    assert "open" in unfolded.attributes
    assert [one.all("summary")[0].text for one in folded[:3]] == ["Flame graph", "Lines", "Annotated source"]


def test_a_notebook_shows_trends_and_places_of_a_page_are_none_of_a_piece() -> None:
    made = PerformanceTrends("machine", BEGIN, BEGIN + DAY, QUARTER, (Trend(past(range(100), QUARTER), "rising"),), ())
    found = markup.read(made._repr_html_())
    markup.harmless(found)
    assert found.all("h4")[0].text == "1 of 1 figures moved: memory_bytes rising"
    assert not found.all("a")
    assert not [one for one in found.all("section") if "id" in one.attributes]
    assert repr(made) == "Trends of machine\n  rising   memory_bytes"


def test_the_style_of_a_piece_touches_nothing_else() -> None:
    text = compute(runs.reading())._repr_html_()
    style = re.search(r"<style>(.*?)</style>", text, re.DOTALL)
    assert style is not None
    depth, outer, start = 0, [], 0
    plain = re.sub(r"/\*.*?\*/", "", style[1], flags=re.DOTALL)
    for at, sign in enumerate(plain):
        if sign == "{":
            selector = plain[start:at].strip()
            if depth == 0 or (selector and not selector.startswith(("&", "@")) and outer[-1].startswith("@media")):
                outer.append(selector)
            depth += 1
        depth -= sign == "}"
        if sign in "{};":
            start = at + 1
    assert depth == 0
    for selector in outer:
        assert selector.startswith("@") or all(".armprof" in one for one in selector.split(","))


# ---- any numbers -----------------------------------------------------------------------------------------------------


@settings(max_examples=20, deadline=None)
@given(absurd())
def test_absurd_numbers_make_a_page_all_the_same(made: Run) -> None:
    shown(made, find())


# ---- from the command line -------------------------------------------------------------------------------------------


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Runs in the working directory, which has no armprof.toml."""
    monkeypatch.chdir(tmp_path)
    file.write(runs.three_kernels(), Path("run.json"))
    file.write(run(timed("book", 100)), Path("base.json"))
    file.write(run(timed("book", 130)), Path("head.json"))
    return tmp_path


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["report", "run.json"], 0, "parser can take"),
        (["budget", "run.json"], 3, "Not judged"),
        (["compare", "base.json", "head.json"], 1, "Major regressions"),
    ],
)
def test_a_verb_writes_its_page(
    words: list[str], status: int, said: str, files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*words, "--format", "html", "--output", "page.html"]) == status
    assert capsys.readouterr().out == ""
    written = Path("page.html").read_text(encoding="utf-8")
    assert headings(markup.read(written))[0].startswith(said)
    main([*words, "--format", "html"])
    assert capsys.readouterr().out == written


def test_samples_have_no_page_and_say_what_there_is(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("samples.json").write_text('{"format": "armprof-samples", "version": 1}')
    assert main(["report", "samples.json", "--format", "html"]) == 2
    assert capsys.readouterr().err.startswith("armprof: ")


def test_annotated_source_is_on_the_page_already(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", "run.json", "--format", "html", "--annotate"]) == 2
    assert "text or markdown, not html" in capsys.readouterr().err


def test_without_html_the_templates_are_not_loaded(files: Path) -> None:
    from processes import python

    done = python(
        "import sys\nfrom armprof.cli import main\nmain(['report', 'run.json'])\nassert 'jinja2' not in sys.modules"
    )
    assert (done.returncode, done.stderr) == (0, "")
