"""What `compute` gives: a Metric per name, and ARM64Metrics, the set of them."""

from __future__ import annotations

import difflib
from collections.abc import Callable, ItemsView, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, overload

from armprof.counters.reading import Reading, Status
from armprof.display import Displayed
from armprof.errors import ArmprofError

if TYPE_CHECKING:
    import pandas as pd

    from armprof.cpu import Core


class Confidence(StrEnum):
    """How far the counting carries the value; `armprof.metrics.confidence` holds the numbers."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"

    @property
    def rank(self) -> int:
        """0 for low, 2 for high."""
        return _RANKS[self]


_RANKS = {Confidence.LOW: 0, Confidence.MEDIUM: 1, Confidence.HIGH: 2}


def least(*confidences: Confidence) -> Confidence:
    """The lowest of them."""
    return min(confidences, key=_RANKS.__getitem__)


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric of one Reading.

    ``value`` is None where it could not be formed, and then ``reason`` says why. Where there is a value,
    ``reason`` is what its reader must know (a fallback formula), or None. ``formula`` and ``events`` are
    those used, or those that came nearest to being usable. ``coverage`` is the lowest of the events, 0 to 1.
    ``causes`` are the parts of the reason of a value that is None: why, and which events that concerns; so
    what stands in the way of several metrics can be told once.
    ``together`` is False where multiplexing counted the events at different moments: such a ratio mixes
    phases of the program (published windows of one ffmpeg run miss the L1I 2.5 % and 5.0 % of the time).
    """

    name: str
    title: str
    section: str
    value: float | None
    unit: str
    better: str  # "higher", "lower", "" where neither is better in itself
    status: Status
    events: tuple[str, ...]
    formula: str | None
    spec: str  # the name in Arm's telemetry specification, "" where it has none
    coverage: float | None
    together: bool | None
    source: str
    confidence: Confidence | None
    reason: str | None
    causes: tuple[tuple[str, tuple[str, ...]], ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The metric as it stands in the JSON contract."""
        return {
            "title": self.title,
            "value": self.value,
            "unit": self.unit,
            "status": str(self.status),
            "coverage": self.coverage,
            "events": list(self.events),
            "formula": self.formula,
            "source": self.source,
            "confidence": None if self.confidence is None else str(self.confidence),
            "reason": self.reason,
        }

    def __repr__(self) -> str:
        if self.value is None:
            return f"<Metric {self.name}: None ({self.status}), {self.reason}>"
        coverage = "" if self.coverage is None else f", {self.coverage:.1%} running"
        moments = "" if self.together else ", events counted at different moments"
        note = f"; {self.reason}" if self.reason else ""
        return (
            f"<Metric {self.name} = {self.value:.6g} {self.unit} = {self.formula}"
            f" ({self.status}{coverage}{moments}, {self.confidence} confidence){note}>"
        )


@dataclass(frozen=True, slots=True)
class Quality:
    """How well a reading was counted: `armprof.metrics.quality` finds it out. ``findings`` are what contradicts itself."""

    lowest_coverage: float | None = None  # of all events that have a value
    lowest_event: str | None = None
    stretch_ns: int | None = None  # how long was counted
    topdown_sum: float | None = None  # of the four terms; 1 where they were counted together
    clock_ghz: float | None = None  # cycles over the time on a CPU
    findings: tuple[str, ...] = ()  # a sentence each

    def to_dict(self) -> dict[str, Any]:
        """As it stands in the JSON contract."""
        return {name: getattr(self, name) for name in self.__slots__} | {"findings": list(self.findings)}


@dataclass(frozen=True, slots=True, eq=False)
class Gaps:
    """The metrics that no reading with the same gaps can have: the same objects for all of them, and a key for what follows."""

    metrics: Mapping[str, Metric]


class _Value:
    """An attribute of ARM64Metrics: the value of the metric of that name; ``says`` is what `help` tells of it."""

    def __init__(self, says: str) -> None:
        self.__doc__ = says

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, metrics: None, owner: type) -> _Value: ...
    @overload
    def __get__(self, metrics: ARM64Metrics, owner: type) -> float | None: ...
    def __get__(self, metrics: ARM64Metrics | None, owner: type) -> _Value | float | None:
        return self if metrics is None else metrics[self._name].value


class ARM64Metrics(Displayed, Mapping[str, Metric]):
    """Every metric of one Reading, by name; the nine main ones as attributes, each a float or None.

    Rates, accuracies, utilization and efficiency are fractions from 0 to 1, ``memory_latency_ns`` is nanoseconds.
    ``metrics.explain(name)`` (or ``metrics[name]``) gives the whole Metric: its unit, its events, the formula by which it was
    formed, the coverage and the confidence, and where there is no value the reason. Formulas are those of Arm's telemetry
    specification of the core where that has one. Iterating gives the names of all.

    Raises ArmprofError from ``explain`` and KeyError from ``[]`` for a name that there is not.
    """

    l1_cache_hit_rate = _Value("Of all accesses to the L1 data cache, 0 to 1.")
    l2_cache_hit_rate = _Value("Of all accesses to the L2 cache, 0 to 1.")
    tlb_miss_rate = _Value("Page table walks of all accesses to the data TLB, 0 to 1.")
    branch_prediction_accuracy = _Value("Of all branches, those that were predicted, 0 to 1.")
    instruction_cache_hit_rate = _Value("Of all accesses to the L1 instruction cache, 0 to 1.")
    cycles_per_instruction = _Value("Cycles per instruction that retired.")
    memory_bandwidth_utilization = _Value("Of the peak bandwidth that was measured on the machine, 0 to 1.")
    memory_latency_ns = _Value("Of a load that memory answers, in nanoseconds.")
    numa_efficiency = _Value("Of the accesses to memory, those that their own chip answered, 0 to 1.")

    def __init__(
        self,
        metrics: Mapping[str, Metric],
        reading: Reading,
        core: Core | None = None,
        quality: Quality | None = None,
        gaps: Gaps | None = None,
    ) -> None:
        self._metrics = dict(metrics)
        self.reading = reading  # the Reading as used: contradictions marked
        self.core = core
        self.quality = quality or Quality()  # how well all of it was counted, and what contradicts itself
        self.gaps = gaps or Gaps({})

    def __getitem__(self, name: str) -> Metric:
        return self._metrics[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._metrics)

    def __len__(self) -> int:
        return len(self._metrics)

    def items(self) -> ItemsView[str, Metric]:
        """Each name with its Metric, in the order of the table."""
        return self._metrics.items()

    def explain(self, name: str) -> Metric:
        """The Metric of that name, with its events, formula, coverage, source, confidence and reason.

        Raises ArmprofError naming the close matches.
        """
        if name in self._metrics:
            return self._metrics[name]
        close = difflib.get_close_matches(name, self._metrics, n=3)
        hint = f"did you mean {' or '.join(close)}?" if close else f"known are {', '.join(self._metrics)}"
        raise ArmprofError(f"no metric is called {name!r}; {hint}")

    def to_dict(self, entry: Callable[[Metric], Any] = Metric.to_dict) -> dict[str, Any]:
        """``metrics{NAME: {...}}`` of the JSON contract."""
        return {name: entry(metric) for name, metric in self._metrics.items()}

    def to_frame(self) -> pd.DataFrame:
        """One row per metric: title, value, unit, status, coverage, confidence, formula, source, reason."""
        import pandas as pd

        columns = (
            "title",
            "value",
            "unit",
            "status",
            "coverage",
            "confidence",
            "formula",
            "source",
            "reason",
        )
        rows = {
            name: [None if (v := getattr(m, c)) is None else str(v) if isinstance(v, StrEnum) else v for c in columns]
            for name, m in self._metrics.items()
        }
        frame = pd.DataFrame.from_dict(rows, orient="index", columns=list(columns))
        frame.index.name = "metric"
        return frame.astype({"value": "float64", "coverage": "float64"})

    def _rows(self) -> list[tuple[str, str, str, str]]:
        """Name, value with unit, how well counted, what to know: the nine first, then those with a value."""
        rows = []
        for name, m in self._metrics.items():
            if m.value is None and name not in MAIN:
                continue
            if m.value is None:
                rows.append((name, "None", str(m.status), m.reason or ""))
            else:
                coverage = "" if m.coverage is None else f", {m.coverage:.1%} running"
                rows.append((name, f"{m.value:.4g} {m.unit}", f"{m.confidence}{coverage}", m.reason or ""))
        return rows

    def _heading(self) -> str:
        core = "" if self.core is None else f", {self.core.title}"
        return f"ARM64Metrics from source {self.reading.source}{core}"

    def __repr__(self) -> str:
        rows = self._rows()
        wide = [max(len(row[i]) for row in rows) for i in range(3)]
        lines = [
            f"  {name:<{wide[0]}}  {value:<{wide[1]}}  {counted:<{wide[2]}}  {reason}".rstrip()
            for name, value, counted, reason in rows
        ]
        return "\n".join([self._heading(), *lines])


MAIN = tuple(name for name, attribute in vars(ARM64Metrics).items() if isinstance(attribute, _Value))
