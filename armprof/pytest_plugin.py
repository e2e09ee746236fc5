"""pytest's plugin: the fixture armprof_benchmark, the markers armprof_budget and armprof_change.

Every session of pytest loads this module, so it imports nothing of armprof: what measures is imported by the first test
that does.
"""

from __future__ import annotations

from collections.abc import Generator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

if TYPE_CHECKING:
    from armprof.errors import ArmprofError
    from armprof.run.record import Run
    from armprof.testing.benchmark import Benchmark
    from armprof.testing.session import BenchmarkSession, Compared

FIXTURE = "armprof_benchmark"
MARKERS = {
    "armprof_budget(p99_ns=..., inst_retired=...)": "what one call may take at most: times, events; throughput_per_s at least",
    "armprof_change(fraction)": "how much slower than the baseline it may be; by default the policy of `armprof compare`",
}


MEASURED = pytest.StashKey["_Measured"]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("armprof")
    group.addoption(
        "--armprof-save",
        type=Path,
        metavar="FILE",
        help="write a run file of all that tests measured with armprof_benchmark",
    )
    group.addoption(
        "--armprof-baseline",
        type=Path,
        metavar="FILE",
        help="hold it against this run file, or pytest-benchmark's JSON; the session fails where a test is slower",
    )
    group.addoption(
        "--armprof-seconds",
        type=float,
        default=0.5,
        metavar="S",
        help="how long each test times its function (default: %(default)s)",
    )


def pytest_configure(config: pytest.Config) -> None:
    for marker, meaning in MARKERS.items():
        config.addinivalue_line("markers", f"{marker}: {meaning}")
    seconds = config.getoption("--armprof-seconds")
    if not 0.001 <= seconds <= 3600:
        raise pytest.UsageError(f"--armprof-seconds {seconds:g}: expected a number from 0.001 to 3600")
    config.stash[MEASURED] = measured = _Measured(config)
    config.pluginmanager.register(measured, "armprof-measured")


@pytest.fixture
def armprof_benchmark(request: pytest.FixtureRequest) -> Benchmark:
    """Times and counts a function that it is called with, and returns what that returned."""
    from armprof.testing.benchmark import Benchmark

    measured: _Measured = request.config.stash[MEASURED]
    name = request.node.nodeid
    return Benchmark(name, request.config.getoption("--armprof-seconds"), measured.batch(name))


class _Measured:
    """What the tests of the session measured. It travels with the reports of tests, so that workers of xdist lose none."""

    def __init__(self, config: pytest.Config) -> None:
        self._is_worker = hasattr(config, "workerinput")
        self._session: BenchmarkSession | None = None
        self._compared: Compared | None = None
        self._trouble: str | None = None
        self._save: Path | None = config.getoption("--armprof-save")
        self._baseline: Path | None = config.getoption("--armprof-baseline")
        if self._baseline and not self._is_worker:
            self._baseline_run  # noqa: B018  # before an hour of tests

    @cached_property
    def _baseline_run(self) -> Run | None:
        from armprof.errors import ArmprofError
        from armprof.run import file

        try:
            return file.read(self._baseline) if self._baseline else None
        except ArmprofError as error:
            raise pytest.UsageError(f"--armprof-baseline: {error}") from None

    def batch(self, name: str) -> int | None:
        """In what batches the baseline timed that test: percentiles of others are not comparable."""
        known = self._baseline_run.components if self._baseline_run else ()
        return next((one.latency.batch for one in known if one.name == name and one.latency), None)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, Any, Any]:
        """Judges the budgets of a test that passed."""
        benchmark = getattr(item, "funcargs", {}).get(FIXTURE)
        if benchmark is None:
            return (yield)
        from armprof.errors import ArmprofError

        try:
            returned = yield
            _judge(item, benchmark)
        except ArmprofError as error:
            _fail(error)
        return returned

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        benchmark = getattr(item, "funcargs", {}).get(FIXTURE)
        if call.when == "call" and benchmark is not None and benchmark.has_measured:
            from armprof.testing.session import sent

            report.armprof = sent(benchmark)  # type: ignore[attr-defined]
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        what = getattr(report, "armprof", None)
        if what is not None and not self._is_worker:
            if self._session is None:
                from armprof.testing.session import BenchmarkSession

                self._session = BenchmarkSession()
            self._session.add(what)

    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        if self._session is None:
            if self._baseline or (self._save and not self._is_worker):
                self._trouble = f"no test measured anything: none that passed used {FIXTURE}"
            return
        from armprof.errors import ArmprofError

        try:
            if self._save:
                self._session.save(self._save)
            if self._baseline_run:
                self._compared = self._session.compare(self._baseline_run)
        except ArmprofError as error:
            self._trouble = str(error)
            session.exitstatus = pytest.ExitCode.USAGE_ERROR
        if self._compared and self._compared.is_failed and exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        lines = [*(self._session.table() if self._session else ())]
        if self._compared:
            lines += ["", *self._compared.lines()]
        if self._trouble:
            lines.append(f"error: {self._trouble}")
        elif self._session and self._save:
            lines.append(f"run file {self._save}")
        if lines:
            failed = self._trouble or (self._compared and self._compared.is_failed)
            terminalreporter.write_sep("=", "armprof", red=bool(failed), bold=bool(failed))
            for line in lines:
                terminalreporter.write_line(line)


def _judge(item: pytest.Item, benchmark: Benchmark) -> None:
    budgets: dict[str, object] = {}
    for marker in item.iter_markers("armprof_budget"):  # the closest first
        budgets = {**marker.kwargs, **budgets}
        if marker.args:
            raise _error("armprof_budget takes names: armprof_budget(p99_ns=50_000)")
    benchmark.allowed = _allowed(item)
    if not budgets or not benchmark.has_measured:
        return
    from armprof.testing.budgets import judge

    judged = judge(benchmark.component, budgets)
    if judged.exceeded:
        pytest.fail("armprof_budget: " + "; ".join(judged.exceeded), pytrace=False)
    if judged.unjudged:
        pytest.skip("armprof_budget was not judged: " + "; ".join(judged.unjudged))


def _allowed(item: pytest.Item) -> float | None:
    marker = item.get_closest_marker("armprof_change")
    if marker is None:
        return None
    given = marker.args[0] if len(marker.args) == 1 and not marker.kwargs else None
    if isinstance(given, bool) or not isinstance(given, int | float) or not 0 < given <= 100:
        raise _error("armprof_change takes one number above 0: armprof_change(0.05) allows 5 % more")
    return float(given)


def _error(text: str) -> ArmprofError:
    from armprof.errors import ArmprofError

    return ArmprofError(text)


def _fail(error: ArmprofError) -> NoReturn:
    pytest.fail(f"armprof: {error}", pytrace=False)
