"""The performance analysis as trees: what was run, where it belongs, in words that its numbers carry, in 80 columns."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from budget_runs import founding_system, run, timed
from hypothesis import given
from hypothesis import strategies as st

from armprof.budget import Plan, defaults, parse
from armprof.cli import main
from armprof.components import KERNELS
from armprof.report.paper import WIDTH, paper, printed
from armprof.report.tree import GROUPS, exact_rate, exact_time, factor_text, overview
from armprof.run import file
from armprof.run.record import Component, Run

names = st.sampled_from([name for group in GROUPS.values() for name in group] + ["tick_to_trade", "mine"])
components = st.builds(
    timed,
    names | st.text(min_size=1, max_size=40),
    p50=st.floats(0, 1e12),
    throughput=st.none() | st.floats(1e-3, 1e12),
    title=st.text(max_size=200),
    batch=st.integers(1, 4096),
    samples=st.integers(1, 10**6),
)


def lines(run: Run, plan: Plan, width: int = WIDTH, encoding: str = "utf-8") -> list[str]:
    """The analysis as a stream of that encoding has it, without what fills up a line."""
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    return printed(paper(stream, width), overview(run, plan, width)).rstrip("\n").split("\n")


def test_every_kernel_has_its_place_and_its_target() -> None:
    plan = defaults()
    placed = {name for group in GROUPS.values() for name in group} | {plan.total.component}
    assert set(KERNELS) <= placed
    assert placed == {target.component for target in plan.targets}


def test_a_component_is_a_line_of_figure_target_and_factor() -> None:
    shown = lines(run(timed("timing", 11.8, title="Timing framework"), timed("itch50", 454.6)), defaults())
    assert "│   ├── Timing framework  11.8 ns  (target < 100 ns)  8.5x better" in shown
    assert "    ├── itch50             455 ns  (target < 500 ns)  1.09x, meets target" in shown


def test_the_report_of_the_founding_design() -> None:
    shown = lines(founding_system(), defaults())
    for line in (
        "SYSTEM PERFORMANCE STATUS: WORLD-CLASS",
        "└── tick_to_trade  667 ns  (target < 15 us)  22.5x better",
        "COMPONENT PERFORMANCE ANALYSIS",
        "│   └── Status: EXCEPTIONAL (geometric mean 2.6x)",
        "│   ├── feed_handler  1.98 M/s  (target > 1 M/s)   2.0x better",
        "│   ├── treasury        139 ns  (target < 100 ns)  0.71x, acceptable",
        "│   └── Status: EXCEEDS TARGETS (geometric mean 1.16x, 1 of 3 not met)",
        "    └── Status: WORLD-CLASS (geometric mean 3.2x)",
        "LATENCY BUDGET UTILIZATION: Excellent",
        "├── Actual usage: 667 ns (4.4 % utilization)",
        "├── Available headroom: 14.3 us (95.6 % unused)",
        "└── Assessment: MASSIVE OPTIMIZATION OPPORTUNITY",
        "├── Strategy algorithms          40 %   5.73 us",
        "├── Multi-agent coordination     15 %   2.15 us",
        "RECOMMENDATION: LEVERAGE_HEADROOM",
    ):
        assert line in shown


def test_what_was_not_run_is_not_shown() -> None:
    report = "\n".join(lines(run(timed("object_pool", 2.2)), defaults()))
    assert "object_pool" in report
    assert not any(absent in report for absent in ("timing", "Market data", "Trading", "order_book"))
    assert "Actual usage: not measured (not in the run)" in report
    assert "SYSTEM PERFORMANCE STATUS: not judged" in report


def test_no_regression_is_judged_without_a_baseline() -> None:
    assert "REGRESSION ANALYSIS: not judged (one run has no baseline to be compared with)" in lines(run(), defaults())


def test_components_of_the_user_come_last_with_their_target_or_without() -> None:
    plan = parse("[targets.parser]\np50_ns = 10\np99_ns = 12", "armprof.toml")
    shown = lines(run(timed("parser", 20, 12), timed("timing", 8), timed("other", 3)), plan)
    at = shown.index("└── Other components")
    assert [" ".join(line.split()) for line in shown[at + 1 : at + 5]] == [
        "├── parser 20.0 ns (target < 10 ns) 0.50x, misses target",
        "├── parser p99 12.0 ns (target < 12 ns) 1.00x, meets target",
        "├── other 3.00 ns no target",
        "└── Status: MISSES TARGETS (geometric mean 0.71x, 1 of 2 not met)",
    ]


def test_a_figure_that_was_not_measured_says_why() -> None:
    shown = "\n".join(lines(run(Component("timing", "Timing", "imported", "the command")), defaults()))
    assert "Timing        -  (target < 100 ns)  not measured" in shown
    assert "the run has no time of one operation of it" in shown


def test_what_was_timed_in_batches_is_named() -> None:
    shown = lines(run(timed("timing", 8, batch=64), timed("mine", 0.0)), parse('[budget]\npercentile = "p99"'))
    assert "Timed in batches, so that percentiles are those of their means: timing" in shown
    assert any("mine" in line and line.endswith("-                     no target") for line in shown)


def test_an_exceeded_budget_is_an_alert() -> None:
    plan = parse("[budget]\ntotal_ns = 500\n[budgets.order_book]\np99_ns = 1_400", "armprof.toml")
    shown = lines(founding_system(), plan)
    assert "LATENCY BUDGET UTILIZATION: EXCEEDED" in shown
    assert "├── ALERT: tick_to_trade p50: 667 ns exceeds its budget of 500 ns by 167 ns" in shown
    assert "├── order_book p99: 1.49 us of 1.4 us (106.2 %), EXCEEDED" in shown
    assert "└── none: the budget is exceeded by 167 ns: there is no headroom to allocate" in shown
    assert "RECOMMENDATION: INVESTIGATE_ISSUES" in shown
    assert not any("unused" in line for line in shown)


def test_what_lives_on_the_headroom_stands_below_its_part() -> None:
    plan = parse('[headroom.components]\nml_processing = ["model"]')
    shown = lines(run(timed("tick_to_trade", 5_000), timed("model", 500)), plan)
    at = next(i for i, line in enumerate(shown) if "Machine learning" in line)
    assert shown[at + 1] == "│   └── model p50: 500 ns (25.0 %)"


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252"])
def test_an_encoding_without_lines_gets_ascii(encoding: str) -> None:
    shown = lines(run(timed("timing", 8.8, title="Übung")), defaults(), encoding=encoding)
    assert "`-- Infrastructure" in shown
    assert "    +-- " in "\n".join(shown)
    assert "\n".join(shown).encode(encoding)


@given(st.lists(components, max_size=6), st.sampled_from([80, 100]))
def test_it_fits_the_width_whatever_was_run(measured: list[Component], width: int) -> None:
    shown = lines(run(*measured), defaults(), width)
    assert all(len(line) <= width for line in shown)
    assert all(line.isprintable() for line in shown)
    for heading in ("COMPONENT PERFORMANCE ANALYSIS", "HEADROOM ALLOCATION"):
        assert heading in shown


@given(st.floats(1e-9, 1e9))
def test_a_factor_is_never_rounded_to_what_it_is_not(factor: float) -> None:
    assert factor_text(factor) not in ("0x", "0.0x", "0.00x")


@pytest.mark.parametrize(
    ("ns", "shown"),
    [(0.5, "0.5 ns"), (100, "100 ns"), (1_999, "1.999 us"), (15_000, "15 us"), (2e9, "2 s"), (5e12, "5000 s")],
)
def test_a_limit_is_shown_as_it_was_stated(ns: float, shown: str) -> None:
    assert exact_time(ns) == shown


def test_a_rate_is_shown_as_it_was_stated() -> None:
    assert [exact_rate(rate) for rate in (0.5, 999, 1e6, 1.25e9)] == ["0.5/s", "999/s", "1 M/s", "1.25 G/s"]


# In `armprof report`


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with the run of the founding system, where the test runs."""
    monkeypatch.chdir(tmp_path)
    file.write(founding_system(), Path("run.json"))


