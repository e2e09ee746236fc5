"""Axes: where a value stands, in percent of the width, and where the marks with numbers stand."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

MARGIN = 3.0  # percent of the width on either side
MOST_TICKS = 6


@dataclass(frozen=True, slots=True)
class Scale:
    """From ``low`` to ``high``; logarithmic where ``log``."""

    low: float
    high: float
    log: bool = False
    margin: float = MARGIN

    def at(self, value: float) -> float:
        """The place of the value; what is outside stands at the end."""
        low, high, value = (math.log(v) for v in self._positive(value)) if self.log else (self.low, self.high, value)
        share = (value - low) / (high - low) if high > low else 0.5
        return round(self.margin + (100 - 2 * self.margin) * min(1.0, max(0.0, share)), 2)

    def _positive(self, value: float) -> tuple[float, float, float]:
        return self.low, self.high, max(value, self.low)

    def ticks(self) -> list[float]:
        """Round values within it, few enough to be told apart."""
        return _powers(self.low, self.high) if self.log else _steps(self.low, self.high)


def logarithmic(values: Iterable[float]) -> Scale | None:
    """An axis that has all of the values above 0, in whole powers of 10 where they are many; None where there is none."""
    known = [value for value in values if value > 0 and math.isfinite(value)]
    if not known:
        return None
    low, high = min(known), max(known)
    return Scale(low / 1.15, high * 1.15, log=True)


def linear(values: Iterable[float]) -> Scale:
    """An axis from 0, or from the least below it, to the largest."""
    known = [0.0, *(value for value in values if math.isfinite(value))]
    low, high = min(known), max(known)
    return Scale(low, high if high > low else low + 1)


def _powers(low: float, high: float) -> list[float]:
    exponents = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for mantissas in ((1, 2, 5), (1, 3), (1,)):
        found = [m * 10.0**e for e in exponents for m in mantissas if low <= m * 10.0**e <= high]
        if len(found) <= MOST_TICKS:
            return found
    return found[:: math.ceil(len(found) / MOST_TICKS)]


def _steps(low: float, high: float) -> list[float]:
    rough = (high - low) / (MOST_TICKS - 1)
    size = 10.0 ** math.floor(math.log10(rough))
    step = next(m * size for m in (1, 2, 5, 10) if m * size >= rough)
    first, last = math.ceil(low / step), math.floor(high / step)
    return [round(n * step, 12) for n in range(first, last + 1)]


def thinned(values: Sequence[float], at: Callable[[float], float], apart: float = 9.0) -> list[float]:
    """Those that stand so far from the one before that their labels do not touch."""
    found: list[float] = []
    for value in values:
        if not found or at(value) - at(found[-1]) >= apart:
            found.append(value)
    return found
