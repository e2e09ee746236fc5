"""Where a curve of load times over growing working sets steps up: the level of the hierarchy that became too small.

While everything fits into a level, a load takes that level's time. Beyond its size the share of loads that go further grows,
and so does the mean, until nearly all of them do. Levels are thus stretches where the curve hardly climbs, and a knee is
the end of one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

CLIMBS = 1.08  # from one point to the next, above which it is on its way to another level
DIFFERS = 1.25  # levels closer than this are one, with a disturbance between
FEWEST = 2  # points of a level: one alone may be anywhere on a slope


@dataclass(frozen=True, slots=True)
class Level:
    """``size`` is the largest working set that the level held; of the last one, the largest that was tried."""

    size: int
    ns: float


def levels(curve: Sequence[tuple[int, float]]) -> list[Level]:
    """The levels that a curve of (working set, ns a load) shows, nearest first. Sizes rise by a constant factor."""
    times = rising([ns for _, ns in curve])
    found: list[tuple[int, float]] = []  # index of the last point, time
    start = 0
    for i in range(1, len(times) + 1):
        if i < len(times) and times[i] <= times[i - 1] * CLIMBS:
            continue
        if i - start >= FEWEST:
            stretch = times[start:i]
            # Its later points: at the first ones some loads are still served by the level before.
            level = (i - 1, median(stretch[len(stretch) // 2 :]))
            if found and level[1] < found[-1][1] * DIFFERS:
                level = (level[0], found.pop()[1])
            found.append(level)
        start = i
    return [Level(curve[last][0], ns) for last, ns in found]


def rising(times: Sequence[float]) -> list[float]:
    """The nearest sequence that never falls (pool adjacent violators): a larger working set is never faster, noise is."""
    pools: list[tuple[float, int]] = []
    for time in times:
        pool = (time, 1)
        while pools and pools[-1][0] > pool[0]:
            mean, count = pools.pop()
            pool = ((mean * count + pool[0] * pool[1]) / (count + pool[1]), count + pool[1])
        pools.append(pool)
    return [mean for mean, count in pools for _ in range(count)]
