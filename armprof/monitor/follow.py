"""Following: what another monitor writes into its store, as the reports that it saw itself.

A service has no terminal, nor has a program that is monitored from within; whoever may read the store can look on.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from armprof.counters.machine import Machine, machine
from armprof.counters.reading import Status
from armprof.counters.refusal import Refusal
from armprof.counters.standing import Interval, Row, row_of
from armprof.errors import ArmprofError
from armprof.monitor.alerts import Alert
from armprof.monitor.latencies import Distribution, from_json
from armprof.monitor.moments import Mark
from armprof.monitor.reports import Report
from armprof.monitor.sampler import Sample
from armprof.monitor.store import connect
from armprof.monitor.targets import Scope, Target

Standing = dict[tuple[str, int], Alert]  # by cause and beginning

SILENT_NS = 5_000_000_000  # without a new row after which something is wrong with the writer


class Written(Target):
    """A target of which another monitor has the counters."""

    def __init__(self, name: str, units: Mapping[str, str], refused: Mapping[str, Refusal]) -> None:
        self.name = name
        self.machine: Machine = machine()
        self.events = tuple(units)
        self.units = dict(units)
        self.groups = dict.fromkeys(units, 0)
        self.refused = dict(refused)

    def close(self) -> None:
        """There is nothing to close."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A report, the alerts that stand, and those that began or ended with it."""

    report: Report
    standing: list[Alert]
    changed: list[Alert]


