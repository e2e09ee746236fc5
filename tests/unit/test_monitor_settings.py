"""[monitor] and [alerts] of armprof.toml: what they mean, and what is said of a slip, with file, line and key."""

from __future__ import annotations

import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from armprof import config
from armprof.budget import plan
from armprof.errors import ArmprofError
from armprof.monitor.rules import Figure, duration_ns, figure
from armprof.monitor.settings import Otlp, Prometheus, read
from armprof.run.codec import MismatchError

S = 1_000_000_000


@pytest.fixture
def said(tmp_path):
    def of(text: str) -> str:
        file = tmp_path / "armprof.toml"
        file.write_text(text)
        with pytest.raises(ArmprofError) as caught:
            read(file)
        return str(caught.value).removeprefix(f"{file}: ")

    return of


def settings_of(tmp_path, text: str):
    file = tmp_path / "armprof.toml"
    file.write_text(text)
    return read(file)


def test_everything_that_can_be_said(tmp_path):
    found = settings_of(
        tmp_path,
        """
        [monitor]
        interval = "50ms"
        store = "data/m.db"
        metrics = ["ipc", "l1d_mpki"]
        events = ["page-faults"]
        [monitor.keep]
        full = "10m"
        [monitor.notify]
        log = "alerts.log"
        command = ["logger", "-t", "armprof"]
        webhook = "https://example.org/hook"
        [monitor.prometheus]
        listen = "9464"
        passwords = "passwords"
        [monitor.otlp]
        endpoint = "http://localhost:4318"
        every = "30s"
        [alerts.slow]
        figure = "parse.p99_ns"
        above = 5_000
        clear = 4000
        hold = "30s"
        [alerts."cold cache"]
        figure = "l1_cache_hit_rate"
        target = "*"
        below_baseline = 0.05
        baseline = "7d"
        """,
    )
    assert found.interval_ns == S // 20
    assert found.store == tmp_path / "data/m.db"
    assert found.events == ("page_faults",)
    assert (found.keep.full_ns, found.keep.seconds_ns) == (600 * S, 86_400 * S)
    assert found.notify.command == ("logger", "-t", "armprof")
    assert found.prometheus == Prometheus(9464, passwords=tmp_path / "passwords")
    assert found.otlp == Otlp("http://localhost:4318", 30 * S)
    slow, cold = found.rules
    assert (slow.figure, slow.above, slow.threshold, slow.clear) == (
        Figure("latency", "parse", "p99_ns"),
        True,
        5000,
        4000,
    )
    assert slow.hold_ns == 30 * S
    assert (cold.name, cold.target, cold.of_baseline, cold.baseline_ns) == ("cold cache", "*", True, 7 * 86_400 * S)


