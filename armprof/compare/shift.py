"""The rank-sum test: how far two groups of values lie apart that were not measured in pairs.

It asks of each pair of one value from either group which is larger (Mann and Whitney 1947), and assumes of the distribution
only that a change moves it as a whole. How often chance alone makes the groups differ so much is counted exactly. It takes
the values of a group for independent: rounds that follow each other within one run are less than that.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache

from armprof.compare.sign import median


def probability(base: Sequence[float], head: Sequence[float]) -> float:
    """How probable it is that chance alone orders the groups so much or more: a two-sided p, too large where there are ties."""
    above = sum(b < h for b in base for h in head)
    below = sum(b > h for b in base for h in head)
    ties = len(base) * len(head) - above - below
    ways = _ways(len(base), len(head))
    return min(1.0, 2 * sum(ways[: min(above, below) + ties + 1]) / sum(ways))


def shift(base: Sequence[float], head: Sequence[float]) -> float:
    """How much larger head's values are: the median of all differences (Hodges and Lehmann 1963)."""
    return median([h - b for b in base for h in head])


def interval(base: Sequence[float], head: Sequence[float], level: float) -> tuple[float, float] | None:
    """The interval that misses the shift with a probability of ``level`` at most. None where the values are too few."""
    ways = _ways(len(base), len(head))
    most, tail, k = level / 2 * sum(ways), 0, 0
    while k < len(ways) // 2 and tail + ways[k] <= most:
        tail += ways[k]
        k += 1
    if k == 0:
        return None
    differences = sorted(h - b for b in base for h in head)
    return differences[k - 1], differences[-k]


@cache
def _ways(m: int, n: int) -> tuple[int, ...]:
    """In how many orders of m and n values each number of pairs, 0 to m n, has its second value in front.

    They are the coefficients of the Gaussian binomial: the product of (1 - q^(n + i)) / (1 - q^i) for i from 1 to m.
    """
    size = m * n + 1
    ways = [1] + [0] * (size - 1)
    for i in range(1, m + 1):
        for u in range(size - 1, n + i - 1, -1):
            ways[u] -= ways[u - n - i]
        for u in range(i, size):
            ways[u] += ways[u - i]
    assert sum(ways) == math.comb(m + n, m)
    return tuple(ways)
