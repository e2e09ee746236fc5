"""How far the counting carries a value.

=======  ============================================================================================
high     every event was counted all the time
medium   multiplexed, each event for at least a quarter of a stretch of at least 100 ms; or an estimate among them
low      anything less, or a coverage or a length that the source does not tell
=======  ============================================================================================

Linux rotates multiplexed events at every timer tick, 1 to 10 ms: 100 ms are at least ten turns, and a quarter
of ten turns is the least from which an extrapolation means something. A 15 ms run with 7.92 % coverage, as
published, saw one tick.

A share of few events says little however well they were counted: `SHARES` holds how wide its interval may be.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from armprof.counters.reading import Count, Reading, Status
from armprof.metrics.result import Confidence

MIN_COVERAGE = 0.25
MIN_STRETCH_NS = 100_000_000


# Of a share (a hit rate) how far from the middle its 95 % interval may reach: E. B. Wilson, "Probable inference, the law of
# succession, and statistical inference", JASA 22 (1927), of events that are independent. Five accesses that all missed are
# a hit rate between 0 and 43 %; from 10,000 events on every share is known to a percent.
SHARES = ((0.01, Confidence.HIGH), (0.05, Confidence.MEDIUM))
_Z = 1.96


def stretch_ns(reading: Reading) -> int | None:
    """How long was counted, in nanoseconds: the wall time, or the time the events were enabled if less.

    A thread that sleeps is counted for less than the wall time; those of several CPUs add up to more.
    """
    enabled = max((c.enabled_ns for c in reading.counts.values() if c.enabled_ns is not None), default=None)
    known = [t for t in (reading.duration_ns, enabled) if t]
    return min(known, default=None)


def lowest_coverage(counts: Iterable[Count]) -> float | None:
    """The lowest coverage, 0 to 1; None where it is not known of one of them."""
    lowest = 1.0
    for count in counts:
        coverage = count.coverage
        if coverage is None:
            if count.status is Status.SCALED:
                return None
            coverage = 1.0
        lowest = min(lowest, coverage)
    return lowest


def confidence(counts: Iterable[Count], stretch: int | None) -> Confidence:
    """The confidence in a value made of these counts over a stretch of that many nanoseconds."""
    counts = tuple(counts)
    if all(count.status is Status.COUNTED for count in counts):
        return Confidence.HIGH
    if all(count.status in (Status.COUNTED, Status.ESTIMATED) for count in counts):
        return Confidence.MEDIUM
    coverage = lowest_coverage(counts)
    if coverage is None or coverage < MIN_COVERAGE or stretch is None or stretch < MIN_STRETCH_NS:
        return Confidence.LOW
    return Confidence.MEDIUM


def of_a_fact(uncertainty: float) -> Confidence:
    """The most confidence in a value that rests on something known only that well.

    Measurements of the memory agree within a few percent on an idle machine; more means that something else was running.
    """
    return Confidence.HIGH if uncertainty <= 0.1 else Confidence.MEDIUM if uncertainty <= 0.3 else Confidence.LOW


def of_a_share(share: float, events: float) -> Confidence:
    """The most confidence in a share, 0 to 1, of so many events."""
    if events < 1:
        return Confidence.LOW
    half = _Z / (2 * events)
    spread = math.sqrt(max(0.0, share * (1 - share)) / events + half * half)
    reaches = _Z / (1 + _Z**2 / events) * spread
    return next((confidence for limit, confidence in SHARES if reaches <= limit), Confidence.LOW)
