"""Numbers as people read them: short, with their unit, and never rounded to what they are not.

A rate that is not 0 never shows as 0, nor one below 1 as 100 %: an accuracy of 0.99998 is no perfect one.
"""

from __future__ import annotations

from armprof.counters.reading import Count
from armprof.metrics import Metric

NONE = "-"  # for what has no value

PER_1000 = "per 1000 instructions"

_TIMES = (("ns", 1.0), ("us", 1e3), ("ms", 1e6), ("s", 1e9))
_RATES = (("", 1.0), (" k", 1e3), (" M", 1e6), (" G", 1e9))


def number(value: float) -> str:
    """Three digits, and all before the point: 0.358, 5.90, 18.9, 1,234."""
    size = abs(value)
    if size == 0:
        return "0"
    if size < 0.0005:
        return "<0.001" if value > 0 else ">-0.001"
    if size < 0.9995:
        return f"{value:.3f}"
    if size < 9.995:
        return f"{value:.2f}"
    return f"{value:.1f}" if size < 99.95 else f"{value:,.0f}"


def percent(fraction: float, digits: int = 2) -> str:
    """A fraction of 1 in percent: 98.25 %."""
    least = 10.0**-digits
    shown = f"{100 * fraction:.{digits}f}"
    if fraction < 1 and float(shown) == 100:
        return f">{100 - least:.{digits}f} %"
    if fraction > 0 and float(shown) == 0:
        return f"<{least:.{digits}f} %"
    return f"{shown} %"


def change(fraction: float) -> str:
    """A change in percent, with its sign: +2.00 %, -0.31 %, +1,240 %."""
    size = abs(100 * fraction)
    digits = 2 if size < 9.995 else 1 if size < 99.95 else 0
    return f"{100 * fraction:+,.{digits}f} %"


def between(interval: tuple[float, float] | None) -> str:
    """The ends of an interval of changes."""
    return NONE if interval is None else f"{change(interval[0])} .. {change(interval[1])}"


def duration(ns: float) -> str:
    """A time in the unit that suits it: 12.3 ns, 201 ms."""
    return _scaled(ns, _TIMES, " ")


def rate(per_s: float) -> str:
    """Operations per second: 71.5 M/s."""
    return f"{_scaled(per_s, _RATES, '')}/s"


def _scaled(value: float, units: tuple[tuple[str, float], ...], gap: str) -> str:
    for unit, size in units:
        if abs(value) / size < 999.5 or unit == units[-1][0]:
            return f"{number(value / size)}{gap}{unit}"
    raise AssertionError(units)


def count(one: Count, operations: int = 1) -> str:
    """A count, of one operation where ``operations`` are given."""
    if one.value is None:
        return NONE
    value = one.value / operations
    if one.unit == "ns":
        return duration(value)
    return f"{amount(value)} {one.unit}".rstrip()


def amount(value: float) -> str:
    """A count: whole where it is large or whole anyway."""
    return f"{value:,.0f}" if abs(value) >= 999.5 or value == int(value) else number(value)


def coverage(share: float | None) -> str:
    """How much of the time was counted."""
    return NONE if share is None else percent(share, 1)


def metric(one: Metric) -> str:
    """A metric's value, in percent where it is a fraction."""
    if one.value is None:
        return NONE
    if one.unit.startswith("fraction"):
        return percent(one.value)
    return duration(one.value) if one.unit == "ns" else number(one.value)
