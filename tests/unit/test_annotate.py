"""Annotated source: which lines are shown, what stands beside them, and that no text of theirs does any harm."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from report_runs import kernel
from rich.cells import cell_len
from test_samples import CLOCK

from armprof.cli import main
from armprof.counters.reading import Status
from armprof.errors import ArmprofError
from armprof.report import annotate
from armprof.report.source import LARGEST, Source, excerpt, source
from armprof.run.record import Place, Share, Where
from armprof.samples import Frame, Row, Samples, Thread, file
from armprof.samples.trace import Losses


@pytest.fixture(autouse=True)
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty one, in which everything happens."""
    root = tmp_path / "repository"
    (root / ".git").mkdir(parents=True)
    monkeypatch.chdir(root)
    return root


def sampled(path: str, *counts: tuple[str, int | None, int]) -> Samples:
    """So many samples of lines of functions: (function, line, samples)."""
    frames = tuple(Frame("/bin/x", n, name, path, line) for n, (name, line, _) in enumerate(counts))
    rows = tuple(Row(0, 0, n, samples, samples) for n, (_, _, samples) in enumerate(counts))
    stacks = tuple((n,) for n in range(len(frames)))
    return Samples((CLOCK,), frames, stacks, (Thread(1, 1, "x"),), rows, Losses(), 1, 1, "./x")


def shown(samples: Samples, wanted: str | None = None, format: str = "text") -> str:
    return annotate.rendered([annotate.of_samples(samples)], wanted, format, None)


def test_a_line_that_no_source_has_is_told_without_a_text() -> None:
    told = {-7: ("30 %",), 2: ("50 %",), 99: ("20 %",)}
    rows = {
        row.number: row.content
        for row in excerpt(Source(("one", "two")), told, ())
        if row.cells == told.get(row.number)
    }
    assert rows == {-7: "", 2: "two", 99: ""}


def test_lines_stand_beside_their_shares_and_the_hottest_are_marked(repository: Path) -> None:
    (repository / "x.c").write_text("".join(f"line {n}\n" for n in range(1, 31)))
    rows = shown(sampled("x.c", ("add", 10, 70), ("add", 20, 20), ("sub", 28, 10))).splitlines()
    assert rows[2] == "add: 90.0 % of cpu_clock"
    assert rows[3] == "x.c"
    assert rows[5:11] == [
        "      8             line 8",
        "      9             line 9",
        ">    10     70.0 %  line 10",
        "     11             line 11",
        "     12             line 12",
        "   ...",
    ]
    assert "     20     20.0 %  line 20" in rows
    assert ">    28     10.0 %  line 28" in rows  # of sub it is the hottest


def test_a_function_is_found_without_the_suffix_that_the_compiler_gave_it() -> None:
    samples = sampled("x.c", ("work.constprop.0", 3, 9), ("other", 3, 1))
    assert "other" not in shown(samples, "work")
    with pytest.raises(ArmprofError, match=r"'wor'; there is: work.constprop.0, other"):
        shown(samples, "wor")


def test_where_the_source_is_not_at_hand_the_shares_stand_alone(repository: Path) -> None:
    told = shown(sampled("gone/x.c", ("add", 10, 1)))
    assert "gone/x.c: no source text: there is no such file here, or there are several" in told
    assert ">    10    100.0 %\n" in told
    assert "no line is known of it" in shown(sampled("x.c", ("add", None, 1)))


def test_a_run_of_the_model_shows_what_the_function_has_most_of(repository: Path) -> None:
    (repository / "x.c").write_text("first\nsecond\n")
    reading = kernel().reading
    assert reading is not None
    cycles, refills = (float(reading.value(event) or 0) for event in ("cpu_cycles", "l1d_cache_refill"))
    lines = (Share(Place("add", "/bin/x", "x.c", 2), {"cpu_cycles": cycles / 2, "l1d_cache_refill": refills / 4}),)
    cycles_of_model = replace(reading["cpu_cycles"], status=Status.ESTIMATED)
    modelled = kernel(
        made=replace(reading, counts={**reading.counts, "cpu_cycles": cycles_of_model}), where=Where((), lines)
    )
    rows = annotate.rendered([annotate.of_component(modelled)], "add", "text", None).splitlines()
    assert rows[2] == "add: 50.0 % of cycles (est.), 25.0 % of L1D"
    assert rows[4].split() == ["cycles", "(est.)", "L1D"]
    assert rows[6] == ">     2         50.0 %  25.0 %  second"
    with pytest.raises(ArmprofError, match="its counts are of no line"):
        annotate.of_component(kernel())


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    content=st.text(st.characters(codec="utf-8"), max_size=400)
    | st.sampled_from(["\x1b[31m\u202e", "`" * 50, "x" * 9999])
)
def test_no_source_text_does_harm(repository: Path, content: str) -> None:
    (repository / "x.c").write_text(content, encoding="utf-8")
    source.__globals__["_read"].cache_clear()
    samples = sampled("x.c", ("add", 1, 1))
    told = shown(samples)
    assert all(c.isprintable() or c == "\n" for c in told)
    assert all(cell_len(row) <= 80 for row in told.splitlines())  # an accent takes no cell of its own
    markdown = shown(samples, format="markdown").rstrip("\n").splitlines()
    opened = next(row for row in markdown if row.endswith("text") and row.startswith("```"))
    closing = opened.removesuffix("text")
    inside = markdown[markdown.index(opened) + 1 : -1]
    assert markdown[-1] == closing
    assert not any(closing in row for row in inside)


def test_files_that_are_none_are_not_waited_for(repository: Path, tmp_path: Path) -> None:
    os.mkfifo(repository / "pipe.c")
    (repository / "binary.c").write_bytes(b"\0\1")
    with open(repository / "huge.c", "wb") as huge:
        huge.truncate(LARGEST + 1)
    assert source(str(repository / "pipe.c")).reason == "it is no file"
    assert source(str(repository / "binary.c")).reason == "it is no text"
    assert source("huge.c").reason == "it is larger than 8 MiB"
    assert source("/no\0where").reason
    assert source("/dev/zero").reason


def test_what_others_read_shows_no_file_from_outside_the_repository(repository: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret.h"
    secret.write_text("the key\n")
    (repository / "link.c").symlink_to(secret)
    for name in (str(secret), "../secret.h", "link.c", str(repository / "link.c")):
        assert "the key" not in shown(sampled(name, ("add", 1, 1)), format="markdown")
    assert "the key" in shown(sampled(str(secret), ("add", 1, 1)))


def test_the_command_takes_a_file_and_text_or_markdown(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (repository / "x.c").write_text("only\n")
    file.write(sampled("x.c", ("add", 1, 1)), Path("s.json"))
    assert main(["report", "s.json", "--annotate"]) == 0
    assert ">     1    100.0 %  only" in capsys.readouterr().out
    assert main(["report", "s.json", "--annotate", "add", "--format", "json"]) == 2
    assert "--annotate is text or markdown" in capsys.readouterr().err
    assert main(["report", "--annotate", "add"]) == 2
    assert "armprof report FILE --annotate" in capsys.readouterr().err
