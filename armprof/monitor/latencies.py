"""Distributions of latencies as counts in buckets: they add up, and percentiles follow from any sum of them.

Sixteen buckets for each power of two, so that a bound is at most 6.25 % below what fell into its bucket. A percentile is the
middle of its bucket.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from armprof.errors import ArmprofError

PER_OCTAVE = 16
PERCENTILES: Mapping[str, float] = {"p50_ns": 0.5, "p95_ns": 0.95, "p99_ns": 0.99, "p999_ns": 0.999}


def lower_bound(bucket: int) -> int:
    """The least value that falls into that bucket."""
    if bucket < 2 * PER_OCTAVE:
        return bucket
    octave, part = divmod(bucket - PER_OCTAVE, PER_OCTAVE)
    return (PER_OCTAVE + part) << octave


def bucket_of(value: int) -> int:
    """The bucket of that value."""
    octave = max(0, value.bit_length() - 1 - PER_OCTAVE.bit_length() + 1)
    return (octave * PER_OCTAVE) + (value >> octave)


@dataclass(frozen=True, slots=True)
class Distribution:
    """Calls by bucket, and their time together."""

    total_ns: float = 0.0
    buckets: Mapping[int, int] = field(default_factory=dict)  # by lower bound in ns

    @property
    def calls(self) -> int:
        return sum(self.buckets.values())

    @property
    def mean_ns(self) -> float | None:
        calls = self.calls
        return self.total_ns / calls if calls else None

    def percentile(self, share: float) -> float | None:
        """The latency that this share of the calls did not exceed; None without a call."""
        calls = self.calls
        left = share * calls
        for lower in sorted(self.buckets):
            left -= self.buckets[lower]
            if left <= 0 and calls:
                return lower + _width(lower) / 2
        return None

    def __add__(self, other: Distribution) -> Distribution:
        return Distribution(self.total_ns + other.total_ns, Counter(self.buckets) + Counter(other.buckets))

    def to_json(self) -> str:
        return json.dumps({str(lower): self.buckets[lower] for lower in sorted(self.buckets)}, separators=(",", ":"))


def _width(lower: int) -> int:
    """The width of the bucket that begins there; a bucket of one value has none."""
    return (1 << max(0, lower.bit_length() - PER_OCTAVE.bit_length())) - 1


def from_json(total_ns: float, text: str) -> Distribution:
    """What `to_json` wrote."""
    try:
        return Distribution(total_ns, {int(lower): int(calls) for lower, calls in json.loads(text).items()})
    except (ValueError, TypeError, AttributeError, OverflowError, RecursionError):
        raise ArmprofError("the store has latencies that are no distribution: it was changed by hand") from None


def together(many: Iterable[Distribution]) -> Distribution:
    """Several distributions as one."""
    return sum(many, Distribution())
