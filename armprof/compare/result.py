"""What comes of comparing two runs: changes, the regressions among them, and what has no numbers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from armprof.compare.cause import Explanation
from armprof.compare.likeness import Difference
from armprof.compare.verdict import Verdict
from armprof.display import Displayed


class Severity(StrEnum):
    """How bad a regression is; the names are those of the report's headline."""

    MINOR = "minor"
    MAJOR = "major"


@dataclass(frozen=True, slots=True)
class ComparedMetric:
    """What is compared of a component. ``limit``: from how many times slower it matters."""

    name: str
    unit: str
    limit: float


@dataclass(frozen=True, slots=True)
class PerformanceRegression:
    """A component that became slower than the policy allows, by more than chance.

    The two values are nanoseconds for a latency, operations a second for the throughput, and of the model's counts those of
    one operation. ``noise`` is a fraction: by how much the change may be off either way.
    """

    component: str
    metric: str  # "p95_latency" in ns, "throughput" per second; of a model's counts those of one operation
    baseline_value: float
    current_value: float
    regression_percent: float  # how much longer, or how much less
    severity: Severity
    noise: float | None = None  # by how much the change may be off either way, as a fraction; 0 where counts are exact
    cause: Explanation | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """One metric of one component. ``change``: of its time, as a fraction; the interval is that of the rounds' shift."""

    component: str
    metric: ComparedMetric
    base: float
    head: float
    change: float
    interval: tuple[float, float] | None
    probability: float | None  # of rounds so far apart by chance, corrected for all that are compared
    verdict: Verdict
    reason: str | None  # why it is undecided, or what to know of the verdict
    cause: Explanation | None = None

    @property
    def noise(self) -> float | None:
        """By how much the change may be off either way; None where that is not known."""
        return (self.interval[1] - self.interval[0]) / 2 if self.interval else None


@dataclass(frozen=True, slots=True)
class Failure:
    """A component of the baseline that the current run has no numbers of."""

    component: str
    reason: str


@dataclass(frozen=True, slots=True)
class RegressionAnalysis(Displayed):
    """What came of comparing two runs."""

    regressions: tuple[PerformanceRegression, ...]  # the worst first
    changes: tuple[Change, ...]
    not_compared: tuple[tuple[str, str], ...]  # component, and why
    differences: tuple[Difference, ...]
    overall_performance_change: float | None  # of the median time of one operation, the geometric mean over components
    failures: tuple[Failure, ...] = ()

    @property
    def regression_detected(self) -> bool:
        """Whether something is slower than the policy allows."""
        return bool(self.regressions)

    @property
    def gate_failed(self) -> bool:
        """Whether a gate fails: something is slower, or has no numbers where the baseline has them."""
        return bool(self.regressions or self.failures)

    @property
    def headline(self) -> str:
        """As the design's report has it."""
        if self.regressions:
            return f"{self.regressions[0].severity.name} REGRESSIONS"
        return "COMPONENTS FAILED" if self.failures else "NO REGRESSIONS DETECTED"

    @property
    def analysis_summary(self) -> str:
        """One sentence."""
        components = len({change.component for change in self.changes})
        parts = [f"{components} component{'s' * (components != 1)} compared"]
        if self.overall_performance_change is not None:
            parts.append(f"median time of one operation {100 * self.overall_performance_change:+.1f} % overall")
        if self.regressions:
            worst = self.regressions[0]
            parts.append(f"worst: {worst.component}, {worst.metric} {worst.regression_percent:.1f} % worse")
        if self.failures:
            parts.append("failed: " + ", ".join(f"{one.component} ({one.reason})" for one in self.failures))
        undecided = sum(change.verdict == Verdict.UNDECIDED for change in self.changes)
        if undecided:
            parts.append(f"{undecided} of {len(self.changes)} metrics undecided")
        return f"{self.headline}: {'; '.join(parts)}."
