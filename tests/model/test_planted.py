"""Regressions that were planted: each is caught on the model, blamed on the counter that it moves, and put on its line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from arm64_programs import Compile

from armprof.cli import main
from armprof.compare.runs import detect_regressions
from armprof.run import file

PROJECT = Path(__file__).parents[2]
SOURCE = Path(__file__).parent / "programs" / "planted.c"

# What was planted: the kernel that has it, the counter to blame, and what the sentence says of it.
PLANTED = {
    "DIVIDE": (0, "inst_retired", "instructions +"),
    "CROSSING": (1, "unaligned_ldst_spec", "L1D refills "),
    "CALLED": (2, "inst_retired", "instructions +"),
    "LARGE": (3, "l2d_cache_refill", "L2 refills "),
    "RANDOM": (4, "br_mis_pred_retired", "mispredicted branches "),
}


def line_of(mark: str) -> int:
    lines = SOURCE.read_text().splitlines()
    (found,) = (number for number, line in enumerate(lines, 1) if f"planted: {mark} " in line)
    return found


@pytest.mark.parametrize("mark", PLANTED)
def test_it_is_caught_blamed_and_put_on_its_line(
    arm64: Compile, mark: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    which, event, said = PLANTED[mark]
    runs = {"base": arm64("planted"), "head": arm64("planted", f"-D{mark}")}
    saved = {name: tmp_path / f"{name}.json" for name in runs}
    for name, program in runs.items():
        words = ["--source", "model", "--core", "neoverse-n1", "--save", str(saved[name]), "--output", "/dev/null"]
        assert main(["stat", *words, "--", str(program), str(which)]) == 0

    base, head = (file.read(path) for path in saved.values())
    counted = [run.components[0].reading.value(event) or 0 for run in (base, head)]
    assert counted[1] > counted[0]
    found = detect_regressions(base, head)
    assert found.regression_detected
    cause = found.regressions[0].cause
    assert cause is not None
    assert said in cause.sentence

    monkeypatch.chdir(PROJECT)
    capsys.readouterr()
    assert main(["compare", str(saved["base"]), str(saved["head"]), "--format", "sarif"]) == 1
    (run,) = json.loads(capsys.readouterr().out)["runs"]
    assert run["results"]
    for result in run["results"]:
        place = result["locations"][0]["physicalLocation"]
        assert place["artifactLocation"]["uri"] == "tests/model/programs/planted.c"
        assert place["region"]["startLine"] == line_of(mark)
        assert said in result["message"]["text"]
