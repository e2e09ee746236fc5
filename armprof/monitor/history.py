"""What a store holds of one target: figures over time, in bins of one length."""

from __future__ import annotations

import math
import sqlite3
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from armprof.counters.reading import Reading, Status, uncounted
from armprof.counters.standing import Interval, count_of
from armprof.errors import ArmprofError
from armprof.metrics import compute
from armprof.monitor.latencies import PERCENTILES, Distribution, from_json, together
from armprof.monitor.rules import Figure
from armprof.monitor.store import why

MINUTE_NS = 60_000_000_000
FEWEST_BASELINE_BINS = 5
NUMBER = int | float
_REFUSED = {str(status): status for status in Status if not status.has_value}


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
        sessions = self._rows("SELECT whole, core FROM sessions ORDER BY id DESC LIMIT 1", (), str, str | None)
        if not sessions:
            raise ArmprofError("the store is empty: no monitor has written it yet")
        self.whole: str = sessions[0][0]
        self.core: str | None = sessions[0][1]

    def _rows(self, question: str, values: Sequence[Any] | Mapping[str, Any], *kinds: Any) -> list[tuple[Any, ...]]:
        """The answer, whose columns are of these kinds. Raises ArmprofError where the store is damaged, or was made by
        somebody else: SQLite takes any value in any column.
        """
        try:
            rows = self._db.execute(question, values).fetchall()
        except (sqlite3.Error, UnicodeDecodeError) as error:
            raise ArmprofError(f"the store cannot be read: {why(error)}") from None
        for row in rows:
            for value, kind in zip(row, kinds, strict=True):
                if not isinstance(value, kind) or (isinstance(value, float) and not math.isfinite(value)):
                    raise ArmprofError("the store is damaged: it holds what no monitor wrote")
        return rows

    def ends(self) -> tuple[int, int] | None:
        """When the first and the last interval ended; None without any."""
        ((first, last),) = self._rows("SELECT min(at_ns), max(at_ns) FROM ticks", (), int | None, int | None)
        return None if first is None else (first, last)

    def targets(self) -> list[str]:
        """Everybody of whom there is anything."""
        return [name for (name,) in self._rows("SELECT DISTINCT target FROM series ORDER BY target", (), str)]

    def components(self, where: Stretch) -> list[str]:
        """Components that have latencies there."""
        found = self._rows(
            "SELECT DISTINCT s.name FROM series s JOIN latencies l ON l.series = s.id JOIN ticks t ON t.id = l.tick"
            " WHERE s.kind = 'latency' AND s.target = :target AND t.at_ns BETWEEN :since AND :until ORDER BY 1",
            where.values,
            str,
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
        rows = self._rows(
            "SELECT t.at_ns / :step, sum(l.value * t.span_ns) / sum(t.span_ns)"
            " FROM ticks t CROSS JOIN levels l ON l.tick = t.id JOIN series s ON s.id = l.series"
            " WHERE s.kind = 'level' AND s.target = :target AND s.name = :name"
            " AND t.at_ns BETWEEN :since AND :until GROUP BY 1",
            {**where.values, "step": step, "name": figure.name},
            int,
            NUMBER,
        )
        return dict(rows)

    def _latencies(self, figure: Figure, where: Stretch, step: int) -> dict[int, float]:
        spans = self._spans(where, step)
        rows = self._rows(
            "SELECT t.at_ns / :step, l.total_ns, l.buckets FROM ticks t CROSS JOIN latencies l ON l.tick = t.id"
            " JOIN series s ON s.id = l.series WHERE s.kind = 'latency' AND s.target = :target AND s.name = :name"
            " AND t.at_ns BETWEEN :since AND :until",
            {**where.values, "step": step, "name": figure.name},
            int,
            NUMBER,
            str,
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
        rows = self._rows(
            "SELECT at_ns / :step, sum(span_ns) FROM ticks WHERE at_ns BETWEEN :since AND :until GROUP BY 1",
            {"step": step, "since": where.since_ns, "until": where.until_ns},
            int,
            int,
        )
        return dict(rows)

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
        known = self._rows(
            "SELECT 1 FROM series WHERE kind = 'count' AND target = ? AND status IS NULL LIMIT 1", (where.target,), int
        )
        rows = self._rows(
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
            int,
            str,
            *(int, int, int),
            NUMBER | None,
        )
        found: dict[int, dict[str, Interval]] = {}
        for at, event, raw, enabled, running, value in rows:
            found.setdefault(at, {})[event] = Interval(value, raw, enabled, running)
        return found

    def refused(self, target: str) -> Reading:
        """Events of that target that could not be counted, each with its reason."""
        rows = self._rows(
            "SELECT name, status, reason FROM series WHERE kind = 'count' AND status IS NOT NULL"
            " AND (target = ? OR target LIKE 'cpu%') GROUP BY name",
            (target,),
            str,
            str,
            str | None,
        )
        return Reading(
            {name: uncounted(name, _REFUSED.get(how, Status.NOT_COUNTED), why or "") for name, how, why in rows}, "pmu"
        )

    def figures(self, where: Stretch, metrics: Sequence[str]) -> list[Figure]:
        """Everything that may have a past there: levels, metrics, the rates of events, components."""
        levels = self._rows("SELECT name FROM series WHERE kind = 'level' AND target = ?", (where.target,), str)
        events = self._rows("SELECT DISTINCT name FROM series WHERE kind = 'count' AND status IS NULL", (), str)
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
