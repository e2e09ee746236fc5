"""Evidence: rounds of interleaved samples, gathered until they say whether something changed.

Each round gives the ratio of the new side's percentile to the old one's, both from the same stretch of time; the rounds
are independent of each other, and the median of their ratios is the change. Nothing here measures.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Sequence
from dataclasses import dataclass

from armprof.compare import sign
from armprof.compare.verdict import Verdict, judge, relative

ERROR = 0.01  # how often a comparison may err at all: in any of its percentiles or components, at any look
LOOKS = 100  # as many rounds are taken at most


@dataclass(frozen=True, slots=True)
class Percentile:
    """``samples`` a side are needed to have it; ``tolerance`` is the least change of it that matters."""

    name: str
    percent: int
    samples: int
    tolerance: float

    def of(self, ordered: Sequence[float]) -> float:
        """The smallest of the ordered values that at least so many percent do not exceed."""
        return ordered[-(-self.percent * len(ordered) // 100) - 1]


def percentiles(tolerance: float) -> tuple[Percentile, ...]:
    """What is judged. Tails are noisier than the median and bear the 10 % of the policy for run files."""
    tail = max(tolerance, 0.10)
    return (Percentile("p50", 50, 1, tolerance), Percentile("p95", 95, 20, tail), Percentile("p99", 99, 100, tail))


@dataclass(frozen=True, slots=True)
class PercentileChange:
    """One percentile compared. Changes are fractions; the interval holds the change with the confidence of the whole."""

    name: str
    tolerance: float
    old_ns: float | None  # of one operation
    new_ns: float | None
    change: float | None
    interval: tuple[float, float] | None
    ratios: int  # how many there were to judge by
    verdict: Verdict
    reason: str | None  # why it is undecided


class PercentileSeries:
    """One percentile of one component on its way to a verdict."""

    def __init__(self, percentile: Percentile, resolution: float = 0.0) -> None:
        """``resolution``: the step of the clock as a fraction of a sample."""
        self.percentile = percentile
        self.ratios: list[float] = []  # logarithms
        self.verdict = Verdict.UNDECIDED
        self._resolution = math.log1p(resolution)
        self._waiting: tuple[array[float], array[float]] = (array("d"), array("d"))
        self._interval: tuple[float, float] | None = None

    def add(self, old: Sequence[float], new: Sequence[float]) -> None:
        """The samples of one round. Short rounds are put together until they have the percentile."""
        for waiting, more in zip(self._waiting, (old, new), strict=True):
            waiting.extend(more)
        if min(map(len, self._waiting)) >= self.percentile.samples:
            before, after = (self.percentile.of(sorted(side)) for side in self._waiting)
            self.ratios.append(math.log(after / before))
            self._waiting = (array("d"), array("d"))

    def look(self, error: float) -> Verdict:
        """The verdict on what is there. ``error``: how often it may be wrong, over all looks together."""
        found = sign.interval(self.ratios, sign.each_look(error, LOOKS))
        # two times that the clock cannot tell apart may differ by its step
        self._interval = found and (relative(found[0] - self._resolution), relative(found[1] + self._resolution))
        if self.ratios:
            self.verdict = judge(self._change(), self._interval, self.percentile.tolerance)
        return self.verdict

    def _change(self) -> float:
        return relative(sign.median(self.ratios))

    def finding(self, old: Sequence[float], new: Sequence[float], batch: int, error: float) -> PercentileChange:
        """What came of it; ``old`` and ``new`` are all samples, each of ``batch`` operations, in order of size."""
        enough = min(len(old), len(new)) >= self.percentile.samples
        return PercentileChange(
            name=self.percentile.name,
            tolerance=self.percentile.tolerance,
            old_ns=self.percentile.of(old) / batch if enough else None,
            new_ns=self.percentile.of(new) / batch if enough else None,
            change=self._change() if self.ratios else None,
            interval=self._interval,
            ratios=len(self.ratios),
            verdict=self.verdict,
            reason=self._reason(error) if self.verdict == Verdict.UNDECIDED else None,
        )

    def _reason(self, error: float) -> str:
        least = sign.least_values(sign.each_look(error, LOOKS))
        if len(self.ratios) < least:
            s = "s" * (len(self.ratios) != 1)
            of = "" if self.percentile.samples == 1 else f" of {self.percentile.samples} samples a side"
            return f"{len(self.ratios)} round{s}{of}, and {least} are the least to judge by: give it more seconds"
        assert self._interval is not None
        if self._interval[0] <= 0 <= self._interval[1]:
            return "noise: the interval holds both no change and one that matters"
        return "there is a change, and the interval leaves open whether it matters"


class Evidence:
    """Everything gathered on one component."""

    def __init__(self, name: str, kinds: Sequence[Percentile], resolution: float = 0.0, batch: int = 1) -> None:
        self.name = name
        self._batch = batch  # operations of a sample
        self.series = [PercentileSeries(kind, resolution) for kind in kinds]
        self._samples: tuple[array[float], array[float]] = (array("d"), array("d"))

    def add(self, old: Sequence[float], new: Sequence[float]) -> None:
        """The samples of one round, in nanoseconds, none of them 0."""
        for all_samples, more in zip(self._samples, (old, new), strict=True):
            all_samples.extend(more)
        for one in self.series:
            if one.verdict == Verdict.UNDECIDED:
                one.add(old, new)

    @property
    def is_decided(self) -> bool:
        """Whether more rounds cannot change what comes of it: something is slower, or all are decided."""
        verdicts = [one.verdict for one in self.series]
        return Verdict.SLOWER in verdicts or Verdict.UNDECIDED not in verdicts

    def findings(self, error: float) -> tuple[PercentileChange, ...]:
        """What came of each percentile."""
        old, new = (sorted(side) for side in self._samples)
        return tuple(one.finding(old, new, self._batch, error) for one in self.series)


def look(all_evidence: Sequence[Evidence]) -> float:
    """Judges all series; returns the error that each open one may have.

    The error is divided among them, and what one that changed had is given to the others (Holm's correction, at each look).
    """
    series = [one for evidence in all_evidence for one in evidence.series]
    while True:
        changed = sum(one.verdict.is_change for one in series)
        error = ERROR / max(1, len(series) - changed)
        for one in series:
            if one.verdict == Verdict.UNDECIDED:
                one.look(error)
        if sum(one.verdict.is_change for one in series) == changed:
            return error
