"""armprof stat -- CMD: the command runs as it would alone, and what it counted is told apart from what it said."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import jsonschema
import pytest
import report_runs as runs

from armprof.cli import main
from armprof.counters import command
from armprof.counters.command import CountedCommand
from armprof.counters.machine import Machine
from armprof.counters.reading import Reading, Status
from armprof.counters.refusal import Refusal

SCHEMA = json.loads((files("armprof.report") / "report.schema.json").read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Ran:
    status: int
    out: str
    err: str


Stat = Callable[..., Ran]


@pytest.fixture
def stat(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Stat:
    """Runs armprof stat in an empty folder; what it and its command wrote."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("FORCE_COLOR", raising=False)

    def run(*words: str) -> Ran:
        status = main(["stat", *words])
        return Ran(status, *capfd.readouterr())

    return run


@pytest.fixture
def counts(monkeypatch: pytest.MonkeyPatch) -> Callable[[Reading], None]:
    """Puts a reading in the place of counting."""

    def put(reading: Reading) -> None:
        def count(words: Sequence[str], events: Sequence[str] | None = None, together: object = ()) -> CountedCommand:
            return CountedCommand(reading, 0)

        monkeypatch.setattr(command, "count_command", count)

    return put


# With the machine's own counters


def test_the_report_is_on_stderr_and_stdout_is_the_commands_own(stat: Stat) -> None:
    found = stat("--", "sh", "-c", "echo its own; echo an error >&2")
    assert found.status == 0
    assert found.out == "its own\n"
    said = found.err.splitlines()
    assert said[:3] == ["an error", "", "sh -c 'echo its own; echo an error >&2'"]
    assert any(line.startswith("source   pmu; the command") for line in said)
    assert max(map(len, said)) <= 80


@pytest.mark.parametrize(
    ("words", "status"),
    [(["true"], 0), (["false"], 1), (["sh", "-c", "exit 42"], 42), (["sh", "-c", "kill -TERM $$"], 128 + 15)],
)
def test_the_exit_status_is_the_commands(words: list[str], status: int, stat: Stat) -> None:
    found = stat("--", *words)
    assert found.status == status
    assert (f"the command ended with exit status {status}" in found.err) == (status != 0)


def test_json_in_a_file_leaves_both_streams_to_the_command(stat: Stat, tmp_path: Path) -> None:
    found = stat("--format", "json", "--output", "out.json", "--", "echo", "hello")
    assert (found.status, found.out, found.err) == (0, "hello\n", "")
    assert json.loads((tmp_path / "out.json").read_text())["components"][0]["name"] == "echo hello"


def test_json_goes_to_stdout_where_no_file_is_named(stat: Stat) -> None:
    found = stat("--format", "json", "-e", "task_clock,page_faults", "--", "true")
    report = json.loads(found.out)
    jsonschema.validate(report, SCHEMA)
    (component,) = report["components"]
    assert (component["name"], component["kind"]) == ("true", "command")
    assert list(component["counts"]) == ["task_clock", "page_faults"]
    assert component["duration_ns"] > 0


def test_text_goes_to_a_file_too(stat: Stat, tmp_path: Path) -> None:
    found = stat("--output", "out.txt", "--", "true")
    assert (found.status, found.out, found.err) == (0, "", "")
    assert (tmp_path / "out.txt").read_text().startswith("true\n")


def test_a_dash_of_the_command_is_the_commands(stat: Stat) -> None:
    assert stat("printf", "%s ", "-e", "--output", "x").out == "-e --output x "
    assert stat("--", "echo", "--", "x").out == "-- x\n"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([], "no command to count: armprof stat -- CMD"),
        (["--"], "no command to count: armprof stat -- CMD"),
        (["--", "no-such-cmd"], "cannot run 'no-such-cmd': No such file or directory"),
        (["--", "/"], "cannot run '/': Permission denied"),
        (["-e", "no_such_event", "--", "true"], "unknown event 'no_such_event'"),
    ],
)
def test_what_cannot_run_is_said_in_one_line(words: list[str], says: str, stat: Stat) -> None:
    found = stat(*words)
    assert (found.status, found.out) == (2, "")
    assert found.err.startswith(f"armprof: {says}")
    assert found.err.count("\n") == 1


def test_ctrl_c_ends_the_command_and_its_counts_are_told() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "armprof", "stat", "--", "sh", "-c", "echo started; exec sleep 600"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "started\n"
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to the command and to armprof
        _, err = process.communicate(timeout=120)
    assert process.returncode == 128 + signal.SIGINT
    assert "task_clock" in err
    assert "Traceback" not in err


# With counters made up


def test_hardware_counts_are_shown_with_the_metrics(
    counts: Callable[[Reading], None], capsys: pytest.CaptureFixture[str]
) -> None:
    counts(runs.reading(0.5))
    assert main(["stat", "--", "sleep", "1"]) == 0
    out, err = capsys.readouterr()
    assert out == ""
    lines = [" ".join(line.split()) for line in err.splitlines()]
    assert "cpu_cycles 1,000,000,000 50.0 %" in lines
    assert "L1 data cache hit rate 99.90 % 50.0 % medium" in lines
    assert "Instructions per cycle 2.00 50.0 % medium" in lines
    assert "task_clock 201 ms" in lines


def test_a_pmu_that_is_required_and_missing_is_status_3_before_anything_runs(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Machine, "missing", lambda self: Refusal(Status.UNSUPPORTED, "no PMU", "another machine"))
    assert main(["stat", "--source", "pmu", "--", "touch", str(tmp_path / "ran")]) == 3
    assert capsys.readouterr().err == "armprof: no PMU; another machine\n"
    assert not (tmp_path / "ran").exists()


def test_a_pmu_that_is_required_and_counted_nothing_is_status_3_too(
    counts: Callable[[Reading], None], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Machine, "missing", lambda self: None)
    (component,) = runs.without_pmu("x").components
    assert component.reading is not None
    counts(component.reading)
    assert main(["stat", "--source", "pmu", "--", "true"]) == 3
    assert capsys.readouterr().err.endswith("armprof: no hardware event was counted; the reasons stand in the report\n")
    counts(runs.reading())
    assert main(["stat", "--source", "pmu", "--", "true"]) == 0


def test_metrics_are_counted_by_their_events(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[Sequence[str] | None] = []

    def count(words: Sequence[str], events: Sequence[str] | None = None, together: object = ()) -> CountedCommand:
        asked.append(events)
        return CountedCommand(Reading({}, "pmu"), 0)

    monkeypatch.setattr(command, "count_command", count)
    assert main(["stat", "-m", "general,l2_cache_hit_rate", "-m", "l1d_mpki", "-e", "page_faults", "--", "true"]) == 0
    events = ["inst_retired", "cpu_cycles", "l2d_cache_refill", "l2d_cache", "l1d_cache_refill", "page_faults"]
    assert asked == [events]
    assert main(["stat", "-m", "generel", "--", "true"]) == 2
    assert "did you mean general" in capsys.readouterr().err
    assert main(["stat", "-m", "memory_latency_ns", "--", "true"]) == 3
    assert "nothing to count for memory_latency_ns" in capsys.readouterr().err
