"""Counts at the findings of `armprof inspect`: each has the share at its places, and a gain by the estimator of the advice."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from pathlib import Path

import jsonschema
import pytest
from building import ARM64, build
from test_inspect import FLAGS, line_of

from armprof import cli
from armprof.analysis import findings, heat
from armprof.analysis.findings import Weighed, weigh
from armprof.analysis.rules import rules
from armprof.binary import checks
from armprof.binary.checks import inspect
from armprof.commands.inspect import target
from armprof.counters.reading import Status, uncounted
from armprof.cpu import features
from armprof.errors import ArmprofError
from armprof.run.record import Component
from armprof.samples import Frame, Row, Samples, Thread, file
from armprof.samples.trace import Sampled


@pytest.fixture(scope="module")
def program() -> Path:
    return build(ARM64, "planted.c", *FLAGS, "-mno-outline-atomics")


def frame(program: Path, function: str, text: str | None, inlined: bool = False) -> Frame:
    line = None if text is None else line_of(text)
    return Frame(str(program), 0, function, None if text is None else "/src/planted.c", line, inlined)


def sampled(*stacks: tuple[int, list[Frame]], event: str = "cpu_cycles") -> Samples:
    """So many samples of each stack, each of a thousand events."""
    frames = list(dict.fromkeys(frame for _, stack in stacks for frame in stack))
    return Samples(
        events=(Sampled(event, uncounted(event, Status.NOT_COUNTED, "not told"), "", ""),),
        frames=tuple(frames),
        stacks=tuple(tuple(frames.index(frame) for frame in stack) for _, stack in stacks),
        threads=(Thread(1, 1, "planted"),),
        rows=tuple(Row(0, 0, number, count, 1000 * count) for number, (count, _) in enumerate(stacks)),
        losses=None,
        duration_ns=None,
        reading_ns=None,
        command="planted",
    )


def weighed(program: Path, samples: Samples) -> dict[str, Weighed]:
    inspection = inspect(program, target("neoverse-n1"), features.of_flag)
    found = weigh(inspection, heat.of_samples(samples, program))
    assert {one.finding.rule.name for one in found.findings} == {f.rule.name for f in inspection.findings}
    return {one.finding.rule.name: one for one in found.findings}


DIVIDE, FLOATS = ("divided_by_the_same", "at[i] / by"), ("summed_one_by_one", "sum += at[i];")


def test_a_finding_has_the_share_of_its_lines_and_a_gain_from_it(program: Path) -> None:
    main = frame(program, "main", None)
    libc = Frame("/lib/libc.so.6", 0, "memcpy")
    found = weighed(
        program, sampled((300, [frame(program, *DIVIDE), main]), (100, [frame(program, *FLOATS)]), (600, [libc]))
    )
    divide, loop = found["invariant-divide"], found["scalar-float-loop"]
    assert (divide.share, loop.share) == (0.3, 0.1)
    assert divide.says == "30.0 % of 1,000 samples of cpu_cycles"
    # of cycles that may be lost to anything nothing at least comes true, at most what the rule of the same kind says
    most = {rule.name: max(way.realised[1] for way in rule.ways) for rule in rules()}
    assert (divide.gain.low, divide.gain.high, divide.gain.ceiling) == (0, 30 * most["divides"], 30)
    assert (loop.gain.low, loop.gain.high, loop.gain.ceiling) == pytest.approx((0, 10 * most["vectorize"], 10))


def test_where_no_sample_fell_it_is_not_hot_and_how_sure_that_is(program: Path) -> None:
    found = weighed(program, sampled((300, [frame(program, *DIVIDE)])))["scalar-float-loop"]
    assert (found.share, found.gain, set(found.shares)) == (0.0, None, {0.0})
    assert found.says == "not hot: none of 300 samples of cpu_cycles there, so it has at most 1 %"


def test_a_call_costs_its_line_and_what_is_called_but_the_linkage_table_only_its_line(program: Path) -> None:
    tiny = frame(program, "tiny_in_a_loop", "tiny(at[i])")
    library = frame(program, "library_in_a_loop", "strlen(at[i])")
    found = weighed(
        program,
        sampled(
            (10, [tiny]),
            (30, [frame(program, "tiny", None), tiny]),
            (20, [library]),
            (40, [Frame("/lib/libc.so.6", 0, "strlen"), library]),
        ),
    )
    assert found["tiny-call-in-loop"].share == 0.4
    assert found["plt-call-in-loop"].share == 0.2


def test_the_linkers_function_counts_whatever_was_inlined_into_it(program: Path) -> None:
    stack = [frame(program, "quotient", DIVIDE[1], inlined=True), frame(program, DIVIDE[0], "int main")]
    assert weighed(program, sampled((5, stack)))["invariant-divide"].share == 1.0


def test_where_counts_tell_of_functions_alone_it_is_the_function_at_most(program: Path) -> None:
    found = weighed(program, sampled((25, [frame(program, DIVIDE[0], None)]), (75, [frame(program, "main", None)])))
    assert found["invariant-divide"].share == 0.25
    assert found["scalar-float-loop"].share == 0.0
    assert found["generic-target"].share is None  # of files nothing is known
    assert "tell of no files" in found["generic-target"].says


def test_a_change_of_the_build_is_of_all_code_of_its_files(program: Path) -> None:
    found = weighed(program, sampled((60, [frame(program, *DIVIDE)]), (40, [Frame("/lib/libc.so.6", 0, "memcpy")])))
    assert found["generic-target"].share == 0.6


def test_what_no_cycles_are_counted_at_is_a_possibility_still(program: Path) -> None:
    holes = weighed(program, sampled((1, [frame(program, *DIVIDE)])))["structure-holes"]
    assert (holes.share, holes.gain) == (None, None)
    assert "its place is a declaration" in holes.says


def test_events_that_are_no_time_have_shares_and_no_gain(program: Path) -> None:
    found = weighed(program, sampled((8, [frame(program, *DIVIDE)]), event="l1d_cache_refill"))["invariant-divide"]
    assert (found.share, found.gain) == (1.0, None)
    assert "what time that costs is not known" in found.says


def test_what_costs_most_comes_first(program: Path) -> None:
    samples = sampled((90, [frame(program, *FLOATS)]), (10, [frame(program, *DIVIDE)]))
    assert next(iter(weighed(program, samples))) == "scalar-float-loop"


def test_hot_loops_are_the_innermost_ones_with_the_share_of_their_lines(program: Path) -> None:
    inspection = inspect(program, target("neoverse-n1"), features.of_flag)
    samples = sampled((300, [frame(program, *DIVIDE)]), (100, [frame(program, *FLOATS)]))
    (first, hottest), (second, other) = weigh(inspection, heat.of_samples(samples, program)).loops
    assert (first.function, hottest, second.function, other) == (DIVIDE[0], 0.75, FLOATS[0], 0.25)
    assert line_of("at[i] / by") in {line.line for line in first.around}
    assert re.fullmatch(r"\d+ instructions", first.detail)


def test_where_counts_tell_of_no_lines_no_loop_is_said_to_be_hot(program: Path) -> None:
    inspection = inspect(program, target("neoverse-n1"), features.of_flag)
    found = weigh(inspection, heat.of_samples(sampled((300, [frame(program, DIVIDE[0], None)])), program))
    assert found.loops == ()


def test_samples_of_another_program_are_refused(program: Path) -> None:
    with pytest.raises(ArmprofError, match=r"nothing of it was counted in program, but in other, libc.so.6"):
        heat.of_samples(sampled((1, [Frame("/bin/other", 0, "f"), Frame("/lib/libc.so.6", 0, "g")])), program)


def test_a_run_without_places_is_refused(program: Path) -> None:
    with pytest.raises(ArmprofError, match="its counts are of no line"):
        heat.of_components([Component("x", "", "command", "")], program)


def test_the_table_says_of_every_rule_what_is_at_stake() -> None:
    table = findings._table()
    assert table.keys() == checks.rules().keys()
    extents = {"line", "reached", "loop", "function", "file", "whole"}
    for row in table.values():
        assert ("why" in row) != ("extent" in row)
        assert row.get("extent", "line") in extents
        assert ("like" in row) + ("realised" in row) == ("extent" in row)
        assert "like" not in row or findings._rule(row["like"]) is not None


# ---- the verb -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def counted(program: Path, tmp_path: Path) -> list[str]:
    samples = sampled((300, [frame(program, *DIVIDE)]), (100, [frame(program, *FLOATS)]))
    (tmp_path / "samples.json").write_text(file.render(samples))
    return ["inspect", str(program), "--core", "neoverse-n1", "--counts", str(tmp_path / "samples.json")]


def test_text_and_markdown(counted: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    for format in ("text", "markdown"):
        assert cli.main([*counted, "--format", format]) == 0
        told = " ".join(capsys.readouterr().out.replace("\\", "").split())
        assert "75.0 % of 400 samples of cpu_cycles; gain 0-71.2 % latency, ceiling 75.0 %" in told
        assert "75.0 %: divided_by_the_same (planted.c:{}): udiv".format(line_of("at[i] / by")) in told
        assert "not hot: fenced_loop" in told
        assert "75.0 %: divided_by_the_same" in told.partition("Hot loops")[2]
        assert "a possibility, not a cost" not in told


def test_the_page_has_the_source_of_a_hot_loop(
    counted: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(Path(__file__).parents[2])
    assert cli.main([*counted, "--format", "html"]) == 0
    told = " ".join(capsys.readouterr().out.replace("&nbsp;", " ").split())
    assert "75.0 % of 400 samples of cpu_cycles; gain 0-71.2 % latency, ceiling 75.0 %" in told
    loops = told.partition('id="loops"')[2]
    assert "divided_by_the_same (planted.c:" in loops
    assert "sum += at[i] / by;" in loops
    assert "holed: 48 bytes" in told


def test_json_is_as_its_schema_says(counted: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([*counted, "--format", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    jsonschema.validate(document, json.loads(files("armprof.report").joinpath("inspect.schema.json").read_text()))
    assert document["counts"]["event"] == "cpu_cycles"
    divide = next(one for one in document["findings"] if one["rule"] == "invariant-divide")
    assert (divide["basis"], divide["share"], divide["places"][0]["share"]) == ("counts", 0.75, 0.75)
    assert divide["gain"]["ceiling"] == 75
    assert [(one["function"], one["share"]) for one in document["loops"]] == [(DIVIDE[0], 0.75), (FLOATS[0], 0.25)]


def test_sarif_has_each_place_on_its_line(
    counted: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(Path(__file__).parents[2])
    assert cli.main([*counted, "--format", "sarif"]) == 0
    (run,) = json.loads(capsys.readouterr().out)["runs"]
    (divide,) = [result for result in run["results"] if result["ruleId"] == "invariant-divide"]
    place = divide["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "tests/binary/programs/planted.c"
    assert place["region"]["startLine"] == line_of("at[i] / by")
    assert divide["rank"] == 75
    assert "75.0 %" in divide["message"]["text"]
    assert "gain 0-71.2 % latency" in divide["message"]["text"]


@pytest.mark.parametrize("format", ["github", "gitlab", "rdjson"])
def test_other_formats_of_code_review(format: str, counted: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([*counted, "--format", format]) == 0
    assert "invariant-divide" in capsys.readouterr().out.lower() or format == "github"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("hello", "holds neither samples nor a run"),
        ("{}", "holds neither samples nor a run"),
        ('{"format": "armprof-samples", "version": 1}', "counts.json: $"),
    ],
)
def test_counts_that_are_none(text: str, told: str, program: Path, tmp_path: Path, capsys) -> None:
    (tmp_path / "counts.json").write_text(text)
    assert cli.main(["inspect", str(program), "--counts", str(tmp_path / "counts.json")]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert told in line
    assert "counts.json" in line
