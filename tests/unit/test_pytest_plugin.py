"""The plugin of pytest: what a session with it measures, judges, saves and says, and that it costs others nothing."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy  # noqa: F401  # can be imported once in a process; sessions within this one would do it again
import pytest
from processes import python

from armprof.compare.verdict import Verdict
from armprof.counters.reading import Count, Reading, Status, uncounted
from armprof.errors import ArmprofError
from armprof.run import file
from armprof.run.record import Component, Run
from armprof.testing.benchmark import Benchmark
from armprof.testing.budgets import judge
from armprof.testing.session import BenchmarkSession, sent

pytest_plugins = "pytester"

SUMS = """
import pytest

@pytest.mark.parametrize("n", [10, 1000])
def test_sum(armprof_benchmark, n):
    assert armprof_benchmark(sum, range(n)) == n * (n - 1) // 2
    assert armprof_benchmark.latency.p50_ns > 0
    assert armprof_benchmark.counts["task_clock"].value > 0
"""
SUM = SUMS.replace("[10, 1000]", "[10]")
QUICK = ("-p", "no:cacheprovider", "--armprof-seconds", "0.01")


def slowed(path: Path, factor: float) -> Path:
    """The run file, as if all of it had been faster: beside it, what is measured now is slower."""
    run = file.read(path)

    def scaled(component: Component) -> Component:
        assert component.latency is not None
        assert component.throughput_per_s is not None
        times = ("mean_ns", "p50_ns", "p95_ns", "p99_ns", "p999_ns", "max_ns")
        return replace(
            component,
            latency=replace(component.latency, **{t: getattr(component.latency, t) / factor for t in times}),
            throughput_per_s=component.throughput_per_s * factor,
            rounds=tuple(
                replace(r, mean_ns=r.mean_ns / factor, p50_ns=r.p50_ns / factor, p95_ns=r.p95_ns / factor)
                for r in component.rounds
            ),
        )

    file.write(replace(run, components=tuple(map(scaled, run.components))), path)
    return path


# ---- what it costs others --------------------------------------------------------------------------------------------


def test_a_session_that_does_not_use_it_imports_nothing_of_it(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_nothing(): pass")
    script = """
import json, sys, pytest
status = pytest.main(["-q", "-p", "no:cacheprovider", *sys.argv[1:]])
print(json.dumps([status, sorted(name for name in sys.modules if name.split(".")[0] in ("armprof", "numpy", "rich"))]))
"""
    told = python(script).stdout.splitlines()[-1]
    assert json.loads(told) == [0, ["armprof", "armprof.pytest_plugin"]]


# ---- measuring -------------------------------------------------------------------------------------------------------


def test_functions_are_timed_and_counted_and_saved(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_sums=SUMS)
    done = pytester.runpytest_inprocess(*QUICK, "--armprof-save", "run.json")
    done.assert_outcomes(passed=2)
    done.stdout.fnmatch_lines(
        ["*= armprof =*", "*p50*p99*instructions*", "*test_sums.py::test_sum[[]10[]]", "run file run.json"]
    )
    large, small = sorted(file.read(pytester.path / "run.json").components, key=lambda one: -len(one.name))
    assert (small.name, large.name) == ("test_sums.py::test_sum[10]", "test_sums.py::test_sum[1000]")
    assert (small.kind, small.operation, len(small.rounds) > 10) == ("callable", "call", True)


def test_workers_lose_nothing(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_sums=SUMS.replace("[10, 1000]", "range(2, 6)"))
    done = pytester.runpytest_subprocess(*QUICK, "-n", "2", "--armprof-save", "run.json")
    done.assert_outcomes(passed=4)
    names = [component.name for component in file.read(pytester.path / "run.json").components]
    assert sorted(names) == sorted(f"test_sums.py::test_sum[{n}]" for n in range(2, 6))


def test_what_a_function_raises_is_the_tests_own(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_bad(armprof_benchmark):\n    armprof_benchmark(int, 'x')\n")
    done = pytester.runpytest_inprocess(*QUICK, "--armprof-save", "run.json")
    done.assert_outcomes(failed=1)
    done.stdout.fnmatch_lines(["E *ValueError: invalid literal*", "error: no test measured anything*"])


def test_what_cannot_be_measured_is_one_line(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        def test_twice(armprof_benchmark):
            armprof_benchmark(sum, ())
            armprof_benchmark(sum, ())

        async def coroutine(): pass

        def test_coroutine(armprof_benchmark):
            armprof_benchmark(coroutine)

        def test_nothing_yet(armprof_benchmark):
            armprof_benchmark.latency
        """
    )
    done = pytester.runpytest_inprocess(*QUICK)
    done.assert_outcomes(failed=3)
    done.stdout.fnmatch_lines(
        ["armprof: armprof_benchmark measures once in a test*", "armprof: nothing was measured yet*"]
    )
    done.stdout.no_fnmatch_line("E *")


