"""The gate on the model: the same program is never called changed, and one load more is found and named with its line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from arm64_programs import Compile

from armprof.cli import main
from armprof.compare.cause import CodeChange
from armprof.compare.runs import detect_regressions
from armprof.compare.verdict import Verdict
from armprof.components import bench
from armprof.counters.machine import machine
from armprof.run import file

SOURCE = (Path(__file__).parent / "programs" / "added.c").read_text()
ADDED = 1 + SOURCE[: SOURCE.index("the added load")].count("\n")


def saved(program: Path, out: Path) -> Path:
    assert main(["stat", "--source", "model", "--save", str(out), "--output", "/dev/null", "--", str(program)]) == 0
    return out


@pytest.fixture(scope="module")
def runs(arm64: Compile, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path]:
    folder = tmp_path_factory.mktemp("runs")
    old, new = arm64("added"), arm64("added", "-DMORE")
    return saved(old, folder / "base.json"), saved(old, folder / "again.json"), saved(new, folder / "head.json")


def test_one_load_more_is_found_and_named_with_its_line(runs: tuple[Path, Path, Path], capsys) -> None:
    base, _, head = runs
    assert main(["compare", str(base), str(head)]) == 1
    told = " ".join(capsys.readouterr().out.split())
    assert f"most of it in work (added.c:{ADDED})" in told
    assert "explained by instructions +" in told
    found = detect_regressions(file.read(base), file.read(head))
    assert {one.metric for one in found.regressions} == {"cycles_per_operation", "instructions_per_operation"}
    assert {one.cause.code for one in found.regressions} == {CodeChange.CHANGED}


def test_the_same_program_counts_the_same(runs: tuple[Path, Path, Path]) -> None:
    found = detect_regressions(*(file.read(path) for path in runs[:2]))
    assert {(change.verdict, change.change) for change in found.changes} == {(Verdict.UNCHANGED, 0.0)}


def test_what_the_run_file_tells_of_lines_is_bounded(runs: tuple[Path, Path, Path]) -> None:
    (component,) = file.read(runs[0]).components
    assert component.where is not None
    assert 10 < len(component.where.lines) <= 100
    assert {"mix", "work"} <= {share.place.function for share in component.where.lines[:6]}
    assert runs[0].stat().st_size < 100_000


def test_a_program_that_failed_is_a_failure(
    arm64: Compile, runs: tuple[Path, Path, Path], tmp_path: Path, capsys
) -> None:
    failed = tmp_path / "failed.json"
    program = str(arm64("ends"))
    assert (
        main(["stat", "--source", "model", "--save", str(failed), "--output", "/dev/null", "--", program, "exit"]) != 0
    )
    capsys.readouterr()
    assert main(["compare", str(runs[0]), str(failed)]) == 2
    assert "its own code failed: the command ended with exit status" in capsys.readouterr().err


def test_kernels_that_are_counted_on_the_model_are_gated_by_their_counts(arm64: Compile) -> None:
    arm64("ends")  # skips where nothing can be compiled
    if machine().missing() is None:
        pytest.skip("a PMU counts here: the model is not needed")
    one, other = (bench(["risk", "object_pool"], seconds=0.02) for _ in range(2))
    counts = [change for change in detect_regressions(one, other).changes if change.noise == 0]
    assert len(counts) == 4
    assert {change.change for change in counts} == {0.0}
    for component in one.components:
        assert component.timed_code
        assert component.counted_code
        assert component.where.lines[0].place.line
        json.dumps(component.where.lines[0].counts, allow_nan=False)
