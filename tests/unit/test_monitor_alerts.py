"""Alerts: when one begins, when it ends, and what makes one cause."""

from __future__ import annotations

import http.server
import json
import threading
from dataclasses import replace
from itertools import pairwise

from contract import described
from hypothesis import given
from hypothesis import strategies as st
from monitored import START, GivenScope, GivenTarget, S, report, sample

from armprof.monitor.alerts import Alarm, Alert, Watched
from armprof.monitor.notify import Notifier, document
from armprof.monitor.reports import Report
from armprof.monitor.rules import Figure, Rule
from armprof.monitor.settings import Notify

BUSY = Rule("busy", Figure("level", "busy"), "", above=True, threshold=1.5, clear=1.0, hold_ns=2 * S)
IPC = Rule("slow", Figure("metric", "ipc"), "*", above=False, threshold=0.5, clear=0.8, hold_ns=0)


def second(n: int, busy: float | None = None, ipc: tuple[float, ...] = (1.0,)) -> Report:
    """The report of the n-th second."""
    scope = GivenScope(
        *(GivenTarget(f"cpu{cpu}") for cpu in range(len(ipc))),
        levels={} if busy is None else {"machine": {"busy": busy}},
    )
    one = sample(scope, START + n * S, 0, 0, span_ns=S)
    for at, target in enumerate(scope.targets):
        one.counts[at] = (target, sample(GivenScope(target), 0, 1000, 1000 * ipc[at], span_ns=S).counts[0][1])
    return report(scope, [one])


def seen(alarm: Alarm, values: list[float | None]) -> list[tuple[int, str]]:
    found = []
    for n, value in enumerate(values):
        found += [(n, "ends" if alert.ended_ns else "begins") for alert in alarm.see(second(n, value))]
    return found


def test_an_alert_begins_when_the_figure_was_beyond_the_threshold_for_the_hold_time():
    assert seen(Alarm([BUSY]), [1.6, 1.6, 1.6, 1.6]) == [(2, "begins")]
    assert seen(Alarm([BUSY]), [1.6, 1.6, 1.4, 1.6, 1.6]) == []


def test_it_ends_on_the_calm_side_and_not_in_between():
    assert seen(Alarm([BUSY]), [2, 2, 2, 1.2, 1.2, 1.2, 1.2, 1, 1, 1]) == [(2, "begins"), (9, "ends")]


def test_a_report_without_a_value_says_nothing_either_way():
    assert seen(Alarm([BUSY]), [2, None, None, 2]) == [(3, "begins")]
    assert seen(Alarm([BUSY]), [None] * 5) == []


@given(st.lists(st.floats(1.01, 1.5), max_size=30))
def test_between_the_thresholds_nothing_ever_changes(values):
    assert seen(Alarm([BUSY]), list(values)) == []
    assert seen(Alarm([BUSY]), [2, 2, 2, *values]) == [(2, "begins")]