@pytest.mark.usefixtures("folder")
def test_the_report_of_what_was_timed_starts_with_the_trees(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", "run.json"]) == 0
    report = capsys.readouterr().out.splitlines()
    trees = lines(founding_system(), defaults())
    assert report[: len(trees)] == trees
    assert "10 components: timing, object_pool" in report[len(trees) + 1]


@pytest.mark.usefixtures("folder")
def test_the_trees_hold_the_run_against_the_file_of_the_folder(capsys: pytest.CaptureFixture[str]) -> None:
    Path("armprof.toml").write_text("[targets.timing]\np50_ns = 16\n")
    assert main(["report", "run.json"]) == 0
    assert "timing         16.6 ns  (target < 16 ns)   0.96x, acceptable" in capsys.readouterr().out
    Path("armprof.toml").write_text("[targets.timing]\np50 = 16\n")
    assert main(["report", "run.json"]) == 2
    assert capsys.readouterr().err.startswith("armprof: armprof.toml: targets.timing.p50: no such key")


@pytest.mark.usefixtures("folder")
def test_what_has_no_target_or_was_not_timed_gets_no_trees(capsys: pytest.CaptureFixture[str]) -> None:
    file.write(run(timed("mine")), Path("mine.json"))
    Path("perf.txt").write_text("1000,,cycles:u,100,100.00,,\n2000,,instructions:u,100,100.00,,\n")
    for path in ("mine.json", "perf.txt"):
        assert main(["report", path]) == 0
        assert "PERFORMANCE ANALYSIS" not in capsys.readouterr().out
