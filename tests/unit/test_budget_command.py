"""armprof budget: what it prints, where, and with which exit status."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from budget_runs import founding_system, run, timed

from armprof.cli import main
from armprof.run import file
from armprof.run.record import Run


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder without an armprof.toml, where the test runs."""
    monkeypatch.chdir(tmp_path)
    file.write(founding_system(), Path("run.json"))
    return tmp_path


def test_kept_budgets_exit_with_0(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["budget", "run.json"]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("Total budget: 15 us for tick_to_trade p50: 667 ns, 4.4 %, Excellent\n")
    assert err == ""


def test_an_exceeded_budget_exits_with_1_and_says_by_how_much(capsys: pytest.CaptureFixture[str]) -> None:
    Path("armprof.toml").write_text("[budgets.order_book]\np50_ns = 50\n")
    alert = "order_book p50: 59 ns exceeds its budget of 50 ns by 9 ns (18.0 %)"
    assert main(["budget", "run.json"]) == 1
    assert alert in capsys.readouterr().out
    assert main(["budget", "run.json", "--format", "json"]) == 1
    out, err = capsys.readouterr()
    assert json.loads(out)["alerts"][0]["text"] == alert
    assert err == f"armprof: {alert}\n"


def test_what_is_stated_and_was_not_measured_exits_with_3(capsys: pytest.CaptureFixture[str]) -> None:
    Path("mine.toml").write_text("[budgets.mine]\np50_ns = 50\n")
    assert main(["budget", "run.json", "--config", "mine.toml"]) == 3
    out, err = capsys.readouterr()
    assert "mine p50: not in the run; required" in out
    assert err == "armprof: not judged: mine p50: not in the run; bench it too, or take it out of mine.toml\n"


def test_a_run_without_anything_that_has_a_budget_exits_with_3(capsys: pytest.CaptureFixture[str]) -> None:
    file.write(run(timed("object_pool", 2)), Path("pool.json"))
    assert main(["budget", "pool.json"]) == 3
    assert capsys.readouterr().err.startswith("armprof: nothing that has a budget was measured; ")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["none.json"], "cannot read none.json: No such file or directory"),
        (["armprof.toml"], "is not JSON, so no run file"),
        (["run.json", "--config", "none.toml"], "cannot read none.toml: No such file or directory"),
        (["run.json", "--config", "run.json"], "run.json: line 1, column 1: Invalid statement"),
        (["run.json", "--output", "no/folder"], "cannot write"),
    ],
)
def test_bad_input_exits_with_2_in_one_line(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("armprof.toml").write_text("# nothing stated\n")
    assert main(["budget", *words]) == 2
    err = capsys.readouterr().err
    assert said in err
    assert err.count("\n") == 1


def test_the_report_goes_to_a_file_and_alerts_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    Path("armprof.toml").write_text("[budget]\ntotal_ns = 600\n")
    assert main(["budget", "run.json", "--output", "budget.txt"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err == "armprof: tick_to_trade p50: 667 ns exceeds its budget of 600 ns by 67 ns (11.2 %)\n"
    assert "Headroom: none, the budget is exceeded by 67 ns" in Path("budget.txt").read_text()


def test_a_run_is_taken_from_standard_input(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(file.render(founding_system()).encode())))
    assert main(["budget", "-"]) == 0
    assert "667 ns" in capsys.readouterr().out


def test_without_a_run_the_kernels_are_benched(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def bench(**_: object) -> Run:
        return founding_system()

    monkeypatch.setattr("armprof.components.bench", bench)
    assert main(["budget"]) == 0
    assert "tick_to_trade p50: 667 ns" in capsys.readouterr().out
