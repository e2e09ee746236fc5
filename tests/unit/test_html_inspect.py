"""The page of `armprof inspect`: what costs most first, or a possibility; places, hot loops, structures in cache lines."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import markup
import pytest
from hypothesis import HealthCheck, given, settings
from markup import headings, table, verdict

from armprof.analysis.findings import NOT_COUNTED, Weighed, Weighing
from armprof.analysis.heat import Heat
from armprof.analysis.result import Improvement
from armprof.binary.binary import Line
from armprof.binary.checks import Finding, Inspection, Spot, TargetCore, rules
from armprof.binary.layout import Member, Structure
from armprof.report.html import inspect, page
from armprof.report.html.layout import layout

FACTS: dict[str, Any] = {
    "compilers": ["GCC 12.2.0"], "debug": "x", "build_id": None, "text_bytes": 4096, "functions": 3, "instructions": 900,
    "innermost_loops": 2, "functions_passed_over": 0, "neon_loops": 1, "sve_loops": 0, "lse_instructions": 0,
    "exclusive_loads": 0, "calls": 5, "calls_by_plt": 2, "protections": [], "complete": True, "lacking": None,
}  # fmt: skip
N1 = TargetCore("neoverse-n1", "Neoverse N1", "neoverse-n1", frozenset(), 64, 65536)
HOLED = Structure(
    "holed", 24, 8, Line("x.c", 3), (Member("a", 0, 1, 1), Member("b", 8, 8, 8), Member("c", 16, 1, 1)), True
)
ACROSS = Structure("across", 128, 64, None, (Member("head", 0, 56, 8), Member("wide", 56, 16, 8)), True)
GAIN = Improvement(0.0, 25.0, 30.0, "latency", "measured changes of its kind")


def finding(rule: str, *spots: Spot) -> Finding:
    found = rules()[rule]
    return Finding(found, found.says.replace("{count}", str(len(spots))), found.advice, len(spots), spots)


DIVIDE = finding("invariant-divide", *(Spot("divided", 0x40, Line("x.c", line), "udiv x0, x1, x2") for line in (5, 9)))
HOLES = finding(
    "structure-holes", Spot(None, None, Line("x.c", 3), "holed: 24 bytes, 16 without its holes", structure=HOLED)
)


def weighing(*found: Weighed, heat: Heat | None = None, loops: tuple[tuple[Spot, float], ...] = ()) -> Weighing:
    subject: Any = None  # nothing is asked of the binary
    inspection = Inspection(Path("/bin/server"), N1, [one.finding for one in found], FACTS, subject)
    return Weighing(inspection, found, heat, loops)


def uncounted(*found: Finding) -> Weighing:
    return weighing(*(Weighed(one, NOT_COUNTED) for one in found))


def counted() -> Weighing:
    heat = Heat("cpu_cycles", "1,000 samples of cpu_cycles", 0.003, {("divided", "x.c", 5): 0.3}, whole=0.9)
    loop = Spot("divided", 0x30, Line("x.c", 4), "7 instructions", (Line("x.c", 4), Line("x.c", 5)))
    weighed = Weighed(DIVIDE, "30.0 % of 1,000 samples of cpu_cycles", 0.3, GAIN, (0.3, 0.0))
    return weighing(weighed, Weighed(HOLES, "its place is a declaration"), heat=heat, loops=((loop, 0.3),))


def shown(what: Weighing) -> markup.Element:
    return markup.plain("".join(page.render(inspect.page(what))))


def test_without_counts_each_finding_is_a_possibility() -> None:
    read = shown(uncounted(DIVIDE, HOLES))
    assert headings(read)[0] == "2 findings, each a possibility"
    assert "open" in (verdict(read).attributes["class"] or "")
    first = read.of_class("card")[0]
    assert [one.text for one in first.of_class("tag")] == ["effort low", "possibility"]
    assert first.all("summary")[0].text == "Evidence: divided (x.c:5): udiv x0, x1, x2; and 1 more place"
    assert [row[0] for row in table(first, "Places")[1:]] == [
        "divided (x.c:5): udiv x0, x1, x2",
        "divided (x.c:9): udiv x0, x1, x2",
    ]
    assert "Hot loops" not in headings(read)


def test_with_counts_what_costs_most_is_the_verdict_and_its_gain_is_drawn() -> None:
    read = shown(counted())
    assert headings(read)[0].startswith("Divisions by what does not change in the loop: 30.0 % of 1,000 samples")
    assert "2 findings, what costs most first" in verdict(read).text
    first = read.of_class("card")[0]
    assert [one.text for one in first.of_class("tag")] == ["effort low", "30.0 %"]
    assert first.all("figcaption")[0].text == "0 to 25 % less time; at most 30.0 %"
    assert table(first, "Places")[1:] == [
        ["divided (x.c:5): udiv x0, x1, x2", "30.0 %", "divided (x.c:5): udiv x0, x1, x2"]
    ]
    assert "1 place not hot" in first.text


def test_hot_loops_have_their_share_and_their_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "x.c").write_text("\n".join(f"line {number};" for number in range(1, 20)))
    monkeypatch.chdir(tmp_path)
    read = shown(counted())
    loops = read.with_id("loops")
    assert table(loops, "Innermost loops, the hottest first")[1][:2] == ["divided (x.c:4): 7 instructions", "30.0 %"]
    lines = [[cell.text for cell in row.all("th", "td")] for row in loops.of_class("listing")[0].all("tr")]
    assert ["5", "30.0 %", "line 5; (among the hottest lines)"] in lines


def test_a_file_in_which_no_loop_is_hot_says_so() -> None:
    read = shown(replace(counted(), loops=()))
    assert "no innermost loop is hot, or no line of one is known" in read.with_id("loops").text


def test_nothing_found_is_good() -> None:
    read = shown(uncounted())
    assert headings(read) == ["Nothing found", "The file"]
    assert "good" in (verdict(read).attributes["class"] or "")


def test_a_structure_is_drawn_with_its_holes() -> None:
    read = shown(uncounted(HOLES))
    drawn = read.of_class("wide")[0]
    assert drawn.all("figcaption")[0].text.startswith("holed: 24 bytes, 14 of them in holes; in lines of 64 bytes")
    tips = [one.text for one in drawn.all("title")]
    assert "b: 8 bytes at offset 8" in tips
    assert "a hole of 7 bytes at offset 1" in tips
    assert "a hole of 7 bytes at offset 17" in tips


def test_a_field_across_the_end_of_a_line_is_on_both() -> None:
    marks = [mark for mark in layout(ACROSS, 64).plot.marks if getattr(mark, "look", "") == "across"]
    assert len({mark.y for mark in marks}) == 2
    assert {mark.tip for mark in marks} == {"wide: 16 bytes at offset 56, across the end of a line"}
    first, second = marks
    assert first.x + first.width == pytest.approx(100, abs=0.01)
    assert first.width == second.width


def test_a_packed_variable_is_drawn_where_it_begins() -> None:
    """The number is within a line of its structure, and across two where the variable lies."""
    packed = Structure("packed", 12, 1, None, (Member("a", 0, 4, 1), Member("b", 4, 8, 8)), True)
    drawn = layout(packed, 64, 56)
    assert "56 bytes into one" in drawn.caption
    assert [mark.look for mark in drawn.plot.marks if hasattr(mark, "tip")] == ["field", "across", "across"]


def test_of_a_huge_structure_the_first_lines_are_drawn() -> None:
    figure = layout(replace(ACROSS, size=1 << 20), 64)
    assert figure.plot.height == 16 * 28
    assert figure.notes == ("and 16,368 more lines",)


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(name=markup.names)
def test_no_name_becomes_markup(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    structure = Structure(name, 24, 8, None, (Member(name, 0, 8, 8),), True)
    spot = Spot(name, 1, Line(name, 1), name, (Line(name, 1),), structure)
    found = Weighed(finding("invariant-divide", spot), name, 0.5, replace(GAIN, basis=name), (0.5,))
    heat = Heat("cpu_cycles", name, 0.1, {(name, name, 1): 0.5})
    made = weighing(found, heat=heat, loops=((spot, 0.5),))
    told = {**FACTS, "compilers": [name], "lacking": name, "protections": [name]}
    shown(replace(made, inspection=replace(made.inspection, path=Path(name.replace("\0", "")), facts=told)))
