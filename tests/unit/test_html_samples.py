"""The page of samples: what was sampled and lost at the top, functions, lines, the flame graph, the source with its shares."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import markup
import pytest
from hypothesis import HealthCheck, given, settings
from markup import headings, table, verdict
from test_hostile_names import hostile_samples
from test_samples import CLOCK

from armprof.cli import main
from armprof.commands import sampled
from armprof.counters.reading import Count, Status
from armprof.report.document import document
from armprof.report.html import flame, page, samples
from armprof.samples import Frame, Row, Samples, Thread, file
from armprof.samples.trace import Losses, Sampled

MAIN, PARSE, COPY = (Frame("/bin/x", n, name, "x.c", 2 + n) for n, name in enumerate(("main", "parse", "copy")))
MISSES = Sampled(
    "l1d_cache_refill", Count("l1d_cache_refill", 2e4, 2e4, 100, 100, Status.COUNTED), "", "", read_at="cpu_clock"
)


def profile(*stacks: tuple[int, tuple[Frame, ...]], lost: int = 0) -> Samples:
    """So many samples of each stack, the place of the sample first."""
    frames = (MAIN, PARSE, COPY)
    return Samples(
        events=(CLOCK,),
        frames=frames,
        stacks=tuple(tuple(map(frames.index, stack)) for _, stack in stacks),
        threads=(Thread(1, 1, "x"),),
        rows=tuple(Row(0, 0, number, count, count) for number, (count, _) in enumerate(stacks)),
        losses=Losses(lost=lost),
        duration_ns=5_000_000,
        reading_ns=1_000,
        command="./x",
    )


THREE = ((60, (COPY, PARSE, MAIN)), (30, (PARSE, MAIN)), (10, (MAIN,)))


def rendered(found: Samples) -> str:
    return "".join(page.render(samples.page(found, document(sampled.run_of(found)))))


def shown(found: Samples) -> markup.Element:
    return markup.plain(rendered(found))


def test_the_hottest_function_is_the_verdict_and_what_was_sampled_stands_below() -> None:
    read = shown(profile(*THREE))
    assert headings(read)[0] == "The hottest function: copy has 60.0 % of cpu_clock"
    assert "took 5.00 ms" in read.of_class("facts")[0].text
    assert "cpu_clock: 100 samples, 997 times a second; counted 5.00 ms" in verdict(read).text


def test_lost_samples_are_told_at_the_top() -> None:
    read = shown(profile(*THREE, lost=25))
    assert "25 samples were lost (20.0 %): the rings were full; sample less often" in verdict(read).text
    assert "warn" in (verdict(read).attributes["class"] or "")


def test_functions_and_lines_have_their_shares() -> None:
    read = shown(profile(*THREE))
    functions = table(read, "Functions by cpu_clock")
    assert [[row[0], row[1], row[3], row[4]] for row in functions[1:]] == [
        ["copy", "60.0 %", "60.0 %", "60"],
        ["parse", "30.0 %", "90.0 %", "30"],
        ["main", "10.0 %", "100.0 %", "10"],
    ]
    assert [[row[0], row[1]] for row in table(read, "Lines by cpu_clock")[1:]] == [
        ["x.c:4", "60.0 %"],
        ["x.c:3", "30.0 %"],
        ["x.c:2", "10.0 %"],
    ]


def test_the_flame_graph_has_a_box_for_each_call_that_tells_its_share() -> None:
    drawn = flame.graph(profile(*THREE), "cpu_clock").plot
    boxes = {mark.tip: (mark.x, mark.y, mark.width) for mark in drawn.marks}
    assert boxes == {
        "all: 100.00 %": (0, 3 * flame.ROW, 100),
        "main: 100.00 %": (0, 2 * flame.ROW, 100),
        "parse: 90.00 %": (0, flame.ROW, 90),
        "copy: 60.00 %": (0, 0, 60),
    }
    assert "copy 60.0 %, parse 90.0 %, main 100.0 %" in drawn.says


def test_what_is_too_narrow_has_no_box_or_no_name() -> None:
    drawn = flame.graph(profile((9980, (MAIN,)), (15, (PARSE,)), (5, (COPY,))), "cpu_clock").plot
    assert [mark.text for mark in drawn.marks] == ["all", "main", ""]


def test_what_is_too_deep_is_told_of() -> None:
    deep = flame.graph(profile((1, (COPY, *[PARSE] * 100, MAIN))), "cpu_clock")
    assert deep.plot.height == (1 + flame.DEEPEST) * flame.ROW
    assert "calls more than 60 deep, which --format flamegraph has" in deep.notes[0]


def test_the_source_has_the_share_of_each_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "x.c").write_text("\n".join(f"line {number};" for number in range(1, 20)))
    monkeypatch.chdir(tmp_path)
    read = shown(profile(*THREE))
    first = read.of_class("listing")[0]
    assert ["4", "60.0 %", "line 4; (among the hottest lines)"] in [
        [cell.text for cell in row.all("th", "td")] for row in first.all("tr")
    ]
    folds = [(one.all("summary")[0].text, "open" in one.attributes) for one in read.with_id("source").all("details")]
    assert folds == [("copy", True), ("parse", False), ("main", False)]


def test_without_lines_there_is_no_source_and_it_says_why() -> None:
    one = profile(*THREE)
    frames = tuple(replace(frame, file=None, line=None) for frame in one.frames)
    read = shown(replace(one, frames=frames))
    assert "No line is known of the hottest functions: compile with -g." in read.with_id("source").text
    assert not read.with_id("source").all("details")


def test_several_events_each_have_their_tables() -> None:
    one = profile(*THREE)
    both = replace(one, events=(CLOCK, MISSES), rows=(*one.rows, Row(1, 0, 2, 10, 20_000)))
    read = shown(both)
    assert [row[0] for row in table(read, "Functions by l1d_cache_refill")[1:]] == ["main"]
    assert [one.text for one in read.with_id("functions").all("h3")] == ["cpu_clock", "l1d_cache_refill"]
    assert len(read.with_id("flames").of_class("plot")) == 2


def test_where_nothing_was_sampled_it_says_so() -> None:
    read = shown(profile())
    assert headings(read)[0] == "Nothing was sampled: it ran too briefly, or not in user mode"
    assert "Functions" not in headings(read)


def test_a_file_of_samples_becomes_this_page(tmp_path: Path) -> None:
    (tmp_path / "s.json").write_text(file.render(profile(*THREE)))
    assert main(["report", str(tmp_path / "s.json"), "--format", "html", "--output", str(tmp_path / "s.html")]) == 0
    assert headings(markup.plain((tmp_path / "s.html").read_text()))[0].startswith("The hottest function: copy")


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(name=markup.names)
def test_no_name_becomes_markup(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found = hostile_samples([name])
    named = replace(found, events=(replace(CLOCK, name=name, every=name, skid=name),), core=name, source=name)
    markup.plain(rendered(named))
