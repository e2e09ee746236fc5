"""How often to sample."""

from __future__ import annotations

from dataclasses import dataclass

from armprof.errors import ArmprofError

# A prime, so that it does not beat with what happens every millisecond.
FREQUENCY = 997


@dataclass(frozen=True, slots=True)
class Rate:
    """How often: ``frequency`` samples a second of running time, or one every ``period`` events."""

    frequency: int = FREQUENCY
    period: int | None = None

    def __str__(self) -> str:
        return f"{self.frequency:,} times a second" if self.period is None else f"every {self.period:,} events"


USUAL = Rate()


def rate(frequency: int | None = None, period: int | None = None) -> Rate:
    """How often to sample. Raises ArmprofError for both at once, and for less than one."""
    if frequency is not None and period is not None:
        raise ArmprofError("a frequency and a period at once: give one of them")
    for what, number in (("frequency", frequency), ("period", period)):
        if number is not None and number < 1:
            raise ArmprofError(f"a {what} of {number}: at least 1")
    return Rate(period=period) if frequency is None else Rate(frequency)
