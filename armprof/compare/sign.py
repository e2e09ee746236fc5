"""The sign test: an interval for the median that assumes nothing of the distribution, and what looking again costs.

Each value is above the true median or below it as a coin falls. So the k-th smallest of n and the k-th largest miss the
median between them as rarely as n tosses show fewer than k heads, or fewer than k tails: whatever the tails of the values
are, and with ties the more rarely (David and Nagaraja 2003, Order Statistics, 7.1).

Who looks after every value and stops when the interval is good enough has many chances to be wrong. What all looks together
may err is found exactly, by counting the walks of the coin that leave the bounds at any look, and every look then gets the
same smaller level (Pocock 1977): the intervals of all looks hold the median together as often as promised.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache


def median(values: Sequence[float]) -> float:
    """The middle value, or the mean of the two in the middle."""
    ordered = sorted(values)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


def interval(values: Sequence[float], level: float) -> tuple[float, float] | None:
    """The interval that misses the median with a probability of ``level`` at most. None where the values are too few."""
    k = depth(len(values), level)
    if k == 0:
        return None
    ordered = sorted(values)
    return ordered[k - 1], ordered[-k]


@cache
def depth(n: int, level: float) -> int:
    """The largest k for which 2 P(fewer than k heads of n) is at most ``level``; 0 where there is none."""
    tails, k = 0, 0
    most = level * 2.0**n / 2 if n < 1000 else math.inf
    if math.isinf(most):
        raise ValueError(f"{n} values: more than this test is meant for")
    while k <= n // 2 and tails + math.comb(n, k) <= most:
        tails += math.comb(n, k)
        k += 1
    return k


def crossing(level: float, looks: int) -> float:
    """The probability that a fair coin leaves the bounds of ``level`` at one of the looks after 1, 2, ... tosses."""
    inside = [1.0]  # probability of each number of heads, of walks that have not left yet
    left = 0.0
    for n in range(1, looks + 1):
        halves = [p / 2 for p in inside]
        inside = [a + b for a, b in zip([*halves, 0.0], [0.0, *halves], strict=True)]
        k = depth(n, level)
        for heads in (*range(k), *range(n + 1 - k, n + 1)):
            left += inside[heads]
            inside[heads] = 0.0
    return left


@cache
def each_look(error: float, looks: int) -> float:
    """The level for each look, so that all looks together err with a probability of ``error`` at most."""
    low, high = error / looks, error  # the first is Bonferroni's, which always suffices
    while high / low > 1.01:
        middle = math.sqrt(low * high)
        if crossing(middle, looks) <= error:
            low = middle
        else:
            high = middle
    return low


def least_values(level: float) -> int:
    """How many values there must be before there is an interval."""
    n = 1
    while depth(n, level) == 0:
        n += 1
    return n
