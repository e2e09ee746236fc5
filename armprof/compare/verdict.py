"""What an interval says of a change: the words of every comparison."""

from __future__ import annotations

import math
from enum import StrEnum


class Verdict(StrEnum):
    """Whether there is a change. Undecided is no change that is not there: nothing was shown either way."""

    SLOWER = "slower"
    FASTER = "faster"
    UNCHANGED = "unchanged"
    UNDECIDED = "undecided"

    @property
    def is_change(self) -> bool:
        """Whether the two sides differ by as much as matters."""
        return self in (Verdict.SLOWER, Verdict.FASTER)


def judge(change: float, interval: tuple[float, float] | None, tolerance: float) -> Verdict:
    """The verdict on a change of time, as fractions: 0.05 is 5 % more. ``tolerance`` is the least change that matters.

    A change is called where the interval leaves out none at all and the estimate matters; none, where the whole interval
    does not matter.
    """
    if interval is None:
        return Verdict.UNDECIDED
    low, high = interval
    faster = 1 / (1 + tolerance) - 1  # as many times faster as slower: 1 / 1.1, not 0.9
    if low > 0 and change >= tolerance:
        return Verdict.SLOWER
    if high < 0 and change <= faster:
        return Verdict.FASTER
    if faster <= low and high <= tolerance:
        return Verdict.UNCHANGED
    return Verdict.UNDECIDED


def relative(log_ratio: float) -> float:
    """The logarithm of a ratio as a change: log 1.05 is 0.05."""
    return math.expm1(log_ratio)
