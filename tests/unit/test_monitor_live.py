"""The live view: 80 columns, on a terminal and on none."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from monitored import START, GivenScope, GivenTarget, S, report, sample
from rich.console import Console

from armprof.budget import plan
from armprof.counters.reading import Status
from armprof.counters.refusal import Refusal
from armprof.monitor.alerts import Alert
from armprof.monitor.latencies import Distribution
from armprof.monitor.moments import Mark
from armprof.monitor.reports import Report
from armprof.monitor.rules import Figure
from armprof.report.live import Columns, Dashboard, budgets, shown, sparkline

EVENTS = ("cpu_cycles", "inst_retired", "l1d_cache_refill", "stall_backend", "context_switches")
NAME = "a component with quite a long name indeed"
WANTED = ("ipc", "l1d_mpki", "backend_stalled", "frontend_stalled")


def second(n: int, marks: tuple[Mark, ...] = ()) -> Report:
    why = Refusal(Status.UNSUPPORTED, "not on this core " * 5)
    scope = GivenScope(
        GivenTarget("cpu0", EVENTS, refused={"l2d_cache": why}),
        levels={"machine": {"busy": 1.25 + n / 10, "memory_bytes": 3.5 * 2**30}},
    )
    one = sample(scope, START + n * S, 2e9, 1.5e9, 3e6, 5e8, 12_345, span_ns=S)
    found = {NAME: Distribution(3e5, {1000: 250, 40_000: 10})}
    return report(scope, [one], metrics_wanted=WANTED, latencies=found, marks=marks)


def rendered(dashboard: Dashboard, alerts: tuple[str, ...] = (), rows: int = 24) -> str:
    out = io.StringIO()
    Console(file=out, width=80, force_terminal=False).print(dashboard.render(alerts, rows))
    return out.getvalue()


def test_the_dashboard_holds_in_80_columns_and_24_rows_and_loses_no_number():
    dashboard = Dashboard("2 CPUs, user and kernel mode")
    for n in range(70):
        dashboard.add(second(n, (Mark(START, "cpu1", "offline", "CPU 1 was taken off-line"),)))
    text = rendered(dashboard, ("busy: busy of machine is 1.99, above 1.5",))
    lines = text.splitlines()
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 80
    assert "ALERT busy: busy of machine is 1.99, above 1.5" in text
    assert "8.15" in text  # busy now
    assert "3.50 GiB" in text
    assert "0.750" in text  # ipc
    assert "offline: CPU 1 was taken off-line" in text
    assert "not counted: l2d_cache: not on this core" in text


def test_before_the_first_report_it_says_so():
    assert "waiting" in rendered(Dashboard("x"))


def test_columns_hold_in_80_characters_and_come_with_headings():
    out, err = io.StringIO(), io.StringIO()
    columns = Columns(out, err)
    for n in range(25):
        columns.show(replace(second(n), latencies={}), [])
    lines = out.getvalue().splitlines()
    assert [line.startswith("time") for line in lines].count(True) == 2
    assert max(map(len, lines)) <= 80
    assert lines[0].split()[:4] == ["time", "busy", "memory", "IPC"]
    assert lines[1].split()[1:5] == ["1.25", "3.50", "GiB", "0.750"]
    assert err.getvalue() == ""


HELD_TO = {Figure("latency", NAME, "p50_ns"): 2_000.0, Figure("latency", NAME, "p99_ns"): 10_000.0}


def test_columns_hold_components_against_their_budgets():
    out = io.StringIO()
    columns = Columns(out, out, held_to=HELD_TO)
    columns.show(second(0), [])
    columns.show(replace(second(1), latencies={NAME: Distribution()}), [])
    heading, row, without = out.getvalue().splitlines()
    assert max(map(len, (heading, row, without))) <= 80
    assert "a component wit~ p50" in heading
    assert "1.02 us 51 %" in row
    assert "41.0 us 410 %" in row
    assert "IPC" not in heading  # no room for it
    assert without.split()[-1] == "-"  # no call is no 0


def test_the_dashboard_has_components_with_their_budgets_and_what_exceeds_one_stands_out():
    dashboard = Dashboard("x", budgets=HELD_TO)
    for n in range(3):
        dashboard.add(second(n))
    out = io.StringIO()
    Console(file=out, width=80, force_terminal=True, color_system="standard").print(dashboard.render(()))
    within, beyond = (line for line in out.getvalue().splitlines() if "a component" in line)
    assert ("51 %" in within, "410 %" in beyond) == (True, True)
    assert ("\x1b[1;31m" in within, "\x1b[1;31m" in beyond) == (False, True)


def test_budgets_that_ship_are_of_components_that_only_share_a_name():
    stated = plan.parse("[budgets.parse]\np99_ns = 5\n")
    assert budgets(stated) == {Figure("latency", "parse", "p99_ns"): 5.0}


def test_what_happens_and_alerts_go_to_stderr_even_where_it_is_quiet():
    out, err = io.StringIO(), io.StringIO()
    columns = Columns(out, err, quiet=True)
    columns.show(second(0, (Mark(START, "cpu1", "online", "CPU 1 is on-line"), Mark(START, "", "late", "x"))), [])
    alert = Alert("ipc", "slow", "machine", START, 0.1, "ipc of machine is 0.1")
    columns.alert(alert)
    alert.ended_ns = START + S
    columns.alert(alert)
    assert out.getvalue() == ""
    assert [line.partition(": ")[2] for line in err.getvalue().splitlines()][1:] == [
        "ALERT ipc of machine is 0.1",
        "RESOLVED ipc of machine is 0.1",
    ]
    assert "online: CPU 1 is on-line" in err.getvalue()
    assert "late" not in err.getvalue()


@given(st.lists(st.one_of(st.none(), st.floats(-1e12, 1e12)), max_size=60))
def test_a_sparkline_has_a_character_for_each_value(values):
    line = sparkline(values)
    assert len(line) == len(values)
    assert all((bar == " ") == (value is None) for bar, value in zip(line, values, strict=True))


def test_a_sparkline_goes_from_the_least_to_the_most():
    assert sparkline([0, 1, 2, 3, 4, 5, 6, 7]) == "▁▂▃▄▅▆▇█"
    assert sparkline([5, 5, None]) == "▁▁ "


@pytest.mark.parametrize(
    ("number", "unit", "expected"),
    [
        (None, "", "-"),
        (0.98254, "fraction of accesses", "98.3 %"),
        (2.5 * 2**20, "bytes", "2.50 MiB"),
        (100.0, "bytes", "100 B"),
        (12_345.0, "ns", "12.3 us"),
        (3.14159, "", "3.14"),
        (1_234_567.0, "/s", "1.23 M"),
    ],
)
def test_values_are_short(number, unit, expected):
    assert shown(number, unit) == expected
