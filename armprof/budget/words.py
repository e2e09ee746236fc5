"""The words of a judgement, each by a table of thresholds: no word is said that the numbers do not carry.

The thresholds are such that the founding design's own figures give the words that it used for them.
"""

from __future__ import annotations

# A scale: (bound, word) from the best to the worst, and the word beyond the last bound.
Scale = tuple[tuple[tuple[float, str], ...], str]

# How many times better than its target a component is. 22.5, 6.0, 3.0 and 1.8 were "better", 1.57 and 1.1 "meets
# target", 0.72 "acceptable".
EXCEEDS, MEETS, ACCEPTABLE, MISSES = "Exceeds target", "Meets target", "Acceptable", "Misses target"
TARGET: Scale = (((1.75, EXCEEDS), (1.0, MEETS), (2 / 3, ACCEPTABLE)), MISSES)

# The same for several components, by the geometric mean of their factors: 3.2 was world-class, 2.6 exceptional, 1.16
# with one of three targets missed exceeded.
GROUP_MISSES = "MISSES TARGETS"
GROUP: Scale = (
    (
        (3.0, "WORLD-CLASS"),
        (2.0, "EXCEPTIONAL"),
        (1.1, "EXCEEDS TARGETS"),
        (1.0, "MEETS TARGETS"),
        (2 / 3, "ACCEPTABLE"),
    ),
    GROUP_MISSES,
)

# The share of its budget that a component takes. 0.05 % was exceptional, 0.8, 4.4 and 5.6 % excellent, 20 and 70 % good.
UTILIZATION: Scale = (
    ((0.005, "Exceptional"), (0.10, "Excellent"), (0.75, "Good"), (1.0, "Within budget")),
    "EXCEEDED",
)

# The share of the total budget that is unused. 95.6 % was massive.
HEADROOM: Scale = (
    (
        (0.90, "MASSIVE OPTIMIZATION OPPORTUNITY"),
        (0.50, "LARGE OPTIMIZATION OPPORTUNITY"),
        (0.25, "MODERATE OPTIMIZATION OPPORTUNITY"),
        (0.0, "LITTLE HEADROOM"),
    ),
    "NO HEADROOM: THE BUDGET IS EXCEEDED",
)

# From this share of unused budget on, using it is advised rather than keeping it.
LEVERAGE_FROM = 0.50


def at_least(scale: Scale, value: float) -> str:
    """The first word whose bound the value reaches, where more is better."""
    bounds, beyond = scale
    return next((word for bound, word in bounds if value >= bound), beyond)


def at_most(scale: Scale, value: float) -> str:
    """The first word whose bound the value does not exceed, where less is better."""
    bounds, beyond = scale
    return next((word for bound, word in bounds if value <= bound), beyond)


def group(mean: float, factors: tuple[float, ...]) -> str:
    """The word for several components; one that clearly misses its target is not averaged away."""
    if any(at_least(TARGET, factor) == MISSES for factor in factors):
        return GROUP_MISSES
    return at_least(GROUP, mean)