# ---- budgets ---------------------------------------------------------------------------------------------------------


def test_budgets_fail_the_test(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import pytest

        pytestmark = pytest.mark.armprof_budget(p50_ns=0.001)

        def test_exceeded(armprof_benchmark):
            armprof_benchmark(sum, range(100))

        @pytest.mark.armprof_budget(p50_ns=1e12)
        def test_its_own(armprof_benchmark):
            armprof_benchmark(sum, range(100))

        def test_that_measures_nothing():
            pass
        """
    )
    done = pytester.runpytest_inprocess(*QUICK)
    done.assert_outcomes(failed=1, passed=2)
    done.stdout.fnmatch_lines(["armprof_budget: p50_ns is * ns, and 0.001 ns was allowed"])


def counted(value: float | None) -> Component:
    count = Count("inst_retired", value, value, None, None, Status.COUNTED)
    missing = uncounted("inst_retired", Status.UNSUPPORTED, "no PMU")
    reading = Reading({"inst_retired": missing if value is None else count}, source="pmu")
    return Component("t", "", "callable", "call", reading, reading_operations=10, throughput_per_s=100.0)


def test_events_are_judged_by_one_call() -> None:
    assert judge(counted(1000), {"inst_retired": 100}).exceeded == ()
    assert judge(counted(1010), {"instructions": 100}).exceeded == (
        "instructions is 101 a call, and 100 a call was allowed",
    )


def test_throughput_is_what_there_must_be_at_least() -> None:
    assert judge(counted(1), {"throughput_per_s": 50}).exceeded == ()
    assert judge(counted(1), {"throughput_per_s": 200}).exceeded == (
        "throughput_per_s is 100/s, and 200/s was allowed",
    )


def test_what_was_not_counted_never_passes_as_good() -> None:
    assert judge(counted(None), {"inst_retired": 100}).unjudged == ("inst_retired has no value: no PMU",)
    assert judge(counted(1), {"br_retired": 100}).unjudged[0].startswith("br_retired has no value: it was not among")
    assert judge(counted(1), {"p99_ns": 100}).unjudged == (
        "p99_ns has no value: the run has no time of one operation of it",
    )


@pytest.mark.parametrize(
    ("budgets", "complaint"),
    [
        ({"p98_ns": 5}, r"armprof_budget\(p98_ns=\.\.\.\): .*p98_ns.*; times are p50_ns, "),
        ({"p99_ns": 0}, r"armprof_budget\(p99_ns=0\): a budget is a number above 0"),
        ({"p99_ns": "5"}, r"armprof_budget\(p99_ns='5'\): a budget is a number above 0"),
    ],
)
def test_a_wrong_budget_is_refused(budgets: dict[str, object], complaint: str) -> None:
    with pytest.raises(ArmprofError, match=complaint):
        judge(counted(1), budgets)


def test_a_budget_that_cannot_be_judged_skips_the_test(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.armprof_budget(vfp_spec=1)
        def test_vectors(armprof_benchmark):
            armprof_benchmark(sum, range(100))
        """
    )
    done = pytester.runpytest_inprocess(*QUICK, "-rs")
    done.assert_outcomes(skipped=1)
    done.stdout.fnmatch_lines(["*armprof_budget was not judged: vfp_spec has no value: *"])


