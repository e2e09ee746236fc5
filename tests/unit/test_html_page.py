"""The page of a run: the verdict first, coverage where it is not full, reasons where nothing was counted, no harm in names."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import markup
import pytest
import report_runs as runs
from hypothesis import HealthCheck, given, settings
from markup import headings, table, verdict
from report_runs import kernel

from armprof.budget import Plan, find
from armprof.counters.reading import Status, uncounted
from armprof.report.document import document
from armprof.report.html import page
from armprof.report.html import run as pages
from armprof.run import file
from armprof.run.record import Component, Place, Run, Share, Where


def rendered(run: Run, plan: Plan | None = None) -> str:
    return "".join(page.render(pages.page(document(run, plan), plan)))


def shown(run: Run, plan: Plan | None = None) -> markup.Element:
    """The page, which does no harm whatever is on it."""
    read = markup.read(rendered(run, plan))
    markup.harmless(read)
    return read


# ---- what is on it ---------------------------------------------------------------------------------------------------


def test_the_verdict_comes_first_and_says_what_to_do() -> None:
    read = shown(runs.three_kernels())
    assert headings(read)[0].startswith("parser can take ")
    assert "less time: " in headings(read)[0]
    assert headings(read)[1] == "What to do"
    assert read.all("main")[0].all("section")[0] is verdict(read)


def test_a_healthy_run_is_told_to_be_so() -> None:
    read = shown(runs.run(kernel("ring")))
    assert headings(read)[0] == "Nothing to recommend: 1 component judged"
    assert "good" in (verdict(read).attributes["class"] or "")


def test_each_component_is_linked_with_its_part_of_the_page() -> None:
    read = shown(runs.three_kernels())
    link = next(one for one in read.all("a") if one.text == "parser")
    assert read.with_id((link.attributes["href"] or "")[1:]).all("h3")[0].text.startswith("parser: The parser")


def test_evidence_unfolds_and_says_how_to_verify() -> None:
    card = shown(runs.three_kernels()).of_class("card")[0]
    summaries = [one.text for one in card.all("summary")]
    assert summaries[0].startswith("Evidence: ")
    assert "How to see whether it helped" in summaries
    assert any("armprof stat -m" in one.text for one in card.all("code"))


def test_a_component_has_its_times_its_ladder_its_metrics_and_its_counts() -> None:
    read = shown(runs.run(kernel("ring")))
    assert ["ring", "", "12.3 ns", "78.9 ns", "2.50 ms", "20.0 M/s"] in [
        [cell if number != 1 else "" for number, cell in enumerate(row)] for row in table(read, "Time of one operation")
    ]
    ladder = table(read, "Cache ladder")
    assert [row[0] for row in ladder[1:]] == ["L1 instruction", "L1 data", "L2", "Memory"]
    assert ladder[2][1:4] == ["64 KiB", "99.90 %", "0.350"]
    assert ladder[-1][-1] == "239 cycles"
    assert any(row[0] == "Cycles per instruction" and row[1] == "0.500" for row in table(read, "Metrics"))
    assert ["l1d_cache_refill", "0.700", "700,000", "counted"] in table(read, "Counts over 1,000,000 operations")


def test_budget_and_headroom_stand_beside_a_plan() -> None:
    read = shown(runs.run(kernel("tick_to_trade"), kernel("risk")), find())
    assert "Targets, budget and headroom" in headings(read)
    assert any(row[0] == "risk p50" for row in table(read, "Budgets"))
    assert "tick_to_trade p50 takes 12.3 ns of 15 us" in verdict(read).text
    assert table(read, "Parts of the headroom")[1][:2] == ["Strategy algorithms", "40 %"]


def test_a_budget_that_is_exceeded_is_the_verdict() -> None:
    slow = replace(runs.TIMES, p50_ns=20_000.0)
    read = shown(runs.run(kernel("tick_to_trade", latency=slow)), find())
    assert headings(read)[0] == "1 budget exceeded"
    assert "bad" in (verdict(read).attributes["class"] or "")


def test_a_component_that_failed_is_the_verdict() -> None:
    failed = Component("mine", "", "callable", "call", failure="ValueError: no")
    read = shown(runs.run(kernel("ring"), failed))
    assert headings(read)[0] == "1 of 2 components failed: mine"
    assert "It failed: ValueError: no" in read.text


# ---- where numbers are from ------------------------------------------------------------------------------------------


def test_coverage_is_shown_wherever_it_is_not_full() -> None:
    read = shown(runs.imported(0.5))
    tags = [one.text for one in read.of_class("tag")]
    assert tags.count("50.0 % counted") > 10
    assert "Events were counted in turns, the least of them for 50.0 % of the time" in verdict(read).text
    assert not [one for one in shown(runs.three_kernels()).of_class("tag") if "% counted" in one.text]


@pytest.mark.parametrize(("run", "mark"), [(runs.three_kernels(), "hardware"), (runs.imported(), "imported")])
def test_each_component_says_where_its_counts_are_from(run: Run, mark: str) -> None:
    read = shown(run)
    assert mark in [one.text for one in read.of_class("tag")]
    assert any(row[0] == mark for row in table(read, "What stands beside a number"))


def test_an_estimate_is_marked_as_one() -> None:
    cycles = replace(runs.reading()["cpu_cycles"], status=Status.ESTIMATED, reason="estimated from the sum")
    reading = runs.reading()
    made = replace(reading, counts={**reading.counts, "cpu_cycles": cycles}, source="model")
    read = shown(runs.run(kernel("ring", made)))
    assert {"model", "estimate"} <= {one.text for one in read.of_class("tag")}
    assert "cycles are an estimate, formed from counts" in read.text
    assert any(row[0] == "cpu_cycles estimate" for row in table(read, "Counts over 1,000,000 operations"))


def test_what_was_not_counted_has_no_number_but_a_reason() -> None:
    reading = runs.reading()
    lost = {"l2d_cache_refill": uncounted("l2d_cache_refill", Status.NOT_PERMITTED, "the kernel <forbids> it")}
    read = shown(runs.run(kernel("ring", replace(reading, counts={**reading.counts, **lost}))))
    assert not [row for row in table(read, "Counts over 1,000,000 operations") if row[0] == "l2d_cache_refill"]
    assert "not permitted: l2d_cache_refill: the kernel <forbids> it" in [one.text for one in read.of_class("note")]
    assert "L2 cache refills: " in read.text
    assert not [row for row in table(read, "Cache ladder") if row[0] == "L2" and row[3] != "-"]


def test_a_run_with_nothing_counted_says_why_and_has_no_advice() -> None:
    read = shown(runs.without_pmu())
    assert headings(read)[0] == "Not judged: too little was counted"
    assert runs.NO_PMU in read.text
    tags = {one.text for one in read.of_class("tag")}
    assert "kernel" in tags
    assert "hardware" not in tags
    assert ["task_clock", "201 ns", "201 ms", "counted by the kernel"] in table(
        read, "Counts over 1,000,000 operations"
    )
    assert "What to do" not in headings(read)
    assert "Cache ladder" not in [one.text for one in read.all("caption")]


def test_an_empty_run_is_a_page_too() -> None:
    read = shown(Run(()))
    assert read.all("h1")[0].text == "An empty run"
    assert headings(read)[0] == "Not judged: too little was counted"


def test_a_run_file_of_an_older_version_is_a_page_too() -> None:
    """One from before rounds, hashes of code and places were written."""
    data = json.loads(file.render(runs.three_kernels()))
    for component in data["components"]:
        for later in ("rounds", "spread", "where", "timed_code", "counted_code", "failure", "groups", "open_loop"):
            del component[later]
        del component["latency"]["min_ns"], component["reading"]["facts"]
    read = shown(file.parse(json.dumps(data)))
    assert headings(read)[0].startswith("parser can take ")
    assert "How steady it was" not in read.text


# ---- how much of it --------------------------------------------------------------------------------------------------


def test_of_many_components_the_first_are_drawn_and_the_rest_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "MOST", 3)
    monkeypatch.setattr(pages, "MOST_ROWS", 5)
    read = shown(runs.run(*(kernel(f"k{number}") for number in range(8))))
    assert len([one for one in read.of_class("group") if "id" in one.attributes]) == 3
    assert "and 5 more components, of which --format json tells" in read.text
    assert "and 3 more components, of which --format json tells" in read.text
    assert len([row for row in table(read, "Time of one operation") if row[0].startswith("k")]) == 5


def test_of_many_lines_the_first_are_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "x.c").write_text("\n".join(f"line {n};" for n in range(2000)))
    monkeypatch.chdir(tmp_path)
    lines = tuple(Share(Place("f", "x", "x.c", n), {"cpu_cycles": 1e6}) for n in range(1, 991))
    read = shown(runs.run(kernel("ring", where=Where((), lines))))
    listing = read.of_class("listing")[0]
    assert len(listing.all("tr")) == 401
    assert "line 7;" in listing.text
    assert "and 592 more lines" in read.text


# ---- harm ------------------------------------------------------------------------------------------------------------


def test_the_policy_lets_nothing_in_but_the_style_of_the_page() -> None:
    text = rendered(runs.three_kernels())
    read = markup.read(text)
    style = re.search(r"<style>(.*?)</style>", text, re.DOTALL)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    policy = next(one for one in read.all("meta") if one.attributes.get("http-equiv") == "Content-Security-Policy")
    rules = [rule.strip() for rule in (policy.attributes["content"] or "").split(";")]
    assert rules[:2] == ["default-src 'none'", f"style-src 'sha256-{digest}'"]
    assert not [rule for rule in rules if "unsafe" in rule or "*" in rule or rule.startswith("script-src")]
    assert "url(" not in style[1]
    assert "@import" not in style[1]


def test_source_from_outside_the_repository_is_not_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here" / ".git").mkdir(parents=True)
    secret = tmp_path / "secret.c"
    secret.write_text("a secret;\n")
    monkeypatch.chdir(tmp_path / "here")
    lines = (Share(Place("f", "x", str(secret), 1), {"cpu_cycles": 1e6}),)
    read = shown(runs.run(kernel("ring", where=Where((), lines))))
    assert "it is not in this repository" in read.text
    assert "a secret;" not in read.text


def hostile_run(name: str, folder: Path) -> Run:
    """The name wherever a file can put one."""
    (folder / "x.c").write_bytes(name.encode("utf-8", "surrogatepass") + b"\n")
    reading = runs.reading(**runs.TROUBLED)
    counts = {
        **{event: replace(count, label=name) for event, count in reading.counts.items()},
        name: uncounted(name, Status.UNSUPPORTED, name),
    }
    made = replace(reading, counts=counts, scope=name, access=name, notes=(name,))
    lines = tuple(Share(Place(name, name, file, 1), {"cpu_cycles": 1e9}) for file in ("x.c", name))
    component = kernel(
        name,
        made,
        title=name,
        operation=name,
        notes=(name,),
        checksum=name,
        where=Where((), lines),
        latency=replace(runs.TIMES, operation=name),
    )
    failed = Component(name, name, name, name, failure=name)
    run = runs.run(component, kernel("ring"), failed)
    return replace(run, host={"description": name}, created=name, armprof_version=name, notes=(name,))


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(name=markup.names)
def test_no_name_becomes_markup(name: str, tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir(exist_ok=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)
        text = rendered(hostile_run(name, tmp_path), find())
    markup.plain(text)


def test_a_name_of_markup_is_shown_as_it_is() -> None:
    read = shown(runs.run(kernel("<b>&amp;", title="")))
    assert read.all("h1")[0].text == "<b>&amp;"
    assert read.all("title")[0].text.startswith("<b>&amp; ")


# ---- who reads it ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def large() -> markup.Element:
    return shown(runs.three_kernels(), find())


def test_headings_never_leave_out_a_level(large: markup.Element) -> None:
    levels = [int(one.tag[1]) for one in large.all("h1", "h2", "h3", "h4", "h5")]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert [(a, b) for a, b in pairwise(levels) if b > a + 1] == []


def test_every_table_says_what_it_is_and_what_its_cells_are_of(large: markup.Element) -> None:
    for one in large.all("table"):
        assert one.all("caption")[0].text
        assert all(cell.attributes.get("scope") in ("col", "row") for cell in one.all("th"))
        widths = {len(row.all("th", "td")) for row in one.all("tr")}
        assert len(widths) == 1


def test_every_plot_says_what_it_shows_in_words(large: markup.Element) -> None:
    plots = large.of_class("plot")
    drawn = [one for one in plots if one.tag == "svg"]
    assert drawn
    for one in drawn:
        assert one.attributes["role"] == "img"
        assert one.all("title")[0].text
        assert re.search(r"\d|roof", one.all("desc")[0].text)
    others = [one for one in large.all("svg") if one not in drawn]
    assert all(one.attributes["aria-hidden"] == "true" for one in others)


def test_what_one_points_at_tells_its_number(large: markup.Element) -> None:
    assert any(re.fullmatch(r"p50 12\.3 ns", one.text) for one in large.all("title"))


def test_sections_are_in_the_contents(large: markup.Element) -> None:
    linked = [one.attributes["href"] for one in large.all("nav")[0].all("a")]
    sections = [one for one in large.all("main")[0].all("section") if "aria-labelledby" in one.attributes]
    assert linked == [f"#{id}" for one in sections if (id := one.attributes.get("id"))]
    assert large.of_class("skip")[0].attributes["href"] == "#content"


@pytest.mark.parametrize("marks", [[], ["x"]])
def test_a_block_without_a_template_is_an_error(marks: Sequence[object]) -> None:
    """No block is left out unseen."""
    if marks:
        with pytest.raises(Exception, match="no attribute 'str'"):
            page.fragment(marks)  # type: ignore[arg-type]
    else:
        assert markup.read(page.fragment(marks)).of_class("fragment")  # type: ignore[arg-type]
