"""Numbers for other programs, and baselines of theirs: what is written is read back, what is read is checked."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import report_runs
from hypothesis import given
from report_runs import kernel, reading
from test_compare_runs import timed
from test_run_file import runs

from armprof.cli import main
from armprof.compare.runs import detect_regressions
from armprof.counters.imported import parse
from armprof.counters.reading import Status
from armprof.errors import ArmprofError
from armprof.report import bmf, google_benchmark, perf_stat
from armprof.run import file
from armprof.run.record import Round, Run

# ---- Bencher's metric format -----------------------------------------------------------------------------------------


def test_bmf_has_each_measure_with_the_noise_of_the_rounds() -> None:
    steady = replace(kernel("ring"), rounds=(Round(50.0, 12.0, 44.0), Round(40.0, 13.0, 47.0)))
    found = json.loads(bmf.render(Run((steady,))))["ring"]
    assert found["latency"] == {"value": 12.345, "lower_value": 12.0, "upper_value": 13.0}
    assert found["p95-latency"] == {"value": 45.6, "lower_value": 44.0, "upper_value": 47.0}
    assert found["p99-latency"] == {"value": 78.9}
    assert found["throughput"] == {"value": 2e7, "lower_value": 2e7, "upper_value": 2.5e7}
    assert found["instructions"] == {"value": 2000.0}
    assert found["l1d-cache-refill"] == {"value": 0.7}


def test_bmf_calls_an_estimate_one() -> None:
    made = reading()
    cycles = replace(made["cpu_cycles"], status=Status.ESTIMATED)
    component = kernel("ring", replace(made, counts=dict(made.counts) | {"cpu_cycles": cycles}))
    found = json.loads(bmf.render(Run((component,))))["ring"]
    assert "estimated-cycles" in found
    assert "cycles" not in found


def test_bmf_has_nothing_of_what_was_not_measured() -> None:
    assert (
        json.loads(bmf.render(Run((replace(kernel("ring"), latency=None, throughput_per_s=None, reading=None),)))) == {}
    )
    uncounted = json.loads(bmf.render(report_runs.without_pmu("ring")))["ring"]
    assert "instructions" not in uncounted


# ---- google-benchmark ------------------------------------------------------------------------------------------------


def test_a_run_as_google_benchmark_is_a_baseline_with_the_same_rounds() -> None:
    run = Run((timed("book", 100), timed("ring", 20)))
    text = google_benchmark.render(run)
    first = json.loads(text)["benchmarks"][0]
    assert (first["name"], first["run_type"], first["time_unit"], first["repetitions"]) == (
        "book",
        "iteration",
        "ns",
        20,
    )
    read = file.parse(text)
    assert [component.name for component in read.components] == ["book", "ring"]
    assert [one.mean_ns for one in read.components[0].rounds] == [one.mean_ns for one in run.components[0].rounds]


def test_counts_are_user_counters_of_one_operation() -> None:
    (entry,) = json.loads(google_benchmark.render(report_runs.run()))["benchmarks"]
    assert (entry["real_time"], entry["inst_retired"]) == (50.0, 2000.0)


# ---- perf stat -j ----------------------------------------------------------------------------------------------------


def test_perf_stat_is_read_back_as_it_was_written() -> None:
    run = report_runs.without_pmu("ring")
    full = replace(report_runs.run().components[0], reading=reading(coverage=0.5))
    for component in (full, run.components[0]):
        text = perf_stat.render(Run((component,)))
        assert all(isinstance(json.loads(line), dict) for line in text.splitlines())
        written, read = component.reading, parse(text, "counts.json").total
        assert written is not None
        assert set(read.counts) == set(written.counts)
        for event, count in written.counts.items():
            again = read[event]
            assert again.value == (None if count.value is None else pytest.approx(count.value))
            if count.value is None:
                assert again.status is Status.UNSUPPORTED
            else:
                assert again.coverage == pytest.approx(count.coverage, abs=1e-4)


def test_perf_stat_is_of_one_component() -> None:
    with pytest.raises(ArmprofError, match="3 components have counts in this run; bench one component"):
        perf_stat.render(report_runs.three_kernels())
    with pytest.raises(ArmprofError, match="nothing was counted in this run"):
        perf_stat.render(Run((timed("book", 100),)))


@given(runs)
def test_whatever_a_run_file_holds_can_be_written(run: Run) -> None:
    for render in (bmf.render, google_benchmark.render):
        rendered = render(run)
        assert rendered.isascii()
        json.loads(rendered)


# ---- baselines of others ---------------------------------------------------------------------------------------------

GOOGLE: dict[str, Any] = {
    "context": {"date": "2026-11-22T14:28:47+00:00", "num_cpus": 4, "caches": []},
    "benchmarks": [
        *(
            {
                "name": f"BM_Book/{size}/repeats:3",
                "run_name": f"BM_Book/{size}",
                "run_type": "iteration",
                "repetition_index": i,
                "iterations": 1000,
                "real_time": time,
                "cpu_time": time,
                "time_unit": "us",
            }
            for size in (8, 64)
            for i, time in enumerate((1.0, 2.0, 3.0))
        ),
        {
            "name": "BM_Book/8_mean",
            "run_name": "BM_Book/8",
            "run_type": "aggregate",
            "real_time": 9.0,
            "time_unit": "us",
        },
        {"name": "BM_Bad", "error_occurred": True, "error_message": "no file"},
    ],
}
PYTEST: dict[str, Any] = {
    "machine_info": {"machine": "aarch64", "release": "6.8.0", "cpu": {"count": 4, "brand_raw": "Neoverse-N1"}},
    "commit_info": {},
    "benchmarks": [
        {
            "name": "test_book",
            "fullname": "tests/test_book.py::test_book",
            "stats": {"mean": 2e-6, "median": 2e-6, "iterations": 1, "data": [1e-6, 3e-6]},
        }
    ],
    "datetime": "2026-11-22T14:28:47",
    "version": "5.1.0",
}


def test_google_benchmark_is_read_repetition_by_repetition() -> None:
    run = file.parse(json.dumps(GOOGLE))
    book, larger, bad = run.components
    assert (book.name, larger.name, bad.name) == ("BM_Book/8", "BM_Book/64", "BM_Bad")
    assert [one.mean_ns for one in book.rounds] == [1000.0, 2000.0, 3000.0]
    assert book.throughput_per_s == pytest.approx(5e5)
    assert book.latency is None
    assert bad.failure == "no file"
    assert run.host == {"cpus": 4}


def test_pytest_benchmark_is_read_round_by_round() -> None:
    run = file.parse(json.dumps(PYTEST))
    (book,) = run.components
    assert (book.name, book.kind, book.operation) == ("tests/test_book.py::test_book", "callable", "call")
    assert [one.mean_ns for one in book.rounds] == pytest.approx([1000.0, 3000.0])
    assert book.throughput_per_s == pytest.approx(5e5)
    assert run.host == {"arch": "aarch64", "kernel": "6.8.0", "cpus": 4, "model": "Neoverse-N1"}


@pytest.mark.parametrize(("known", "unit"), [(GOOGLE, "real_time"), (PYTEST, "stats")])
def test_they_are_compared(known: dict[str, Any], unit: str) -> None:
    def scaled(factor: float) -> Run:
        text = json.dumps(known)
        made = json.loads(text)
        for i, one in enumerate(made["benchmarks"]):
            if unit in one and one.get("run_type") != "aggregate":
                noise = 1 + (i % 7) / 1000
                if unit == "stats":
                    one["stats"] = {"mean": factor * 2e-6, "data": [factor * 2e-6 * (1 + j / 1e4) for j in range(20)]}
                else:
                    one["real_time"] = factor * noise
        if unit == "real_time":
            made["benchmarks"] = made["benchmarks"][:1] * 20
        return file.parse(json.dumps(made))

    found = detect_regressions(scaled(1), scaled(1.3))
    assert [(one.metric, round(one.regression_percent, 1)) for one in found.regressions] == [("throughput", 23.1)]
    assert not detect_regressions(scaled(1), scaled(1)).regression_detected


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({"benchmarks": [{}]}, r"\$\.benchmarks\[0\]: expected a field 'name'"),
        ({"benchmarks": [7]}, r"\$\.benchmarks\[0\]: expected an object, found 7"),
        (
            {"benchmarks": [{"name": "a", "real_time": "x"}]},
            r"\$\.benchmarks\[0\]\.real_time: expected a number, found 'x'",
        ),
        ({"benchmarks": [{"name": "a", "real_time": 0}]}, r"\$\.benchmarks\[0\]\.real_time: expected a time above 0"),
        ({"benchmarks": [{"name": "a", "time_unit": "h"}]}, r"time_unit: expected one of ns, us, ms, s, found 'h'"),
        ({"context": 7}, r"\$\.context: expected an object"),
    ],
)
def test_a_broken_one_is_refused_in_one_line(changed: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ArmprofError, match=rf"^base\.json: .*{complaint}"):
        file.parse(json.dumps(GOOGLE | changed), "base.json")


def test_a_broken_one_of_pytest_is_refused_in_one_line() -> None:
    with pytest.raises(ArmprofError, match=r"stats\.mean: expected a time above 0, found 0"):
        file.parse(json.dumps(PYTEST | {"benchmarks": [{"name": "a", "stats": {"mean": 0}}]}))


# ---- from the command line -------------------------------------------------------------------------------------------


def test_the_verb_report_writes_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    saved = tmp_path / "run.json"
    file.write(report_runs.run(), saved)
    for format, mark in {"bmf": '"latency"', "google-benchmark": '"run_type"', "perf-stat": '"counter-value"'}.items():
        assert main(["report", str(saved), "--format", format]) == 0
        assert mark in capsys.readouterr().out
