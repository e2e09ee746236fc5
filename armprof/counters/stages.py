"""Counting work stage by stage: counters are sampled where it passes from one stage to the next.

That costs some hundred instructions a sample, so it is done in passes of its own in which nothing is timed, and only
where counters are read in user space: a system call would leave caches and predictors other than the stage found them.
What a sample itself leaves there stays in the counts: refills and mispredictions are no fewer than without it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from armprof.counters import pmu
from armprof.counters.machine import SOFTWARE, machine
from armprof.counters.reading import Reading, Status
from armprof.errors import CannotCount

BY_SYSCALL = "counters are read by system call here, which at each stage would count for more than the stage"

Work = Callable[[Any], object]  # does the work under the ap_watch that it is given


def count_stages(work: Work) -> tuple[list[Reading], int]:
    """Readings of the stages, and of how many ticks each is the total. ``work`` is the same in every pass.

    Raises CannotCount where there is no counter, or none that is read in user space.
    """
    if missing := machine().missing():
        raise CannotCount(str(missing))
    events = [name for name in machine().default_events() if name not in SOFTWARE]
    passes = [count_pass(work, group) for group in pmu.groups_of(events, pmu.ANCHORS)]
    stages = [pmu.joined(readings, events) for readings in zip(*(readings for readings, _ in passes), strict=True)]
    return stages, min(ticks for _, ticks in passes)


def count_pass(work: Work, events: Sequence[str], only_user_reads: bool = True) -> tuple[list[Reading], int]:
    """As `count_stages`, of events that can be counted together."""
    layout = pmu.layout_of((tuple(events),))
    if not layout.targets:
        raise CannotCount("; ".join(dict.fromkeys(map(str, layout.refused.values()))) or "there is nothing to count")
    counters = pmu.Counters(layout)
    try:
        overhead = _cost_of_nothing(counters)
        if only_user_reads:
            _expect_user_reads(counters)
        stages = _Stages(counters)
        work(stages.watch)
        if only_user_reads:
            _expect_user_reads(counters)
        ticks = stages.ticks
        return stages.readings({name: cost * ticks for name, cost in overhead.items()}), ticks
    finally:
        counters.close()


def _expect_user_reads(counters: pmu.Counters) -> None:
    """After some samples: before the first one nothing tells that the kernel has taken the reads away."""
    if not counters.access().startswith("user reads"):
        raise CannotCount(BY_SYSCALL)


class _Stages:
    """A native stage_counts over open counters."""

    def __init__(self, counters: pmu.Counters) -> None:
        self._counters = counters
        module = counters.layout.module
        self._ffi, self._lib = module.ffi, module.lib
        self.native = self._ffi.new("stage_counts *")
        self._lib.stage_counts_init(self.native, counters.native_set)
        self.watch = self._ffi.addressof(self.native, "watch")

    @property
    def ticks(self) -> int:
        ticks: int = self.native.ticks
        return ticks

    def readings(self, overhead: dict[str, float]) -> list[Reading]:
        notes = [f"{self.native.failed:,} ticks were left out: reading failed"] if self.native.failed else []
        return [self._reading(stage, overhead, notes) for stage in range(self._lib.AP_STAGES)]

    def _reading(self, stage: int, overhead: dict[str, float], notes: list[str]) -> Reading:
        before, after = self._counters.new_sample(), self._counters.new_sample()
        for slot in range(self._counters.layout.size):
            after.counts[slot] = self.native.sums[stage][slot]
        after.at_ns = max((after.counts[slot].enabled_ns for slot in range(self._counters.layout.size)), default=0)
        return self._counters.reading(before, after, overhead, notes)


def _cost_of_nothing(counters: pmu.Counters) -> dict[str, float]:
    """What a stage with nothing in it counts at the least, per event."""
    least: dict[str, float] = {}
    for _ in range(pmu.CALIBRATION_ROUNDS):
        stages = _Stages(counters)
        counters.layout.module.lib.stage_counts_of_nothing(stages.native, 1)
        for reading in stages.readings({}):
            for count in reading.counts.values():
                if count.status is Status.COUNTED and count.value is not None:
                    least[count.event] = min(count.value, least.get(count.event, count.value))
    return least
