"""Adding up the rows of one event line over intervals, CPUs, threads and runs."""

from __future__ import annotations

from dataclasses import dataclass

from armprof.counters.imported.row import TIME_UNITS, Row
from armprof.counters.reading import Count, Status, uncounted

# perf prints two decimals of a percentage.
ALWAYS = 0.99995

NOT_SUPPORTED = "perf printed <not supported>: the core, the guest or the kernel does not have this event"
NEVER_RAN = "the counter never ran (0 %): more events than counters, or no work on the CPUs of its PMU"
NEVER_ON = "perf printed <not counted>: nothing ran while the event was on"


@dataclass(slots=True)
class RowTally:
    """The sum of rows of one event.

    Rows weigh by the length of their interval, or equally. Where a counter did not get its turn in some of
    them, the sum of the others is scaled up to all, as perf scales within a row. Times are those that perf
    printed: ``event-runtime`` is the running time, and enabled = running / percentage (which some perf
    versions round down to whole percents).
    """

    label: str = ""
    unit: str = ""
    value: float = 0.0
    rows: int = 0  # with a count
    starved: int = 0  # without one, although the event was on
    idle: int = 0  # without one, because nothing ran
    unsupported: int = 0
    weight: float = 0.0
    starved_weight: float = 0.0
    covered: float = 0.0  # sum of weight x coverage
    coverage_known: bool = True
    always: bool = True
    running_ns: int | None = 0
    enabled_ns: int | None = 0

    @classmethod
    def of(cls, row: Row, weight: float) -> RowTally:
        """The one row."""
        if row.value is None:
            if row.missing is Status.UNSUPPORTED:
                return cls(row.label, unsupported=1)
            if row.coverage is None:
                return cls(row.label, idle=1)
            return cls(row.label, starved=1, starved_weight=weight)
        nanoseconds = TIME_UNITS.get(row.unit)
        timed = row.running_ns is not None and row.coverage
        return cls(
            label=row.label,
            unit="ns" if nanoseconds else row.unit,
            value=round(row.value * nanoseconds) if nanoseconds else row.value,
            rows=1,
            weight=weight,
            covered=weight * (row.coverage or 0.0),
            coverage_known=row.coverage is not None,
            always=row.coverage is not None and row.coverage >= ALWAYS,
            running_ns=row.running_ns if timed else None,
            enabled_ns=round((row.running_ns or 0) / (row.coverage or 1.0)) if timed else None,
        )

    def add(self, other: RowTally) -> None:
        self.label = self.label or other.label
        self.unit = self.unit or other.unit
        self.value += other.value
        self.rows += other.rows
        self.starved += other.starved
        self.idle += other.idle
        self.unsupported += other.unsupported
        self.weight += other.weight
        self.starved_weight += other.starved_weight
        self.covered += other.covered
        self.coverage_known &= other.coverage_known
        self.always &= other.always
        self.running_ns = _sum_if_known(self.running_ns, other.running_ns)
        self.enabled_ns = _sum_if_known(self.enabled_ns, other.enabled_ns)

    @property
    def complete(self) -> bool:
        """Counted all the time."""
        return self.rows > 0 and self.always and not self.starved

    @property
    def coverage(self) -> float | None:
        if not self.coverage_known or not (self.rows or self.starved):
            return None
        return self.covered / (self.weight + self.starved_weight)

    def count(self, event: str, unit: str, group: int | None) -> Count:
        """The Count under this name, in this unit if perf printed none.

        ``raw`` is None where perf scaled: it prints the estimate alone.
        """
        label = None if self.label == event else self.label
        if not self.rows:
            if self.starved:
                return uncounted(event, Status.NOT_COUNTED, NEVER_RAN, label=label, stated_coverage=0.0)
            if self.idle:
                return uncounted(event, Status.NOT_COUNTED, NEVER_ON, label=label)
            return uncounted(event, Status.UNSUPPORTED, NOT_SUPPORTED, label=label)
        stretch = 1 + self.starved_weight / self.weight
        reason: str | None = None
        if self.starved:
            of = self.rows + self.starved
            reason = f"not counted in {self.starved} of {of} rows, for which the sum of the others was scaled up"
        elif not self.coverage_known:
            reason = "the output does not say how long the counter ran"
        return Count(
            event=event,
            value=self.value * stretch,
            raw=self.value if self.complete or not self.value else None,
            enabled_ns=None if self.enabled_ns is None else round(self.enabled_ns * stretch),
            running_ns=self.running_ns,
            status=Status.COUNTED if self.complete else Status.SCALED,
            reason=reason,
            unit=self.unit or unit,
            group=group,
            label=label,
            stated_coverage=self.coverage,
        )


def _sum_if_known(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else one + other
