"""What a store holds of one target: figures over time, in bins of one length."""

from __future__ import annotations

import sqlite3
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from armprof.counters.reading import Reading, Status, uncounted
from armprof.counters.standing import Interval, count_of
from armprof.errors import ArmprofError
from armprof.metrics import compute
from armprof.monitor.latencies import PERCENTILES, Distribution, from_json, together
from armprof.monitor.rules import Figure

MINUTE_NS = 60_000_000_000
FEWEST_BASELINE_BINS = 5


@dataclass(frozen=True, slots=True)
class Past:
    """A figure's values, each with the middle of its bin. What has no value is absent."""

    figure: Figure
    target: str
    at_ns: tuple[int, ...]
    values: tuple[float, ...]

    def __len__(self) -> int:
        return len(self.values)


@dataclass(frozen=True, slots=True)
class Stretch:
    """Which part of a store: this target, from then to then."""

    target: str
    since_ns: int
    until_ns: int

    @property
    def values(self) -> dict[str, str | int]:
        return {"target": self.target, "since": self.since_ns, "until": self.until_ns}


class History:
    """A store that is read. ``whole`` is what its last session sampled.

    CROSS JOIN keeps SQLite going from the ticks of a time to their rows; left to choose it walks the whole store.
    """

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        try:
            last = db.execute("SELECT whole, core FROM sessions ORDER BY id DESC LIMIT 1").fetchone()
        except sqlite3.Error as error:
            raise ArmprofError(f"the store cannot be read: {error}") from None
        if last is None:
            raise ArmprofError("the store is empty: no monitor has written it yet")
        self.whole: str = last[0]
        self.core: str | None = last[1]

    def ends(self) -> tuple[int, int] | None:
        """When the first and the last interval ended; None without any."""
        first, last = self._db.execute("SELECT min(at_ns), max(at_ns) FROM ticks").fetchone()
        return None if first is None else (first, last)

    def targets(self) -> list[str]:
        """Everybody of whom there is anything."""
        return [name for (name,) in self._db.execute("SELECT DISTINCT target FROM series ORDER BY target")]

    def components(self, where: Stretch) -> list[str]:
        """Components that have latencies there."""
        found = self._db.execute(
            "SELECT DISTINCT s.name FROM series s JOIN latencies l ON l.series = s.id JOIN ticks t ON t.id = l.tick"
            " WHERE s.kind = 'latency' AND s.target = :target AND t.at_ns BETWEEN :since AND :until ORDER BY 1",
            where.values,
        )
        return [name for (name,) in found]

    def past(self, figure: Figure, where: Stretch, step_ns: int) -> Past:
        """The figure over that stretch."""
        match figure.kind:
            case "level":
                found = self._levels(figure, where, step_ns)
            case "latency":
                found = self._latencies(figure, where, step_ns)
            case _:
                found = self._counts(figure, where, step_ns)
        bins = sorted(found)
        return Past(
            figure, where.target, tuple(n * step_ns + step_ns // 2 for n in bins), tuple(found[n] for n in bins)
        )

    def baseline(self, figure: Figure, target: str, until_ns: int, past_ns: int) -> float | None:
        """The figure's median over the minutes of that time; None where they are too few."""
        found = self.past(figure, Stretch(target or self.whole, until_ns - past_ns, until_ns), MINUTE_NS)
        return statistics.median(found.values) if len(found) >= FEWEST_BASELINE_BINS else None

    def _levels(self, figure: Figure, where: Stretch, step: int) -> dict[int, float]:
        rows = self._db.execute(
            "SELECT t.at_ns / :step, sum(l.value * t.span_ns) / sum(t.span_ns)"
            " FROM ticks t CROSS JOIN levels l ON l.tick = t.id JOIN series s ON s.id = l.series"
            " WHERE s.kind = 'level' AND s.target = :target AND s.name = :name"
            " AND t.at_ns BETWEEN :since AND :until GROUP BY 1",
            {**where.values, "step": step, "name": figure.name},
        )
        return dict(rows.fetchall())

    def _latencies(self, figure: Figure, where: Stretch, step: int) -> dict[int, float]:
        spans = self._spans(where, step)
        rows = self._db.execute(
            "SELECT t.at_ns / :step, l.total_ns, l.buckets FROM ticks t CROSS JOIN latencies l ON l.tick = t.id"
            " JOIN series s ON s.id = l.series WHERE s.kind = 'latency' AND s.target = :target AND s.name = :name"
            " AND t.at_ns BETWEEN :since AND :until",
            {**where.values, "step": step, "name": figure.name},
        )
        found: dict[int, list[Distribution]] = {}
        for at, total, buckets in rows:
            found.setdefault(at, []).append(from_json(total, buckets))
        if figure.part == "calls_per_s":
            return {at: together(many).calls * 1e9 / spans[at] for at, many in found.items()}
        if figure.part == "mean_ns":
            values = {at: together(many).mean_ns for at, many in found.items()}
        else:
            values = {at: together(many).percentile(PERCENTILES[figure.part]) for at, many in found.items()}
        return {at: value for at, value in values.items() if value is not None}

    def _spans(self, where: Stretch, step: int) -> dict[int, int]:
        """How long each bin was sampled."""
        rows = self._db.execute(
            "SELECT at_ns / :step, sum(span_ns) FROM ticks WHERE at_ns BETWEEN :since AND :until GROUP BY 1",
            {"step": step, "since": where.since_ns, "until": where.until_ns},
        )
        return dict(rows.fetchall())

    def _counts(self, figure: Figure, where: Stretch, step: int) -> dict[int, float]:
        spans = self._spans(where, step)
        found = self.intervals(where, step)
        if figure.kind == "event":
            rates = {at: events.get(figure.name) for at, events in found.items()}
            return {at: one.value * 1e9 / spans[at] for at, one in rates.items() if one and one.value is not None}
        values: dict[int, float] = {}
        for at, events in found.items():
            counts = {event: count_of(event, one) for event, one in events.items()}
            reading = Reading(counts, "pmu", self.core, spans[at])
            value = compute(reading, names=(figure.name,))[figure.name].value
            if value is not None:
                values[at] = value
        return values

    def intervals(self, where: Stretch, step: int) -> Mapping[int, Mapping[str, Interval]]:
        """What each event counted in each bin. Of a target that is a sum of others, theirs together."""
        known = self._db.execute(
            "SELECT 1 FROM series WHERE kind = 'count' AND target = ? AND status IS NULL LIMIT 1", (where.target,)
        ).fetchone()
        rows = self._db.execute(
            f"""
            SELECT t.at_ns / :step AS bin, s.name, sum(c.raw), sum(c.enabled_ns), sum(c.running_ns),
                sum(c.value) * (sum(c.enabled_ns) * 1.0 / sum(CASE WHEN c.value IS NOT NULL THEN c.enabled_ns END))
            FROM ticks t CROSS JOIN counts c ON c.tick = t.id CROSS JOIN series s ON s.id = c.series
            WHERE t.at_ns BETWEEN :since AND :until AND {"s.target = :target" if known else "s.target LIKE 'cpu%'"}
            GROUP BY bin, s.name
            """,
            {
                "step": step,
                "since": where.since_ns,
                "until": where.until_ns,
                **({"target": where.target} if known else {}),
            },
        )
        found: dict[int, dict[str, Interval]] = {}
        for at, event, raw, enabled, running, value in rows:
            found.setdefault(at, {})[event] = Interval(value, raw, enabled, running)
        return found

    def refused(self, target: str) -> Reading:
        """Events of that target that could not be counted, each with its reason."""
        rows = self._db.execute(
            "SELECT name, status, reason FROM series WHERE kind = 'count' AND status IS NOT NULL"
            " AND (target = ? OR target LIKE 'cpu%') GROUP BY name",
            (target,),
        )
        return Reading({name: uncounted(name, Status(status), reason or "") for name, status, reason in rows}, "pmu")

    def figures(self, where: Stretch, metrics: Sequence[str]) -> list[Figure]:
        """Everything that may have a past there: levels, metrics, the rates of events, components."""
        levels = self._db.execute("SELECT name FROM series WHERE kind = 'level' AND target = ?", (where.target,))
        events = self._db.execute("SELECT DISTINCT name FROM series WHERE kind = 'count' AND status IS NULL")
        return [
            *(
                Figure("latency", name, part)
                for name in self.components(where)
                for part in (*PERCENTILES, "calls_per_s")
            ),
            *(Figure("metric", name) for name in metrics),
            *(Figure("level", name) for (name,) in levels),
            *(Figure("event", name, "per_s") for (name,) in events),
        ]
