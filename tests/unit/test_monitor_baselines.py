"""Rules held against a run that was measured before: a run file, or a baseline of armprof history."""

from __future__ import annotations

import pytest
from budget_runs import run, timed
from monitored import START, GivenScope, GivenTarget, S, report, sample
from report_runs import kernel, reading

from armprof.errors import ArmprofError
from armprof.history.store import RunStore
from armprof.monitor.alerts import Alarm
from armprof.monitor.latencies import Distribution
from armprof.monitor.settings import read
from armprof.run import file

COUNTED = kernel("work", reading(cpu_cycles=2_000_000, inst_retired=1_000_000))


@pytest.fixture
def settings(tmp_path):
    def of(figure: str, baseline: str, more: str = "") -> object:
        (tmp_path / "armprof.toml").write_text(
            f'[alerts.a]\nfigure = "{figure}"\nabove_baseline = 0.1\nclear = 0.05\nhold = "0s"\nbaseline = "{baseline}"\n{more}'
        )
        return read(tmp_path / "armprof.toml")

    return of


def test_a_latency_that_rises_above_that_of_a_run_file_is_one_alert_that_ends(tmp_path, settings):
    file.write(run(timed("parse", 1_000, p99=2_000)), tmp_path / "base.json")
    alarm = Alarm(settings("parse.p50_ns", "base.json").rules)
    told = []
    for n, ns in enumerate((1_050, 1_250, 1_250, 1_080, 1_020)):
        scope = GivenScope(GivenTarget("cpu0"))
        found = {"parse": Distribution(ns * 100, {ns: 100})}
        told += [
            (n, str(one)) for one in alarm.see(report(scope, [sample(scope, START + n * S, 1, 1)], latencies=found))
        ]
    assert [n for n, _ in told] == [1, 4]
    assert "parse.p50_ns of machine is " in told[0][1]
    assert "above 1100, 10 % from its baseline" in told[0][1]


def test_a_metric_is_held_against_the_approved_baseline(tmp_path, settings):
    RunStore(tmp_path / ".armprof").approve("main", run(COUNTED))
    (rule,) = settings("cycles_per_instruction", "history:main").rules
    assert rule.base == 2.0
    alarm = Alarm([rule])
    scope = GivenScope(GivenTarget("cpu0"))
    assert alarm.see(report(scope, [sample(scope, START, 210, 100)], metrics_wanted=("cycles_per_instruction",))) == []
    (began,) = alarm.see(
        report(scope, [sample(scope, START + S, 230, 100)], metrics_wanted=("cycles_per_instruction",))
    )
    assert began.ended_ns is None


@pytest.mark.parametrize(
    ("components", "figure", "more", "told"),
    [
        (
            (timed("other"),),
            "parse.p99_ns",
            "",
            "line 6: alerts.a.baseline: the run has no component 'parse', but other",
        ),
        ((timed("parse", batch=64),), "parse.p99_ns", "", "timed parse in batches of 64"),
        ((timed("parse"),), "parse.calls_per_s", "", "the run has no calls_per_s of parse"),
        ((COUNTED,), "l1d_mpki", "", "the run has no l1d_mpki of work: "),
        ((timed("parse"),), "ipc", "", r"the run has counts of 0 components \(none\)"),
        (
            (COUNTED, kernel("two", COUNTED.reading)),
            "ipc",
            "",
            r"of 2 components \(work, two\): a key component says which",
        ),
        ((COUNTED,), "ipc", 'component = "nobody"', "the run has no component 'nobody', but work"),
        ((COUNTED,), "busy", "", "a run has no busy: metrics and latencies"),
    ],
)
def test_what_the_run_does_not_have_is_told_when_the_configuration_is_read(
    tmp_path, settings, components, figure, more, told
):
    file.write(run(*components), tmp_path / "base.json")
    with pytest.raises(ArmprofError, match=told):
        settings(figure, "base.json", more)


def test_of_several_components_one_is_named(tmp_path, settings):
    other = kernel("two", reading(cpu_cycles=3_000_000, inst_retired=1_000_000))
    file.write(run(COUNTED, other), tmp_path / "base.json")
    (rule,) = settings("cycles_per_instruction", "base.json", 'component = "two"').rules
    assert rule.base == 3.0


def test_the_mean_of_batches_can_be_held_against(tmp_path, settings):
    file.write(run(timed("parse", 100, batch=64)), tmp_path / "base.json")
    (rule,) = settings("parse.mean_ns", "base.json").rules
    assert rule.base == 100
