"""armprof monitor as it is typed: real processes, signals, a store."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing, suppress
from pathlib import Path

import pytest

from armprof.monitor.loop import Loop
from armprof.monitor.targets import Cpus

ARMPROF = [sys.executable, "-P", "-m", "armprof", "monitor"]


@pytest.fixture(scope="module", autouse=True)
def can_sample():
    scope = Cpus(("task_clock",))
    counting = bool(scope.targets[0].events)
    Loop(scope, 10**9).close()
    if not counting:
        pytest.skip("nothing can be counted here")


def run(*words: str, cwd: Path, **more) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*ARMPROF, *words], cwd=cwd, capture_output=True, text=True, timeout=120, check=False, **more)


def started(*words: str, cwd: Path) -> subprocess.Popen[str]:
    return subprocess.Popen([*ARMPROF, *words], cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def line_with(stream, what: str) -> str:
    for line in stream:
        if what in line:
            return str(line)
    raise AssertionError(f"it never said {what!r}")


def rows(path: Path, question: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as db:
        return db.execute(question).fetchall()


def test_a_pipe_gets_plain_lines_and_a_store_what_was_sampled(tmp_path):
    done = run("--duration", "1200ms", "--store", "m.db", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    heading, first, *_ = done.stdout.splitlines()
    assert heading.split()[:3] == ["time", "busy", "memory"]
    assert "\x1b" not in done.stdout + done.stderr
    assert len(first) <= 80
    ((ticks, began, ended),) = rows(
        tmp_path / "m.db", "SELECT (SELECT count(*) FROM ticks), began_ns, ended_ns FROM sessions"
    )
    assert ticks >= 2
    assert ended > began
    assert rows(tmp_path / "m.db", "SELECT count(*) FROM series WHERE status IS NOT NULL AND reason IS NULL") == [(0,)]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_cleanly_and_nothing_is_lost(tmp_path, number):
    monitor = started("--store", "m.db", cwd=tmp_path)
    line_with(monitor.stdout, ":")
    monitor.send_signal(number)
    _, err = monitor.communicate(timeout=60)
    assert monitor.returncode == 0, err
    assert rows(tmp_path / "m.db", "SELECT count(*) FROM sessions WHERE ended_ns IS NULL") == [(0,)]


def test_a_hangup_reads_the_configuration_again_and_a_slip_in_it_changes_nothing(tmp_path):
    config = tmp_path / "armprof.toml"
    config.write_text('[alerts.busy]\nfigure = "busy"\nabove = -1\nhold = "0s"\n')
    monitor = started("--quiet", cwd=tmp_path)
    assert "busy of machine is" in line_with(monitor.stderr, "ALERT")
    config.write_text("[alerts.busy]\nfigure = 3\n")
    monitor.send_signal(signal.SIGHUP)
    told = line_with(monitor.stderr, "stays as it was")
    assert "armprof.toml: line 1: alerts.busy: expected one of above" in told or "line 2: alerts.busy" in told
    config.write_text("")
    monitor.send_signal(signal.SIGHUP)
    line_with(monitor.stderr, "configuration reloaded")
    assert "busy of machine" in line_with(monitor.stderr, "RESOLVED")
    monitor.terminate()
    monitor.communicate(timeout=60)


def test_an_alert_within_the_duration_is_exit_status_1_and_in_the_store(tmp_path):
    (tmp_path / "armprof.toml").write_text('[alerts.memory]\nfigure = "memory_bytes"\nabove = 1\nhold = "0s"\n')
    done = run("--duration", "1200ms", "--store", "m.db", "--quiet", cwd=tmp_path)
    assert done.returncode == 1
    assert rows(tmp_path / "m.db", "SELECT cause, rule, target, ended_ns FROM alerts") == [
        ("memory_bytes", "memory", "machine", None)
    ]


def test_it_ends_when_the_process_does(tmp_path):
    child = subprocess.Popen(["sleep", "1"])
    monitor = started("--pid", str(child.pid), cwd=tmp_path)
    line_with(monitor.stderr, f"sampling process {child.pid} (sleep)")
    child.wait()
    line_with(monitor.stderr, f"process {child.pid} has ended")
    monitor.communicate(timeout=60)
    assert monitor.returncode == 0


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--pid", "4194305"], "cannot follow process 4194305: there is no such process"),
        (["--interval", "5"], "--interval: expected a duration"),
        (["--interval", "1ms"], "--interval: expected a duration"),
        (["--config", "nothing.toml"], "cannot read nothing.toml: No such file or directory"),
        (["--store", "/nowhere/m.db"], "cannot write the store /nowhere/m.db: No such file or directory"),
    ],
)
def test_what_is_wrong_is_one_line_and_status_2(tmp_path, words, told):
    done = run(*words, cwd=tmp_path)
    assert done.returncode == 2
    (line,) = [line for line in done.stderr.splitlines() if "sampling" not in line and "not counted" not in line]
    assert told in line


def test_a_second_monitor_on_the_same_store_is_one_line(tmp_path):
    first = started("--store", "m.db", cwd=tmp_path)
    line_with(first.stdout, ":")
    second = run("--store", "m.db", "--duration", "1s", cwd=tmp_path)
    assert second.returncode == 2
    assert second.stderr.splitlines()[-1].startswith("armprof: another monitor writes m.db")
    first.terminate()
    first.communicate(timeout=60)
    assert first.returncode == 0


def test_a_terminal_gets_a_dashboard_and_is_left_as_it_was(tmp_path):
    import pty

    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "80", "LINES": "24"}
    monitor = subprocess.Popen([*ARMPROF], cwd=tmp_path, stdout=theirs, stderr=theirs, stdin=theirs, env=environment)
    os.close(theirs)
    seen = b""
    deadline = time.monotonic() + 60
    while b"memory_bytes" not in seen and time.monotonic() < deadline:
        seen += os.read(ours, 65536)
    monitor.terminate()
    while True:
        try:
            seen += os.read(ours, 65536)
        except OSError:  # the other end is closed
            break
    assert monitor.wait(60) == 0
    os.close(ours)
    assert b"memory_bytes" in seen
    assert seen.rfind(b"\x1b[?1049l") > seen.rfind(b"\x1b[?1049h")  # the screen before is there again


UNIT = Path(__file__).parents[2] / "docs/monitor/armprof-monitor.service"


def test_the_unit_is_right_to_systemd(tmp_path):
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed: apt install systemd")
    text = UNIT.read_text()
    assert "/usr/local/bin/armprof " in text
    (tmp_path / UNIT.name).write_text(text.replace("/usr/local/bin/armprof ", f"{sys.executable} -m armprof "))
    verified = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", tmp_path / UNIT.name], capture_output=True, text=True
    )
    assert (verified.returncode, verified.stderr) == (0, "")


def test_a_dumb_terminal_gets_lines_of_its_width_and_no_codes(tmp_path):
    import pty

    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "dumb", "COLUMNS": "60"}
    monitor = subprocess.Popen(
        [*ARMPROF, "--duration", "1200ms"], cwd=tmp_path, stdout=theirs, stderr=subprocess.DEVNULL, env=environment
    )
    os.close(theirs)
    seen = b""
    with suppress(OSError):  # the other end is closed
        while more := os.read(ours, 65536):
            seen += more
    assert monitor.wait(60) == 0
    os.close(ours)
    lines = seen.decode().splitlines()
    assert lines[0].split()[:3] == ["time", "busy", "memory"]
    assert len(lines) >= 2
    assert max(map(len, lines)) <= 60
    assert "\x1b" not in seen.decode()