# ---- baselines -------------------------------------------------------------------------------------------------------


def test_a_slower_test_fails_the_session(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_sums=SUM)
    pytester.runpytest_inprocess(*QUICK, "--armprof-save", "base.json").assert_outcomes(passed=1)
    slowed(pytester.path / "base.json", 20)
    done = pytester.runpytest_inprocess(*QUICK, "--armprof-baseline", "base.json")
    done.assert_outcomes(passed=1)
    assert done.ret == pytest.ExitCode.TESTS_FAILED
    done.stdout.fnmatch_lines(["slower: test_sums.py::test_sum[[]10*]: * +* % (noise: *"])


def test_a_broken_baseline_is_told_before_the_tests(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_sums=SUMS)
    (pytester.path / "base.json").write_text("{}")
    done = pytester.runpytest_inprocess(*QUICK, "--armprof-baseline", "base.json")
    assert done.ret == pytest.ExitCode.USAGE_ERROR
    done.stderr.fnmatch_lines(["ERROR: --armprof-baseline: base.json is no run file but JSON of another program*"])


def test_what_cannot_be_compared_or_saved_is_an_error(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_sums=SUM)
    file.write(Run((Component("else", "", "callable", "call"),)), pytester.path / "base.json")
    done = pytester.runpytest_inprocess(*QUICK, "--armprof-baseline", "base.json")
    assert done.ret == pytest.ExitCode.USAGE_ERROR
    done.stdout.fnmatch_lines(["error: the baseline has none of the tests that measured"])
    done = pytester.runpytest_inprocess(*QUICK, "--armprof-save", "nowhere/run.json")
    assert done.ret == pytest.ExitCode.USAGE_ERROR
    done.stdout.fnmatch_lines(["error: cannot write *nowhere/run.json: No such file or directory"])


def session(factor: float, allowed: float | None) -> BenchmarkSession:
    from test_compare_runs import timed

    made, benchmark = BenchmarkSession(), Benchmark("t", 0.1)
    benchmark._component = replace(timed("t", 100 * factor, noise=0.001), kind="callable")
    benchmark.allowed = allowed
    made.add(sent(benchmark))
    return made


@pytest.mark.parametrize(
    ("factor", "allowed", "verdict"),
    [
        (1.08, None, Verdict.UNCHANGED),  # within the policy
        (1.08, 0.05, Verdict.SLOWER),
        (1.03, 0.05, Verdict.UNCHANGED),
        (1.30, None, Verdict.SLOWER),
        (1.30, 0.50, Verdict.UNCHANGED),
    ],
)
def test_a_test_may_allow_less_or_more(factor: float, allowed: float | None, verdict: Verdict) -> None:
    base, head = session(1.0, None), session(factor, allowed)
    found = head.compare(base.run())
    assert {change.verdict for change in found.changes} == {verdict}
    assert found.is_failed == (verdict is Verdict.SLOWER)


def test_a_wrong_marker_is_refused(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.armprof_change("5 %")
        def test_sum(armprof_benchmark):
            armprof_benchmark(sum, range(100))

        @pytest.mark.armprof_budget(5)
        def test_budget(armprof_benchmark):
            armprof_benchmark(sum, range(100))
        """
    )
    done = pytester.runpytest_inprocess(*QUICK)
    done.assert_outcomes(failed=2)
    done.stdout.fnmatch_lines(
        ["armprof: armprof_change takes one number above 0*", "armprof: armprof_budget takes names: *"]
    )


@pytest.mark.parametrize("seconds", ["0", "-1", "nan", "1e9"])
def test_a_wrong_time_is_refused(pytester: pytest.Pytester, seconds: str) -> None:
    done = pytester.runpytest_inprocess("--armprof-seconds", seconds)
    assert done.ret == pytest.ExitCode.USAGE_ERROR
    done.stderr.fnmatch_lines(["ERROR: --armprof-seconds *: expected a number from 0.001 to 3600"])
