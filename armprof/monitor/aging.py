"""Retention: old intervals are joined into longer ones, and very old ones go.

A piece at a time, between two samples. Intervals are joined within one session and never over a gap, so that a joined
interval is one whole stretch of time for every count that it has: rates and ratios follow from it as from any other.
"""

from __future__ import annotations

from dataclasses import dataclass

from armprof.monitor.store import Store

S = 1_000_000_000
PIECE_NS = 20 * S  # the time that one piece covers: some 10,000 rows, which take some 20 ms


@dataclass(frozen=True, slots=True)
class Keep:
    """How long what is kept: intervals as sampled, then of a second, then of a minute."""

    full_ns: int = 3_600 * S
    seconds_ns: int = 24 * 3_600 * S
    minutes_ns: int = 90 * 24 * 3_600 * S

    @property
    def steps(self) -> tuple[tuple[int, int], ...]:
        """(length of interval, age from which on it is at least that long)."""
        return (S, self.full_ns), (60 * S, self.seconds_ns)


class Aging:
    """Ages a store, which nobody else writes meanwhile."""

    def __init__(self, store: Store, keep: Keep) -> None:
        self._store = store
        self.keep = keep
        self._from: dict[int, int] = {}  # by step: everything before has it already

    def work(self, now_ns: int) -> bool:
        """Does one piece; False where there was nothing to do."""
        return any(self._join(step, now_ns - age) for step, age in self.keep.steps) or self._forget(now_ns)

    def _join(self, step: int, before: int) -> bool:
        run = self._store.execute
        before -= before % step
        first = run(
            "SELECT at_ns FROM ticks WHERE at_ns >= ? AND at_ns < ? AND step_ns < ? ORDER BY at_ns LIMIT 1",
            (self._from.get(step, -(2**63)), before, step),
        ).fetchone()
        if first is None:
            self._from[step] = max(before, self._from.get(step, before))
            return False
        begin = first[0] - first[0] % step
        end = begin + max(step, PIECE_NS)
        if end > before:
            return False  # a whole piece at a time: most of what a small one costs is not its rows
        if not self._store.atomic(_JOIN, {"begin": begin, "end": end, "step": step}):
            return False
        self._from[step] = end
        return True

    def _forget(self, now_ns: int) -> bool:
        oldest = now_ns - self.keep.minutes_ns
        run = self._store.execute
        old = run("SELECT 1 FROM ticks WHERE at_ns < ? LIMIT 1", (oldest,)).fetchone()
        return bool(old) and self._store.atomic(_FORGET, {"oldest": oldest})


# CROSS JOIN: SQLite then goes from the piece to its rows. Left to choose it walks all of the store, for every piece.
_JOIN = (
    "DROP TABLE IF EXISTS temp.piece",
    "CREATE TEMP TABLE piece (id INTEGER PRIMARY KEY, whole INTEGER)",
    """
    INSERT INTO piece SELECT id, max(id) OVER (PARTITION BY session, at_ns / :step, gap) FROM (
        SELECT id, session, at_ns, (
            SELECT count(*) FROM marks m WHERE m.kind IN ('offline', 'online', 'failed') AND m.at_ns <= t.at_ns
                AND m.at_ns >= :begin
        ) AS gap
        FROM ticks t WHERE at_ns >= :begin AND at_ns < :end AND step_ns < :step)
    """,
    "DROP TABLE IF EXISTS temp.joined",
    """
    CREATE TEMP TABLE joined AS SELECT whole, series,
        sum(value) * (sum(enabled_ns) * 1.0 / sum(CASE WHEN value IS NOT NULL THEN enabled_ns END)) AS value,
        sum(raw) AS raw, sum(enabled_ns) AS enabled_ns, sum(running_ns) AS running_ns
    FROM piece CROSS JOIN counts ON tick = id GROUP BY whole, series
    """,
    "DELETE FROM counts WHERE tick IN (SELECT id FROM piece)",
    "INSERT INTO counts SELECT * FROM joined",
    "DROP TABLE joined",
    """
    CREATE TEMP TABLE joined AS SELECT whole, series, avg(value)
    FROM piece CROSS JOIN levels ON tick = id GROUP BY whole, series
    """,
    "DELETE FROM levels WHERE tick IN (SELECT id FROM piece)",
    "INSERT INTO levels SELECT * FROM joined",
    "DROP TABLE joined",
    """
    CREATE TEMP TABLE joined AS SELECT whole, series, sum(calls) AS calls, sum(total_ns) AS total_ns, (
        SELECT json_group_object(key, n) FROM (
            SELECT b.key AS key, sum(b.value) AS n
            FROM piece AS p CROSS JOIN latencies AS l ON l.tick = p.id, json_each(l.buckets) AS b
            WHERE p.whole = piece.whole AND l.series = latencies.series GROUP BY b.key ORDER BY CAST(b.key AS INTEGER))
    ) AS buckets
    FROM piece CROSS JOIN latencies ON tick = id GROUP BY whole, series
    """,
    "DELETE FROM latencies WHERE tick IN (SELECT id FROM piece)",
    "INSERT INTO latencies SELECT * FROM joined",
    "DROP TABLE joined",
    """
    UPDATE ticks SET step_ns = :step,
        span_ns = (SELECT sum(span_ns) FROM ticks t JOIN piece USING (id) WHERE whole = ticks.id),
        late_ns = (SELECT max(late_ns) FROM ticks t JOIN piece USING (id) WHERE whole = ticks.id)
    WHERE id IN (SELECT whole FROM piece)
    """,
    "DELETE FROM ticks WHERE id IN (SELECT id FROM piece WHERE id != whole)",
    "DROP TABLE piece",
)

_OLD = "(SELECT id FROM ticks WHERE at_ns < :oldest ORDER BY at_ns LIMIT 200)"
_FORGET = (
    *(f"DELETE FROM {table} WHERE tick IN {_OLD}" for table in ("counts", "levels", "latencies")),
    f"DELETE FROM ticks WHERE id IN {_OLD}",
    "DELETE FROM marks WHERE id IN (SELECT id FROM marks WHERE at_ns < :oldest LIMIT 1000)",
    "DELETE FROM alerts WHERE ended_ns < :oldest",
)
