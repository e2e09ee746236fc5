"""The critical path as a tree, and the two loops beside each other: in 80 columns, from a run or from its file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import report_runs as runs
from hypothesis import given
from hypothesis import strategies as st
from test_bottlenecks import SLOW_BOOK, SLOW_TAIL, component, path
from test_run_file import components as any_components

from armprof.cli import main
from armprof.report import text
from armprof.report.document import document
from armprof.run import file
from armprof.run.record import Component, Latency, OpenLoop, Run

TIMES = Latency(210.0, 200.0, 300.0, 1000.0, 2000.0, 90_000.0, 10_000, 1, 18.0, operation="tick that sends orders")
KEPT_UP = OpenLoop(
    rate_per_s=1e6,
    achieved_per_s=1e6,
    operations=1_000_000,
    latency=replace(TIMES, p50_ns=230.0, p99_ns=45_000.0, p999_ns=80_000.0, max_ns=120_000.0),
    on_time_until=0.999,
    behind_ns=3.0,
    most_behind_ns=119_000.0,
)
FELL_BEHIND = replace(KEPT_UP, rate_per_s=2e7, achieved_per_s=4.8e6, on_time_until=0.021, behind_ns=7.6e8)


def report(*components: Component) -> list[str]:
    return text.render(document(Run(components))).splitlines()


def test_stages_stand_with_their_parts_of_p50_and_p99_and_bottlenecks_with_evidence() -> None:
    shown = report(component("trade", SLOW_TAIL))
    at = shown.index("CRITICAL PATH of trade: 200 ns p50, 1.00 us p99")
    assert shown[at + 1 : at + 16] == [
        "├── Feed handler  20.0 ns  10.0 % of p50  100 ns  10.0 % of p99",
        "├── Order book    20.0 ns  10.0 % of p50  600 ns  60.0 % of p99",
        "├── Decision       100 ns  50.0 % of p50  100 ns  10.0 % of p99",
        "├── Risk          40.0 ns  20.0 % of p50  100 ns  10.0 % of p99",
        "├── Orders        20.0 ns  10.0 % of p50  100 ns  10.0 % of p99",
        "├── Bottleneck 1: Order book (tail)",
        "│   ├── 10.0 % of p50, 20 of 200 ns: the mean of 1,000 operations around it",
        "│   ├── 60.0 % of p99, 600 of 1000 ns: the mean of 101 operations at and above",
        "│   │   it",
        "│   └── it grows in the tail: 6.0 times its share of p50",
        "├── Bottleneck 2: Decision (median)",
        "│   ├── 50.0 % of p50, 100 of 200 ns: the mean of 1,000 operations around it",
        "│   ├── 10.0 % of p99, 100 of 1000 ns: the mean of 101 operations at and above",
        "│   │   it",
        "│   └── its share shrinks in the tail: what makes p99 slow is elsewhere",
    ]
    assert shown[at + 16 : at + 18] == [
        "└── 10,000 operations, timed with a stamp behind each stage; its cost, 20.0 ns,",
        "    is subtracted",
    ]


def test_what_was_counted_in_a_stage_stands_beside_it_or_the_reason_does() -> None:
    stages = tuple(replace(stage, reading=runs.reading()) for stage in SLOW_BOOK.stages)
    counted = report(component("trade", replace(SLOW_BOOK, stages=stages, reading_operations=1_000_000)))
    assert "├── Order book     120 ns  60.0 % of p50   800 ns  80.0 % of p99  2,000 instr." in counted
    assert "├── Stages were counted by samples between them, whose own counts are" in counted
    uncounted = report(component("trade", replace(SLOW_BOOK, uncounted="no PMU")))
    assert "├── Stages were not counted: no PMU" in uncounted


def test_where_nothing_stands_out_that_is_said() -> None:
    assert "├── No bottleneck: no stage takes more than an even share" in report(
        component("trade", path((0.2,) * 5, (0.2,) * 5))
    )


def test_the_open_loop_stands_beside_the_closed_one() -> None:
    shown = report(component("trade", None, latency=TIMES, open_loop=KEPT_UP))
    at = shown.index("trade at 1.00 M/s: sustained")
    assert [" ".join(line.split()) for line in shown[at + 1 : at + 4]] == [
        "tick that sends orders p50 p99 p99.9 max",
        "closed loop 200 ns 1.00 us 2.00 us 90.0 us",
        "open loop 230 ns 45.0 us 80.0 us 120 us",
    ]
    assert "at most 119 us behind the" in shown[at + 4]


def test_a_time_that_was_not_kept_is_no_number() -> None:
    unknown = replace(TIMES, p99_ns=None, reason="not kept")
    shown = report(component("trade", None, latency=TIMES, open_loop=replace(KEPT_UP, latency=unknown)))
    assert any(" ".join(line.split()) == "open loop 200 ns - 2.00 us 90.0 us" for line in shown)


def test_a_rate_that_is_not_sustained_is_a_clear_word() -> None:
    shown = " ".join(report(component("trade", None, latency=TIMES, open_loop=FELL_BEHIND)))
    assert "trade at 20.0 M/s: NOT SUSTAINED" in shown
    assert "4.80 M/s served" in shown
    assert "760 ms at the end" in shown
    assert "it never caught up after 2.1 % of the run" in shown


def test_a_report_can_be_made_of_the_run_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = Run((component("trade", SLOW_BOOK, latency=TIMES, open_loop=FELL_BEHIND),))
    file.write(made, tmp_path / "run.json")
    assert main(["report", str(tmp_path / "run.json")]) == 0
    assert capsys.readouterr().out == text.render(document(made))


@given(st.lists(any_components, max_size=2))
def test_it_fits_80_columns_whatever_the_file_says(components: list[Component]) -> None:
    assert all(len(line) <= 80 for line in report(*components))
