"""Trends of a stored figure: its daily pattern, the moments at which it changed, its slope, and when it will cross a threshold.

Values that follow each other are not independent: a busy hour stays busy. A slope fitted as if they were would be sure of
every drift. So the slope is fitted under each of many noises, from none that remembers to a random walk, and what is said
of it is the mixture of all of them, each as far as the data bears it out. What drift explains as well is no trend.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from armprof.compare import changepoint
from armprof.display import Displayed
from armprof.errors import CannotCount
from armprof.monitor.history import Past
from armprof.monitor.rules import Figure

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

S = 1_000_000_000
HOUR, DAY = 3_600 * S, 86_400 * S

# Bins are of the first of these lengths of which there are no more than `changepoint.MOST` in the time asked for.
STEPS = (S, 5 * S, 15 * S, 60 * S, 300 * S, 900 * S, 1800 * S, *(n * HOUR for n in (1, 2, 3, 4, 6, 8, 12, 24, 48, 168)))

ERROR = 0.01  # how often something is said of a figure that only varied
LEAST = changepoint.LEAST  # values that anything can be said of
LEVEL = 0.95  # of intervals
DAYS = 3  # whole days without which a daily pattern is not told from a trend
LEAST_PER_DAY = 4
SEASONAL = 0.6  # strength from which on a daily pattern is one: the share of what varies around the trend
HORIZON = 10  # times the observed span: no line is drawn further than that
DRAWS = 4_000
BEYOND = "it is beyond the threshold now"


@dataclass(frozen=True, slots=True)
class LevelShift:
    """The level moved at that moment, by that share of what it was."""

    at_ns: int
    change: float
    probability: float  # that chance alone makes one as clear


@dataclass(frozen=True, slots=True)
class Trend:
    """What a figure did. Slopes are per day and since the last change; ``slope`` is None where the data bears none out.

    ``verdict`` is "rising" or "falling" where the interval of the slope leaves 0 out, "changed" where the level moved and has
    no slope since, "steady" otherwise, "unknown" (and ``reason`` why) where there is too little.
    """

    past: Past
    verdict: str
    daily: float | None = (
        None  # from the least to the most of a day, where there is a pattern; it is taken out of the rest
    )
    changes: tuple[LevelShift, ...] = ()
    slope: float | None = None
    slope_interval: tuple[float, float] | None = None
    reason: str | None = None
    line: FittedLine | None = None

    @property
    def figure(self) -> Figure:
        return self.past.figure


@dataclass(frozen=True, slots=True)
class FittedLine:
    """Draws of the line that the figure follows: its level at ``at_ns`` and its slope per nanosecond."""

    at_ns: int
    since_ns: int
    levels: Array
    slopes: Array


@dataclass(frozen=True, slots=True)
class Crossing:
    """When a figure's line crosses a threshold. Without a time ``reason`` says why nothing is predicted.

    It is the line that crosses, not the noise around it, which may be there earlier for a moment.
    """

    figure: Figure
    target: str
    rule: str
    threshold: float
    above: bool
    at_ns: int | None = None
    earliest_ns: int | None = None
    latest_ns: int | None = None
    reason: str | None = None


def step_for(span_ns: int) -> int:
    """The length of a bin for that much time."""
    return next((step for step in STEPS if span_ns / step <= changepoint.MOST), STEPS[-1])


def trend(past: Past, step_ns: int, error: float = ERROR) -> Trend:
    """What the figure did; of one that only varied something is said as often as ``error``."""
    import numpy as np

    if len(past) < LEAST:
        return Trend(past, "unknown", reason=f"{len(past)} values of {step_ns / S:g} s, and {LEAST} are the least")
    values = np.asarray(past.values, dtype=float)
    if np.ptp(values) == 0:
        return Trend(past, "steady", slope=0.0, slope_interval=(0.0, 0.0))
    bins = np.asarray(past.at_ns, dtype=np.int64) // step_ns
    values, daily = _without_day(bins, values, step_ns)
    changes = _changes(past, values, error)
    last = next((i for i, at in enumerate(past.at_ns) if changes and at >= changes[-1].at_ns), 0)
    line = _line(bins[last:], values[last:], step_ns)
    if line is None:
        why = f"{len(past) - last} values since the last change are too few for a slope"
        return Trend(past, "changed", daily, changes, reason=why)
    tail = 100 * (1 - LEVEL) / 2
    slopes = line.slopes * DAY
    low, middle, high = (float(v) for v in np.percentile(slopes, [tail, 50, 100 - tail]))
    sure = max(float(np.mean(slopes > 0)), float(np.mean(slopes < 0))) >= 1 - error / 2
    verdict = ("rising" if middle > 0 else "falling") if sure else "changed" if changes else "steady"
    return Trend(past, verdict, daily, changes, middle, (low, high), line=line)


def _without_day(bins: NDArray[np.int64], values: Array, step_ns: int) -> tuple[Array, float | None]:
    """The values less their daily pattern, and how far that goes up and down; as they are where there is none."""
    import numpy as np

    period = round(DAY / step_ns)
    if DAY % step_ns or period < LEAST_PER_DAY or bins[-1] - bins[0] + 1 < DAYS * period:
        return values, None
    whole = np.arange(bins[0], bins[-1] + 1)
    filled = np.interp(whole, bins, values)  # the decomposition knows no gaps
    days = math.ceil(len(whole) / period)
    # a window far longer than the history: a pattern is the same each day
    parts = _statsmodels().tsa.STL(filled, period=period, seasonal=20 * days + 1, robust=True).fit()
    around = parts.seasonal + parts.resid
    strength = 1 - np.var(parts.resid) / np.var(around) if np.var(around) > 0 else 0.0
    if strength < SEASONAL:
        return values, None
    pattern = parts.seasonal[bins - bins[0]]
    return values - pattern, float(np.ptp(pattern))


def _changes(past: Past, values: Array, error: float) -> tuple[LevelShift, ...]:
    """Where the level moved. The steps are sought among positive numbers, as shares of them."""
    low, high = float(values.min()), float(values.max())
    shift = 0.0 if low > 0 else high - 2 * low
    found = changepoint.steps([float(v) + shift for v in values], error)
    ends = [0, *(step.at for step in found), len(values)]
    changes = []
    for step, begin, end in zip(found, ends, ends[2:], strict=False):
        before, after = _median(values[begin : step.at]), _median(values[step.at : end])
        change = (after - before) / abs(before) if before else math.inf
        changes.append(LevelShift(past.at_ns[step.at], change, step.probability))
    return tuple(changes)


def _median(values: Array) -> float:
    import numpy as np

    return float(np.median(values))


def _line(bins: NDArray[np.int64], values: Array, step_ns: int) -> FittedLine | None:
    """The line through the values, drawn from what all noises together say of it. None where the values are too few.

    Each noise is a share of an autoregressive part that remembers and the rest white. Its weight is its restricted likelihood:
    that of what is left when any line is taken out, so that a line does not pass for memory nor memory for a line.
    """
    import numpy as np

    n = len(values)
    if n < LEAST:
        return None
    gls = _statsmodels().GLS
    time = (bins - bins[-1]).astype(float)
    scale = float(np.std(values)) or 1.0
    design = np.stack([np.ones(n), time], 1)
    weights, fits = [], []
    for memory, share in _noises():
        fit = gls(values / scale, design, sigma=_covariance(time, memory, share)).fit()
        gram = np.linalg.slogdet(fit.normalized_cov_params)[1]
        size = 2 * np.log(np.diagonal(np.linalg.cholesky(_covariance(time, memory, share)))).sum()
        weights.append(-0.5 * ((n - 2) * math.log(max(fit.ssr, 1e-300)) + size - gram))
        fits.append(fit)
    share_of = np.exp(np.asarray(weights) - max(weights))
    random = np.random.default_rng(n)
    chosen = random.choice(len(fits), DRAWS, p=share_of / share_of.sum())
    levels, slopes = np.empty(DRAWS), np.empty(DRAWS)
    for which in np.unique(chosen):
        mine = np.flatnonzero(chosen == which)
        fit = fits[which]
        spread = np.linalg.cholesky(fit.cov_params())
        drawn = random.standard_normal((len(mine), 2)) @ spread.T
        drawn *= np.sqrt((n - 2) / random.chisquare(n - 2, len(mine)))[
            :, None
        ]  # Student's t: the noise's size is estimated
        levels[mine], slopes[mine] = ((fit.params + drawn) * scale).T
    at = int(bins[-1]) * step_ns + step_ns // 2
    return FittedLine(at, int(bins[0]) * step_ns, levels, slopes / step_ns)


def _noises() -> list[tuple[float, float]]:
    return [(0.0, 0.0)] + [(m, s) for m in changepoint.MEMORIES[1:] for s in changepoint.SHARES]


def _covariance(time: Array, memory: float, share: float) -> Array:
    """Of a white part and one that remembers; the latter's increments have ``share`` of the variance."""
    import numpy as np

    apart = np.abs(time[:, None] - time)
    since = time - time[0]
    if memory == 1:
        remembered = np.minimum(since[:, None], since) + 1.0
    else:
        remembered = memory**apart / (1 - memory**2)
    made: Array = share * remembered + (1 - share + 1e-6) * np.eye(len(time))
    return made


