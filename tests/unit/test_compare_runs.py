"""Two run files compared: the policy, the test as its condition, what cannot be compared, and what the verb says."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from random import Random

import jsonschema
import pytest
from hypothesis import given
from test_run_file import runs

import armprof
from armprof.cli import main
from armprof.compare.runs import Change, Failure, Severity, detect_regressions
from armprof.compare.verdict import Verdict
from armprof.errors import ArmprofError
from armprof.report import compare as report
from armprof.run import file
from armprof.run.record import Component, Latency, Round, Run

SCHEMA = json.loads((files("armprof.report") / "compare.schema.json").read_text(encoding="utf-8"))
HOST = {"arch": "aarch64", "model": "Neoverse-N1", "core": "neoverse-n1", "cpus": 4, "kernel": "6.1"}


def timed(
    name: str, ns: float, noise: float = 0.01, rounds: int = 20, p95: float | None = None, seed: int = 0
) -> Component:
    """A component whose rounds scatter around these times."""
    random = Random(f"{name} {ns} {seed}")
    p95 = 1.2 * ns if p95 is None else p95
    factors = [random.lognormvariate(0, noise) for _ in range(rounds)]
    return Component(
        name=name,
        title=name,
        kind="kernel",
        operation="message",
        latency=Latency(ns, ns, p95, p95, p95, p95, 1000, 1, 20.0),
        rounds=tuple(Round(ns * f, ns * f, p95 * f) for f in factors),
        throughput_per_s=1e9 / ns,
        checksum="00",
    )


def run(*components: Component, **host: str | int | None) -> Run:
    return Run(components, host=HOST | host, armprof_version="1")


def changes(base: Component, head: Component) -> dict[str, Change]:
    return {change.metric.name: change for change in detect_regressions(run(base), run(head)).changes}


# ---- the policy and the test -----------------------------------------------------------------------------------------


def test_a_regression_beyond_the_policy_and_the_noise_is_found() -> None:
    found = detect_regressions(run(timed("book", 100)), run(timed("book", 115)))
    assert found.regression_detected
    assert [one.metric for one in found.regressions] == ["p95_latency", "throughput"]
    p95, throughput = found.regressions
    assert (p95.component, p95.baseline_value, p95.current_value, p95.severity) == (
        "book",
        120.0,
        138.0,
        Severity.MINOR,
    )
    assert p95.regression_percent == pytest.approx(15)
    assert throughput.regression_percent == pytest.approx(100 * (1 - 100 / 115))
    assert found.overall_performance_change == pytest.approx(0.15)
    assert found.analysis_summary == (
        "MINOR REGRESSIONS: 1 component compared; median time of one operation +15.0 % overall; "
        "worst: book, p95_latency 15.0 % worse."
    )


@pytest.mark.parametrize(
    ("ns", "p95", "throughput"),
    [
        (109, Verdict.UNCHANGED, Verdict.UNCHANGED),
        (110.5, Verdict.SLOWER, Verdict.UNCHANGED),  # 1.1 times the p95 is exceeded, 0.9 times the throughput not yet
        (112, Verdict.SLOWER, Verdict.SLOWER),
        (80, Verdict.FASTER, Verdict.FASTER),
    ],
)
def test_the_policy_is_that_of_the_design(ns: float, p95: Verdict, throughput: Verdict) -> None:
    found = changes(timed("f", 100, noise=0.001), timed("f", ns, noise=0.001))
    assert (found["p95_latency"].verdict, found["throughput"].verdict) == (p95, throughput)


def test_what_noise_explains_is_undecided() -> None:
    found = changes(timed("f", 100, noise=0.5), timed("f", 150, noise=0.5))
    assert {change.verdict for change in found.values()} == {Verdict.UNDECIDED}
    assert "chance alone" in (found["p95_latency"].reason or "")


def test_a_p95_that_a_few_rounds_made_is_undecided() -> None:
    base, head = timed("f", 100), timed("f", 99)
    assert head.latency is not None
    spiked = replace(head, latency=replace(head.latency, p95_ns=500.0))
    assert (
        changes(base, spiked)["p95_latency"].reason
        == "beyond the policy, but the rounds' own p95 and medians are not: what interrupted some of them is not the code"
    )


def test_without_rounds_the_policy_stands_alone_and_says_so() -> None:
    bare = replace(timed("f", 100), rounds=())
    slower = changes(bare, timed("f", 115))["throughput"]
    assert (slower.verdict, slower.interval, slower.probability) == (Verdict.SLOWER, None, None)
    assert (slower.reason or "").startswith("by the policy alone: ")
    within = changes(bare, timed("f", 105))["throughput"]
    assert within.verdict == Verdict.UNDECIDED
    assert (within.reason or "").startswith("within the policy; ")


def test_major_from_a_quarter_on() -> None:
    found = detect_regressions(run(timed("a", 100), timed("b", 100)), run(timed("a", 115), timed("b", 130)))
    assert [(one.component, one.severity) for one in found.regressions[:2]] == [("b", Severity.MAJOR)] * 2
    assert found.headline == "MAJOR REGRESSIONS"


def test_runs_of_the_same_code_are_not_called_changed() -> None:
    for seed in range(30):
        base = [timed(f"c{i}", 100, noise=0.1, seed=2 * seed) for i in range(10)]
        head = [timed(f"c{i}", 100, noise=0.1, seed=2 * seed + 1) for i in range(10)]
        found = detect_regressions(run(*base), run(*head))
        assert not any(change.verdict.is_change for change in found.changes)


def test_many_components_make_each_less_sure() -> None:
    """Beyond the policy, and improbable by itself; among many it is not."""
    base, head = timed("f", 100, noise=0.13, seed=1), timed("f", 113, noise=0.13, seed=2)
    alone = changes(base, head)["throughput"].probability
    others = [timed(f"c{i}", 100, seed=3) for i in range(20)]
    among = detect_regressions(run(base, *others), run(head, *others)).changes[1].probability
    assert alone is not None
    assert among is not None
    assert alone < among


def test_a_run_of_very_many_rounds_is_compared_in_no_time() -> None:
    found = changes(timed("f", 100, rounds=20_000), timed("f", 130, rounds=20_000))
    assert found["throughput"].verdict == Verdict.SLOWER


# ---- what cannot be compared -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("field", ["arch", "model", "core", "cpus"])
def test_runs_of_unlike_machines_are_refused_and_marked_where_they_are_wanted(field: str) -> None:
    base, head = run(timed("f", 100)), run(timed("f", 100), **{field: "other"})
    with pytest.raises(ArmprofError, match=rf"^the runs are of unlike machines \({field}: .* and other\): .*--unlike$"):
        detect_regressions(base, head)
    (difference,) = detect_regressions(base, head, unlike=True).differences
    assert (difference.what, difference.head, difference.is_machine) == (field, "other", True)


def test_another_kernel_or_armprof_is_marked() -> None:
    found = detect_regressions(run(timed("f", 100)), replace(run(timed("f", 100), kernel="6.2"), armprof_version="2"))
    assert [str(difference) for difference in found.differences] == ["kernel: 6.1 and 6.2", "armprof: 1 and 2"]


def test_a_machine_that_is_not_told_is_not_the_same() -> None:
    with pytest.raises(ArmprofError, match="arch: aarch64 and not told"):
        detect_regressions(run(timed("f", 100)), Run((timed("f", 100),)))


@pytest.mark.parametrize(
    ("other", "why"),
    [
        ({"operation": "order"}, "its operation was 'message' and is 'order'"),
        ({"kind": "command"}, "its kind was 'kernel' and is 'command'"),
        ({"checksum": "01"}, "its outputs differ (another checksum): the input or the work is not the same"),
    ],
)
def test_other_work_of_the_same_name_is_not_compared(other: dict[str, str], why: str) -> None:
    head = run(timed("f", 100), replace(timed("g", 200), **other))
    found = detect_regressions(run(timed("f", 100), timed("g", 100)), head)
    assert found.not_compared == (("g", why),)
    assert {change.component for change in found.changes} == {"f"}


def test_times_of_unlike_batches_are_not_compared() -> None:
    base, head = timed("f", 100), timed("f", 100)
    assert head.latency is not None
    larger = replace(head, latency=replace(head.latency, batch=2))
    found = detect_regressions(run(base, timed("g", 100)), run(larger, timed("g", 100)))
    assert found.not_compared == (("f", "it was timed in batches of 1 and of 2 operations: bench it with --like BASE"),)


def test_what_is_in_one_run_only_or_twice_is_named() -> None:
    base = run(timed("f", 100), timed("gone", 100), timed("twice", 100))
    head = run(timed("f", 100), timed("new", 100), timed("twice", 100), timed("twice", 300))
    found = detect_regressions(base, head)
    assert found.not_compared == (("twice", "more than one has this name"), ("new", "only in the current run"))
    assert found.failures == (Failure("gone", "only in the baseline"),)


def test_a_component_that_crashed_or_is_missing_fails_the_gate() -> None:
    base = run(timed("f", 100), timed("g", 100), timed("h", 100))
    head = run(timed("f", 100), replace(timed("g", 100), failure="SIGSEGV while it was timed"))
    found = detect_regressions(base, head)
    crashed, missing = found.failures
    assert (crashed.component, crashed.reason) == ("g", "its own code failed: SIGSEGV while it was timed")
    assert (missing.component, missing.reason) == ("h", "only in the baseline")
    assert (found.gate_failed, found.regression_detected, found.headline) == (True, False, "COMPONENTS FAILED")
    assert "failed: g (its own code failed: SIGSEGV while it was timed), h (only in the baseline)" in (
        found.analysis_summary
    )


def test_a_component_that_crashed_in_the_baseline_alone_is_mended() -> None:
    base = run(timed("f", 100), replace(timed("g", 100), failure="SIGSEGV"))
    found = detect_regressions(base, run(timed("f", 100), timed("g", 100)))
    assert found.not_compared == (("g", "its own code failed: SIGSEGV"),)
    assert not found.gate_failed


@pytest.mark.parametrize(
    ("base", "head", "says"),
    [
        (run(), run(), "no components"),
        (run(timed("f", 100)), run(timed("g", 100)), "f: only in the baseline; g: only in the current run"),
        (
            run(replace(timed("f", 100), latency=None, throughput_per_s=None)),
            run(timed("f", 100)),
            "not measured in both",
        ),
        (run(replace(timed("f", 100), latency=None, throughput_per_s=0.0)), run(timed("f", 100)), "it came out as 0"),
    ],
)
def test_runs_without_anything_in_common_are_refused(base: Run, head: Run, says: str) -> None:
    with pytest.raises(ArmprofError, match=says):
        detect_regressions(base, head)


@given(runs, runs)
def test_whatever_a_run_file_holds_is_compared_or_refused(base: Run, head: Run) -> None:
    for one, other in ((base, head), (base, base)):
        with suppress(ArmprofError):
            found = detect_regressions(one, other, unlike=True)
            jsonschema.validate(json.loads(report.render_json(found)), SCHEMA)
            assert report.render(found)


# ---- what is printed, and the verb -----------------------------------------------------------------------------------

BASE = run(timed("book", 100), timed("feed", 300), timed("pool", 5), timed("gone", 9))
HEAD = run(timed("book", 115), timed("feed", 200), replace(timed("pool", 5), rounds=()), kernel="6.2")


def test_the_json_follows_its_schema() -> None:
    told = json.loads(report.render_json(detect_regressions(BASE, HEAD)))
    jsonschema.validate(told, SCHEMA)
    assert told["regressions"][0] == {
        "component": "book",
        "metric": "p95_latency",
        "baseline_value": 120.0,
        "current_value": 138.0,
        "regression_percent": pytest.approx(15),
        "severity": "minor",
        "noise": pytest.approx(0.02, abs=0.01),
        "cause": {"code": "unknown", "counters": [], "explained": None, "location": None, "sentence": ""},
    }


def test_the_text_says_the_worst_first_and_fits_80_columns() -> None:
    lines = report.render(detect_regressions(BASE, HEAD)).splitlines()
    assert lines[0].startswith("MINOR REGRESSIONS: 3 components compared; ")
    table = [line for line in lines if "/s" in line or " ns " in line]
    assert table[0].startswith("book p95 ")
    assert table[0].endswith("slower, minor")
    assert max(map(len, lines)) <= 80
    assert any("gone failed: only in the baseline" in line for line in lines)
    assert any("unlike: kernel: 6.1 and 6.2" in line for line in lines)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    file.write(BASE, Path("base.json"))
    file.write(HEAD, Path("head.json"))
    return tmp_path


def test_a_regression_exits_with_1(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", "base.json", "head.json"]) == 1
    assert capsys.readouterr().out.startswith("MINOR REGRESSIONS")
    assert main(["compare", "head.json", "head.json", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["regression_detected"] is False


def test_a_component_that_is_missing_exits_with_1(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write(replace(BASE, components=BASE.components[1:]), Path("less.json"))
    assert main(["compare", "base.json", "less.json", "--format", "json", "--output", "found.json"]) == 1
    told = json.loads(Path("found.json").read_text())
    assert (told["exit_status"], told["failures"][0]["component"]) == (1, "book")
    assert capsys.readouterr().err.count("\n") == 1


def test_a_report_goes_to_a_file_and_its_summary_to_stderr(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", "base.json", "head.json", "--output", "found.txt"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("armprof: MINOR REGRESSIONS: ")
    assert Path("found.txt").read_text().startswith("MINOR REGRESSIONS: ")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("{", "other.json is cut off"),
        ('{"a": 1}', "JSON of another program"),
        ('{"format": "armprof-run", "version": 9, "components": []}', "upgrade armprof"),
        (file.render(run(timed("book", 1), arch="x86_64")), "unlike machines"),
    ],
)
def test_what_cannot_be_compared_is_one_line_and_2(
    content: str, says: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("other.json").write_text(content)
    assert main(["compare", "base.json", "other.json"]) == 2
    err = capsys.readouterr().err
    assert says in err
    assert err.count("\n") == 1


def test_an_older_run_file_without_rounds_is_read(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    older = json.loads(Path("base.json").read_text())
    for component in older["components"]:
        del component["rounds"]
    Path("older.json").write_text(json.dumps(older))
    assert main(["compare", "older.json", "head.json"]) == 1
    assert "by the policy alone" in " ".join(capsys.readouterr().out.split())


def test_the_regression_has_the_name_of_the_design() -> None:
    found = detect_regressions(BASE, HEAD).regressions[0]
    assert isinstance(found, armprof.PerformanceRegression)
