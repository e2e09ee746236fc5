"""The store: a SQLite file that one monitor writes and everybody reads, also while it is written.

Rows are written in one transaction for each stretch of samples (`sampler.STRETCH_NS`): a monitor that is killed loses less than
a second, and a row is there whole or not at all. Where the file cannot be written any more, what waits is kept as far as
`MOST_WAITING` allows and tried again; what was written is never touched by that.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import IO, Any

from armprof.errors import ArmprofError
from armprof.monitor.alerts import Alert
from armprof.monitor.moments import Mark
from armprof.monitor.sampler import Sample

APPLICATION_ID = 0x41505246  # "APRF", in the file's header
VERSION = 1
RETRY_NS = 5_000_000_000
MOST_WAITING = 200_000  # rows; some minutes of a small machine, 30 MB

Rows = list[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Session:
    """What a monitor says of itself when it begins."""

    host: str
    core: str | None
    whole: str
    scope: str
    mode: str
    interval_ns: int
    version: str


def connect(path: Path, read_only: bool = True) -> sqlite3.Connection:
    """The open store. Raises ArmprofError, in one line, where the file is none or cannot be opened."""
    if read_only and not path.exists():
        raise ArmprofError(f"there is no store {path}; `armprof monitor --store {path}` writes one")
    try:
        try:
            return _connect(path, read_only, "mode=ro" if read_only else "mode=rwc")
        except sqlite3.OperationalError as error:
            if not read_only or error.sqlite_errorcode != sqlite3.SQLITE_CANTOPEN:
                raise
            # SQLite keeps an index of the log beside a store that it reads, which it cannot where nobody may write. What has no
            # log is all in the store.
            log = path.with_name(f"{path.name}-wal")
            if log.exists() and log.stat().st_size:
                why_not = (
                    f"its last rows are in {log}, and nothing can be written there: copy both to where you may write"
                )
                raise ArmprofError(f"cannot open the store {path}: {why_not}") from None
            return _connect(path, read_only, "mode=ro&immutable=1")
    except (sqlite3.Error, ValueError) as error:  # UnicodeDecodeError, too: an error message that quotes the file
        raise ArmprofError(f"cannot open the store {path}: {why(error)}") from None


def _connect(path: Path, read_only: bool, how: str) -> sqlite3.Connection:
    # percent-encoded: a "?" in a name would begin the options. A monitor within a program is opened in one thread and
    # runs in another, never in both at once.
    name = f"{path.absolute().as_uri()}?{how}"
    opened = sqlite3.connect(name, uri=True, isolation_level=None, timeout=5, check_same_thread=False)
    try:
        application, version = (opened.execute(f"PRAGMA {p}").fetchone()[0] for p in ("application_id", "user_version"))
        empty = opened.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0] == 0
        if (application, version) != (APPLICATION_ID, VERSION) and not (empty and not read_only):
            what = f"a store of version {version}" if application == APPLICATION_ID else "no store of armprof"
            raise ArmprofError(f"{path} is {what}; this armprof reads version {VERSION}")
    except BaseException:
        opened.close()
        raise
    return opened


class Store:
    """A store that this monitor writes. ``tell`` gets a line when writing fails, and one when it goes on."""

    def __init__(self, path: Path, session: Session, began_ns: int, tell: Callable[[str], None]) -> None:
        self.path = path
        self._tell = tell
        self._lock = _lock(path)
        try:
            self._db = connect(path, read_only=False)
            try:
                self._begin(session, began_ns)
            except sqlite3.Error as error:
                self._db.close()
                raise ArmprofError(f"cannot write the store {path}: {error}") from None
        except BaseException:
            self._lock.close()
            raise
        self._series: dict[tuple[str, str, str], int] = {
            (kind, target, name): number
            for number, kind, target, name in self._db.execute("SELECT id, kind, target, name FROM series")
        }
        self._numbers: dict[str, list[int]] = {}  # by target, those of its events
        self._step_ns = session.interval_ns
        self._tick: int = self._db.execute("SELECT coalesce(max(id), 0) FROM ticks").fetchone()[0]
        self._waiting: dict[str, tuple[int, Rows]] = {}
        self._rows = 0
        self._dropped = 0
        self._failing = self._stuck = False
        self._next_ns = 0

    def _begin(self, session: Session, began_ns: int) -> None:
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute(
            "PRAGMA synchronous = NORMAL"
        )  # no fsync for each: what a crash of the machine may cost is a second
        self._db.execute("PRAGMA journal_size_limit = 8000000")
        self._db.execute("PRAGMA cache_size = -2000")
        self._db.execute("PRAGMA temp_store = MEMORY")
        self._db.execute("BEGIN IMMEDIATE")
        if not self._db.execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchone():
            for statement in files(__package__).joinpath("schema.sql").read_text(encoding="utf-8").split(";\n"):
                self._db.execute(statement)
            self._db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            self._db.execute(f"PRAGMA user_version = {VERSION}")
        columns = (session.host, session.core, session.whole, session.scope, session.mode, session.interval_ns)
        self._session = self._db.execute(
            "INSERT INTO sessions (began_ns, host, core, whole, scope, mode, interval_ns, armprof)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (began_ns, *columns, session.version),
        ).lastrowid
        self._db.execute("COMMIT")

    # ---- what is to be written ----

    def series(
        self, kind: str, target: str, name: str, unit: str = "", status: str | None = None, reason: str = ""
    ) -> int:
        """The number of that series, which is written with the next rows."""
        found = self._series.get((kind, target, name))
        if found is None:
            found = self._series[kind, target, name] = len(self._series) + 1
            self._put(
                "INSERT INTO series (id, kind, target, name, unit, status, reason) VALUES (?, ?, ?, ?, ?, ?, ?)",
                [(found, kind, target, name, unit, status, reason or None)],
            )
        return found

    def refused(self, target: str, refusals: Mapping[str, tuple[str, str]]) -> None:
        """Events that cannot be counted here, each with status and reason."""
        for event, (status, reason) in refusals.items():
            known = ("count", target, event) in self._series
            number = self.series("count", target, event, "", status, reason)
            if known:
                self._put("UPDATE series SET status = ?, reason = ? WHERE id = ?", [(status, reason, number)])

    def sample(self, sample: Sample) -> int:
        """One sample; its number, for levels and latencies that belong to it."""
        self._tick += 1
        tick = self._tick
        moment = (tick, self._session, sample.at_ns, sample.span_ns, sample.late_ns, self._step_ns)
        self._put("INSERT INTO ticks VALUES (?, ?, ?, ?, ?, ?)", [moment])
        for target, row in sample.counts:
            numbers = self._numbers.get(target.name)
            if numbers is None:
                numbers = [self.series("count", target.name, event, target.units[event]) for event in target.events]
                self._numbers[target.name] = numbers
            # a value that is NaN is stored as NULL: SQLite has no other way to
            self._put(_insert_counts(len(numbers)), [(tick, *numbers, *row)], len(numbers))
        self.marks(sample.marks)
        return tick

    def levels(self, tick: int, levels: Mapping[str, Mapping[str, float]], units: Mapping[str, str]) -> None:
        """The state at the end of that sample, by target and level."""
        rows = [
            (tick, self.series("level", target, name, units.get(name, "")), value)
            for target, values in levels.items()
            for name, value in values.items()
        ]
        self._put("INSERT INTO levels VALUES (?, ?, ?)", rows)

    def latencies(self, tick: int, target: str, rows: Iterable[tuple[str, int, float, str]]) -> None:
        """Calls, their time and their buckets by component, of the stretch that ends with that sample."""
        found = [(tick, self.series("latency", target, name, "ns"), *rest) for name, *rest in rows]
        self._put("INSERT INTO latencies VALUES (?, ?, ?, ?, ?)", found)

    def marks(self, marks: Sequence[Mark]) -> None:
        rows = [(self._session, mark.at_ns, mark.target, mark.kind, mark.text) for mark in marks]
        self._put("INSERT INTO marks (session, at_ns, target, kind, text) VALUES (?, ?, ?, ?, ?)", rows)

    def alert(self, alert: Alert) -> None:
        """An alert that begins, or its end."""
        key = (self._session, alert.cause, alert.began_ns)
        if alert.ended_ns is None:
            self._put(
                "INSERT INTO alerts (session, cause, began_ns, rule, target, value, text) VALUES (?, ?, ?, ?, ?, ?, ?)",
                [(*key, alert.rule, alert.target, alert.value, alert.text)],
            )
        else:
            self._put(
                "UPDATE alerts SET ended_ns = ? WHERE session = ? AND cause = ? AND began_ns = ?",
                [(alert.ended_ns, *key)],
            )

    def _put(self, statement: str, rows: Rows, each: int = 1) -> None:
        """What the statement is to be done with; each of them makes ``each`` rows."""
        if rows and each:
            self._waiting.setdefault(statement, (each, []))[1].extend(rows)
            self._rows += len(rows) * each

    # ---- writing ----

    def commit(self, at_ns: int, monotonic_ns: int) -> None:
        """Writes what waits; not at once again where that has just failed."""
        if not self._waiting or monotonic_ns < self._next_ns:
            return
        try:
            self._write()
        except sqlite3.Error as error:
            self._next_ns = monotonic_ns + RETRY_NS
            if not self._failing:
                self._failing = True
                self._tell(
                    f"{self.path} cannot be written: {why(error)}; what was stored is safe, tried again meanwhile"
                )
            self._drop_oldest()
            return
        if self._failing:
            self._failing = False
            lost = f"; {self._dropped:,} rows were lost" if self._dropped else "; nothing was lost"
            self._tell(f"{self.path} can be written again{lost}")
            if self._dropped:
                self.marks(
                    [Mark(at_ns, "", "unwritten", f"{self._dropped:,} rows were lost: the store could not be written")]
                )
            self._dropped = 0

    def _write(self) -> None:
        try:
            self._db.execute("BEGIN IMMEDIATE")
            for statement, (_, rows) in self._waiting.items():
                self._db.executemany(statement, rows)
            self._db.execute("COMMIT")
        except sqlite3.Error:
            with suppress(sqlite3.Error):
                self._db.execute("ROLLBACK")
            raise
        self._waiting.clear()
        self._rows = 0

    def _drop_oldest(self) -> None:
        """Keeps the memory small while nothing can be written: of the rows of intervals the oldest half goes."""
        if self._rows <= MOST_WAITING:
            return
        for statement, (each, rows) in self._waiting.items():
            if "INTO series" not in statement:
                half = len(rows) // 2
                del rows[:half]
                self._dropped += half * each
                self._rows -= half * each

    def execute(self, statement: str, values: Sequence[Any] = ()) -> sqlite3.Cursor:
        """A question, to what was written."""
        return self._db.execute(statement, values)

    def atomic(self, statements: Iterable[str], values: Mapping[str, int]) -> bool:
        """These changes or none; False where that cannot be done now, which is told once."""
        try:
            self._db.execute("BEGIN IMMEDIATE")
            for statement in statements:
                self._db.execute(statement, values)
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            with suppress(sqlite3.Error):
                self._db.execute("ROLLBACK")
            if not self._failing and not self._stuck:
                self._tell(
                    f"{self.path}: old intervals cannot be joined: {why(error)}; they stay as they are meanwhile"
                )
            self._stuck = True
            return False
        self._stuck = False
        return True

    def close(self, at_ns: int) -> None:
        """Writes what waits and says that the session has ended."""
        self._put("UPDATE sessions SET ended_ns = ? WHERE id = ?", [(at_ns, self._session)])
        try:
            self._write()
        except sqlite3.Error as error:
            self._tell(f"{self.path} cannot be written: {why(error)}; {self._rows:,} rows of the last moments are lost")
        with suppress(sqlite3.Error):
            self._db.close()
        self._lock.close()


@cache
def _insert_counts(events: int) -> str:
    """Inserts the counts of so many events at once, of one tick: the tick, the series, then each with its numbers. To SQLite it
    is the statement that costs, more than the row: half of what it takes is saved.
    """
    rows = []
    for event in range(events):
        first = 2 + events + 4 * event
        rows.append(f"(?1, ?{2 + event}, " + ", ".join(f"?{number}" for number in range(first, first + 4)) + ")")
    return f"INSERT INTO counts VALUES {', '.join(rows)}"


def why(error: Exception) -> str:
    """What SQLite says is wrong, in one line: it quotes the file."""
    return " ".join(str(error).split()) or type(error).__name__


def _lock(path: Path) -> IO[bytes]:
    """A file beside the store whose lock says that a monitor writes it. It ends with the process, however that ends."""
    beside = path.with_name(f"{path.name}-lock")
    try:
        file = open(beside, "ab")  # noqa: SIM115  # closed with the store
    except (OSError, ValueError) as error:
        raise ArmprofError(f"cannot write the store {path}: {getattr(error, 'strerror', None) or error}") from None
    try:
        import fcntl  # where a monitor can run there is one; a store is read everywhere

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        raise ArmprofError(f"another monitor writes {path}; give this one a --store of its own") from None
    os.set_inheritable(file.fileno(), False)
    return file