def crossing(found: Trend, rule: str, threshold: float, above: bool) -> Crossing:
    """When the figure crosses the threshold, from the side that is right to the side that is wrong."""
    import numpy as np

    told = Crossing(found.figure, found.past.target, rule, threshold, above)

    def nothing(reason: str) -> Crossing:
        return Crossing(told.figure, told.target, rule, threshold, above, reason=reason)

    line = found.line
    if found.verdict == "unknown" or line is None:
        return nothing(found.reason or "the figure does not vary")
    side = 1.0 if above else -1.0
    if side * float(np.median(line.levels)) > side * threshold:
        return nothing(BEYOND)
    if found.verdict not in ("rising", "falling"):
        return nothing("no prediction: the data bears no slope out")
    if (found.verdict == "rising") != above:
        return nothing("it moves away from the threshold")
    toward = side * line.slopes
    left = side * (threshold - line.levels)
    with np.errstate(divide="ignore"):
        times = np.where(toward > 0, np.maximum(left, 0.0) / np.maximum(toward, 1e-300), np.inf)
    tail = 100 * (1 - LEVEL) / 2
    low, middle, high = np.percentile(times, [tail, 50, 100 - tail], method="nearest")
    if high > HORIZON * (line.at_ns - line.since_ns):
        return nothing(f"no prediction: it may be more than {HORIZON} times the observed time away")
    at, earliest, latest = (line.at_ns + round(float(ns)) for ns in (middle, low, high))
    return Crossing(told.figure, told.target, rule, threshold, above, at, earliest, latest)


