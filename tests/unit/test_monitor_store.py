"""The store: what was written stays whole, whatever happens to its writer, its disk or its clock."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from monitored import START, TENTH, GivenScope, GivenTarget, S, sample

from armprof.counters.standing import Interval, row_of
from armprof.errors import ArmprofError
from armprof.monitor.alerts import Alert
from armprof.monitor.history import History, Stretch
from armprof.monitor.latencies import Distribution
from armprof.monitor.moments import Mark
from armprof.monitor.rules import Figure
from armprof.monitor.store import APPLICATION_ID, MOST_WAITING, RETRY_NS, Session, Store, connect

SESSION = Session("host", "neoverse-n1", "machine", "2 CPUs", "all", TENTH, "1.2.3")


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "store.db"


def open_store(path: Path, told: list[str] | None = None) -> Store:
    return Store(path, SESSION, START, (told if told is not None else []).append)


def rows(path: Path, question: str) -> list[tuple[object, ...]]:
    with closing(connect(path)) as db:
        return db.execute(question).fetchall()


def test_it_is_read_with_pandas_in_one_line(path):
    scope = GivenScope(GivenTarget("cpu0"), GivenTarget("cpu1"))
    store = open_store(path)
    store.sample(sample(scope, START, 300, 150))
    store.close(START)
    frame = pd.read_sql("SELECT * FROM samples", sqlite3.connect(path))
    assert list(frame.event) == ["cpu_cycles", "inst_retired"] * 2
    assert list(frame.target) == ["cpu0", "cpu0", "cpu1", "cpu1"]
    assert list(frame.per_second) == [3000, 1500] * 2
    assert list(frame["at"]) == ["2023-11-14 22:13:20.000"] * 4


def test_what_did_not_count_has_no_value_and_what_cannot_be_counted_has_a_reason(path):
    scope = GivenScope(GivenTarget("cpu0"))
    store = open_store(path)
    one = sample(scope, START, 1, 1)
    one.counts[0] = (scope.targets[0], row_of([Interval(None, 0, TENTH, 0), Interval(20.0, 10, TENTH, TENTH // 2)]))
    store.sample(one)
    store.refused("cpu0", {"l1d_cache": ("unsupported", "not on this core")})
    store.close(START)
    assert rows(path, "SELECT event, value, raw, coverage FROM samples") == [
        ("cpu_cycles", None, 0, 0.0),
        ("inst_retired", 20.0, 10, 0.5),
    ]
    assert rows(path, "SELECT name, status, reason FROM series WHERE status IS NOT NULL") == [
        ("l1d_cache", "unsupported", "not on this core")
    ]


def test_levels_latencies_marks_and_alerts_have_their_places(path):
    store = open_store(path)
    tick = store.sample(sample(GivenScope(GivenTarget("cpu0")), START, 1, 1))
    store.levels(tick, {"machine": {"busy": 1.5}}, {"busy": "CPUs"})
    found = Distribution(300.0, {100: 2, 96: 1})
    store.latencies(tick, "machine", [("parse", found.calls, found.total_ns, found.to_json())])
    store.marks([Mark(START, "cpu1", "offline", "CPU 1 was taken off-line")])
    alert = Alert("ipc", "slow", "machine", START, 0.2, "ipc is 0.2")
    store.alert(alert)
    store.alert(replace(alert, ended_ns=START + S))
    store.close(START)
    assert rows(path, "SELECT target, level, unit, value FROM states") == [("machine", "busy", "CPUs", 1.5)]
    assert rows(path, "SELECT calls, total_ns, buckets FROM latencies") == [(3, 300.0, '{"96":1,"100":2}')]
    assert rows(path, "SELECT target, kind FROM marks") == [("cpu1", "offline")]
    assert rows(path, "SELECT cause, ended_ns FROM alerts") == [("ipc", START + S)]


def test_what_is_committed_is_read_meanwhile(path):
    scope = GivenScope(GivenTarget("cpu0"))
    store = open_store(path)
    for n in range(10):
        store.sample(sample(scope, START + n * TENTH, 1, 1))
        if n % 5 == 2:
            store.commit(START, n * TENTH)
    assert rows(path, "SELECT count(*) FROM ticks") == [(8,)]
    store.close(START)
    assert rows(path, "SELECT count(*) FROM ticks") == [(10,)]


def test_sessions_follow_each_other_and_ticks_keep_their_order_when_the_clock_is_set_back(path):
    scope = GivenScope(GivenTarget("cpu0"))
    for at in (START, START - 3600 * S):
        store = open_store(path)
        store.sample(sample(scope, at, 1, 1))
        store.sample(sample(scope, at, 2, 2))  # the very same time, even
        store.close(at)
    assert rows(path, "SELECT session, at_ns FROM ticks ORDER BY id") == [
        (1, START),
        (1, START),
        (2, START - 3600 * S),
        (2, START - 3600 * S),
    ]
    assert rows(path, "SELECT count(*) FROM series") == [(2,)]


def test_a_second_monitor_on_the_same_store_is_one_line_and_changes_nothing(path):
    store = open_store(path)
    with pytest.raises(ArmprofError, match=r"another monitor writes .*store\.db; give this one a --store of its own"):
        open_store(path)
    store.sample(sample(GivenScope(GivenTarget("cpu0")), START, 1, 1))
    store.close(START)
    assert rows(path, "SELECT count(*) FROM ticks") == [(1,)]
    open_store(path).close(START)


def full(store: Store) -> None:
    """No page more: what SQLite says on a full disk."""
    pages = store.execute("PRAGMA page_count").fetchone()[0]
    store.execute(f"PRAGMA max_page_count = {pages}")


def test_a_full_disk_is_told_once_and_what_waits_is_written_when_there_is_room(path):
    told: list[str] = []
    scope = GivenScope(GivenTarget("cpu0"))
    store = open_store(path, told)
    store.sample(sample(scope, START, 1, 1))
    store.commit(START, 0)
    full(store)
    for n in range(1, 400):
        store.sample(sample(scope, START + n * TENTH, 1, 1, marks=[Mark(START, "", "late", "x" * 1000)]))
        store.commit(START, n * RETRY_NS)
    assert len(told) == 1
    assert "store.db cannot be written: database or disk is full; what was stored is safe" in told[0]
    assert rows(path, "SELECT count(*) FROM ticks")[0][0] >= 1
    assert rows(path, "PRAGMA integrity_check") == [("ok",)]
    store.execute("PRAGMA max_page_count = 1000000")
    store.commit(START, 1000 * RETRY_NS)
    assert told[1].endswith("can be written again; nothing was lost")
    store.close(START)
    assert rows(path, "SELECT count(*) FROM ticks") == [(400,)]


def test_a_disk_that_stays_full_costs_no_memory_without_end_and_the_loss_is_told(path):
    told: list[str] = []
    store = open_store(path, told)
    full(store)
    mark = Mark(START, "", "late", "x")
    for n in range(20):
        store.marks([mark] * (MOST_WAITING // 8))
        store.commit(START, n * RETRY_NS)
        assert sum(len(rows) for _, rows in store._waiting.values()) <= MOST_WAITING * 9 // 8
    store.execute("PRAGMA max_page_count = 1000000")
    store.commit(START, 100 * RETRY_NS)
    assert "rows were lost" in told[1]
    store.close(START)
    assert "rows were lost: the store could not be written" in str(
        rows(path, "SELECT text FROM marks WHERE kind = 'unwritten'")
    )


@contextmanager
def only_read(folder: Path) -> Iterator[str]:
    """The folder may only be read from now on; why."""
    if os.geteuid() != 0:
        folder.chmod(0o500)
        yield "Permission denied"
        folder.chmod(0o700)
        return
    bound = subprocess.run(["mount", "--bind", folder, folder], capture_output=True).returncode == 0
    try:
        if not bound or subprocess.run(["mount", "-o", "remount,bind,ro", folder], capture_output=True).returncode:
            pytest.skip("a file system that may only be read cannot be mounted here")
        yield "Read-only file system"
    finally:
        if bound:
            subprocess.run(["umount", folder], check=True)


def test_a_store_that_may_only_be_read_is_one_line(path):
    with only_read(path.parent) as why, pytest.raises(ArmprofError, match=rf"cannot write the store .*: {why}"):
        open_store(path)


def test_a_store_is_read_where_nobody_may_write(path):
    store = open_store(path)
    store.sample(sample(GivenScope(GivenTarget("cpu0")), START, 1, 1))
    store.close(START)
    with only_read(path.parent):
        assert rows(path, "SELECT count(*) FROM ticks") == [(1,)]


def test_a_store_of_a_killed_monitor_is_not_read_without_its_last_rows(path):
    store = open_store(path)
    store.sample(sample(GivenScope(GivenTarget("cpu0")), START, 1, 1))
    store.commit(START, 0)
    left = path.parent / "left"
    left.mkdir()
    for name in (path.name, f"{path.name}-wal"):
        (left / name).write_bytes((path.parent / name).read_bytes())
    store.close(START)
    with only_read(left), pytest.raises(ArmprofError, match=r"store\.db-wal.* copy both to where you may write"):
        connect(left / path.name)
    assert rows(left / path.name, "SELECT count(*) FROM ticks") == [(1,)]


def test_a_file_that_is_no_store_is_one_line_and_stays_as_it_is(path):
    path.write_bytes(b"not a database, but long enough to look like one" * 100)
    with pytest.raises(ArmprofError, match="file is not a database"):
        open_store(path)
    assert path.read_bytes().startswith(b"not a database")
    other = path.with_name("other.db")
    with closing(sqlite3.connect(other)) as db:
        db.execute("CREATE TABLE customers (name TEXT)")
    with pytest.raises(ArmprofError, match=r"other\.db is no store of armprof"):
        open_store(other)
    with closing(sqlite3.connect(other)) as db:
        assert db.execute("SELECT name FROM sqlite_schema").fetchall() == [("customers",)]


def read_all(path: Path) -> None:
    with closing(connect(path)) as db:
        history = History(db)
        for target in history.targets():
            history.past(Figure("event", "cpu_cycles", "per_s"), Stretch(target, *(history.ends() or (0, 0))), S)


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE series SET target = x'ff' WHERE id = (SELECT min(id) FROM series)",
        "UPDATE ticks SET at_ns = 'yesterday'",
        "UPDATE counts SET raw = 'many'",
        "DROP TABLE ticks",
    ],
)
def test_a_store_that_was_changed_by_hand_is_one_line(path, damage):
    store = open_store(path)
    store.sample(sample(GivenScope(GivenTarget("machine")), START, 300, 150))
    store.close(START)
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA writable_schema = ON")
        db.execute(damage)
        db.commit()
    with pytest.raises(ArmprofError, match=r"^the store (is damaged|cannot be read): .*$"):
        read_all(path)


def test_a_store_of_another_version_is_not_touched(path):
    with closing(sqlite3.connect(path)) as db:
        db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        db.execute("PRAGMA user_version = 99")
        db.execute("CREATE TABLE sessions (id INTEGER)")
    with pytest.raises(ArmprofError, match="is a store of version 99; this armprof reads version 1"):
        open_store(path)


def test_a_store_that_is_not_there_is_not_made_by_reading(path):
    with pytest.raises(ArmprofError, match=r"there is no store .*; `armprof monitor --store .*` writes one"):
        connect(path)
    assert not path.exists()


WRITER = """
import sys, time
sys.path.insert(0, sys.argv[2])
from pathlib import Path
from monitored import GivenScope, GivenTarget, TENTH, sample
from armprof.monitor.store import Session, Store
store = Store(Path(sys.argv[1]), Session("h", None, "machine", "", "all", TENTH, "1"), time.time_ns(), print)
scope = GivenScope(*(GivenTarget(f"cpu{n}") for n in range(4)))
while True:
    tick = store.sample(sample(scope, time.time_ns(), 7, 7))
    now = time.monotonic_ns()
    if tick % 5 == 0:
        store.commit(0, now)
        print(tick, flush=True)
    time.sleep(0.002)
