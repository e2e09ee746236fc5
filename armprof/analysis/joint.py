"""What changes gain together, where some are against the same cycles."""

from __future__ import annotations

from collections.abc import Iterable

from armprof.analysis.result import Bound

WHOLE: Bound = ("", 100.0)


def joint(gains: Iterable[tuple[float, tuple[Bound, ...]]]) -> float:
    """Percent of the time saved by all: of gains in percent, each with the bounds of its cause and of those around it.

    Against different causes they add up, and never to more than the cause around these takes. Of those against the same cause,
    or against one and a part of it, each gains of what the others leave there.
    """
    size: dict[str, float] = {}
    around: dict[str, str] = {}
    depth: dict[str, int] = {}
    left: dict[str, float] = {}  # the part of the cycles that the changes against it as a whole leave
    for gain, bounds in gains:
        inside = (*bounds, WHOLE)
        for at, (name, most) in enumerate(inside):
            size[name], depth[name] = most, len(inside) - at
            if name != WHOLE[0]:
                around[name] = inside[at + 1][0]
        name, most = inside[0]
        left[name] = left.get(name, 1.0) * (1 - min(1.0, gain / most))
    saved = dict.fromkeys(size, 0.0)
    for name in sorted(size, key=depth.__getitem__, reverse=True):
        saved[name] = size[name] - max(0.0, size[name] - saved[name]) * left.get(name, 1.0)
        if name in around:
            saved[around[name]] += saved[name]
    return saved.get(WHOLE[0], 0.0)