def test_without_a_file_there_are_defaults(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = read(None)
    assert (found.interval_ns, found.store, found.rules) == (S // 10, None, ())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[monitor]\ninterval = 5", "line 2: monitor.interval: expected a duration as in"),
        ('[monitor]\n\ninterval = "1ms"', "line 3: monitor.interval: expected a duration"),
        ('[monitor]\nintervall = "1s"', "line 2: monitor.intervall: no such key; expected one of interval, store"),
        ("monitor = 3", "line 1: monitor: expected a table, found 3"),
        ('[monitor]\nmetrics = "ipc"', "line 2: monitor.metrics: expected a list of names"),
        ('[monitor]\nmetrics = ["ipz"]', "line 2: monitor.metrics: no metric and no group of metrics is called 'ipz'"),
        ('[monitor]\nevents = ["cyclez"]', "line 2: monitor.events: "),
        ('[monitor]\nkeep.full = "2d"', "line 2: monitor.keep: expected full <= seconds <= minutes"),
        ('[monitor.notify]\nwebhook = "ftp://x"', "line 2: monitor.notify.webhook: expected an address"),
        ('[monitor.notify]\ncommand = "rm -rf"', "line 2: monitor.notify.command: expected a list of words"),
        ("[monitor.prometheus]", "line 1: monitor.prometheus: a key listen is missing"),
        ("[monitor.otlp]", "line 1: monitor.otlp: a key endpoint is missing"),
        ('[monitor.otlp]\nendpoint = "collector"', "line 2: monitor.otlp.endpoint: expected an address that begins"),
        ('[monitor.otlp]\nendpoint = "http://x:y"', "line 2: monitor.otlp.endpoint: expected an address that begins"),
        ('[monitor.otlp]\nendpoint = "http://"', "line 2: monitor.otlp.endpoint: expected an address that begins"),
        ('[monitor.otlp]\nendpoint = "http://x"\nevery = "1ms"', "line 3: monitor.otlp.every: expected a duration"),
        ("[alerts.a]\nabove = 1", "line 1: alerts.a: a key figure is missing"),
        ('[alerts.a]\nfigure = "ipc"', "line 1: alerts.a: expected one of above, below"),
        ('[alerts.a]\nfigure = "ipc"\nabove = 1\nbelow = 2', "line 1: alerts.a: expected one of above, below"),
        ('[alerts.a]\nfigure = "ipc"\nabove = "1"', "line 3: alerts.a.above: expected a number, found '1'"),
        ('[alerts.a]\nfigure = "ipc"\nabove = nan', "line 3: alerts.a.above: expected a number"),
        ('[alerts.a]\nfigure = "ipc"\nbelow = 1\nclear = 0.5', "line 4: alerts.a.clear: expected at least below, 1"),
        ('[alerts.a]\nfigure = "ipc"\nabove = 1\nclear = 2', "line 4: alerts.a.clear: expected at most above, 1"),
        ('[alerts."b c"]\nfigure = "ipz"\nabove = 1', 'line 2: alerts."b c".figure: no metric and no group'),
        ('[alerts.a]\nfigure = "cyclez.per_s"\nabove = 1', "line 2: alerts.a.figure: "),
        (
            '[alerts.a]\nfigure = "ipc"\nabove_baseline = -1',
            "line 3: alerts.a.above_baseline: expected a share above 0",
        ),
        (
            '[alerts.a]\nfigure = "ipc"\nabove = 1\nbaseline = "1d"',
            "line 4: alerts.a.baseline: only with above_baseline",
        ),
        (
            '[alerts.a]\nfigure = "ipc"\nabove_baseline = 1\ncomponent = "x"',
            "line 4: alerts.a.component: only with a baseline that is a run",
        ),
        (
            '[alerts.a]\nfigure = "ipc"\nabove_baseline = 1\nbaseline = "7days"',
            'line 4: alerts.a.baseline: expected "24h", a run file as in "base.json"',
        ),
        (
            '[alerts.a]\nfigure = "ipc"\nabove_baseline = 1\nbaseline = "nothing.json"',
            "line 4: alerts.a.baseline: cannot read ",
        ),
        (
            '[alerts.a]\nfigure = "ipc"\nabove_baseline = 1\nbaseline = "history:main"',
            "line 4: alerts.a.baseline: .*has no baseline 'main', but none",
        ),
        ('[alerts.a]\nfigure = "ipc"\nabove = 1\nhold = "soon"', "line 4: alerts.a.hold: expected a duration"),
        ("[alert.a]", "line 1: alert: no such section; did you mean alerts?"),
        ("[monitor\n", "line 1, column 9: "),
    ],
)
def test_a_slip_is_told_with_file_line_and_key(said, text, expected):
    assert said(text).startswith(expected) or re.match(expected, said(text))
    assert "\n" not in said(text)


def test_one_file_has_the_budgets_and_the_alerts_of_a_project(tmp_path):
    text = '[targets.parse]\np50_ns = 100\n[alerts.slow]\nfigure = "parse.p50_ns"\nabove = 200\n'
    assert [rule.name for rule in settings_of(tmp_path, text).rules] == ["slow"]
    assert plan.parse(text).targets[-1].component == "parse"


def test_durations_have_units():
    assert [duration_ns(text, "x") for text in ("5ms", "1.5s", "2m", "1h", "1d")] == [
        5_000_000,
        1_500_000_000,
        120 * S,
        3600 * S,
        86400 * S,
    ]


@given(st.text(max_size=20))
def test_any_other_text_is_no_duration(text):
    assume(not re.fullmatch(r"\d+(\.\d+)?\s*(ms|s|m|h|d)", text))
    with pytest.raises(MismatchError, match="x: expected a duration"):
        duration_ns(text, "x")


def test_a_figure_is_a_level_an_event_a_metric_or_a_time_of_a_component():
    assert figure("busy", "x") == Figure("level", "busy")
    assert figure("cycles.per_s", "x") == Figure("event", "cpu_cycles", "per_s")
    assert figure("IPC", "x") == Figure("metric", "ipc")
    assert figure("my.parser.p999_ns", "x") == Figure("latency", "my.parser", "p999_ns")


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("alerts.a.above", 3),
        ("alerts.a", 1),
        ('alerts."b c".hold', 6),
        ("monitor.metrics[0]", 9),
        ("monitor.keep.full", 10),
        ("monitor.keep", 10),
        ("nothing", None),
    ],
)
def test_the_line_of_a_key(path, line):
    text = """[alerts.a]
figure = "ipc"
above = 1  # above what
[alerts."b c"]
# a comment
hold = "1s"

[ monitor ]
metrics = ["x"]
keep.full = "1h"
"""
    assert config.line_of(text, path) == line


@given(st.text(max_size=200), st.text(max_size=30))
def test_no_text_and_no_path_confuses_it(text, path):
    found = config.line_of(text, path)
    assert found is None or 1 <= found <= len(text.splitlines())