def _statsmodels() -> _Library:
    try:
        import statsmodels.api as sm
        import statsmodels.tsa.api as tsa
    except ImportError as missing:
        raise CannotCount(f"trends need statsmodels ({missing})", "pip install 'armprof[trends]'") from None
    return _Library(sm.GLS, tsa)


@dataclass(frozen=True, slots=True)
class _Library:
    """What of statsmodels is used."""

    GLS: Any
    tsa: Any


# What belongs to which of the trends that the design names.
KINDS: Mapping[str, Sequence[str]] = {
    "latency": ("p50_ns", "p95_ns", "p99_ns", "p999_ns", "mean_ns", "cycles_per_instruction"),
    "throughput": ("calls_per_s", "ipc", "inst_retired.per_s", "task_clock.per_s", "busy"),
    "memory": ("memory_bytes",),
    "cache": ("_cache_hit_rate", "_mpki", "_miss_ratio", "tlb_miss_rate"),
}


@dataclass(frozen=True, repr=False)
class PerformanceTrends(Displayed):
    """The trends of a store's figures over a time, and the thresholds that they lead to. Times are in ns since 1970."""

    target: str
    since_ns: int
    until_ns: int
    step_ns: int
    trends: tuple[Trend, ...]
    crossings: tuple[Crossing, ...]

    def of(self, kind: str) -> tuple[Trend, ...]:
        """The trends of one kind: "latency", "throughput", "memory", "cache"; "other" has the rest."""
        return tuple(one for one in self.trends if kind_of(one.figure) == kind)

    @property
    def latency_trend(self) -> tuple[Trend, ...]:
        """The trends of latencies."""
        return self.of("latency")

    @property
    def throughput_trend(self) -> tuple[Trend, ...]:
        """The trends of throughputs."""
        return self.of("throughput")

    @property
    def memory_usage_trend(self) -> tuple[Trend, ...]:
        """The trends of what is used of memory."""
        return self.of("memory")

    @property
    def cache_efficiency_trend(self) -> tuple[Trend, ...]:
        """The trends of cache efficiency."""
        return self.of("cache")

    @property
    def predicted_issues(self) -> tuple[Crossing, ...]:
        """Thresholds that will be crossed, the next one first."""
        found = [one for one in self.crossings if one.at_ns is not None]
        return tuple(sorted(found, key=lambda one: one.at_ns or 0))

    def __repr__(self) -> str:
        lines = [f"Trends of {self.target}"]
        lines += [f"  {one.verdict:<8} {one.figure}" for one in self.trends]
        lines += [f"  predicted issue: {one.rule}" for one in self.predicted_issues]
        return "\n".join(lines)


def kind_of(figure: Figure) -> str:
    """What the figure tells of."""
    name = str(figure)
    return next((kind for kind, ends in KINDS.items() if name.endswith(tuple(ends))), "other")