class Follower:
    """The last session of a store. Raises ArmprofError where nobody writes it."""

    def __init__(self, path: Path, metrics: tuple[str, ...]) -> None:
        self._path, self._metrics = path, metrics
        self._db = connect(path)
        found = self._db.execute(
            "SELECT id, whole, scope, mode, ended_ns FROM sessions ORDER BY id DESC LIMIT 1"
        ).fetchone()
        if found is None or found[4] is not None:
            self._db.close()
            why = f"the monitor that wrote {path} has ended" if found else f"no monitor has written {path} yet"
            raise ArmprofError(f"{why}; `armprof trends --store {path}` tells of what is in a store")
        self._session: int = found[0]
        self.scope = Scope()
        self.scope.whole, self.scope.title, self.scope.mode = found[1:4]
        self._tick = self._first_tick()
        self._standing: Standing = {}
        self._mark: int = self._db.execute("SELECT coalesce(max(id), 0) FROM marks").fetchone()[0]
        self._levels: dict[str, dict[str, float]] = {}
        self._seen_ns = time.monotonic_ns()
        self.is_silent = False
        self.has_ended = False  # that monitor has closed its session

    def _first_tick(self) -> int:
        """What is older than the last second is not shown."""
        (last,) = self._db.execute("SELECT max(id) FROM ticks WHERE session = ?", (self._session,)).fetchone()
        (interval,) = self._db.execute("SELECT interval_ns FROM sessions WHERE id = ?", (self._session,)).fetchone()
        return (last or 0) - max(1, 1_000_000_000 // int(interval))

    def poll(self) -> Seen | None:
        """What was written since the last time; None where there is nothing new. Raises ArmprofError for what is no store."""
        try:
            self._db.execute("BEGIN")  # one state of the store for all questions
            try:
                self.has_ended = self._has_ended()
                return self._poll()
            finally:
                self._db.execute("COMMIT")
        except sqlite3.Error as error:
            raise ArmprofError(f"the store {self._path} cannot be read: {error}") from None

    def _has_ended(self) -> bool:
        (ended,) = self._db.execute("SELECT ended_ns FROM sessions WHERE id = ?", (self._session,)).fetchone() or (0,)
        return ended is not None

    def _poll(self) -> Seen | None:
        # up to the end of a report, which levels are stored with: what the report told of its whole time belongs together
        last, at, span = self._db.execute(
            "SELECT max(id), max(at_ns), sum(span_ns) FROM ticks WHERE session = :session AND id > :since"
            " AND id <= (SELECT max(tick) FROM levels WHERE tick > :since)",
            {"session": self._session, "since": self._tick},
        ).fetchone()
        if last is None:
            self.is_silent = time.monotonic_ns() - self._seen_ns > SILENT_NS
            return None
        self._seen_ns, self.is_silent = time.monotonic_ns(), False
        since, self._tick = self._tick, last
        counts = self._counts(since)
        self._levels = self._levels_of(since) or self._levels
        report = Report(
            at,
            span,
            self.scope,
            [Sample(at, span, 0, counts)],
            self._metrics,
            self._levels,
            self._latencies(since),
            list(self._marks()),
        )
        before, self._standing = self._standing, {(one.cause, one.began_ns): one for one in self._alerts()}
        ended = [alert for key, alert in before.items() if key not in self._standing]
        for alert in ended:
            alert.ended_ns = at
        began = [alert for key, alert in self._standing.items() if key not in before]
        return Seen(report, list(self._standing.values()), [*began, *ended])

    def _counts(self, since: int) -> list[tuple[Target, Row]]:
        rows = self._db.execute(
            """
            SELECT s.target, s.name, s.unit,
                sum(c.value) * (sum(c.enabled_ns) * 1.0 / sum(CASE WHEN c.value IS NOT NULL THEN c.enabled_ns END)),
                sum(c.raw), sum(c.enabled_ns), sum(c.running_ns)
            FROM counts c JOIN series s ON s.id = c.series WHERE c.tick > ? AND c.tick <= ? GROUP BY s.id ORDER BY s.id
            """,
            (since, self._tick),
        )
        found: dict[str, dict[str, Interval]] = {}
        units: dict[str, dict[str, str]] = {}
        for target, event, unit, *numbers in rows:
            found.setdefault(target, {})[event] = Interval(*numbers)
            units.setdefault(target, {})[event] = unit
        targets = [Written(name, units[name], self._refused(name)) for name in found]
        self.scope.targets = list(targets)
        return [(target, row_of(found[target.name].values())) for target in targets]

    def _refused(self, target: str) -> dict[str, Refusal]:
        rows = self._db.execute(
            "SELECT name, status, reason FROM series WHERE kind = 'count' AND target = ? AND status IS NOT NULL",
            (target,),
        )
        return {name: Refusal(Status(status), reason or "") for name, status, reason in rows}

    def _levels_of(self, since: int) -> dict[str, dict[str, float]]:
        rows = self._db.execute(
            "SELECT s.target, s.name, l.value FROM levels l JOIN series s ON s.id = l.series"
            " WHERE l.tick > ? AND l.tick <= ? ORDER BY l.tick",
            (since, self._tick),
        )
        found: dict[str, dict[str, float]] = {}
        for target, name, value in rows:
            found.setdefault(target, {})[name] = value
        return found

    def _latencies(self, since: int) -> dict[str, Distribution]:
        rows = self._db.execute(
            "SELECT s.name, l.total_ns, l.buckets FROM latencies l JOIN series s ON s.id = l.series"
            " WHERE l.tick > ? AND l.tick <= ?",
            (since, self._tick),
        )
        found: dict[str, Distribution] = {}
        for name, total, buckets in rows:
            found[name] = found.get(name, Distribution()) + from_json(total, buckets)
        return found

    def _marks(self) -> Iterator[Mark]:
        rows = self._db.execute(
            "SELECT id, at_ns, target, kind, text FROM marks WHERE id > ? ORDER BY id", (self._mark,)
        )
        for number, *mark in rows:
            self._mark = number
            yield Mark(*mark)

    def _alerts(self) -> Iterator[Alert]:
        rows = self._db.execute(
            "SELECT cause, rule, target, began_ns, value, text FROM alerts WHERE session = ? AND ended_ns IS NULL",
            (self._session,),
        )
        for row in rows:
            yield Alert(*row)

    def close(self) -> None:
        """Reads no more."""
        self._db.close()
