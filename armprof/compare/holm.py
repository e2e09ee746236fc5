"""Holm's correction: of many comparisons a few look like changes by chance, and the more are made the more do."""

from __future__ import annotations

from collections.abc import Sequence


def adjusted(probabilities: Sequence[float]) -> list[float]:
    """Each p as it counts beside the others: called changes where it is at most alpha, one call in all is false as rarely
    as alpha (Holm 1979). The smallest counts times all, the next times one fewer, and none less than one before it.
    """
    order = sorted(range(len(probabilities)), key=probabilities.__getitem__)
    found = [0.0] * len(probabilities)
    largest = 0.0
    for place, i in enumerate(order):
        largest = max(largest, min(1.0, probabilities[i] * (len(probabilities) - place)))
        found[i] = largest
    return found