"""


@pytest.mark.parametrize("delay", [0.1, 0.63, 1.17])
def test_a_monitor_that_is_killed_loses_nothing_that_was_committed_and_tears_no_row(path, delay):
    here = str(Path(__file__).parent)
    command = [sys.executable, "-P", "-c", textwrap.dedent(WRITER), str(path), here]
    writer = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while not (path.exists() and _ticks(path)) and time.monotonic() < deadline:
        time.sleep(0.02)
    time.sleep(delay)
    writer.kill()
    told, _ = writer.communicate()
    assert rows(path, "PRAGMA integrity_check") == [("ok",)]
    assert rows(path, "SELECT DISTINCT n FROM (SELECT count(*) AS n FROM counts GROUP BY tick)") == [(8,)]
    assert rows(path, "SELECT count(*) FROM ticks WHERE id NOT IN (SELECT tick FROM counts)") == [(0,)]
    stored = _ticks(path)
    assert stored % 5 == 0
    committed = [int(line) for line in told.splitlines(keepends=True) if line.endswith("\n")]
    assert stored - max(committed, default=0) in (0, 5)  # 5: it was killed between writing and telling
    open_store(path).close(START)


def _ticks(path: Path) -> int:
    try:
        return int(str(rows(path, "SELECT coalesce(max(id), 0) FROM ticks")[0][0]))
    except (ArmprofError, sqlite3.Error):  # it is just being made
        return 0
