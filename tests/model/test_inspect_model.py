"""What the modelled core counted, on the findings of `armprof inspect`: the cost of each at its place."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from armprof import cli
from armprof.run import file

SOURCE = Path(__file__).parent / "programs" / "divided.c"


def line_of(mark: str) -> int:
    return next(number for number, line in enumerate(SOURCE.read_text().splitlines(), 1) if f"/* {mark} */" in line)


@pytest.fixture(scope="module")
def run(arm64, tmp_path_factory) -> tuple[Path, Path]:
    program, saved = arm64("divided"), tmp_path_factory.mktemp("run") / "run.json"
    assert (
        cli.main(["stat", "--source", "model", "--core", "neoverse-n1", "--save", str(saved), "--", str(program)]) == 0
    )
    return program, saved


def test_a_division_costs_what_the_model_counted_at_its_line(run, capsys):
    program, saved = run
    words = ["inspect", str(program), "--core", "neoverse-n1", "--counts", str(saved), "--format", "json"]
    assert cli.main(words) == 0
    document = json.loads(capsys.readouterr().out)
    divisions = next(one for one in document["findings"] if one["rule"] == "invariant-divide")
    shares = {place["line"]: place["share"] for place in divisions["places"] if place["function"] in ("hot", "cold")}
    reading = file.parse(saved.read_text()).components[0].reading
    expected = reading.value("model_divide_cycles") / reading.value("cpu_cycles")
    assert expected > 0.5
    assert shares == {line_of("hot"): pytest.approx(expected, rel=0.01), line_of("cold"): 0.0}
    assert divisions["share"] == pytest.approx(expected, rel=0.01)
    assert divisions["gain"]["ceiling"] == pytest.approx(100 * expected, rel=0.01)
    assert divisions["gain"]["low"] == pytest.approx(
        30 * expected, rel=0.01
    )  # the cause is known: some of it comes true
    assert divisions["places"][0]["function"] == "hot"  # what costs most comes first
