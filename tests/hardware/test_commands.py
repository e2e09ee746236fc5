"""The verbs of the command line on an ARM64 machine, and perf on the same commands."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from armprof.cli import main

from .conftest import LINE, LINES
from .perf import environment_of_perf, perf_stat

Program = Callable[[str], Path]

pytestmark = pytest.mark.slow


def armprof(*words: str | Path, status: int = 0) -> str:
    """What the command line prints for these words, called here: a process of its own would import everything anew, which
    takes an emulated machine seconds.
    """
    printed, complaints = StringIO(), StringIO()
    with redirect_stdout(printed), redirect_stderr(complaints):
        assert main([str(word) for word in words]) == status, complaints.getvalue()
    return printed.getvalue()


def in_a_process(*command: str | Path, environment: dict[str, str] | None = None) -> str:
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout


def stat(events: list[str], *command: str | Path) -> dict[str, Any]:
    """The one component in the JSON of `armprof stat` as a process. The command starts as it does in `perf_stat`."""
    words = ("setarch", "-R", "armprof", "stat", "--format", "json", "-e", ",".join(events), "--")
    return only_component(in_a_process(*words, *command, environment=environment_of_perf()))


def only_component(report: str) -> dict[str, Any]:
    (component,) = json.loads(report)["components"]
    assert isinstance(component, dict)
    return component


def test_stat_counts_what_perf_counts(program: Program, machine: str) -> None:
    """Instructions to the last one; what the caches hold when a program starts is not as exact."""
    walk = (program("walk"), str(LINES * LINE), str(LINE), "10")
    events = ["inst_retired"]
    if machine == "emulator":
        events += ["l1d_cache", "l1d_cache_refill", "br_retired"]
    ours, perf = stat(events, *walk)["counts"], perf_stat(events, *walk)
    assert {ours[event]["status"] for event in events} == {"counted"}
    assert ours["inst_retired"]["value"] == perf["inst_retired"]
    for event in events:
        assert ours[event]["value"] == pytest.approx(perf[event], rel=0.01), event
    if machine == "emulator":
        assert ours["l1d_cache_refill"]["value"] > 10 * LINES


def test_stat_counts_what_the_command_starts(program: Program) -> None:
    one = ("sh", "-c", f"{program('walk')} {LINES * LINE} {LINE} 20; true")
    component = only_component(armprof("stat", "--format", "json", "-e", "inst_retired", "--", *one))
    value = component["counts"]["inst_retired"]["value"]
    assert value > 20 * LINES * 5


@pytest.mark.emulator_only
def test_stat_without_events_gives_the_metrics_of_the_command(program: Program) -> None:
    """Three groups take turns, so there must be time for some."""
    words = ("stat", "--format", "json", "--", program("walk"), str(LINES * LINE), str(LINE), "600")
    component = only_component(armprof(*words))
    hits = component["metrics"]["l1_cache_hit_rate"]
    assert hits["value"] == pytest.approx(0, abs=0.1), "each access of the walk misses"
    assert hits["status"] == "scaled"
    assert 0.1 < hits["coverage"] < 0.9
    assert component["metrics"]["cycles_per_instruction"]["value"] > 1


def test_doctor_says_that_counters_and_reads_in_user_space_are_there() -> None:
    report = json.loads(armprof("doctor", "--format", "json"))
    tried = {row["what"]: row["ok"] for row in report["tried"]}
    assert [ok for what, ok in tried.items() if "hardware counters" in what] == [True]
    assert [ok for what, ok in tried.items() if "user space" in what] == [True]


def test_doctor_names_the_setting_that_forbids_reads_in_user_space(user_access: Callable[[int], None]) -> None:
    user_access(0)
    text = armprof("doctor")
    assert "kernel.perf_user_access" in text


def test_events_lists_those_of_this_core(machine: str) -> None:
    text = armprof("events")
    assert "inst_retired" in text
    assert "l1d_cache_refill" in text


def test_bench_writes_a_run_that_report_reads(tmp_path: Path) -> None:
    written = tmp_path / "run.json"
    assert "object_pool" in armprof("bench", "object_pool", "--seconds", "0.05", "--output", written)
    component = only_component(armprof("report", "--format", "json", written))
    counts = component["counts"]
    assert component["name"] == "object_pool"
    assert component["latency"]
    assert counts["inst_retired"]["status"] == "counted"
    assert counts["inst_retired"]["value"] > 1000
    assert component["metrics"]["cycles_per_instruction"]["value"] > 0


PARTS = """
import os
import armprof

@armprof.component
def total():
    sum(range(1000))

@armprof.component
def crash():
    os.abort()

armprof.component("nothing", command="true")
"""


@pytest.mark.anywhere
def test_components_of_users_are_counted_and_a_crash_takes_nothing_from_them(
    tmp_path: Path, machine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "parts.py").write_text(PARTS)
    monkeypatch.chdir(tmp_path)
    bench = ("armprof", "bench", "total", "crash", "nothing", "--module", "parts", "--seconds", "0.05")
    done = subprocess.run(bench, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.endswith("armprof: crash: SIGABRT while it was warmed up\n")
    report = json.loads(armprof("report", "--format", "json", "armprof-run.json"))
    total, crash, nothing = (component["component_metrics"] for component in report["components"])
    assert total["instructions_per_operation"]["value"] > 1000
    assert total["cycles_per_operation"]["value"] > 0
    if machine == "debian":
        assert total["branch_miss_rate"]["value"] is None
        assert total["branch_miss_rate"]["reason"]
    else:
        assert 0 <= total["branch_miss_rate"]["value"] < 1
    assert nothing["instructions_per_operation"]["value"] > 1000
    assert crash["instructions_per_operation"] == {
        "value": None,
        "unit": "instructions",
        "reason": "SIGABRT while it was warmed up",
    }
