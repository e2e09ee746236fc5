"""Samples beside counts: advice stands on their lines. And of samples of all that ran, those of one process."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import report_runs
from test_samples import COPY, MAIN, PARSE, Story, samples

from armprof.analysis import analyze
from armprof.cli import main
from armprof.counters.reading import Count, Status
from armprof.errors import ArmprofError
from armprof.run import file as run_file
from armprof.run.record import Component, Run
from armprof.samples import Row, Samples, file, joined
from armprof.samples.attribute import attribute
from armprof.samples.profile import NO_PLACE
from armprof.samples.trace import BECAME, ENDED, EXACT, FORKED, NOWHERE, Sampled
from armprof.samples.wide import DEAD, Ours

FRAMES = (MAIN, PARSE, COPY, replace(MAIN, module=NO_PLACE, function=None, file=None, line=None))


def sampled(name: str, value: float, read_at: str | None = None) -> Sampled:
    return Sampled(name, Count(name, value, value, 10**9, 10**9, Status.COUNTED), "", "", read_at)


CYCLES, REFILLS = sampled("cpu_cycles", 1000.0), sampled("l1d_cache_refill", 200.0, "cpu_cycles")


def two_events(*rows: Row) -> Samples:
    """Cycles in main and in parse, refills in parse: lines 3 and 9 of x.c."""
    rows = rows or (Row(0, 0, 3, 60, 600), Row(0, 0, 0, 40, 400), Row(1, 0, 0, 40, 180), Row(1, 0, 3, 60, 20))
    return replace(samples(*rows, events=(CYCLES, REFILLS)), frames=FRAMES, stacks=((1, 0), (2, 1, 0), (3,), (0,)))


def troubled(name: str = "x") -> Component:
    """Most of its time goes to L1D misses."""
    reading = report_runs.reading(**report_runs.TROUBLED)
    return Component(name, "", "command", "the command", reading=reading)


def test_each_event_has_places_of_its_own() -> None:
    where = joined.where(two_events())
    lines = {(share.place.file, share.place.line): share.counts for share in where.lines}
    assert lines == {
        ("/src/x.c", 3): {"cpu_cycles": 600, "l1d_cache_refill": 20},
        ("/src/x.c", 9): {"cpu_cycles": 400, "l1d_cache_refill": 180},
    }
    assert [share.place.function for share in where.functions] == ["main", "parse"]
    assert where.totals == {"cpu_cycles": 1000, "l1d_cache_refill": 200}


def test_what_has_no_place_is_a_part_of_all_the_same() -> None:
    where = joined.where(two_events(Row(1, 0, 0, 1, 60), Row(1, 0, 2, 1, 40)))
    assert where.totals == {"l1d_cache_refill": 100}
    assert [share.counts for share in where.lines] == [{"l1d_cache_refill": 60}]
    assert two_events(Row(1, 0, 0, 1, 60), Row(1, 0, 2, 1, 40)).placed("l1d_cache_refill") == 0.3


def test_advice_on_misses_stands_where_the_misses_were_and_not_where_the_cycles_were() -> None:
    run = joined.placed(Run((troubled(),)), two_events(), "s.json")
    advice = next(r for r in analyze(run.components[0]).recommendations if r.rule == "cache-misses")
    assert advice.location == {"file": "/src/x.c", "line": 9, "function": "parse", "share": 0.9}
    assert "90.0 % of l1d_cache_refill are by samples alone at x.c:9 (parse)" in advice.evidence


def test_without_samples_of_the_misses_it_stands_where_the_cycles_were_and_says_so() -> None:
    run = joined.placed(Run((troubled(),)), two_events(Row(0, 0, 3, 60, 600), Row(0, 0, 0, 40, 400)), "s.json")
    advice = next(r for r in analyze(run.components[0]).recommendations if r.rule == "cache-misses")
    assert advice.location is not None
    assert advice.location["line"] == 3
    assert (
        "60.0 % of cpu_cycles are by samples alone at x.c:3 (main); l1d_cache_refill was not sampled" in advice.evidence
    )


def test_places_that_the_core_itself_told_are_exact() -> None:
    exact = replace(two_events(), events=tuple(replace(event, skid=EXACT) for event in two_events().events))
    run = joined.placed(Run((troubled(),)), exact, "s.json")
    advice = next(r for r in analyze(run.components[0]).recommendations if r.rule == "cache-misses")
    assert "90.0 % of l1d_cache_refill are by samples at x.c:9 (parse)" in advice.evidence


def test_the_component_is_the_only_one_or_the_one_of_the_command() -> None:
    both = Run((troubled("a"), troubled("x")))
    assert [c.where is not None for c in joined.placed(both, two_events(), "s").components] == [False, True]
    (only,) = joined.placed(Run((troubled("work"),)), two_events(), "s").components
    assert only.where is not None
    assert any("places are from samples of x" in note for note in only.notes)
    with pytest.raises(ArmprofError, match="s is of x, and the run of several components, none of that name: a, b"):
        joined.placed(Run((troubled("a"), troubled("b"))), two_events(), "s")
    with pytest.raises(ArmprofError, match="s holds no samples"):
        joined.placed(Run((troubled(),)), samples(), "s")


def test_what_was_read_together_was_counted_at_the_same_moments() -> None:
    reading = joined.component(two_events()).reading
    assert reading is not None
    assert {count.group for count in reading.counts.values()} == {0}


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, str]:
    """A run and samples of it."""
    run, of_it = tmp_path / "run.json", tmp_path / "samples.json"
    run_file.write(Run((troubled(),)), run)
    file.write(two_events(), of_it)
    return str(run), str(of_it)


def test_a_run_and_samples_are_reported_together(files: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    run, of_it = files
    assert main(["report", run, "--samples", of_it, "--format", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    (advice,) = (r for r in document["recommendations"] if r["rule"] == "cache-misses")
    assert advice["location"] == {"file": "/src/x.c", "line": 9, "function": "parse", "share": 0.9}
    assert main(["report", run, "--samples", of_it, "--annotate"]) == 0
    assert "parse: 40.0 % of cycles, 90.0 % of L1D" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--samples", "SAMPLES"), "--samples is of a program that was counted"),
        (("SAMPLES", "--samples", "SAMPLES"), "holds samples, too"),
        (("RUN", "--samples", "RUN"), "holds no samples of `armprof record`"),
        (("RUN", "--samples", "/nowhere"), "/nowhere"),
    ],
)
def test_wrong_words_give_one_line(
    words: tuple[str, ...], told: str, files: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    given = {"RUN": files[0], "SAMPLES": files[1]}
    assert main(["report", *(given.get(word, word) for word in words)]) == 2
    shown = capsys.readouterr().err
    assert told in shown
    assert shown.count("\n") == 1


def test_counts_that_came_with_samples_are_judged_below_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    source = tmp_path / "x.c"
    source.write_text("\n" * 8 + "total += *p;\n")
    frames = tuple(replace(frame, file=frame.file and str(source)) for frame in FRAMES)
    events = tuple(replace(CYCLES, name=name, count=count) for name, count in troubled().reading.counts.items())
    path = tmp_path / "samples.json"
    rows = (Row(0, 0, 3, 60, 600), Row(3, 0, 0, 40, 180))
    assert events[3].name == "l1d_cache_refill"
    file.write(replace(two_events(*rows), events=events, frames=frames, core="neoverse-n1"), path)
    assert main(["report", str(path)]) == 0
    shown = capsys.readouterr().out
    assert shown.index("with callees") < shown.index("Recommendations") < shown.index("line 9: total += *p;")
    assert main(["report", str(path), "--format", "sarif"]) == 0
    results = json.loads(capsys.readouterr().out)["runs"][0]["results"]
    (missing,) = (result for result in results if result["ruleId"] == "cache-misses")
    place = missing["locations"][0]["physicalLocation"]
    assert (place["artifactLocation"]["uri"], place["region"]["startLine"]) == ("x.c", 9)
    assert main(["report", str(path), "--format", "markdown"]) == 0
    assert "total += *p;" in capsys.readouterr().out


# ---- Of all that ran ----


def test_of_all_that_ran_the_process_and_what_it_starts_is_kept_from_its_exec_on() -> None:
    story = Story()
    story.hit(1, 0x10)
    story.hit(7, 0x10)  # ours, before it was the command
    story.move(BECAME, 7, "command")
    story.hit(7, 0x20)
    story.move(FORKED, 8, parent=7)
    story.move(FORKED, 9, parent=8)
    story.move(FORKED, 3, parent=1)
    for pid in (8, 9, 3, 1):
        story.hit(pid, 0x30)
    story.hit(7, 0x40, tid=77)
    trace = story.trace()
    hits, moves = Ours(7, 77, of_command=True).of(trace.hits, trace.moves)
    assert sorted(zip(hits["pid"].tolist(), hits["tid"].tolist(), strict=True)) == [(7, 7), (8, 8), (9, 9)]
    assert set(moves["pid"].tolist()) == {7, 8, 9}
    hits, _ = Ours(7, None, of_command=False).of(trace.hits, trace.moves)
    assert np.count_nonzero(hits["pid"] == 7) == 3


def test_what_a_thread_did_after_its_last_sample_is_its_own_though_it_has_ended() -> None:
    story = Story()
    story.move(ENDED, 7, parent=7, tid=77)
    story.hit(DEAD, NOWHERE, tid=DEAD, period=5)
    story.hit(7, NOWHERE, tid=DEAD, period=3)  # of a process that goes on
    story.move(ENDED, 3, parent=1)
    story.hit(DEAD, NOWHERE, tid=DEAD)
    trace = story.trace()
    hits, _ = Ours(7, None, of_command=False).of(trace.hits, trace.moves)
    assert sorted(hits[["pid", "tid", "period"]].tolist()) == [(7, 77, 3), (7, 77, 5)]


def test_an_address_that_is_none_has_no_place() -> None:
    story = Story()
    story.hit(7, NOWHERE, period=5)
    story.hit(7, 0x10, period=3)
    found = attribute(story.trace())
    assert found.functions()[NO_PLACE].own == pytest.approx(5 / 8)
    assert NO_PLACE in found.lines()