@given(st.lists(st.floats(0, 3), max_size=60))
def test_beginnings_and_ends_take_turns_at_least_a_hold_time_apart(values):
    found = seen(Alarm([BUSY]), list(values))
    assert [what for _, what in found] == ["begins", "ends"] * (len(found) // 2) + ["begins"] * (len(found) % 2)
    assert all(b - a >= 2 for (a, _), (b, _) in pairwise(found))


def test_one_cause_on_many_targets_is_one_alert_which_ends_with_the_last_of_them():
    alarm = Alarm([IPC])
    (began,) = alarm.see(second(0, ipc=(0.1, 0.2)))
    assert str(began) == "slow: ipc of cpu0 is 0.1, below 0.5, and 1 more of ipc"
    assert alarm.see(second(1, ipc=(1.0, 0.2))) == []
    (ended,) = alarm.see(second(2, ipc=(1.0, 1.0)))
    assert ended is began
    assert ended.ended_ns == START + 2 * S
    assert alarm.standing == []


def test_what_is_taken_away_while_it_fires_ends_its_alert_and_begins_anew_when_it_is_back():
    alarm = Alarm([IPC])
    (began,) = alarm.see(second(0, ipc=(1.0, 0.2)))
    away = second(1, ipc=(1.0, 0.2))
    away.scope.targets[1].is_wanted = False
    del away.samples[0].counts[1]
    assert alarm.see(away) == [began]
    assert began.ended_ns == START + S
    assert [alert.target for alert in alarm.see(second(2, ipc=(1.0, 0.2)))] == ["cpu1"]


def test_two_rules_on_one_figure_are_one_cause():
    harder = replace(BUSY, name="very busy", threshold=2.5)
    alarm = Alarm([BUSY, harder])
    assert seen(alarm, [3, 3, 3, 2, 2, 2]) == [(2, "begins")]


def test_a_baseline_moves_the_threshold_with_the_past():
    rule = replace(BUSY, of_baseline=True, threshold=0.1, clear=0.05, hold_ns=0, baseline_ns=S)
    alarm = Alarm([rule], lambda figure, target, ns: 2.0)
    assert seen(alarm, [2.1, 2.19, 2.21, 2.15, 2.09]) == [(2, "begins"), (4, "ends")]
    assert seen(Alarm([rule], lambda figure, target, ns: None), [9.0, 9.0]) == []


def test_rules_that_a_reload_left_as_they_were_go_on_and_those_that_are_gone_end():
    alarm = Alarm([BUSY, replace(IPC, target="")])
    for n in range(3):
        alarm.see(second(n, 2.0, (0.1,)))
    assert {alert.cause for alert in alarm.standing} == {"busy", "ipc"}
    changed = Alarm([BUSY])
    changed.adopt(alarm)
    (ended,) = changed.see(second(3, 2.0, (0.1,)))
    assert (ended.cause, ended.ended_ns) == ("ipc", START + 3 * S)
    assert [alert.cause for alert in changed.standing] == ["busy"]


def test_a_watched_figure_that_only_touches_the_threshold_is_not_beyond_it():
    assert not Watched().see(replace(BUSY, hold_ns=0), 1.5, 1.5, 1.0, 0)


# ---- telling ----

ALERT = Alert("busy", "busy", "machine", START, 2.0, "busy of machine is 2", firing={("busy", "machine")})
ENDED = replace(ALERT, ended_ns=START + S, firing=set())


def test_receivers_get_the_whole_alert():
    told = described(json.dumps(document(ALERT, "box")), "monitor/alert")
    assert told["state"] == "firing"
    assert told["firing"] == [{"rule": "busy", "target": "machine"}]
    assert described(json.dumps(document(ENDED, "box")), "monitor/alert")["state"] == "resolved"


def test_a_log_gets_a_line_for_each_beginning_and_end(tmp_path):
    told: list[str] = []
    notifier = Notifier(Notify(log=tmp_path / "alerts.log"), "box", told.append)
    notifier.send(ALERT)
    notifier.send(ENDED)
    assert (tmp_path / "alerts.log").read_text() == (
        "2023-11-14T22:13:20.000+00:00 firing busy of machine is 2\n"
        "2023-11-14T22:13:21.000+00:00 resolved busy of machine is 2\n"
    )
    assert told == []


def test_a_command_gets_it_on_stdin_and_in_its_environment_and_no_shell_is_between(tmp_path):
    out = tmp_path / "out; touch hacked"
    script = 'import os, sys; open(sys.argv[1], "a").write(os.environ["ARMPROF_ALERT_STATE"] + sys.stdin.read())'
    told: list[str] = []
    notifier = Notifier(Notify(command=("python3", "-c", script, str(out))), "box", told.append)
    notifier.send(ALERT)
    notifier.close()
    assert told == []
    assert out.read_text() == "firing" + json.dumps(document(ALERT, "box"))


def test_a_command_that_fails_is_told_once():
    told: list[str] = []
    notifier = Notifier(Notify(command=("sh", "-c", "echo no such pager >&2; exit 3")), "box", told.append)
    notifier.send(ALERT)
    notifier.send(ENDED)
    notifier.close()
    assert told == ["monitor.notify.command: an alert could not be told: sh ended with 3: no such pager"]


def test_a_webhook_gets_it_as_json():
    got: list[bytes] = []

    class Receiver(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Receiver) as server:
        threading.Thread(target=server.handle_request, daemon=True).start()
        told: list[str] = []
        notifier = Notifier(Notify(webhook=f"http://127.0.0.1:{server.server_port}/"), "box", told.append)
        notifier.send(ALERT)
        notifier.close()
    assert told == []
    assert json.loads(got[0]) == document(ALERT, "box")


def test_a_webhook_that_nobody_answers_is_told():
    told: list[str] = []
    notifier = Notifier(Notify(webhook="http://127.0.0.1:1/"), "box", told.append)
    notifier.send(ALERT)
    notifier.close()
    (line,) = told
    assert line.startswith("monitor.notify.webhook: an alert could not be told: ")
