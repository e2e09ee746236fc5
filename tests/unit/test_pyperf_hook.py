"""The hook of pyperf: a real benchmark, and what it leaves in the metadata."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pyperf
import pytest

from armprof.counters.reading import Count, Reading, Status, uncounted
from armprof.testing.pyperf_hook import Hook


def test_pyperf_finds_it_by_its_name() -> None:
    (found,) = entry_points(group="pyperf.hook", name="armprof")
    assert found.load() is Hook


def test_a_real_benchmark_has_counts_in_its_metadata(tmp_path: Path) -> None:
    words = [
        "timeit",
        "--hook",
        "armprof",
        "-p",
        "1",
        "-n",
        "2",
        "-w",
        "1",
        "-l",
        "100",
        "-o",
        "out.json",
        "sum(range(100))",
    ]
    done = subprocess.run(
        [sys.executable, "-m", "pyperf", *words], cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (benchmark,) = pyperf.BenchmarkSuite.load(str(tmp_path / "out.json"))
    metadata = benchmark.get_metadata()
    assert metadata["hooks"] == "armprof"
    assert metadata["armprof_stretches"] == 2  # the values, and not the warm-up
    assert metadata["armprof_task_clock"] > 0
    assert metadata["armprof_source"] == "pmu; this thread, user mode"
    assert ("armprof_inst_retired" in metadata) != ("inst_retired" in metadata.get("armprof_not_counted", ""))


def left(*readings: Reading) -> dict[str, object]:
    hook, metadata = Hook(), {}
    hook._readings = list(readings)
    hook.teardown(metadata)
    return metadata


def reading(value: float | None, status: Status = Status.COUNTED, running: int = 100) -> Reading:
    count = Count("inst_retired", value, value, 100, running, status)
    return Reading(
        {"inst_retired": uncounted("inst_retired", Status.NOT_COUNTED, "it never ran") if value is None else count},
        source="pmu",
        scope="this thread",
    )


def test_all_stretches_are_summed() -> None:
    assert left(reading(1000.0), reading(500.4)) == {
        "armprof_inst_retired": 1500,
        "armprof_source": "pmu; this thread",
        "armprof_stretches": 2,
    }


def test_an_estimate_says_how_much_was_counted() -> None:
    metadata = left(reading(1000.0), reading(500.0, Status.SCALED, running=25))
    assert metadata["armprof_inst_retired_coverage"] == 0.25


def test_what_one_stretch_did_not_count_has_no_sum() -> None:
    metadata = left(reading(1000.0), reading(None))
    assert "armprof_inst_retired" not in metadata
    assert metadata["armprof_not_counted"] == "inst_retired: it never ran"


def test_where_nothing_was_entered_nothing_is_said() -> None:
    assert left() == {}


def test_where_nothing_can_be_measured_pyperf_is_told_in_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    from pyperf._hooks import HookError

    import armprof

    def refuse() -> None:
        raise armprof.CannotCount("the native module is missing", "install armprof")

    monkeypatch.setattr("armprof.measurement.measure", refuse)
    with pytest.raises(HookError, match="the native module is missing; install armprof"):
        Hook()
