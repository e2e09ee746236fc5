"""From what the kernel's counters said at two moments to a Count."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from armprof.counters.reading import Count, Status, uncounted
from armprof.counters.refusal import Refusal

# A counter that was without its group's slot for less than this share of the time lost less than it can be read to.
NEGLIGIBLE_LOSS = 1e-4


class Difference(NamedTuple):
    """What one counter did between two samples. Times in ns: wanted to count, and had a register to count in."""

    value: int
    enabled_ns: int
    running_ns: int


def combined(
    event: str,
    threads: Sequence[Sequence[Difference | Refusal]],
    overhead: float = 0,
    unit: str = "",
    group: int | None = None,
) -> Count:
    """One event's Count, from the counters of each thread that was followed: one for each core PMU of the machine.

    Threads add up. PMUs of one thread add up too, but count in turn, on whichever CPU the thread is: together they ran at
    most as long as the thread did. A thread that no counter followed makes the sum unknown. ``overhead`` is subtracted.

    Each thread is scaled by its own times, since threads do different work: where one that misses the caches had the counters
    all the time and one that does not had them for a tenth of it, their sums scaled together would be several times too many.
    """
    raw = enabled = running = seen = 0
    estimate = 0.0
    known = {"unit": unit, "group": group}
    for thread in threads:
        counters = [c for c in thread if isinstance(c, Difference)]
        refused = [r for r in thread if isinstance(r, Refusal)]
        if refused and not counters:
            return uncounted(event, refused[0].status, str(refused[0]), **known)
        value, ran = sum(c.value for c in counters), sum(c.running_ns for c in counters)
        wanted = max((c.enabled_ns for c in counters), default=0)
        raw, running, enabled = raw + value, running + ran, enabled + wanted
        estimate += value * max(1.0, wanted / ran) if ran > 0 else value
        seen += wanted if ran > 0 else 0
    if running <= 0:
        reason = (
            "its group never had the counters: the stretch ended before its turn; profile() gives it a pass of its own"
            if enabled
            else "nothing ran between the two samples"
        )
        return uncounted(event, Status.NOT_COUNTED, reason, enabled_ns=enabled, running_ns=0, **known)
    scaled = running < enabled * (1 - NEGLIGIBLE_LOSS)
    return Count(
        event=event,
        value=max(0, (estimate * (enabled / (seen or enabled)) if scaled else raw) - overhead),
        raw=raw,
        enabled_ns=enabled,
        running_ns=running,
        status=Status.SCALED if scaled else Status.COUNTED,
        reason="multiplexed: an estimate from the time that its group had the counters" if scaled else None,
        unit=unit,
        group=group,
    )
